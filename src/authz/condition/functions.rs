//! What functions and arithmetic make of values.

use std::borrow::Cow;

use super::fuel::{Fuel, Trouble};
use super::moment;
use super::program::Function;
use super::syntax::Operator;
use super::value::{Value, nearest, whole};

pub(super) fn call<'v>(function: Function, arguments: &[Value<'v>], fuel: &mut Fuel) -> Result<Value<'v>, Trouble> {
    let [of, rest @ ..] = arguments else { return Err(Trouble::Kind) };
    match function {
        Function::Size => size(of, fuel),
        Function::Contains | Function::StartsWith | Function::EndsWith => {
            let [part] = rest else { return Err(Trouble::Kind) };
            let (of, part) = (of.as_text()?, part.as_text()?);
            Ok(Value::Bool(match function {
                Function::StartsWith => of.starts_with(part),
                Function::EndsWith => of.ends_with(part),
                _ => {
                    fuel.look_at(of.len().saturating_mul(4))?;
                    of.contains(part)
                }
            }))
        }
        Function::LowerAscii => {
            let text = of.as_text()?;
            fuel.look_at(text.len())?;
            Ok(Value::Text(Cow::Owned(text.to_ascii_lowercase())))
        }
        Function::ToTime => to_time(of),
        Function::ToDuration => match of {
            Value::Duration(seconds) => Ok(Value::Duration(*seconds)),
            other => moment::parse_duration(other.as_text()?).map(Value::Duration).ok_or(Trouble::Kind),
        },
        Function::ToInt => to_int(of),
        Function::ToDouble => to_double(of),
        Function::ToText => to_text(of, fuel),
        Function::Part(part, offset) => match of {
            Value::Time(seconds) => Ok(Value::Int(moment::part_of(part, *seconds, offset))),
            Value::Duration(seconds) => moment::total_of(part, *seconds).map(Value::Int).ok_or(Trouble::Kind),
            _ => Err(Trouble::Kind),
        },
    }
}

/// Of a text, its characters.
fn size<'v>(of: &Value<'v>, fuel: &mut Fuel) -> Result<Value<'v>, Trouble> {
    let size = match of {
        Value::Text(text) => {
            fuel.look_at(text.len())?;
            text.chars().count()
        }
        Value::List(items) => items.len(),
        Value::Object(members) => members.len(),
        Value::Params(params) => params.len(),
        _ => return Err(Trouble::Kind),
    };
    i64::try_from(size).map(Value::Int).map_err(|_| Trouble::Arithmetic)
}

fn to_time<'v>(of: &Value<'v>) -> Result<Value<'v>, Trouble> {
    match of {
        Value::Time(seconds) | Value::Int(seconds) => Ok(Value::Time(*seconds)),
        Value::Double(seconds) => whole(seconds.trunc()).map(Value::Time).ok_or(Trouble::Arithmetic),
        other => moment::parse_time(other.as_text()?).map(Value::Time).ok_or(Trouble::Kind),
    }
}

fn to_int<'v>(of: &Value<'v>) -> Result<Value<'v>, Trouble> {
    match of {
        Value::Int(number) | Value::Time(number) => Ok(Value::Int(*number)),
        Value::Double(number) => whole(number.trunc()).map(Value::Int).ok_or(Trouble::Arithmetic),
        other => other.as_text()?.parse().map(Value::Int).map_err(|_| Trouble::Kind),
    }
}

fn to_double<'v>(of: &Value<'v>) -> Result<Value<'v>, Trouble> {
    match of {
        Value::Int(number) => Ok(Value::Double(nearest(*number))),
        Value::Double(number) => Ok(Value::Double(*number)),
        other => other.as_text()?.parse().map(Value::Double).map_err(|_| Trouble::Kind),
    }
}

fn to_text<'v>(of: &Value<'v>, fuel: &mut Fuel) -> Result<Value<'v>, Trouble> {
    let text = match of {
        Value::Bool(value) => value.to_string(),
        Value::Int(number) => number.to_string(),
        other => other.as_text()?.to_owned(),
    };
    fuel.look_at(text.len())?;
    Ok(Value::Text(Cow::Owned(text)))
}

pub(super) fn negative<'v>(of: &Value<'v>) -> Result<Value<'v>, Trouble> {
    match of {
        Value::Int(number) => number.checked_neg().map(Value::Int).ok_or(Trouble::Arithmetic),
        Value::Double(number) => Ok(Value::Double(-number)),
        _ => Err(Trouble::Kind),
    }
}

pub(super) fn arithmetic<'v>(
    operator: Operator,
    left: &Value<'v>,
    right: &Value<'v>,
    fuel: &mut Fuel,
) -> Result<Value<'v>, Trouble> {
    match (left, right) {
        (Value::Int(left), Value::Int(right)) => of_ints(operator, *left, *right).map(Value::Int),
        (Value::Double(left), Value::Double(right)) => of_doubles(operator, *left, *right).map(Value::Double),
        (Value::Text(left), Value::Text(right)) if operator == Operator::Add => {
            fuel.look_at(left.len() + right.len())?;
            Ok(Value::Text(Cow::Owned(format!("{left}{right}"))))
        }
        _ => of_moments(operator, left, right),
    }
}

fn of_ints(operator: Operator, left: i64, right: i64) -> Result<i64, Trouble> {
    let outcome = match operator {
        Operator::Add => left.checked_add(right),
        Operator::Subtract => left.checked_sub(right),
        Operator::Multiply => left.checked_mul(right),
        Operator::Divide => left.checked_div(right),
        Operator::Remainder => left.checked_rem(right),
        _ => return Err(Trouble::Kind),
    };
    outcome.ok_or(Trouble::Arithmetic)
}

/// As IEEE 754 has it: a division by zero is infinite.
fn of_doubles(operator: Operator, left: f64, right: f64) -> Result<f64, Trouble> {
    match operator {
        Operator::Add => Ok(left + right),
        Operator::Subtract => Ok(left - right),
        Operator::Multiply => Ok(left * right),
        Operator::Divide => Ok(left / right),
        _ => Err(Trouble::Kind),
    }
}

fn of_moments<'v>(operator: Operator, left: &Value<'v>, right: &Value<'v>) -> Result<Value<'v>, Trouble> {
    let made = |seconds: Option<i64>, make: fn(i64) -> Value<'v>| seconds.map(make).ok_or(Trouble::Arithmetic);
    match (left, operator, right) {
        (Value::Time(left), Operator::Add, Value::Duration(right))
        | (Value::Duration(left), Operator::Add, Value::Time(right)) => made(left.checked_add(*right), Value::Time),
        (Value::Duration(left), Operator::Add, Value::Duration(right)) => {
            made(left.checked_add(*right), Value::Duration)
        }
        (Value::Time(left), Operator::Subtract, Value::Duration(right)) => made(left.checked_sub(*right), Value::Time),
        (Value::Time(left), Operator::Subtract, Value::Time(right))
        | (Value::Duration(left), Operator::Subtract, Value::Duration(right)) => {
            made(left.checked_sub(*right), Value::Duration)
        }
        _ => Err(Trouble::Kind),
    }
}
