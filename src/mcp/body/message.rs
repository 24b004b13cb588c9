//! JSON-RPC messages, alone or in a batch.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::object::Params;
use super::strict::{Ignored, Keys, Text, fault, refuse_lookalike};
use super::{BodyFault, check_method};
use crate::domain::Operation;
use crate::domain::operation::NamedBy;
use crate::mcp::name;

/// One message or a batch of them (JSON-RPC 2.0 §6; in MCP only in version 2025-03-26, yet servers of other versions run
/// them).
#[derive(Debug)]
pub(super) struct Body<'de>(Vec<Message<'de>>);

/// One message (JSON-RPC 2.0 §4 and §5).
#[derive(Debug, Default)]
struct Message<'de> {
    version: Option<Cow<'de, str>>,
    method: Option<Cow<'de, str>>,
    params: Option<Params<'de>>,
    has_id: bool,
    has_outcome: bool,
}

impl<'de> Body<'de> {
    const MAX_MESSAGES: usize = 64;

    /// What the messages ask for.
    pub(super) fn operations(self) -> Result<Vec<Operation<'de>>, BodyFault> {
        self.0.into_iter().map(Message::operation).collect()
    }
}

impl<'de> Deserialize<'de> for Body<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(BodyVisitor)
    }
}

struct BodyVisitor;

impl<'de> Visitor<'de> for BodyVisitor {
    type Value = Body<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object or an array of objects")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Body<'de>, A::Error> {
        let mut messages = Vec::new();
        while let Some(message) = items.next_element()? {
            messages.push(message);
            if messages.len() > Body::MAX_MESSAGES {
                return Err(fault(BodyFault::Batch));
            }
        }
        if messages.is_empty() { Err(fault(BodyFault::Batch)) } else { Ok(Body(messages)) }
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<Body<'de>, A::Error> {
        MessageVisitor.visit_map(members).map(|message| Body(vec![message]))
    }
}

impl<'de> Deserialize<'de> for Message<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MessageVisitor)
    }
}

struct MessageVisitor;

impl<'de> Visitor<'de> for MessageVisitor {
    type Value = Message<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON-RPC message")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Message<'de>, A::Error> {
        let (mut message, mut keys) = (Message::default(), Keys::default());
        while let Some(key) = members.next_key_seed(Text)? {
            refuse_lookalike(&key, &["jsonrpc", "id", "method", "params", "result", "error"])?;
            message.take(&key, &mut members)?;
            keys.add(key)?;
        }
        Ok(message)
    }
}

impl<'de> Message<'de> {
    fn take<A: MapAccess<'de>>(&mut self, key: &str, members: &mut A) -> Result<(), A::Error> {
        match key {
            "jsonrpc" => self.version = Some(members.next_value_seed(Text)?),
            "method" => self.method = Some(members.next_value_seed(Text)?),
            "params" => self.params = Some(members.next_value()?),
            "id" => self.has_id = members.next_value::<Ignored>().map(|_| true)?,
            "result" | "error" if self.has_outcome => return Err(A::Error::custom(BodyFault::NotJsonRpc)),
            "result" | "error" => self.has_outcome = members.next_value::<Ignored>().map(|_| true)?,
            _ => {
                members.next_value::<Ignored>()?;
            }
        }
        Ok(())
    }

    fn operation(self) -> Result<Operation<'de>, BodyFault> {
        if self.version.as_deref() != Some("2.0") {
            return Err(BodyFault::NotJsonRpc);
        }
        match (self.method, self.has_outcome) {
            (Some(method), false) => named(method, self.params.unwrap_or_default()),
            (None, true) if self.has_id => Ok(Operation::new(Operation::RESPONSE, None)),
            _ => Err(BodyFault::NotJsonRpc),
        }
    }
}

fn named<'de>(method: Cow<'de, str>, params: Params<'de>) -> Result<Operation<'de>, BodyFault> {
    check_method(&method)?;
    let Some(named_by) = NamedBy::of(&method) else { return Ok(Operation::new(method, None)) };
    let name = match named_by {
        NamedBy::Name => params.name,
        NamedBy::Uri => params.uri,
        NamedBy::TaskId => params.task_id,
    };
    let name = name.filter(|name| !name.is_empty()).ok_or(BodyFault::Nameless)?;
    name::check(named_by, &name)?;
    Ok(Operation::new(method, Some(name)))
}
