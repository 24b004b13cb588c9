//! What a condition computes with. Texts and lists of the request are borrowed, never copied.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::rc::Rc;

use serde_json::Value as Json;

use super::fuel::{Fuel, Trouble};
use super::program::Constant;
use crate::domain::Scope;

/// A value.
#[derive(Debug, Clone)]
pub(super) enum Value<'v> {
    Null,
    Bool(bool),
    Int(i64),
    Double(f64),
    Text(Cow<'v, str>),
    /// Seconds since 1970.
    Time(i64),
    /// Seconds.
    Duration(i64),
    List(Items<'v>),
    Object(&'v serde_json::Map<String, Json>),
    Params(&'v [(String, String)]),
}

/// A list, wherever it is kept.
#[derive(Debug, Clone)]
pub(super) enum Items<'v> {
    Texts(&'v [String]),
    Scopes(&'v [Scope]),
    Json(&'v [Json]),
    Made(Rc<[Value<'v>]>),
}

impl<'v> Items<'v> {
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Texts(items) => items.len(),
            Self::Scopes(items) => items.len(),
            Self::Json(items) => items.len(),
            Self::Made(items) => items.len(),
        }
    }

    /// The item at `place`, if there is one.
    pub(super) fn get(&self, place: usize) -> Option<Result<Value<'v>, Trouble>> {
        match self {
            Self::Texts(items) => items.get(place).map(|text| Ok(Value::text(text))),
            Self::Scopes(items) => items.get(place).map(|scope| Ok(Value::text(scope.as_str()))),
            Self::Json(items) => items.get(place).map(Value::of_json),
            Self::Made(items) => items.get(place).cloned().map(Ok),
        }
    }
}

impl<'v> Value<'v> {
    pub(super) const fn text(text: &'v str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }

    pub(super) fn constant(constant: &'v Constant) -> Self {
        match constant {
            Constant::Null => Self::Null,
            Constant::Bool(value) => Self::Bool(*value),
            Constant::Int(value) => Self::Int(*value),
            Constant::Double(value) => Self::Double(*value),
            Constant::Text(text) => Self::text(text),
            Constant::Time(seconds) => Self::Time(*seconds),
            Constant::Duration(seconds) => Self::Duration(*seconds),
        }
    }

    /// Whole numbers stay whole; those of more than 64 bits with a sign have no value here.
    pub(super) fn of_json(json: &'v Json) -> Result<Self, Trouble> {
        Ok(match json {
            Json::Null => Self::Null,
            Json::Bool(value) => Self::Bool(*value),
            Json::Number(number) => match (number.as_i64(), number.as_f64()) {
                (Some(whole), _) => Self::Int(whole),
                (None, Some(double)) if number.is_f64() => Self::Double(double),
                (None, _) => return Err(Trouble::Arithmetic),
            },
            Json::String(text) => Self::text(text),
            Json::Array(items) => Self::List(Items::Json(items)),
            Json::Object(members) => Self::Object(members),
        })
    }

    /// The member `name` of an object.
    pub(super) fn member(&self, name: &str) -> Result<Option<Self>, Trouble> {
        match self {
            Self::Object(members) => members.get(name).map(Self::of_json).transpose(),
            Self::Params(params) => {
                Ok(params.iter().find(|(known, _)| known == name).map(|(_, value)| Self::text(value)))
            }
            _ => Err(Trouble::Kind),
        }
    }

    pub(super) const fn as_bool(&self) -> Result<bool, Trouble> {
        match self {
            Self::Bool(value) => Ok(*value),
            _ => Err(Trouble::Kind),
        }
    }

    pub(super) fn as_text(&self) -> Result<&str, Trouble> {
        match self {
            Self::Text(text) => Ok(text),
            _ => Err(Trouble::Kind),
        }
    }

    /// Whether they are the same. Values of different kinds are not; numbers are compared by value.
    pub(super) fn equals(&self, other: &Self, fuel: &mut Fuel) -> Result<bool, Trouble> {
        fuel.spend(1)?;
        Ok(match (self, other) {
            (Self::Null, Self::Null) => true,
            (Self::Bool(left), Self::Bool(right)) => left == right,
            (Self::Text(left), Self::Text(right)) => {
                fuel.look_at(left.len().min(right.len()))?;
                left == right
            }
            (Self::Time(left), Self::Time(right)) | (Self::Duration(left), Self::Duration(right)) => left == right,
            (Self::Int(_) | Self::Double(_), Self::Int(_) | Self::Double(_)) => {
                self.number_order(other) == Some(Ordering::Equal)
            }
            (Self::List(left), Self::List(right)) => same_items(left, right, fuel)?,
            (Self::Object(left), Self::Object(right)) => same_members(left, right, fuel)?,
            _ => false,
        })
    }

    /// Which comes first; there is no order between different kinds.
    pub(super) fn order(&self, other: &Self, fuel: &mut Fuel) -> Result<Option<Ordering>, Trouble> {
        match (self, other) {
            (Self::Bool(left), Self::Bool(right)) => Ok(Some(left.cmp(right))),
            (Self::Text(left), Self::Text(right)) => {
                fuel.look_at(left.len().min(right.len()))?;
                Ok(Some(left.cmp(right)))
            }
            (Self::Time(left), Self::Time(right)) | (Self::Duration(left), Self::Duration(right)) => {
                Ok(Some(left.cmp(right)))
            }
            (Self::Int(_) | Self::Double(_), Self::Int(_) | Self::Double(_)) => Ok(self.number_order(other)),
            _ => Err(Trouble::Kind),
        }
    }

    fn number_order(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Int(left), Self::Int(right)) => Some(left.cmp(right)),
            (Self::Double(left), Self::Double(right)) => left.partial_cmp(right),
            (Self::Int(left), Self::Double(right)) => int_order(*left, *right),
            (Self::Double(left), Self::Int(right)) => int_order(*right, *left).map(Ordering::reverse),
            _ => None,
        }
    }
}

fn same_items(left: &Items<'_>, right: &Items<'_>, fuel: &mut Fuel) -> Result<bool, Trouble> {
    if left.len() != right.len() {
        return Ok(false);
    }
    for place in 0..left.len() {
        let (Some(left), Some(right)) = (left.get(place), right.get(place)) else { return Ok(false) };
        if !left?.equals(&right?, fuel)? {
            return Ok(false);
        }
    }
    Ok(true)
}

type Members = serde_json::Map<String, Json>;

fn same_members(left: &Members, right: &Members, fuel: &mut Fuel) -> Result<bool, Trouble> {
    if left.len() != right.len() {
        return Ok(false);
    }
    for (name, value) in left {
        fuel.look_at(name.len())?;
        let Some(other) = right.get(name) else { return Ok(false) };
        if !Value::of_json(value)?.equals(&Value::of_json(other)?, fuel)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Exactly, although not every whole number of 64 bits is a double.
fn int_order(int: i64, double: f64) -> Option<Ordering> {
    if double.is_nan() {
        return None;
    }
    Some(match whole(double.trunc()) {
        Some(whole) if whole == int => 0.0_f64.partial_cmp(&double.fract())?,
        Some(whole) => int.cmp(&whole),
        None if double > 0.0 => Ordering::Less,
        None => Ordering::Greater,
    })
}

/// A double without its fraction, if it fits into 64 bits.
pub(super) fn whole(double: f64) -> Option<i64> {
    const END: f64 = 9_223_372_036_854_775_808.0;
    if !(-END..END).contains(&double) {
        return None;
    }
    #[expect(clippy::as_conversions, clippy::cast_possible_truncation, reason = "the range was looked at before")]
    let whole = double as i64;
    Some(whole)
}

/// The nearest double.
pub(super) fn nearest(int: i64) -> f64 {
    #[expect(clippy::as_conversions, clippy::cast_precision_loss, reason = "the nearest double is what CEL asks for")]
    let double = int as f64;
    double
}
