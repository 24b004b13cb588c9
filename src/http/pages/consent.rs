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
    /// For which scopes; only those that are new where `before` names others.
    pub scopes: Vec<ScopeView>,
    /// What the person let the client do before, where that is certain.
    pub before: Option<Before>,
    /// Where people can sign in; a choice where there are several.
    pub providers: Vec<ProviderView>,
}

/// What somebody allowed before. It goes on, together with what is new.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Before {
    /// Who: the e-mail address, else the user name.
    pub person: String,
    /// What.
    pub scopes: Vec<ScopeView>,
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
