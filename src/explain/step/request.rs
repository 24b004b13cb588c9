//! Can it be read what the client asked for?

use super::{Facts, Kind, Step};
use crate::authz::Reason;
use crate::domain::Malformed;

const NAME: &str = "request";
pub(super) const KIND: Kind = Kind { name: NAME, ask };

fn ask(facts: &Facts<'_>) -> Vec<Step> {
    vec![match (facts.request, facts.malformed) {
        (Some(request), _) => {
            let path = super::super::text::cut(request.path().as_str());
            Step::passed(NAME, format!("{} {}://{}{path}", request.method(), request.scheme(), request.authority()))
        }
        (None, Some(malformed @ Malformed::AmbiguousPath(_))) => {
            Step::refused(NAME, Reason::AmbiguousPath, malformed.to_string())
        }
        (None, Some(malformed)) => Step::refused(NAME, Reason::InvalidRequest, malformed.to_string()),
        (None, None) => Step::refused(
            NAME,
            Reason::InvalidRequest,
            "the path that was asked is no decision endpoint, or is switched off",
        ),
    }]
}
