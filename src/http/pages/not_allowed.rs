//! Signed in, but not on the list of those who may use the server.

use actix_web::http::StatusCode;
use askama::Template;

use super::text::visible_line;
use super::{Content, Form, Opener, Pages, ResourceView, text};

/// Who, and what they may not use. Posts `decision` = `another_account` or `deny`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotAllowed {
    /// Where the decision is posted.
    pub form: Form,
    /// Who signed in: the e-mail address, else the user name.
    pub person: String,
    /// Where they signed in: "Google".
    pub provider: String,
    /// What they may not use.
    pub resource: ResourceView,
    /// The client's name.
    pub client: Option<String>,
    /// Stands in the log beside the reason.
    pub request_id: String,
}

#[derive(Template)]
#[template(path = "not_allowed.html")]
struct View<'a> {
    frame: &'a Pages,
    page: &'a NotAllowed,
    client: Option<String>,
    resource: String,
}

impl Content for NotAllowed {
    fn status(&self) -> StatusCode {
        StatusCode::FORBIDDEN
    }

    fn opener(&self) -> Opener {
        Opener::Kept
    }

    fn html(&self, frame: &Pages) -> askama::Result<String> {
        let client = self.client.as_deref().and_then(|name| visible_line(name, 60));
        View { frame, page: self, client, resource: self.resource.shown() }.render()
    }
}
