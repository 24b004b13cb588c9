//! Whose tokens a resource accepts.

use super::Reader;
use crate::authn::Introspection;
use crate::authz::policy::AcceptedIssuer;
use crate::config::file::Strings;
use crate::config::{ConfigError, IssuerConfig};

impl Reader<'_> {
    pub(super) fn accepted_issuers(&self) -> Result<Vec<AcceptedIssuer>, ConfigError> {
        let own = self.written.audiences.as_ref().map(|Strings(audiences)| audiences);
        let accept = |known: &IssuerConfig| AcceptedIssuer {
            issuer: known.issuer.clone(),
            audiences: own.unwrap_or(&known.audiences).clone(),
        };
        let Some(Strings(names)) = &self.written.issuers else {
            return Ok(self.issuers.read.iter().map(accept).collect());
        };
        if names.is_empty() {
            let rule = "the list is empty, so no token could be accepted";
            return Err(self.error("issuers", None, rule, "name an issuer, or leave it out for all"));
        }
        let written_well = names.iter().filter(|name| !self.issuers.refused.contains(name));
        let find = |name: &String| {
            let known = self.issuers.read.iter().find(|known| known.issuer.as_str() == name);
            known.map(accept).ok_or_else(|| {
                let rule = "no [[issuers]] entry has exactly this issuer";
                self.error(
                    "issuers",
                    Some(name),
                    rule,
                    "add the entry or correct the spelling, trailing slash included",
                )
            })
        };
        written_well.map(find).collect()
    }

    /// Every issuer that is asked about opaque tokens sees those of the others, and takes its time.
    pub(super) fn refuse_too_many_asked(
        &self,
        accepted: Vec<AcceptedIssuer>,
    ) -> Result<Vec<AcceptedIssuer>, ConfigError> {
        const MAX: usize = Introspection::MAX_ISSUERS_OF_A_RESOURCE;
        let asked = self.issuers.read.iter().filter(|known| known.introspection.is_some());
        let is_accepted = |known: &&IssuerConfig| accepted.iter().any(|accepted| accepted.issuer == known.issuer);
        if asked.filter(is_accepted).count() <= MAX {
            return Ok(accepted);
        }
        let rule = format!("more than {MAX} issuers would be asked about each opaque token");
        Err(self.error("issuers", None, rule, "name fewer issuers with introspection_endpoint for this resource"))
    }
}
