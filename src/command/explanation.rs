//! An explanation for people: short, aligned, and the step that refuses stands out.

use std::fmt::{self, Display, Formatter};

use serde_json::Value;

use super::table::text;
use crate::http::pages::text::one_line;

/// What the service said, shown.
pub struct Shown<'a>(pub &'a Value);

const WIDEST: usize = 8192;

impl Display for Shown<'_> {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let Self(explanation) = self;
        write_request(formatter, explanation)?;
        let (reached, others): (Vec<&Value>, Vec<&Value>) =
            list(explanation, "steps").into_iter().partition(|step| text(step, "outcome") != "not_reached");
        for step in reached {
            write_step(formatter, step)?;
        }
        if !others.is_empty() {
            let names: Vec<String> = others.into_iter().map(|step| clean(step, "step")).collect();
            writeln!(formatter, "    .    not reached     {}", names.join(", "))?;
        }
        write_verdict(formatter, explanation)?;
        let mut answers = list(explanation, "answers");
        while let Some((first, rest)) = answers.split_first() {
            let (same, others): (Vec<&Value>, Vec<&Value>) = rest.iter().partition(|other| is_same(first, other));
            write_answer(formatter, first, &same)?;
            answers = others;
        }
        Ok(())
    }
}

fn list<'v>(explanation: &'v Value, name: &str) -> Vec<&'v Value> {
    explanation.get(name).and_then(Value::as_array).map(|list| list.iter().collect()).unwrap_or_default()
}

/// One line, without anything that moves a cursor: much of it was chosen by strangers.
fn clean(object: &Value, name: &str) -> String {
    one_line(&text(object, name), WIDEST)
}

fn write_request(formatter: &mut Formatter<'_>, explanation: &Value) -> fmt::Result {
    if let Some(refused) = explanation.get("refused") {
        writeln!(formatter, "request {} of {}", clean(refused, "request_id"), clean(refused, "at"))?;
    }
    let Some(request) = explanation.get("request") else { return writeln!(formatter) };
    let parts = [
        format!("{} {}", clean(request, "method"), clean(request, "url")),
        clean(request, "operation"),
        clean(request, "origin"),
    ];
    let parts: Vec<String> = parts.into_iter().filter(|part| !part.trim().is_empty()).collect();
    writeln!(formatter, "{}\n", parts.join(", "))
}

fn write_step(formatter: &mut Formatter<'_>, step: &Value) -> fmt::Result {
    let mark = match text(step, "outcome").as_str() {
        "passed" => "    ok",
        "refused" => ">>> NO",
        "also_refuses" => "    no",
        "audited" => "    (no)",
        _ => "    -",
    };
    let line = format!("{mark:9}{:16}{}", clean(step, "step"), clean(step, "detail"));
    writeln!(formatter, "{}", line.trim_end())
}

fn write_verdict(formatter: &mut Formatter<'_>, explanation: &Value) -> fmt::Result {
    let Some(verdict) = explanation.get("verdict") else { return Ok(()) };
    let why = format!("{}, {}", text(verdict, "reason"), text(verdict, "description"));
    match text(verdict, "decision").as_str() {
        "allow" => writeln!(formatter, "\nallowed")?,
        "audit" => writeln!(formatter, "\nallowed, and recorded (audit mode): it would be refused: {why}")?,
        "undecidable" => writeln!(formatter, "\nit cannot be told now: {why}")?,
        _ => writeln!(formatter, "\nrefused: {why}")?,
    }
    match clean(explanation, "note") {
        note if note.is_empty() => Ok(()),
        note => writeln!(formatter, "{note}"),
    }
}

fn is_same(one: &Value, other: &Value) -> bool {
    ["status", "headers", "body"].iter().all(|name| one.get(name) == other.get(name))
}

fn write_answer(formatter: &mut Formatter<'_>, answer: &Value, same: &[&Value]) -> fmt::Result {
    let asker = |answer: &Value| format!("{} ({})", text(answer, "proxy"), text(answer, "path"));
    let askers: Vec<String> = std::iter::once(answer).chain(same.iter().copied()).map(asker).collect();
    let status = answer.get("status").and_then(Value::as_u64).unwrap_or_default();
    writeln!(formatter, "\n{status} to {}", askers.join(", "))?;
    for (name, value) in answer.get("headers").and_then(Value::as_object).into_iter().flatten() {
        writeln!(formatter, "    {name}: {}", one_line(value.as_str().unwrap_or_default(), WIDEST))?;
    }
    match clean(answer, "body") {
        body if body.is_empty() => Ok(()),
        body => writeln!(formatter, "\n    {body}"),
    }
}
