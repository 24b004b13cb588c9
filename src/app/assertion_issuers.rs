//! Whose assertions about people are taken: their keys are fetched like those of every issuer.

use std::sync::Arc;

use crate::authn::key_source::KeySource;
use crate::authn::{IssuerKeys, IssuerSettings};
use crate::clock::Clock;
use crate::config::{AuthorizationServerConfig, Config};
use crate::oauth::AssertionIssuer;
use crate::outbound::Outbound;

pub(super) fn wire(
    config: &Config,
    own: &AuthorizationServerConfig,
    outbound: &Outbound,
    clock: &Arc<dyn Clock>,
) -> (Vec<AssertionIssuer>, Vec<KeySource>) {
    let wired = own.assertion_issuers.iter().map(|written| {
        let keys = Arc::new(IssuerKeys::default());
        let source = KeySource {
            issuer: written.issuer.clone(),
            jwks_uri: written.jwks_uri.clone(),
            algorithms: written.algorithms.clone(),
            keys: Arc::clone(&keys),
            outbound: outbound.clone(),
            clock: Arc::clone(clock),
            schedule: config.keys,
        };
        let trust = IssuerSettings {
            issuer: written.issuer.clone(),
            algorithms: written.algorithms.clone(),
            groups_claims: written.groups_claims.clone(),
            assume_email_verified: written.assume_email_verified,
            keys,
        };
        (AssertionIssuer { name: written.name.clone(), clients: written.clients.clone(), trust }, source)
    });
    wired.unzip()
}
