//! Is the credential good, and whose is it?

use super::super::text;
use super::{Facts, Kind, Step, credential};
use crate::authn::{Authentication, Identity, TokenFault};
use crate::authz::Reason;

const NAME: &str = "authentication";
pub(super) const KIND: Kind = Kind { name: NAME, ask };

fn ask(facts: &Facts<'_>) -> Vec<Step> {
    let Some(authentication) = facts.authentication else { return Vec::new() };
    vec![match authentication {
        Authentication::Anonymous => return super::nobody(NAME),
        Authentication::Verified(identity) => Step::passed(NAME, described(identity)),
        Authentication::Rejected(TokenFault::UnknownIssuer) => {
            let known = text::list(&facts.issuers);
            Step::refused(
                NAME,
                Reason::UnknownIssuer,
                format!("the token's iss is none of the configured issuers {known}"),
            )
        }
        Authentication::Rejected(fault) => Step::refused(NAME, (*fault).into(), fault.to_string()),
        Authentication::Undecidable { .. } | Authentication::NotIntrospected { .. } => {
            let reason = credential::refusal(facts).unwrap_or(Reason::KeysUnavailable);
            Step::refused(NAME, reason, reason.description())
        }
    }]
}

fn described(identity: &Identity) -> String {
    let client = identity.client().map(|client| format!(", client {}", text::cut(client))).unwrap_or_default();
    format!(
        "good until {}: issuer {}, subject {}{client}",
        identity.expires_at().to_rfc3339(),
        identity.issuer(),
        text::cut(identity.subject())
    )
}
