//! `/admin/clients`: who may ask people, and removing one.

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Overseen;
use super::answer::{self, Trouble};
use crate::domain::UnixTime;
use crate::http::oauth::whole;
use crate::oauth::{AuthorizationServer, ClientKind, ClientView, Removal};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Listing {
    kind: String,
    after: Option<String>,
    limit: Option<usize>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Deletion {
    client_id: String,
}

/// `GET /admin/clients?kind=configured|registered|document&after=&limit=`
pub(super) async fn list(request: HttpRequest, overseen: Option<web::Data<Overseen>>) -> HttpResponse {
    answer::of(page(&request, overseen).await)
}

async fn page(request: &HttpRequest, overseen: Option<web::Data<Overseen>>) -> Result<Value, Trouble> {
    let server = &answer::overseen(overseen)?.server;
    let Listing { kind, after, limit } = answer::query(request.query_string())?;
    let known = match &*kind {
        "configured" => ClientKind::Configured,
        "registered" => ClientKind::Registered,
        "document" => ClientKind::Document,
        _ => return Err(answer::invalid("kind must be configured, registered or document")),
    };
    let limit = limit.unwrap_or(AuthorizationServer::MOST_PER_PAGE);
    let page = server.clients_of(known, after.as_deref(), limit).await?;
    let clients: Vec<Value> = page.clients.iter().map(|client| shown(client, &kind)).collect();
    Ok(json!({ "clients": clients, "next": page.next }))
}

fn shown(client: &ClientView, kind: &str) -> Value {
    json!({
        "client_id": client.id,
        "client_name": client.name,
        "kind": kind,
        "token_endpoint_auth_method": client.authentication,
        "redirect_uris": client.redirect_uris,
        "since": client.since.map(UnixTime::to_rfc3339),
        "used": client.used,
        "until": client.until.map(UnixTime::to_rfc3339),
    })
}

/// `POST /admin/clients/delete`
pub(super) async fn delete(body: web::Bytes, overseen: Option<web::Data<Overseen>>) -> HttpResponse {
    answer::of(removed(&body, overseen).await)
}

async fn removed(body: &[u8], overseen: Option<web::Data<Overseen>>) -> Result<Value, Trouble> {
    let server = Arc::clone(&answer::overseen(overseen)?.server);
    let Deletion { client_id } = answer::command(body)?;
    whole::to_the_end(async move {
        let (removal, ended) = server.remove_client(&client_id).await?;
        let kind = match removal {
            Removal::Registration => "registered",
            Removal::Document => "document",
            Removal::Unknown if ended > 0 => "unknown",
            Removal::Unknown => {
                return Err(Trouble::new(StatusCode::NOT_FOUND, "unknown_client", "nobody is known by this client id"));
            }
            Removal::Configured => {
                let description = "the client stands in the configuration: take it out there, and restart";
                return Err(Trouble::new(StatusCode::CONFLICT, "configured_client", description));
            }
        };
        tracing::info!(client = client_id, kind, ended, "the operator removed a client");
        Ok(json!({ "client_id": client_id, "kind": kind, "ended": ended }))
    })
    .await?
}
