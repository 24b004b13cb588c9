//! What kinds of records there are.

/// Kinds of records; each has its own key space.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Table {
    /// Registered clients, by client id.
    Clients,
    /// Fetched client metadata documents, by URL.
    ClientDocuments,
    /// What waits between `/authorize` and the code, by id.
    PendingAuthorizations,
    /// Authorization codes, by hash.
    Codes,
    /// Grants, by id.
    Grants,
    /// `person/…`, `client/…` and `resource/…` to grant ids: look-ups without a scan.
    GrantIndex,
    /// Refresh tokens, by hash.
    RefreshTokens,
    /// Access tokens that were revoked one by one, by `jti`.
    RevokedAccessTokens,
    /// What a person approved for good, by person and client.
    RememberedConsents,
    /// Browser sessions, by hash.
    Sessions,
    /// Assertions that were used, by issuer and `jti`.
    UsedAssertions,
    /// Signing keys, by key id.
    SigningKeys,
    /// API keys: `key/…` by id, `name/…` to ids, `used/…` by id.
    ApiKeys,
}

impl Table {
    /// Every table.
    pub const ALL: [Self; 13] = [
        Self::Clients,
        Self::ClientDocuments,
        Self::PendingAuthorizations,
        Self::Codes,
        Self::Grants,
        Self::GrantIndex,
        Self::RefreshTokens,
        Self::RevokedAccessTokens,
        Self::RememberedConsents,
        Self::Sessions,
        Self::UsedAssertions,
        Self::SigningKeys,
        Self::ApiKeys,
    ];

    /// The name under which a store keeps it; never changes.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Clients => "clients",
            Self::ClientDocuments => "client_documents",
            Self::PendingAuthorizations => "pending_authorizations",
            Self::Codes => "codes",
            Self::Grants => "grants",
            Self::GrantIndex => "grant_index",
            Self::RefreshTokens => "refresh_tokens",
            Self::RevokedAccessTokens => "revoked_access_tokens",
            Self::RememberedConsents => "remembered_consents",
            Self::Sessions => "sessions",
            Self::UsedAssertions => "used_assertions",
            Self::SigningKeys => "signing_keys",
            Self::ApiKeys => "api_keys",
        }
    }
}
