//! `/admin/api-keys`: keys for scripts and servers. A key is in the answer that made it, and in no other.

use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::{self, Trouble};
use crate::api_keys::{ApiKeyError, KeyView, Lifetime, Registry, Wanted};
use crate::domain::UnixTime;
use crate::http::oauth::whole;

type Keys = Option<web::Data<Registry>>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Listing {
    after: Option<String>,
    limit: Option<usize>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Creation {
    name: String,
    resources: Vec<String>,
    #[serde(default)]
    scopes: Vec<String>,
    #[serde(default)]
    groups: Vec<String>,
    lifetime_seconds: Option<u64>,
    #[serde(default)]
    unlimited: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Revocation {
    /// Name, id, or the key itself.
    key: String,
}

impl From<ApiKeyError> for Trouble {
    fn from(error: ApiKeyError) -> Self {
        let (status, code) = match &error {
            ApiKeyError::Refused(_) => (StatusCode::BAD_REQUEST, "invalid_request"),
            ApiKeyError::NameTaken(_) => (StatusCode::CONFLICT, "name_taken"),
            ApiKeyError::TooMany(_) => (StatusCode::CONFLICT, "too_many"),
            ApiKeyError::Unknown(_) => (StatusCode::NOT_FOUND, "unknown_api_key"),
            ApiKeyError::Store(_) => (StatusCode::SERVICE_UNAVAILABLE, "temporarily_unavailable"),
            ApiKeyError::NoRandomness(_) => (StatusCode::INTERNAL_SERVER_ERROR, "server_error"),
        };
        Self::new(status, code, error.to_string())
    }
}

fn registry(keys: Keys) -> Result<web::Data<Registry>, Trouble> {
    keys.ok_or_else(|| {
        let description = "API keys are not turned on: add [api_keys] to the configuration";
        Trouble::new(StatusCode::NOT_FOUND, "no_api_keys", description)
    })
}

fn moment(at: Option<UnixTime>) -> Option<String> {
    at.map(UnixTime::to_rfc3339)
}

/// `GET /admin/api-keys?after=&limit=`
pub(super) async fn list(request: HttpRequest, keys: Keys) -> HttpResponse {
    answer::of(page(&request, keys).await)
}

async fn page(request: &HttpRequest, keys: Keys) -> Result<Value, Trouble> {
    let keys = registry(keys)?;
    let Listing { after, limit } = answer::query(request.query_string())?;
    let page = keys.list(after.as_deref(), limit.unwrap_or(Registry::MOST_PER_PAGE)).await?;
    Ok(json!({ "api_keys": page.keys.iter().map(shown).collect::<Vec<_>>(), "next": page.next }))
}

fn shown(key: &KeyView) -> Value {
    json!({
        "id": key.id,
        "name": key.name,
        "state": key.state.as_str(),
        "resources": key.resources,
        "scope": key.scopes.to_string(),
        "groups": key.groups,
        "created": key.created.to_rfc3339(),
        "expires": moment(key.expires),
        "last_used": moment(key.last_used),
    })
}

/// `POST /admin/api-keys`
pub(super) async fn create(body: web::Bytes, keys: Keys) -> HttpResponse {
    answer::of(created(&body, keys).await)
}

async fn created(body: &[u8], keys: Keys) -> Result<Value, Trouble> {
    let keys = registry(keys)?;
    let Creation { name, resources, scopes, groups, lifetime_seconds, unlimited } = answer::command(body)?;
    let lifetime = match (lifetime_seconds, unlimited) {
        (None, false) => Lifetime::Default,
        (Some(seconds), false) => Lifetime::For(Duration::from_secs(seconds)),
        (None, true) => Lifetime::Unlimited,
        (Some(_), true) => return Err(answer::invalid("lifetime_seconds and unlimited exclude each other")),
    };
    let wanted = Wanted { name, resources, scopes, groups, lifetime };
    whole::to_the_end(async move {
        let made = keys.create(wanted).await?;
        let (id, name, expires) = (&*made.id, &*made.name, moment(made.expires_at));
        tracing::info!(id, name, expires, "the operator made an API key");
        let key = made.key.expose();
        Ok(json!({ "id": id, "name": name, "key": key, "expires": expires, "warnings": made.warnings }))
    })
    .await?
}

/// `POST /admin/api-keys/revoke`
pub(super) async fn revoke(body: web::Bytes, keys: Keys) -> HttpResponse {
    answer::of(revoked(&body, keys).await)
}

async fn revoked(body: &[u8], keys: Keys) -> Result<Value, Trouble> {
    let keys = registry(keys)?;
    let Revocation { key } = answer::command(body)?;
    whole::to_the_end(async move {
        let (id, name) = keys.revoke(&key).await?;
        tracing::info!(id, name, "the operator revoked an API key");
        Ok(json!({ "id": id, "name": name }))
    })
    .await?
}
