//! Wires the issuers that are asked about opaque tokens, where there are any.

use std::sync::Arc;

use crate::authn::introspection::Watch;
use crate::authn::{Authenticator, Introspection, IntrospectionSettings, IssuerSettings};
use crate::authz::Policy;
use crate::config::Config;
use crate::domain::Issuer;
use crate::outbound::Outbound;
use crate::telemetry::Metrics;
use crate::telemetry::metrics::IntrospectionMetrics;

/// `authenticator` and `metrics`, with introspection if an issuer has it.
pub(super) fn attach(
    config: &Config,
    authenticator: Authenticator,
    metrics: Metrics,
    outbound: &Outbound,
) -> (Authenticator, Metrics) {
    match wire(config, &authenticator, outbound) {
        None => (authenticator, metrics),
        Some((introspection, counted)) => {
            (authenticator.with_introspection(introspection), metrics.with_introspection(&counted))
        }
    }
}

/// Who is asked about opaque tokens, and what is counted of it.
pub(super) fn wire(
    config: &Config,
    authenticator: &Authenticator,
    outbound: &Outbound,
) -> Option<(Introspection, IntrospectionMetrics)> {
    let asked = Some(asked(config, authenticator)).filter(|asked| !asked.is_empty())?;
    let counted = IntrospectionMetrics::of(asked.iter().map(|(issuer, _)| &issuer.issuer));
    let watch: Arc<dyn Watch> = Arc::new(counted.clone());
    let accepted = config.policies.iter().map(|policy| places(policy, &asked)).collect();
    Some((Introspection::new(asked, accepted, config.leeway, outbound, &watch), counted))
}

fn asked(config: &Config, authenticator: &Authenticator) -> Vec<(IssuerSettings, IntrospectionSettings)> {
    let keeps_claims = super::authenticator::keeps_claims(config);
    let of_issuer = |known: &IssuerSettings| {
        let configured = config.issuers.iter().find(|issuer| issuer.issuer == known.issuer)?;
        Some((known.clone(), IntrospectionSettings { keeps_claims, ..configured.introspection.clone()? }))
    };
    authenticator.issuers().iter().filter_map(of_issuer).collect()
}

/// The places in `asked` of the issuers that `policy` accepts, in its order: a token is never shown to anybody else.
fn places(policy: &Policy, asked: &[(IssuerSettings, IntrospectionSettings)]) -> Vec<usize> {
    let place = |issuer: &Issuer| asked.iter().position(|(known, _)| known.issuer == *issuer);
    policy.issuers.iter().filter_map(|accepted| place(&accepted.issuer)).collect()
}
