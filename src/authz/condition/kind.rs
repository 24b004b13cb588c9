//! What can be known about a value before there is one, and the names that conditions know.

use std::fmt;

/// The kind of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    Null,
    Bool,
    Int,
    Double,
    Text,
    Time,
    Duration,
    List(Box<Kind>),
    /// Claims, and what stands in them: an object.
    Object,
    /// `operation.params`: texts by name.
    Params,
    /// Known when it is there.
    Any,
}

impl Kind {
    pub(super) fn list(of: Self) -> Self {
        Self::List(Box::new(of))
    }

    pub(super) fn is_number(&self) -> bool {
        matches!(self, Self::Int | Self::Double | Self::Any)
    }

    /// Whether a value of this kind could also be of `other`.
    pub(super) fn could_be(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Any, _) | (_, Self::Any) => true,
            (Self::List(left), Self::List(right)) => left.could_be(right),
            _ => self == other,
        }
    }

    /// Whether values of the two may be equal: numbers are compared by value.
    pub(super) fn is_comparable(&self, other: &Self) -> bool {
        (self.is_number() && other.is_number()) || self.could_be(other)
    }

    /// Whether there is an order between values of the two.
    pub(super) fn is_ordered(&self, other: &Self) -> bool {
        let ordered = |kind: &Self| {
            matches!(kind, Self::Int | Self::Double | Self::Text | Self::Time | Self::Duration | Self::Bool | Self::Any)
        };
        ordered(self) && ordered(other) && self.is_comparable(other)
    }

    /// What both are.
    pub(super) fn join(self, other: &Self) -> Self {
        if self == *other { self } else { Self::Any }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Null => "null",
            Self::Bool => "true or false",
            Self::Int => "a whole number",
            Self::Double => "a number",
            Self::Text => "a text",
            Self::Time => "a moment",
            Self::Duration => "a duration",
            Self::List(_) => "a list",
            Self::Object | Self::Params => "an object",
            Self::Any => "a value",
        })
    }
}

/// What a condition can ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Variable {
    Issuer,
    Subject,
    Client,
    Email,
    UserName,
    Groups,
    Scopes,
    ExpiresAt,
    Claims,
    Method,
    Scheme,
    Host,
    Path,
    Origin,
    OperationMethod,
    OperationName,
    Params,
    Arguments,
    ResourceUrl,
    ResourceName,
    Now,
}

/// Where each stands; an empty member means that the first word is all.
const VARIABLES: [(&str, &str, Variable); 21] = [
    ("identity", "issuer", Variable::Issuer),
    ("identity", "subject", Variable::Subject),
    ("identity", "client", Variable::Client),
    ("identity", "email", Variable::Email),
    ("identity", "user_name", Variable::UserName),
    ("identity", "groups", Variable::Groups),
    ("identity", "scopes", Variable::Scopes),
    ("identity", "expires_at", Variable::ExpiresAt),
    ("identity", "claims", Variable::Claims),
    ("request", "method", Variable::Method),
    ("request", "scheme", Variable::Scheme),
    ("request", "host", Variable::Host),
    ("request", "path", Variable::Path),
    ("request", "origin", Variable::Origin),
    ("operation", "method", Variable::OperationMethod),
    ("operation", "name", Variable::OperationName),
    ("operation", "params", Variable::Params),
    ("operation", "arguments", Variable::Arguments),
    ("resource", "url", Variable::ResourceUrl),
    ("resource", "name", Variable::ResourceName),
    ("now", "", Variable::Now),
];

impl Variable {
    /// `name.member`, or `name` alone for an empty member.
    pub(super) fn find(name: &str, member: &str) -> Option<Self> {
        VARIABLES.into_iter().find(|known| (known.0, known.1) == (name, member)).map(|known| known.2)
    }

    /// Whether `name` has members or is a variable itself.
    pub(super) fn is_root(name: &str) -> bool {
        VARIABLES.into_iter().any(|known| known.0 == name)
    }

    /// The members of `name`.
    pub(super) fn members(name: &str) -> Vec<&'static str> {
        VARIABLES.into_iter().filter(|known| known.0 == name).map(|known| known.1).collect()
    }

    pub(super) fn kind(self) -> Kind {
        match self {
            Self::Groups | Self::Scopes => Kind::list(Kind::Text),
            Self::ExpiresAt | Self::Now => Kind::Time,
            Self::Claims | Self::Arguments => Kind::Object,
            Self::Params => Kind::Params,
            Self::Issuer
            | Self::Subject
            | Self::Client
            | Self::Email
            | Self::UserName
            | Self::Method
            | Self::Scheme
            | Self::Host
            | Self::Path
            | Self::Origin
            | Self::OperationMethod
            | Self::OperationName
            | Self::ResourceUrl
            | Self::ResourceName => Kind::Text,
        }
    }

    /// Whether it is about the operation.
    pub(super) const fn is_of_operation(self) -> bool {
        matches!(self, Self::OperationMethod | Self::OperationName | Self::Params | Self::Arguments)
    }
}
