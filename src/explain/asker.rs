//! The proxies, as they put a question.

use crate::proxy::{Contract, ext_authz};

/// Who would put the question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asker {
    /// Traefik's `forwardAuth`, with the body where rules ask for operations.
    Traefik,
    /// Caddy's `forward_auth`, which sends no body.
    Caddy,
    /// Envoy's `ext_authz`, with the body where rules ask for operations.
    Envoy,
    /// nginx's `auth_request`, which sends no body.
    Nginx,
}

impl Asker {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Traefik, Self::Caddy, Self::Envoy, Self::Nginx];

    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Traefik => "traefik",
            Self::Caddy => "caddy",
            Self::Envoy => "envoy",
            Self::Nginx => "nginx",
        }
    }

    /// In whose terms it asks.
    pub const fn contract(self) -> Contract {
        match self {
            Self::Traefik | Self::Caddy => Contract::ForwardAuth,
            Self::Envoy => Contract::ExtAuthz,
            Self::Nginx => Contract::AuthRequest,
        }
    }

    /// Where it asks.
    pub const fn path(self) -> &'static str {
        match self {
            Self::Traefik | Self::Caddy => "/auth",
            Self::Envoy => ext_authz::PREFIX,
            Self::Nginx => "/auth/nginx",
        }
    }

    /// All that ask in the terms of `contract`.
    pub const fn names_of(contract: Contract) -> &'static str {
        match contract {
            Contract::ForwardAuth => "traefik or caddy",
            Contract::ExtAuthz => "envoy",
            Contract::AuthRequest => "nginx",
        }
    }

    /// Whether it sends the body where rules ask for operations.
    pub const fn sends_bodies(self) -> bool {
        matches!(self, Self::Traefik | Self::Envoy)
    }
}
