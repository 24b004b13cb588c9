//! The shapes as written.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::assertion_issuer::WrittenAssertionIssuer;
use super::client::{WrittenClient, WrittenClientDocuments, WrittenRegistration};
use super::provider::WrittenProvider;
use crate::config::file::Strings;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(in crate::config) struct WrittenAuthorizationServer {
    pub(super) issuer: Option<String>,
    pub(super) name: Option<String>,
    pub(super) logo_file: Option<String>,
    pub(super) color: Option<String>,
    pub(super) access_token_lifetime: Option<String>,
    pub(super) refresh_token_lifetime: Option<String>,
    pub(super) session_lifetime: Option<String>,
    pub(super) remember_consent: Option<String>,
    pub(super) signing_algorithm: Option<String>,
    pub(super) signing_key_lifetime: Option<String>,
    pub(super) encryption_key: Option<String>,
    pub(super) encryption_key_file: Option<String>,
    pub(super) older_encryption_keys: Strings,
    pub(super) older_encryption_key_files: Strings,
    pub(super) cors_origins: Strings,
    pub(super) scope_descriptions: BTreeMap<String, String>,
    pub(super) registration: WrittenRegistration,
    pub(super) client_documents: WrittenClientDocuments,
    pub(super) clients: Vec<WrittenClient>,
    pub(super) assertion_issuers: Vec<WrittenAssertionIssuer>,
    pub(super) identity_provider: Option<WrittenProvider>,
    pub(super) identity_providers: Vec<WrittenProvider>,
}
