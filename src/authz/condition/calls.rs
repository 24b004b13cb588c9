//! The functions that conditions know, and the loops over lists.

use super::compile::{Compiler, Typed};
use super::kind::{Kind, Variable};
use super::mistake::Fault;
use super::moment::{self, Part};
use super::pattern::Pattern;
use super::program::{Constant, Function, Loop, LoopForm, Node};
use super::syntax::{Expression, Form};

const KNOWN: &str = "the functions are has, size, contains, startsWith, endsWith, matches, lowerAscii, timestamp, \
                     duration, int, double, string, get… of moments, and all, exists, exists_one, filter, map of lists";

/// `name(…)` or `of.name(…)`.
pub(super) fn call(
    compiler: &mut Compiler,
    at: usize,
    of: Option<&Expression>,
    name: &str,
    arguments: &[Expression],
) -> Result<Typed, Fault> {
    match (of, name, arguments) {
        (None, "has", [argument]) => has(compiler, argument),
        (None, "size", [of]) | (Some(of), "size", []) => size(compiler, at, of),
        (Some(of), "matches", [pattern]) | (None, "matches", [of, pattern]) => matches(compiler, of, pattern),
        (Some(of), "contains" | "startsWith" | "endsWith", [part]) => {
            let function = match name {
                "contains" => Function::Contains,
                "startsWith" => Function::StartsWith,
                _ => Function::EndsWith,
            };
            let (of, part) = (text(compiler, of)?, text(compiler, part)?);
            Ok((Node::Call(function, Box::new([of, part])), Kind::Bool))
        }
        (Some(of), "lowerAscii", []) => {
            let of = text(compiler, of)?;
            Ok((Node::Call(Function::LowerAscii, Box::new([of])), Kind::Text))
        }
        (None, "timestamp" | "duration" | "int" | "double" | "string", [argument]) => {
            conversion(compiler, at, name, argument)
        }
        (Some(of), "all" | "exists" | "exists_one" | "filter" | "map", [item, steps @ ..]) => {
            list_loop(compiler, at, of, name, item, steps)
        }
        (Some(of), _, []) => part(compiler, at, of, name, None),
        (Some(of), _, [zone]) => part(compiler, at, of, name, Some(zone)),
        _ => Err(unknown(at, name)),
    }
}

fn unknown(at: usize, name: &str) -> Fault {
    Fault::new(at, format!("there is no function {name} with these arguments"), KNOWN)
}

/// A part that must be a text.
fn text(compiler: &mut Compiler, expression: &Expression) -> Result<Node, Fault> {
    let (node, kind) = compiler.node(expression)?;
    if kind.could_be(&Kind::Text) {
        return Ok(node);
    }
    Err(Fault::new(expression.at, format!("{kind} is no text"), "give it a text"))
}

/// Whether something that may be absent is there.
fn has(compiler: &mut Compiler, argument: &Expression) -> Result<Typed, Fault> {
    let Form::Select(of, field) = &argument.form else {
        let fix = "write has(identity.email), or \"name\" in identity.claims";
        return Err(Fault::new(argument.at, "has() asks for a member", fix));
    };
    let (node, _) = compiler.select(argument.at, of, field)?;
    let node = match node {
        Node::Read(place) => Node::HasPlace(place),
        Node::Member(of, name) => Node::Has(of, name),
        other => other,
    };
    Ok((node, Kind::Bool))
}

fn size(compiler: &mut Compiler, at: usize, of: &Expression) -> Result<Typed, Fault> {
    let (node, kind) = compiler.node(of)?;
    match kind {
        Kind::Text | Kind::List(_) | Kind::Object | Kind::Params | Kind::Any => {
            Ok((Node::Call(Function::Size, Box::new([node])), Kind::Int))
        }
        _ => Err(Fault::new(at, format!("{kind} has no size"), "texts, lists and objects have one")),
    }
}

/// A pattern is written out, so that it is read and measured once.
fn matches(compiler: &mut Compiler, of: &Expression, pattern: &Expression) -> Result<Typed, Fault> {
    let Form::Text(written) = &pattern.form else {
        return Err(Fault::new(pattern.at, "a pattern must be written out", "write matches(\"…\") with a text"));
    };
    let pattern = Pattern::parse(written).map_err(|rule| Fault::new(pattern.at, rule, "write a simpler pattern"))?;
    Ok((Node::Matches(Box::new(text(compiler, of)?), pattern), Kind::Bool))
}

fn conversion(compiler: &mut Compiler, at: usize, name: &str, argument: &Expression) -> Result<Typed, Fault> {
    let (node, kind) = compiler.node(argument)?;
    if let Node::Constant(Constant::Text(text)) = &node
        && let Some(constant) = written_moment(argument.at, name, text)?
    {
        return Ok(constant);
    }
    let (function, result, accepted): (_, _, &[Kind]) = match name {
        "timestamp" => (Function::ToTime, Kind::Time, &[Kind::Text, Kind::Int, Kind::Double, Kind::Time]),
        "duration" => (Function::ToDuration, Kind::Duration, &[Kind::Text, Kind::Duration]),
        "int" => (Function::ToInt, Kind::Int, &[Kind::Text, Kind::Int, Kind::Double, Kind::Time]),
        "double" => (Function::ToDouble, Kind::Double, &[Kind::Text, Kind::Int, Kind::Double]),
        _ => (Function::ToText, Kind::Text, &[Kind::Text, Kind::Int, Kind::Bool]),
    };
    if !accepted.iter().any(|accepted| kind.could_be(accepted)) {
        return Err(Fault::new(at, format!("{name}() cannot be made of {kind}"), KNOWN));
    }
    Ok((Node::Call(function, Box::new([node])), result))
}

/// Moments and durations that are written out are read once, and their mistakes are told now.
fn written_moment(at: usize, name: &str, text: &str) -> Result<Option<Typed>, Fault> {
    let constant = |constant, kind| Ok(Some((Node::Constant(constant), kind)));
    match name {
        "timestamp" => match moment::parse_time(text) {
            Some(seconds) => constant(Constant::Time(seconds), Kind::Time),
            None => Err(Fault::new(at, "it is no moment", "write it like \"2026-07-28T09:30:00Z\"")),
        },
        "duration" => match moment::parse_duration(text) {
            Some(seconds) => constant(Constant::Duration(seconds), Kind::Duration),
            None => Err(Fault::new(at, "it is no duration in whole seconds", "write it like \"1h30m\" or \"90s\"")),
        },
        _ => Ok(None),
    }
}

fn part(
    compiler: &mut Compiler,
    at: usize,
    of: &Expression,
    name: &str,
    zone: Option<&Expression>,
) -> Result<Typed, Fault> {
    let part = match name {
        "getFullYear" => Part::Year,
        "getMonth" => Part::Month,
        "getDate" => Part::Date,
        "getDayOfMonth" => Part::DayOfMonth,
        "getDayOfWeek" => Part::DayOfWeek,
        "getDayOfYear" => Part::DayOfYear,
        "getHours" => Part::Hours,
        "getMinutes" => Part::Minutes,
        "getSeconds" => Part::Seconds,
        _ => return Err(unknown(at, name)),
    };
    let (node, kind) = compiler.node(of)?;
    let of_duration = kind == Kind::Duration && zone.is_none() && moment::total_of(part, 0).is_some();
    if !kind.could_be(&Kind::Time) && !of_duration {
        return Err(Fault::new(at, format!("{kind} has no {name}"), "ask a moment, such as now"));
    }
    let offset = zone.map_or(Ok(0), |zone| match &zone.form {
        Form::Text(text) => moment::parse_offset(text).ok_or(zone.at),
        _ => Err(zone.at),
    });
    let offset = offset.map_err(|at| {
        let rule = "time zones are known as offsets only: the rules behind their names change";
        Fault::new(at, rule, "write the offset like \"+02:00\", or leave it out for UTC")
    })?;
    Ok((Node::Call(Function::Part(part, offset), Box::new([node])), Kind::Int))
}

/// A loop has no loop inside, so what it costs grows with the list and not with its square.
fn list_loop(
    compiler: &mut Compiler,
    at: usize,
    of: &Expression,
    name: &str,
    item: &Expression,
    steps: &[Expression],
) -> Result<Typed, Fault> {
    let (over, kind) = compiler.node(of)?;
    let item_kind = match kind {
        Kind::List(of) => *of,
        Kind::Any => Kind::Any,
        _ => return Err(Fault::new(at, format!("{kind} is no list"), "loops go over lists")),
    };
    let Form::Name(item_name) = &item.form else {
        return Err(Fault::new(item.at, "a loop names its item first", format!("write .{name}(item, …)")));
    };
    if Variable::is_root(item_name) {
        return Err(Fault::new(item.at, format!("{item_name} is a variable already"), "choose another name"));
    }
    if compiler.item.is_some() {
        return Err(Fault::new(at, "loops cannot stand inside each other", "use in, or two conditions"));
    }
    compiler.item = Some((item_name.clone(), item_kind.clone()));
    let looped = loop_body(compiler, at, name, steps, item_kind);
    compiler.item = None;
    let (form, filter, step, kind) = looped?;
    Ok((Node::Loop(Box::new(Loop { over, form, filter, step })), kind))
}

type Body = (LoopForm, Option<Node>, Node, Kind);

fn loop_body(
    compiler: &mut Compiler,
    at: usize,
    name: &str,
    steps: &[Expression],
    item_kind: Kind,
) -> Result<Body, Fault> {
    match (name, steps) {
        ("map", [step]) => {
            let (step, kind) = compiler.node(step)?;
            Ok((LoopForm::Map, None, step, Kind::list(kind)))
        }
        ("map", [filter, step]) => {
            let filter = compiler.bool(filter)?;
            let (step, kind) = compiler.node(step)?;
            Ok((LoopForm::Map, Some(filter), step, Kind::list(kind)))
        }
        ("all", [step]) => Ok((LoopForm::All, None, compiler.bool(step)?, Kind::Bool)),
        ("exists", [step]) => Ok((LoopForm::Exists, None, compiler.bool(step)?, Kind::Bool)),
        ("exists_one", [step]) => Ok((LoopForm::ExistsOne, None, compiler.bool(step)?, Kind::Bool)),
        ("filter", [step]) => Ok((LoopForm::Filter, None, compiler.bool(step)?, Kind::list(item_kind))),
        _ => Err(unknown(at, name)),
    }
}
