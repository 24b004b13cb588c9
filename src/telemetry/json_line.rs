//! One flat JSON object, written straight into a buffer. Names are ours and need no look; a value that holds nothing to
//! escape, as nearly all do, is copied whole.

use serde::Serialize;

/// An object in the making.
pub(super) struct JsonLine<'a>(&'a mut Vec<u8>);

impl<'a> JsonLine<'a> {
    /// Begins an object at the end of `out`.
    pub(super) fn begin(out: &'a mut Vec<u8>) -> Self {
        out.push(b'{');
        Self(out)
    }

    /// A member that is text; left out when there is none.
    pub(super) fn text<'v>(&mut self, name: &'static str, value: impl Into<Option<&'v str>>) {
        let Some(value) = value.into() else { return };
        self.name(name);
        if is_plain(value) {
            self.0.push(b'"');
            self.0.extend_from_slice(value.as_bytes());
            self.0.push(b'"');
        } else {
            self.value(&value);
        }
    }

    /// A member that is a number.
    pub(super) fn number(&mut self, name: &'static str, value: impl Serialize) {
        self.name(name);
        self.value(&value);
    }

    /// Ends the object.
    pub(super) fn end(self) {
        self.0.push(b'}');
    }

    /// No member ends with a brace, so one at the end of the buffer is the object's own.
    fn name(&mut self, name: &'static str) {
        self.0.extend_from_slice(if self.0.ends_with(b"{") { b"\"" } else { b",\"" });
        self.0.extend_from_slice(name.as_bytes());
        self.0.extend_from_slice(b"\":");
    }

    /// A string or a number; neither can fail.
    fn value(&mut self, value: &impl Serialize) {
        let _ = serde_json::to_writer(&mut *self.0, value);
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
            line.text("first", text);
            line.text("absent", None);
            line.number("status", 200_u16);
            line.text("last", Some(text));
            line.end();
            let read: serde_json::Value = serde_json::from_slice(&out).unwrap();
            assert_eq!(read, serde_json::json!({ "first": text, "status": 200, "last": text }), "{text:?}");
        }
    }
}
