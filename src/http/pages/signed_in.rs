//! A browser is signed in, with nothing else to do.

use askama::Template;

use super::{Content, Form, Opener, Pages, text};

/// Who is signed in, and the way out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedIn {
    /// The e-mail address, else the user name.
    pub person: String,
    /// Where they signed in: "Google".
    pub provider: String,
    /// Signs out.
    pub sign_out: Form,
}

#[derive(Template)]
#[template(path = "signed_in.html")]
struct View<'a> {
    frame: &'a Pages,
    page: &'a SignedIn,
}

impl Content for SignedIn {
    fn opener(&self) -> Opener {
        Opener::Cut
    }

    fn html(&self, frame: &Pages) -> askama::Result<String> {
        View { frame, page: self }.render()
    }
}
