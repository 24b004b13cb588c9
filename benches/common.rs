//! What one would put together from well-known parts, to compare with: `tracing-actix-web` with a JSON line for each
//! request, `jsonwebtoken`, moka keyed by SHA-256, and metrics whose labels are looked up for each request. It decides less
//! than the service: one issuer, one resource, one scope, one address. Not shipped.
#![allow(clippy::disallowed_methods, reason = "decode with its own clock is a part of what is compared")]

use std::sync::Arc;
use std::time::Instant;

use actix_web::http::header::AUTHORIZATION;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use aws_lc_rs::digest::{SHA256, digest};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};
use moka::sync::Cache;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use serde::Deserialize;
use tracing_actix_web::TracingLogger;
use tracing_subscriber::fmt::format::FmtSpan;

const RESOURCE: &str = "https://mcp.example.com/mcp";

#[derive(Deserialize)]
struct Claims {
    sub: String,
    email: String,
    groups: Vec<String>,
    scope: String,
    client_id: String,
    iss: String,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct Labels {
    outcome: String,
    resource: String,
}

struct Service {
    key: DecodingKey,
    validation: Validation,
    cache: Cache<Vec<u8>, Arc<Claims>>,
    decisions: Family<Labels, Counter>,
    duration: Family<Labels, Histogram>,
}

impl Service {
    fn claims(&self, token: &str) -> Option<Arc<Claims>> {
        let key = digest(&SHA256, token.as_bytes()).as_ref().to_vec();
        if let Some(claims) = self.cache.get(&key) {
            return Some(claims);
        }
        let claims = Arc::new(decode::<Claims>(token, &self.key, &self.validation).ok()?.claims);
        self.cache.insert(key, Arc::clone(&claims));
        Some(claims)
    }

    fn count(&self, outcome: &str, since: Instant) {
        let labels = Labels { outcome: outcome.to_owned(), resource: RESOURCE.to_owned() };
        self.decisions.get_or_create(&labels).inc();
        self.duration.get_or_create(&labels).observe(since.elapsed().as_secs_f64());
    }
}

async fn auth(request: HttpRequest, service: web::Data<Service>) -> HttpResponse {
    let since = Instant::now();
    let token = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    let claims = token.and_then(|token| service.claims(token));
    let allowed = |claims: &Arc<Claims>| {
        claims.email == "alice@example.com" && claims.scope.split(' ').any(|scope| scope == "mcp:read")
    };
    let Some(claims) = claims.filter(allowed) else {
        service.count("refused", since);
        tracing::warn!("refused");
        return HttpResponse::Unauthorized().finish();
    };
    service.count("allow", since);
    tracing::info!(subject = %claims.sub, client = %claims.client_id, resource = RESOURCE, "allowed");
    HttpResponse::Ok()
        .insert_header(("x-forwarded-user", claims.email.as_str()))
        .insert_header(("x-forwarded-email", claims.email.as_str()))
        .insert_header(("x-forwarded-groups", claims.groups.join(",")))
        .insert_header(("x-forwarded-scopes", claims.scope.as_str()))
        .insert_header(("x-auth-subject", claims.sub.as_str()))
        .insert_header(("x-auth-issuer", claims.iss.as_str()))
        .insert_header(("x-auth-client", claims.client_id.as_str()))
        .insert_header(("x-auth-resource", RESOURCE))
        .finish()
}

/// `common ADDRESS ISSUER KEY-FILE`, the key as a JWK for `RS256`.
#[actix_web::main]
async fn main() -> std::io::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [address, issuer, key] = arguments.as_slice() else {
        return Err(std::io::Error::other("common ADDRESS ISSUER KEY-FILE"));
    };
    let key = serde_json::from_slice(&std::fs::read(key)?)?;
    let mut validation = Validation::new(Algorithm::RS256);
    validation.set_issuer(&[issuer]);
    validation.set_audience(&[RESOURCE]);
    let service = web::Data::new(Service {
        key: DecodingKey::from_jwk(&key).map_err(std::io::Error::other)?,
        validation,
        cache: Cache::new(100_000),
        decisions: Family::default(),
        duration: Family::new_with_constructor(|| Histogram::new([0.000_1, 0.001, 0.01, 0.1, 1.0])),
    });
    tracing_subscriber::fmt().json().with_span_events(FmtSpan::NONE).init();
    HttpServer::new(move || {
        let app = App::new().app_data(service.clone()).wrap(TracingLogger::default());
        app.route("/auth", web::route().to(auth)).route("/health", web::get().to(HttpResponse::Ok))
    })
    .workers(1)
    .keep_alive(std::time::Duration::from_secs(120))
    .bind(address)?
    .run()
    .await
}
