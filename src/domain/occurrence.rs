//! Headers that must come exactly once (RFC 9110 §5.3 lets a field repeat; nothing here may).

/// How often a header came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Occurrence<'a> {
    /// Not at all.
    Absent,
    /// Exactly once, with this value.
    Once(&'a [u8]),
    /// More than once: whichever is believed could be the wrong one.
    Repeated,
}

impl<'a> Occurrence<'a> {
    /// The value, when there is exactly one.
    pub const fn once(self) -> Option<&'a [u8]> {
        match self {
            Self::Once(value) => Some(value),
            Self::Absent | Self::Repeated => None,
        }
    }
}
