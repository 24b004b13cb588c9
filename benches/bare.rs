//! The floor: a handler that decides nothing and answers with the headers of an allow, at `/auth` as at every other path,
//! so that it can stand behind a proxy, or be the upstream of one. Not shipped.

use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::{App, HttpResponse, HttpServer, web};

static HEADERS: [(HeaderName, HeaderValue); 8] = [
    (HeaderName::from_static("x-forwarded-user"), HeaderValue::from_static("alice@example.com")),
    (HeaderName::from_static("x-forwarded-email"), HeaderValue::from_static("alice@example.com")),
    (HeaderName::from_static("x-forwarded-groups"), HeaderValue::from_static("staff,dev")),
    (HeaderName::from_static("x-forwarded-scopes"), HeaderValue::from_static("mcp:read mcp:write")),
    (HeaderName::from_static("x-auth-subject"), HeaderValue::from_static("subject-12")),
    (HeaderName::from_static("x-auth-issuer"), HeaderValue::from_static("http://127.0.0.1:19601")),
    (HeaderName::from_static("x-auth-client"), HeaderValue::from_static("client")),
    (HeaderName::from_static("x-auth-resource"), HeaderValue::from_static("https://mcp.example.com/mcp")),
];

async fn allow() -> HttpResponse {
    let mut response = HttpResponse::Ok().finish();
    for (name, value) in &HEADERS {
        response.headers_mut().insert(name.clone(), value.clone());
    }
    response
}

#[actix_web::main]
async fn main() -> std::io::Result<()> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:11000".into());
    let workers = std::env::args().nth(2).and_then(|text| text.parse().ok()).unwrap_or(1);
    HttpServer::new(|| App::new().route("/auth", web::route().to(allow)).default_service(web::route().to(allow)))
        .workers(workers)
        .keep_alive(std::time::Duration::from_secs(120))
        .bind(address)?
        .run()
        .await
}
