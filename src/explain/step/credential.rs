//! Did a credential come along?

use super::{Facts, Kind, Step};
use crate::authn::{Authentication, TokenFault};
use crate::authz::{Reason, decide};

const NAME: &str = "credential";
pub(super) const KIND: Kind = Kind { name: NAME, ask };

fn ask(facts: &Facts<'_>) -> Vec<Step> {
    let Some(authentication) = facts.authentication else { return Vec::new() };
    vec![match authentication {
        Authentication::Anonymous if facts.rule_facts.preflight => {
            Step::passed(NAME, "none, and a CORS preflight can carry none")
        }
        Authentication::Anonymous => {
            let reason = refusal(facts).unwrap_or(Reason::MissingToken);
            Step::refused(NAME, reason, "there is no Authorization: Bearer header, so nobody knows who asks")
        }
        Authentication::Rejected(fault @ (TokenFault::MalformedCredential | TokenFault::TooLong)) => {
            Step::refused(NAME, (*fault).into(), fault.to_string())
        }
        Authentication::Rejected(_)
        | Authentication::Verified(_)
        | Authentication::Undecidable { .. }
        | Authentication::NotIntrospected { .. } => Step::passed(NAME, "one credential came along"),
    }]
}

/// Why authentication by itself refuses: the very code that decides, with nothing else to refuse for.
pub(super) fn refusal(facts: &Facts<'_>) -> Option<Reason> {
    let (matched, authentication) = facts.matched.zip(facts.authentication)?;
    let alone = crate::authz::RequestFacts { origin: None, ..facts.rule_facts };
    super::reason_of(&decide(matched, alone, authentication))
}
