//! The whole story in a real browser, through Traefik: what it sends of itself, and what it keeps from other sites.

use serde_json::json;

use super::stage::{HOST, ISSUER_HOST, Stage};
use crate::support::chromium;
use crate::support::proxies::Kind;

#[test]
fn a_person_signs_in_comes_back_and_other_sites_cannot_use_that() {
    let stage = Stage::start(Kind::Traefik);
    let arguments = json!({
        "page": stage.url("/mcp/page?x=1").as_str(),
        "again": stage.url("/mcp/again").as_str(),
        "post": stage.url("/mcp/post").as_str(),
        "elsewhere": stage.issuer_url("/connections").as_str(),
        "signOut": stage.url("/sign-out").as_str(),
        "email": "alice@example.com",
    });
    let seen = chromium::run("browser_sign_in", &arguments);
    assert_eq!(seen["form"], format!("http://{ISSUER_HOST}:{}/sign-in/development", stage.service.port), "{seen}");
    assert_eq!(seen["arrived"], json!({ "url": stage.url("/mcp/page?x=1").as_str(), "status": 200 }), "{seen}");
    assert_eq!(seen["reloaded"], json!({ "redirects": 0, "status": 200 }), "{seen}");
    assert_eq!(seen["cookieForScripts"], "", "{seen}");
    assert_eq!(seen["ownPost"], 200, "{seen}");
    assert_eq!(seen["foreignFetch"], "refused", "{seen}");
    assert_eq!(
        seen["afterSignOut"],
        format!("http://{ISSUER_HOST}:{}/sign-in/development", stage.service.port),
        "{seen}"
    );

    let page = stage.seen("/mcp/page?x=1");
    assert!(page.iter().all(|seen| seen.all("x-forwarded-user") == ["alice@example.com"]), "{page:?}");
    let posts: Vec<_> = stage.upstream.seen().into_iter().filter(|seen| seen.method == "POST").collect();
    assert_eq!(posts.len(), 1, "only the page's own: {posts:?}");
    assert!(stage.upstream.seen().iter().all(|seen| !seen.all("cookie").concat().contains("mfa-")), "for {HOST}");
}
