//! `/admin/grants`: what people let clients do, and the end of it.

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Overseen;
use super::answer::{self, Trouble};
use crate::http::oauth::whole;
use crate::oauth::{AuthorizationServer, GrantFilter, GrantView};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Listing {
    user: Option<String>,
    client: Option<String>,
    resource: Option<String>,
    after: Option<String>,
    limit: Option<usize>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Revocation {
    user: Option<String>,
    client: Option<String>,
    resource: Option<String>,
    #[serde(default)]
    all: bool,
}

/// `GET /admin/grants?user=&client=&resource=&after=&limit=`
pub(super) async fn list(request: HttpRequest, overseen: Option<web::Data<Overseen>>) -> HttpResponse {
    answer::of(page(&request, overseen).await)
}

async fn page(request: &HttpRequest, overseen: Option<web::Data<Overseen>>) -> Result<Value, Trouble> {
    let server = &answer::overseen(overseen)?.server;
    let Listing { user, client, resource, after, limit } = answer::query(request.query_string())?;
    let filter = GrantFilter { user, client, resource };
    let limit = limit.unwrap_or(AuthorizationServer::MOST_PER_PAGE);
    let page = server.grants_of(&filter, after.as_deref(), limit).await?;
    Ok(json!({ "grants": page.grants.iter().map(shown).collect::<Vec<_>>(), "next": page.next }))
}

fn shown(grant: &GrantView) -> Value {
    let person = &grant.person;
    json!({
        "id": grant.id,
        "subject": person.subject_claim(),
        "email": person.email,
        "user_name": person.user_name,
        "client": grant.client,
        "client_name": grant.client_name,
        "redirect_uri": grant.redirect_uri,
        "resource": grant.resource,
        "scope": grant.scopes.to_string(),
        "since": grant.since.to_rfc3339(),
        "last_used": grant.last_used.to_rfc3339(),
        "until": grant.until.to_rfc3339(),
    })
}

/// `POST /admin/grants/revoke`. Ends nothing unless it says which, or `"all": true`.
pub(super) async fn revoke(body: web::Bytes, overseen: Option<web::Data<Overseen>>) -> HttpResponse {
    answer::of(end(&body, overseen).await)
}

async fn end(body: &[u8], overseen: Option<web::Data<Overseen>>) -> Result<Value, Trouble> {
    let server = Arc::clone(&answer::overseen(overseen)?.server);
    let Revocation { user, client, resource, all } = answer::command(body)?;
    let filter = GrantFilter { user, client, resource };
    if filter.is_empty() != all {
        let description = "say which grants: user, client or resource, or all of them";
        return Err(Trouble::new(StatusCode::BAD_REQUEST, "nothing_selected", description));
    }
    whole::to_the_end(async move {
        let ended = server.end_grants_of(&filter).await?;
        let GrantFilter { user, client, resource } = &filter;
        tracing::info!(user, client, resource, all, ended, "the operator ended grants");
        Ok(json!({ "ended": ended }))
    })
    .await?
}
