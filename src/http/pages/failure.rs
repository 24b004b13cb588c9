//! What went wrong: what happened, what to do, and a number to report.

use actix_web::http::StatusCode;
use askama::Template;

use super::trouble::Words;
use super::{Content, Opener, Pages, Trouble, text};

/// An error page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What went wrong.
    pub trouble: Trouble,
    /// One sentence for whoever writes the client: which parameter, which address. No secret.
    pub detail: Option<String>,
    /// Stands in the log beside the cause.
    pub request_id: String,
}

#[derive(Template)]
#[template(path = "failure.html")]
struct View<'a> {
    frame: &'a Pages,
    page: &'a Failure,
    words: Words,
}

impl Content for Failure {
    fn status(&self) -> StatusCode {
        self.trouble.words().status
    }

    /// Some troubles pass: loading the page again then goes on with the client's flow.
    fn opener(&self) -> Opener {
        Opener::Kept
    }

    fn retry_after(&self) -> Option<u32> {
        self.trouble.retry_after()
    }

    fn html(&self, frame: &Pages) -> askama::Result<String> {
        View { frame, page: self, words: self.trouble.words() }.render()
    }
}
