//! Work that is done to its end, or was never begun: actix drops a handler's future when the client disconnects, and a
//! sign-in must not stop between two records.

use std::future::Future;

use tracing::Instrument as _;

use crate::oauth::{ErrorCode, OAuthError};

/// Runs `work` beside the request. Only a panic in it is an error.
pub(in crate::http) async fn to_the_end<T: 'static>(work: impl Future<Output = T> + 'static) -> Result<T, OAuthError> {
    actix_web::rt::spawn(work.in_current_span())
        .await
        .map_err(|error| OAuthError::new(ErrorCode::ServerError, "the server made a mistake").because(&error))
}
