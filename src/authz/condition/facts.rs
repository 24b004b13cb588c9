//! What conditions are asked about.

use super::kind::Variable;
use super::value::{Items, Value};
use crate::authn::Identity;
use crate::domain::{Operation, OriginalRequest, Scheme, UnixTime};

/// A request of somebody.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'f> {
    /// Who asks.
    pub identity: &'f Identity,
    /// What was asked of the proxy; none where there is nothing but an identity.
    pub request: Option<&'f OriginalRequest<'f>>,
    /// `Origin`.
    pub origin: Option<&'f [u8]>,
    /// The identifier of the concrete resource.
    pub resource: &'f str,
    /// Its name for people.
    pub resource_name: Option<&'f str>,
    /// What is asked of the MCP server, where conditions look at it.
    pub operation: Option<&'f Operation<'f>>,
    /// When.
    pub now: UnixTime,
}

impl<'f> Facts<'f> {
    /// The value of `variable`; `None` where there is none.
    pub(super) fn value(&self, variable: Variable) -> Option<Value<'f>> {
        match variable {
            Variable::Issuer
            | Variable::Subject
            | Variable::Client
            | Variable::Email
            | Variable::UserName
            | Variable::Groups
            | Variable::Scopes
            | Variable::ExpiresAt
            | Variable::Claims => self.of_identity(variable),
            Variable::Method | Variable::Scheme | Variable::Host | Variable::Path | Variable::Origin => {
                self.of_request(variable).map(Value::text)
            }
            Variable::OperationMethod => self.operation.map(|operation| Value::text(operation.method())),
            Variable::OperationName => self.operation?.name().map(Value::text),
            Variable::Params => self.operation.map(|operation| Value::Params(operation.params())),
            Variable::Arguments => self.operation?.arguments().map(Value::Object),
            Variable::ResourceUrl => Some(Value::text(self.resource)),
            Variable::ResourceName => self.resource_name.map(Value::text),
            Variable::Now => Some(moment(self.now)),
        }
    }

    fn of_identity(&self, variable: Variable) -> Option<Value<'f>> {
        let identity = self.identity;
        match variable {
            Variable::Issuer => Some(Value::text(identity.issuer().as_str())),
            Variable::Subject => Some(Value::text(identity.subject())),
            Variable::Client => identity.client().map(Value::text),
            Variable::Email => identity.verified_email().map(|email| Value::text(email.as_str())),
            Variable::UserName => identity.user_name().map(Value::text),
            Variable::Groups => Some(Value::List(Items::Texts(identity.groups()))),
            Variable::Scopes => Some(Value::List(Items::Scopes(identity.scopes().as_slice()))),
            Variable::ExpiresAt => Some(moment(identity.expires_at())),
            Variable::Claims => identity.claims().map(Value::Object),
            _ => None,
        }
    }

    fn of_request(&self, variable: Variable) -> Option<&'f str> {
        let request = self.request?;
        match variable {
            Variable::Method => Some(request.method()),
            Variable::Scheme => Some(if request.scheme() == Scheme::Https { "https" } else { "http" }),
            Variable::Host => Some(request.authority().host()),
            Variable::Path => Some(request.path().as_str()),
            Variable::Origin => std::str::from_utf8(self.origin?).ok(),
            _ => None,
        }
    }
}

fn moment(time: UnixTime) -> Value<'static> {
    Value::Time(i64::try_from(time.as_secs()).unwrap_or(i64::MAX))
}
