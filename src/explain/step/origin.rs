//! Is it a web page that may ask?

use super::super::text;
use super::{Facts, Kind, Step};
use crate::authz::rule;

const NAME: &str = "origin";
pub(super) const KIND: Kind = Kind { name: NAME, ask };

fn ask(facts: &Facts<'_>) -> Vec<Step> {
    let Some(matched) = facts.matched else { return Vec::new() };
    let allowed = &matched.policy.allowed_origins;
    let Some(origin) = facts.rule_facts.origin else {
        return vec![Step::passed(NAME, "no Origin was sent: it is no web page")];
    };
    let shown = match origin {
        b"" => "an empty or repeated Origin".to_owned(),
        origin => format!("Origin {}", text::cut(&String::from_utf8_lossy(origin))),
    };
    vec![match rule::origin::check(matched.policy, facts.rule_facts.origin) {
        Ok(()) if allowed.is_empty() => Step::passed(NAME, format!("{shown}; allowed_origins is not set")),
        Ok(()) => Step::passed(NAME, format!("{shown} is one of allowed_origins {}", text::list(allowed))),
        Err(reason) => {
            Step::refused(NAME, reason, format!("{shown} is none of allowed_origins {}", text::list(allowed)))
        }
    }]
}
