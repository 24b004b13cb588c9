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
    let asked = asked(config, &authenticator);
    if asked.is_empty() {
        return (authenticator, metrics);
    }
    let counted = IntrospectionMetrics::of(asked.iter().map(|(issuer, _)| &issuer.issuer));
    let metrics = metrics.with_introspection(&counted);
    let watch: Arc<dyn Watch> = Arc::new(counted);
    let accepted = config.policies.iter().map(|policy| places(policy, &asked)).collect();
    let introspection = Introspection::new(asked, accepted, config.leeway, outbound, &watch);
    (authenticator.with_introspection(introspection), metrics)
}

fn asked(config: &Config, authenticator: &Authenticator) -> Vec<(IssuerSettings, IntrospectionSettings)> {
    let of_issuer = |known: &IssuerSettings| {
        let configured = config.issuers.iter().find(|issuer| issuer.issuer == known.issuer)?;
        Some((known.clone(), configured.introspection.clone()?))
    };
    authenticator.issuers().iter().filter_map(of_issuer).collect()
}

/// The places in `asked` of the issuers that `policy` accepts, in its order: a token is never shown to anybody else.
fn places(policy: &Policy, asked: &[(IssuerSettings, IntrospectionSettings)]) -> Vec<usize> {
    let place = |issuer: &Issuer| asked.iter().position(|(known, _)| known.issuer == *issuer);
    policy.issuers.iter().filter_map(|accepted| place(&accepted.issuer)).collect()
}
