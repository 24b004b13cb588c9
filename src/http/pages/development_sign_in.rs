//! The development sign-in: a form that believes everything. Offered on loopback issuers only.

use askama::Template;

use super::{Content, Form, Opener, Pages, text};

/// The form. Posts `email`, `name` and `groups`, the last separated by commas.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DevelopmentSignIn {
    /// Where it is posted.
    pub form: Form,
    /// What stands in the fields already.
    pub email: String,
    /// The name to show.
    pub name: String,
    /// Groups, separated by commas.
    pub groups: String,
    /// What was wrong with the e-mail address that was posted last.
    pub problem: Option<String>,
}

#[derive(Template)]
#[template(path = "development_sign_in.html")]
struct View<'a> {
    frame: &'a Pages,
    page: &'a DevelopmentSignIn,
}

impl Content for DevelopmentSignIn {
    fn opener(&self) -> Opener {
        Opener::Kept
    }

    fn html(&self, frame: &Pages) -> askama::Result<String> {
        View { frame, page: self }.render()
    }
}
