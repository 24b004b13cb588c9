//! A person as an identity provider vouched for them.

use serde::{Deserialize, Serialize};

use super::Email;

/// Who signed in. Made only from a verified answer of an identity provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// The configured name of the identity provider.
    pub provider: String,
    /// Its stable identifier for this person (`sub`, or GitHub's numeric id); never reused.
    pub subject: String,
    /// The address, when there is one.
    pub email: Option<Email>,
    /// Whether the provider vouches that the address is theirs.
    pub email_verified: bool,
    /// A short name (`preferred_username`, GitHub's login); may change hands, so no identifier.
    pub user_name: Option<String>,
    /// The name to show.
    pub name: Option<String>,
    /// Groups, roles, organisations and teams.
    pub groups: Vec<String>,
}

impl Person {
    /// `sub` of our own tokens: the provider's subject, told apart by provider, so that two providers cannot lend each
    /// other their people.
    pub fn subject_claim(&self) -> String {
        format!("{}:{}", self.provider, self.subject)
    }

    /// The address, if the provider vouches for it.
    pub fn verified_email(&self) -> Option<&Email> {
        self.email.as_ref().filter(|_| self.email_verified)
    }
}
