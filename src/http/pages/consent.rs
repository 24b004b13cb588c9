//! The question: may this client use this server in your name?

use askama::Template;

use super::{ClientView, Content, Form, Opener, Pages, Place, ProviderView, ResourceView, ScopeView, text};

/// What is asked. Posts `decision` = `approve` or `deny`, and `provider` where several are offered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Consent {
    /// Where the decision is posted, with the request's id among the hidden fields.
    pub form: Form,
    /// Who asks.
    pub client: ClientView,
    /// Where the answer goes: the one thing about the client that is certain.
    pub redirect: Place,
    /// For which server.
    pub resource: ResourceView,
    /// For which scopes.
    pub scopes: Vec<ScopeView>,
    /// Where people can sign in; a choice where there are several.
    pub providers: Vec<ProviderView>,
}

#[derive(Template)]
#[template(path = "consent.html")]
struct View<'a> {
    frame: &'a Pages,
    page: &'a Consent,
    client: Option<String>,
    resource: String,
}

impl Content for Consent {
    fn opener(&self) -> Opener {
        Opener::Kept
    }

    fn html(&self, frame: &Pages) -> askama::Result<String> {
        View { frame, page: self, client: self.client.shown(), resource: self.resource.shown() }.render()
    }
}

impl Consent {
    /// Everything else that goes with "localhost" goes with any program on the device.
    fn any_program_could_answer(&self) -> bool {
        matches!(self.redirect, Place::ThisDevice { .. })
    }
}
