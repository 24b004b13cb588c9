//! The choice of where to sign in.

use askama::Template;

use super::{Content, Form, Opener, Pages, text};

/// A place where people sign in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderView {
    /// Its configured name, which is posted as `provider`.
    pub name: String,
    /// What people call it: "Google".
    pub label: String,
}

/// The choice. Posts `provider`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignIn {
    /// Where the choice is posted.
    pub form: Form,
    /// What the sign-in is for; ends the sentence "Sign in to …".
    pub purpose: String,
    /// The places.
    pub providers: Vec<ProviderView>,
}

#[derive(Template)]
#[template(path = "sign_in.html")]
struct View<'a> {
    frame: &'a Pages,
    page: &'a SignIn,
}

impl Content for SignIn {
    fn opener(&self) -> Opener {
        Opener::Kept
    }

    fn html(&self, frame: &Pages) -> askama::Result<String> {
        View { frame, page: self }.render()
    }
}
