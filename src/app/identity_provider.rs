//! Identity providers as configured → as they run.

use std::sync::Arc;

use super::StartError;
use crate::config::Provider;
use crate::idp::{IdentityProvider, Surroundings};

/// The provider. Nothing is fetched yet.
pub(super) fn build(provider: &Provider, surroundings: &Surroundings) -> Result<Arc<dyn IdentityProvider>, StartError> {
    provider.settings.clone().build(&provider.name, Some(&provider.label), surroundings).map_err(|error| {
        StartError::Unusable(format!("authorization_server.identity_provider ({}): {error}", provider.name))
    })
}
