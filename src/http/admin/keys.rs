//! `/admin/keys`: the signing keys, and their rotation. Only what is public is told.

use std::sync::Arc;

use actix_web::{HttpResponse, web};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Overseen;
use super::answer::{self, Trouble};
use crate::http::Service;
use crate::http::oauth::whole;
use crate::oauth::{KeyState, KeyView, Rotation};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Command {
    #[serde(default)]
    at_once: bool,
}

/// `GET /admin/keys`
pub(super) async fn list(service: web::Data<Service>, overseen: Option<web::Data<Overseen>>) -> HttpResponse {
    answer::of(keys(&service, overseen).await)
}

async fn keys(service: &Service, overseen: Option<web::Data<Overseen>>) -> Result<Value, Trouble> {
    let keys = answer::overseen(overseen)?.server.keys().list(service.clock.now()).await?;
    Ok(json!({ "keys": keys.iter().map(shown).collect::<Vec<_>>() }))
}

fn shown(key: &KeyView) -> Value {
    let (state, moment, at) = match key.state {
        KeyState::Active { since } => ("active", "since", since),
        KeyState::Next { published } => ("next", "since", published),
        KeyState::Retired { until } => ("retired", "until", until),
    };
    json!({ "kid": key.id, "alg": key.algorithm, "state": state, moment: at.to_rfc3339() })
}

/// `POST /admin/keys/rotate`
pub(super) async fn rotate(
    body: web::Bytes,
    service: web::Data<Service>,
    overseen: Option<web::Data<Overseen>>,
) -> HttpResponse {
    answer::of(rotated(&body, service, overseen).await)
}

async fn rotated(
    body: &[u8],
    service: web::Data<Service>,
    overseen: Option<web::Data<Overseen>>,
) -> Result<Value, Trouble> {
    let server = Arc::clone(&answer::overseen(overseen)?.server);
    let Command { at_once } = answer::command(body)?;
    let rotation = if at_once { Rotation::AtOnce } else { Rotation::Orderly };
    whole::to_the_end(async move {
        let now = service.clock.now();
        server.keys().rotate(rotation, now).await?;
        tracing::info!(at_once, "the operator rotated the signing keys");
        let keys = server.keys().list(now).await?;
        Ok(json!({ "keys": keys.iter().map(shown).collect::<Vec<_>>() }))
    })
    .await?
}
