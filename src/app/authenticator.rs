//! Who is believed.

use std::sync::Arc;

use super::api_keys::ApiKeyWork;
use super::authorization_server;
use crate::authn::key_source::KeySource;
use crate::authn::{Authenticator, IssuerKeys, IssuerSettings};
use crate::authz::Condition;
use crate::clock::Clock;
use crate::config::{Config, IssuerConfig};
use crate::outbound::Outbound;

/// Our own authorization server, whose keys are at hand, and everybody whose keys are fetched.
pub(super) fn wire(
    config: &Config,
    mut wired: Option<&mut authorization_server::Wired>,
    api_keys: Option<&ApiKeyWork>,
    outbound: &Outbound,
    clock: &Arc<dyn Clock>,
) -> (Authenticator, Vec<KeySource>) {
    let foreign = config.issuers.iter().filter(|issuer| !issuer.is_own);
    let (foreign, mut sources): (Vec<_>, Vec<KeySource>) =
        foreign.map(|issuer| wire_issuer(issuer, config, outbound, clock)).unzip();
    // An issuer whose tokens are all opaque may have no keys to fetch.
    sources.retain(|source| !source.algorithms.is_empty());
    sources.extend(wired.iter_mut().flat_map(|wired| std::mem::take(&mut wired.sources)));
    let own = wired.map(|wired| &wired.service.server);
    let settings = own.iter().map(|server| server.as_issuer()).chain(foreign).collect();
    let authenticator = Authenticator::new(settings, config.leeway, config.cache_bytes);
    let authenticator = authenticator.keeping_claims(keeps_claims(config));
    let authenticator = api_keys.iter().fold(authenticator, |authenticator, keys| keys.known_to(authenticator));
    let authenticator = match own {
        Some(server) => {
            let authenticator = authenticator.with_sessions(Arc::clone(server));
            authenticator.with_revocation(&server.settings().issuer, Arc::clone(server.revocations()))
        }
        None => authenticator,
    };
    (authenticator, sources)
}

/// Whether a condition looks at claims, so that identities must hold them.
pub(super) fn keeps_claims(config: &Config) -> bool {
    config.policies.iter().any(|policy| policy.conditions().any(Condition::uses_claims))
}

/// What is known of an issuer, and where its keys come from.
pub(super) fn wire_issuer(
    issuer: &IssuerConfig,
    config: &Config,
    outbound: &Outbound,
    clock: &Arc<dyn Clock>,
) -> (IssuerSettings, KeySource) {
    let keys = Arc::new(IssuerKeys::default());
    let settings = IssuerSettings {
        issuer: issuer.issuer.clone(),
        algorithms: issuer.algorithms.clone(),
        groups_claims: issuer.groups_claims.clone(),
        assume_email_verified: issuer.assume_email_verified,
        keys: Arc::clone(&keys),
    };
    let source = KeySource {
        issuer: issuer.issuer.clone(),
        jwks_uri: issuer.jwks_uri.clone(),
        algorithms: issuer.algorithms.clone(),
        keys,
        outbound: outbound.clone(),
        clock: Arc::clone(clock),
        schedule: config.keys,
    };
    (settings, source)
}
