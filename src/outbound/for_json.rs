//! Asking for JSON that must not be long, from servers that the operator named.

use super::guarded::is_plain_json;
use super::{Call, FetchError, Outbound, Reply, read};

impl Outbound {
    /// Sends `call`. Every status is an answer, but only a 200 has a body, which must be JSON of at most `max` bytes.
    pub async fn call_for_json(&self, call: &Call<'_>, max: usize) -> Result<Reply, FetchError> {
        let response = self.send(call).await?;
        let status = response.status().as_u16();
        if status != 200 {
            return Ok(Reply { status, body: Vec::new() });
        }
        if !is_plain_json(response.headers()) {
            return Err(FetchError::NotJson { url: call.url.clone() });
        }
        Ok(Reply { status, body: read(call.url, response, max).await? })
    }
}
