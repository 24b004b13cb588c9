//! How an issuer is asked about its tokens.

use std::time::Duration;

use url::Url;

use crate::domain::Secret;

/// The endpoint, and us as its client.
#[derive(Debug, Clone)]
pub struct IntrospectionSettings {
    /// RFC 7662 §2.
    pub endpoint: Url,
    /// The `Authorization` header that we send.
    pub authorization: Secret,
    /// For how long an active token is believed without asking again.
    pub remembered_for: Duration,
    /// The operator's word: the issuer tells us of no tokens but those meant for the resources that accept it, although its
    /// answers hold no `aud`.
    pub vouches_for_audience: bool,
    /// Identities keep everything that was said of their tokens, for conditions that ask for it.
    pub keeps_claims: bool,
}
