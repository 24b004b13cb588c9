//! Was the token issued by an issuer that this resource accepts, and for this resource? One rule, told as two.

use super::super::text;
use super::{Facts, Kind, Step};
use crate::authz::policy::AcceptedIssuer;
use crate::authz::{Reason, rule};

pub(super) const ISSUER: Kind = Kind { name: "issuer", ask: ask_issuer };
pub(super) const AUDIENCE: Kind = Kind { name: "audience", ask: ask_audience };

fn ask_issuer(facts: &Facts<'_>) -> Vec<Step> {
    let Some((matched, identity)) = facts.caller() else { return super::nobody("issuer") };
    let accepted = text::list(matched.policy.issuers.iter().map(|accepted| &accepted.issuer));
    if identity.is_api_key() {
        return vec![Step::not_asked("issuer", "an API key is known here, and no issuer's")];
    }
    vec![match rule::audience::check(matched, identity) {
        Err(Reason::UnknownIssuer) => {
            let detail = format!("iss {} is none of the issuers {accepted} of this resource", identity.issuer());
            Step::refused("issuer", Reason::UnknownIssuer, detail)
        }
        Ok(()) | Err(_) => Step::passed("issuer", format!("iss {} is one of {accepted}", identity.issuer())),
    }]
}

fn ask_audience(facts: &Facts<'_>) -> Vec<Step> {
    let Some((matched, identity)) = facts.caller() else { return super::nobody("audience") };
    let issuers = &matched.policy.issuers;
    let configured = issuers.iter().find(|accepted| accepted.issuer == *identity.issuer());
    let others = configured.map(|AcceptedIssuer { audiences, .. }| audiences).filter(|others| !others.is_empty());
    let others = others.map(|others| format!(" or one of audiences {}", text::list(others))).unwrap_or_default();
    let (held, wanted) = (text::list(identity.audiences()), text::cut(matched.resource_text()));
    vec![match rule::audience::check(matched, identity) {
        Ok(()) => Step::passed("audience", format!("aud {held} holds {wanted}{others}")),
        Err(reason) => Step::refused("audience", reason, format!("aud {held} does not hold {wanted}{others}")),
    }]
}
