//! Which resource is it?

use super::super::text;
use super::{Facts, Kind, Step};
use crate::authz::{NotFound, Reason};

const NAME: &str = "resource";
pub(super) const KIND: Kind = Kind { name: NAME, ask };

fn ask(facts: &Facts<'_>) -> Vec<Step> {
    let Some(request) = facts.request else { return Vec::new() };
    vec![match facts.policies.find(request) {
        Ok(matched) => {
            let audited =
                if matched.policy.audit_only() { "; mode = \"audit\": refusals are only recorded" } else { "" };
            Step::passed(NAME, format!("{} covers it{audited}", text::cut(matched.resource_text())))
        }
        Err(NotFound::Ambiguous(why)) => Step::refused(NAME, Reason::AmbiguousPath, why.to_string()),
        Err(NotFound::Unknown) => {
            let known = text::list(facts.policies.iter().map(|policy| policy.resource.to_string()));
            let detail = format!(
                "none of {known} covers {}://{}{}: scheme, host and port must be equal, the path must begin so",
                request.scheme(),
                request.authority(),
                text::cut(request.path().as_str())
            );
            Step::refused(NAME, Reason::UnknownResource, detail)
        }
    }]
}
