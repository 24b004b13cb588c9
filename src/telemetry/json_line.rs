//! One flat JSON object, written straight into a buffer. Names are ours and need no look; a value that holds nothing to
//! escape, as nearly all do, is copied whole.

use serde::Serialize;

/// An object in the making; every member ends with a comma until the object does.
pub(super) struct JsonLine<'a>(&'a mut Vec<u8>);

/// The name of a member as it is written.
macro_rules! name {
    ($name:literal) => {
        Name(concat!("\"", $name, "\":"))
    };
}
pub(super) use name;

/// See [`name!`].
#[derive(Clone, Copy)]
pub(super) struct Name(pub(super) &'static str);

impl<'a> JsonLine<'a> {
    /// Begins an object at the end of `out`.
    pub(super) fn begin(out: &'a mut Vec<u8>) -> Self {
        out.push(b'{');
        Self(out)
    }

    /// A member that is text; left out when there is none.
    pub(super) fn text<'v>(&mut self, name: Name, value: impl Into<Option<&'v str>>) {
        let Some(value) = value.into() else { return };
        if is_plain(value) {
            self.0.reserve(name.0.len() + value.len() + 3);
            self.0.extend_from_slice(name.0.as_bytes());
            self.0.push(b'"');
            self.0.extend_from_slice(value.as_bytes());
            self.0.extend_from_slice(b"\",");
        } else {
            self.number(name, value);
        }
    }

    /// A member that is a number, or text that must be escaped.
    pub(super) fn number(&mut self, name: Name, value: impl Serialize) {
        self.0.extend_from_slice(name.0.as_bytes());
        // Neither a string nor a number can fail.
        let _ = serde_json::to_writer(&mut *self.0, &value);
        self.0.push(b',');
    }

    /// Ends the object, which holds a member.
    pub(super) fn end(self) {
        if let Some(comma) = self.0.last_mut() {
            *comma = b'}';
        }
    }
}

/// Whether JSON takes every byte as it stands (RFC 8259 §7). Counted to the end: that needs no branches.
fn is_plain(text: &str) -> bool {
    text.bytes().filter(|byte| *byte < 0x20 || *byte == b'"' || *byte == b'\\').count() == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_text_comes_back_as_it_was() {
        for text in ["", "plain", "{", "a\"b", "a\\", "line\r\nbreak", "\u{0}\u{1f}\u{7f}", "caf\u{e9} \u{1f600}"] {
            let mut out = Vec::new();
            let mut line = JsonLine::begin(&mut out);
            line.text(name!("first"), text);
            line.text(name!("absent"), None);
            line.number(name!("status"), 200_u16);
            line.text(name!("last"), Some(text));
            line.end();
            let read: serde_json::Value = serde_json::from_slice(&out).unwrap();
            assert_eq!(read, serde_json::json!({ "first": text, "status": 200, "last": text }), "{text:?}");
        }
    }
}
