//! The page that goes on by itself. A form's answer must not redirect to another origin: `form-action 'self'` would stop
//! it in Chromium. A page may, and leaves people a link where their browser asks first.

use askama::Template;

use super::text::visible_line;
use super::{Content, Destination, Opener, Pages, Place};

/// Where to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forwarding {
    /// The identity provider's or the client's address, in full.
    pub destination: Destination,
    /// What people call it: "Google", or the client's name where it has one.
    pub to: Option<String>,
}

#[derive(Template)]
#[template(path = "forwarding.html")]
struct View<'a> {
    frame: &'a Pages,
    page: &'a Forwarding,
    place: Place,
    to: String,
}

impl Content for Forwarding {
    fn opener(&self) -> Opener {
        Opener::Kept
    }

    fn html(&self, frame: &Pages) -> askama::Result<String> {
        let place = self.destination.place();
        let name = self.to.as_deref().and_then(|name| visible_line(name, 60));
        let to = name.unwrap_or_else(|| match &place {
            Place::Website { host } => host.clone(),
            Place::ThisDevice { .. } | Place::App { .. } => "the app".to_owned(),
        });
        View { frame, page: self, place, to }.render()
    }
}
