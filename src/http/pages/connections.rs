//! My connections: which clients may use which servers in a person's name, and the way to end that.

use askama::Template;

use super::{ClientView, Content, Form, Opener, Pages, Place, ResourceView, ScopeView, date, text};
use crate::domain::UnixTime;

/// A person's grants. Posts `withdraw` = a connection's id, or `all`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connections {
    /// Who: the e-mail address, else the user name.
    pub person: String,
    /// The grants, in the order in which they are shown.
    pub connections: Vec<Connection>,
    /// The path of the next page, where there is one.
    pub more: Option<String>,
    /// What has just been done: "Claude can no longer use Notes."
    pub notice: Option<String>,
    /// Where withdrawals are posted.
    pub withdraw: Form,
    /// Signs out.
    pub sign_out: Form,
    /// Ages are counted from here.
    pub now: UnixTime,
}

/// One grant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connection {
    /// The grant's id, which is posted as `withdraw`.
    pub id: String,
    /// Who may.
    pub client: ClientView,
    /// Where its answers went.
    pub redirect: Place,
    /// What it may use.
    pub resource: ResourceView,
    /// With which scopes.
    pub scopes: Vec<ScopeView>,
    /// Since when.
    pub since: UnixTime,
    /// When it last got a token.
    pub last_used: Option<UnixTime>,
}

impl Connections {
    /// The value of `withdraw` that ends every connection. No grant has this id: ids are longer.
    pub const ALL: &'static str = "all";

    /// How long ago a connection was used, and when exactly.
    fn last_used(&self, connection: &Connection) -> Option<(String, String)> {
        connection.last_used.map(|used| (date::age(used, self.now), date::exact(used)))
    }
}

impl Connection {
    fn since_day(&self) -> String {
        date::day(self.since)
    }

    fn since_exactly(&self) -> String {
        date::exact(self.since)
    }
}

#[derive(Template)]
#[template(path = "connections.html")]
struct View<'a> {
    frame: &'a Pages,
    page: &'a Connections,
}

impl Content for Connections {
    fn opener(&self) -> Opener {
        Opener::Cut
    }

    fn html(&self, frame: &Pages) -> askama::Result<String> {
        View { frame, page: self }.render()
    }
}
