//! Signed out of this browser.

use askama::Template;

use super::{Content, Opener, Pages};

/// Nothing to say but that.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SignedOut;

#[derive(Template)]
#[template(path = "signed_out.html")]
struct View<'a> {
    frame: &'a Pages,
}

impl Content for SignedOut {
    fn opener(&self) -> Opener {
        Opener::Cut
    }

    fn html(&self, frame: &Pages) -> askama::Result<String> {
        View { frame }.render()
    }
}
