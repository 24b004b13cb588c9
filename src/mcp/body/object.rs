//! `params`: the three members that can name an operation, and nothing that looks like one of them.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};

use super::strict::{Ignored, Keys, Text, refuse_lookalike};

/// What `params` says about the operation's name.
#[derive(Debug, Default)]
pub(super) struct Params<'de> {
    pub(super) name: Option<Cow<'de, str>>,
    pub(super) uri: Option<Cow<'de, str>>,
    pub(super) task_id: Option<Cow<'de, str>>,
}

impl<'de> Deserialize<'de> for Params<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ParamsVisitor)
    }
}

struct ParamsVisitor;

impl<'de> Visitor<'de> for ParamsVisitor {
    type Value = Params<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Params<'de>, A::Error> {
        let (mut params, mut keys) = (Params::default(), Keys::default());
        while let Some(key) = members.next_key_seed(Text)? {
            refuse_lookalike(&key, &["name", "uri", "taskId", "_meta", "arguments"])?;
            let place = match &*key {
                "name" => Some(&mut params.name),
                "uri" => Some(&mut params.uri),
                "taskId" => Some(&mut params.task_id),
                _ => None,
            };
            match place {
                Some(place) => *place = Some(members.next_value_seed(Text)?),
                None => {
                    members.next_value::<Ignored>()?;
                }
            }
            keys.add(key)?;
        }
        Ok(params)
    }
}
