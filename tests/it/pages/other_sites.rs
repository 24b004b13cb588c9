//! Other sites and our pages: answers that go there, and attempts to use ours from there.

use serde_json::{Value, json};

use super::server::{CALLBACK_TARGET, Ours, client_site};
use crate::support::chromium::{self, texts};

fn approve(ours: &Ours, page: &str, more: &Value) -> Value {
    let mut arguments = json!({ "url": ours.site.url(page), "press": "Allow" });
    arguments.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    chromium::run("decide", &arguments)
}

fn complained(seen: &Value, about: &str) -> bool {
    texts(&seen["complaints"]).iter().any(|complaint| complaint.contains(about))
}

#[test]
fn an_approval_reaches_the_client_by_a_page_that_goes_on_by_itself() {
    let client = client_site();
    let ours = Ours::start(&client, "");
    let end = approve(&ours, "/consent-localhost", &json!({ "choose": "GitHub" }));
    assert_eq!(end["url"], client.url(CALLBACK_TARGET), "{end}");
    assert_eq!(end["complaints"], json!([]));
    let posted = ours.posted();
    let fields: Vec<_> = posted.fields.iter().map(|(name, value)| (&**name, &**value)).collect();
    let expected =
        [("csrf", "csrf-of-alice"), ("decision", "approve"), ("provider", "github"), ("request", "request-of-alice")];
    assert_eq!(fields, expected);
}

/// Why it is a page: the policy that keeps injected forms from posting elsewhere holds for redirects of forms too.
#[test]
fn the_same_by_a_redirect_would_be_stopped_by_form_action() {
    let client = client_site();
    let ours = Ours::start(&client, "");
    let end = approve(&ours, "/consent-then-redirect", &json!({}));
    assert_eq!(end["url"], ours.site.url("/consent-then-redirect"), "{end}");
    assert!(complained(&end, "form-action 'self'"), "{end}");
    // It came: only its answer did not.
    assert_eq!(ours.posted().fields["decision"], "approve");
}

/// With `Referrer-Policy: no-referrer`, a form's `Origin` is `null` even at home (Fetch §3.2): whoever wants to know
/// where a form came from reads `Sec-Fetch-Site`.
#[test]
fn a_form_of_ours_arrives_from_the_same_origin_and_tells_no_address() {
    let client = client_site();
    let ours = Ours::start(&client, "");
    approve(&ours, "/consent-localhost", &json!({}));
    let posted = ours.posted();
    assert_eq!(posted.origin.as_deref(), Some("null"));
    assert_eq!(posted.fetch_site.as_deref(), Some("same-origin"));
    assert_eq!(posted.referer, None);
}

/// Clients in a browser open the sign-in in a window of its own and wait there for a message from its last page.
#[test]
fn a_client_that_opened_a_window_hears_from_it_in_the_end() {
    let client = client_site();
    let ours = Ours::start(&client, "");
    let opener = client.url(&format!("/opener?url={}", ours.site.url("/consent-localhost")));
    let end = approve(&ours, "/consent-localhost", &json!({ "popup": opener }));
    assert_eq!(end["reported"], CALLBACK_TARGET.trim_start_matches("/callback"), "{end}");
}

#[test]
fn no_page_can_be_framed() {
    let client = client_site();
    let ours = Ours::start(&client, "");
    let pages = ["/consent", "/connections", "/sign-in", "/forwarding", "/internal"];
    let urls = pages.map(|page| client.url(&format!("/frame?url={}", ours.site.url(page))));
    let seen = chromium::run("visit", &json!({ "urls": urls }));
    for (page, seen) in pages.iter().zip(seen.as_array().unwrap()) {
        assert!(complained(seen, "frame-ancestors 'none'"), "{page}: {seen}");
        assert!(!seen["frames"][0].as_str().unwrap().contains("Example Notes"), "{page}: {seen}");
    }
}
