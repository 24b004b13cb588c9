//! Forms: where they go, and what travels with them unseen.

/// A form of ours. Every one of them changes something, so every one carries a token against forgery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Form {
    pub(super) action: &'static str,
    pub(super) hidden: Vec<(&'static str, String)>,
}

impl Form {
    /// The hidden field with the token against forgery.
    pub const CSRF: &'static str = "csrf";

    /// A form that is posted to `action`, a path of ours, with `csrf`.
    pub fn new(action: &'static str, csrf: impl Into<String>) -> Self {
        Self { action, hidden: vec![(Self::CSRF, csrf.into())] }
    }

    /// With another hidden field, the request's id for instance.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.hidden.push((name, value.into()));
        self
    }
}
