//! May the caller ask at all?

use super::{Facts, Kind, Step};
use crate::authz::Reason;

const NAME: &str = "proxy";
pub(super) const KIND: Kind = Kind { name: NAME, ask };

fn ask(facts: &Facts<'_>) -> Vec<Step> {
    vec![if facts.verdict.reason() == Some(Reason::UntrustedProxy) {
        let detail = "who asked is not in server.trusted_proxies, or did not send the X-Proxy-Secret that is set";
        Step::refused(NAME, Reason::UntrustedProxy, detail)
    } else {
        Step::not_asked(NAME, "whether server.trusted_proxies admits your proxy is not asked here")
    }]
}
