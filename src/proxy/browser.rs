//! Requests of browsers: which of them may be sent to sign in, and which may be made with the cookie alone.

use super::{Field, RequestHead};
use crate::domain::{Occurrence, OriginalRequest};

/// Whether somebody is looking: a page is being opened in a window, and no other credential was presented. Everything
/// else, programs and scripts of pages above all, wants a plain refusal.
pub fn is_navigation(request: &OriginalRequest<'_>, head: &dyn RequestHead) -> bool {
    if !is_safe(request) || head.field(Field::Authorization) != Occurrence::Absent {
        return false;
    }
    match head.field(Field::SecFetchMode) {
        // Not in a frame: the pages of a sign-in are never shown there.
        Occurrence::Once(mode) => mode == b"navigate" && opens_window(head),
        Occurrence::Absent => head.field(Field::Accept).once().is_some_and(|accept| names(accept, "text/html")),
        Occurrence::Repeated => false,
    }
}

/// Whether the browser says that a page of `origin` itself, or the person, had it send this request: cookies are sent
/// by whoever makes a browser send something, other sites above all (RFC 6265 §8.2). Opening a page is harmless.
pub fn is_own_doing(request: &OriginalRequest<'_>, head: &dyn RequestHead, origin: &str) -> bool {
    match (head.field(Field::SecFetchSite), head.field(Field::Origin)) {
        (Occurrence::Once(b"same-origin"), _) => true,
        (Occurrence::Once(b"none"), _) if is_safe(request) => true,
        (Occurrence::Once(_), _) => {
            let navigates = head.field(Field::SecFetchMode).once() == Some(b"navigate".as_slice());
            is_safe(request) && navigates && opens_window(head)
        }
        // Browsers from before 2023 say nothing more than this (Fetch §3.2).
        (Occurrence::Absent, Occurrence::Once(from)) => from == origin.as_bytes(),
        (Occurrence::Absent, Occurrence::Absent) => is_safe(request),
        (Occurrence::Repeated, _) | (_, Occurrence::Repeated) => false,
    }
}

/// Where the browser begins to sign in, on the protected host itself: whatever stands in the query is judged there
/// again. A target that is too long to travel is left out.
pub fn sign_in_url(origin: &str, wanted: &[u8]) -> String {
    let wanted = Some(wanted).filter(|wanted| wanted.len() <= MAX_TARGET).unwrap_or(b"/");
    let wanted: String = url::form_urlencoded::byte_serialize(wanted).collect();
    format!("{origin}{BEGIN}?return={wanted}")
}

/// Where a browser begins to sign in.
pub const BEGIN: &str = "/sign-in/begin";
/// Longest path and query that a browser comes back to, in bytes.
pub const MAX_TARGET: usize = 2048;

/// RFC 9110 §9.2.1, without OPTIONS, which no page needs.
fn is_safe(request: &OriginalRequest<'_>) -> bool {
    matches!(request.method(), "GET" | "HEAD")
}

fn opens_window(head: &dyn RequestHead) -> bool {
    match head.field(Field::SecFetchDest) {
        Occurrence::Once(destination) => destination == b"document",
        Occurrence::Absent => true,
        Occurrence::Repeated => false,
    }
}

/// Whether a list of media types (RFC 9110 §12.5.1) names this one.
fn names(accept: &[u8], media_type: &str) -> bool {
    let essence = |item: &[u8]| item.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii().to_vec();
    accept.split(|byte| *byte == b',').any(|item| essence(item).eq_ignore_ascii_case(media_type.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proxy::Contract;
    use crate::proxy::head::RecordedHead;

    const ORIGIN: &str = "https://mcp.example.com";

    /// As Traefik sends it: `METHOD`, then headers by short names.
    fn head(method: &str, headers: &str) -> RecordedHead {
        let head = RecordedHead::new("GET", "/auth")
            .with(Field::ForwardedHost, "mcp.example.com")
            .with(Field::ForwardedMethod, method)
            .with(Field::ForwardedProto, "https")
            .with(Field::ForwardedUri, "/mcp?x=1");
        headers.split_whitespace().fold(head, |head, header| {
            let (name, value) = header.split_once('=').unwrap();
            let field = match name {
                "mode" => Field::SecFetchMode,
                "site" => Field::SecFetchSite,
                "dest" => Field::SecFetchDest,
                "origin" => Field::Origin,
                "accept" => Field::Accept,
                "authorization" => Field::Authorization,
                other => panic!("{other}"),
            };
            head.with(field, value)
        })
    }

    #[test]
    fn only_a_page_that_is_opened_in_a_window_is_sent_to_sign_in() {
        for (method, headers, expected) in [
            ("GET", "mode=navigate", true),
            ("GET", "mode=navigate dest=document", true),
            ("HEAD", "mode=navigate", true),
            ("GET", "accept=text/html", true),
            ("GET", "accept=application/json,TEXT/HTML;q=0.9", true),
            ("GET", "mode=navigate dest=iframe accept=text/html", false),
            ("GET", "mode=cors accept=text/html", false),
            ("GET", "mode=no-cors accept=text/html", false),
            ("GET", "mode=navigate mode=navigate", false),
            ("GET", "mode=navigate dest=document dest=document", false),
            ("GET", "accept=text/html accept=text/html", false),
            ("GET", "accept=application/json,text/event-stream", false),
            ("GET", "accept=text/htmlx", false),
            ("GET", "accept=*/*", false),
            ("GET", "", false),
            ("POST", "mode=navigate", false),
            ("OPTIONS", "mode=navigate", false),
            ("GET", "mode=navigate authorization=Bearer", false),
            ("GET", "mode=navigate authorization=", false),
        ] {
            let head = head(method, headers);
            let request = Contract::ForwardAuth.original_request(&head).unwrap();
            assert_eq!(is_navigation(&request, &head), expected, "{method} {headers}");
        }
    }

    #[test]
    fn a_cookie_counts_only_where_another_site_cannot_have_had_it_sent() {
        for (method, headers, expected) in [
            ("GET", "site=same-origin mode=cors", true),
            ("POST", "site=same-origin mode=cors", true),
            ("POST", "site=same-origin origin=null", true),
            ("GET", "site=none mode=navigate dest=document", true),
            ("GET", "site=cross-site mode=navigate dest=document", true),
            ("GET", "site=same-site mode=navigate dest=document", true),
            ("GET", "", true),
            ("GET", "origin=https://mcp.example.com", true),
            ("POST", "origin=https://mcp.example.com", true),
            ("GET", "site=cross-site mode=cors", false),
            ("GET", "site=same-site mode=cors", false),
            ("GET", "site=same-site mode=no-cors", false),
            ("GET", "site=cross-site mode=navigate dest=iframe", false),
            ("GET", "site=cross-site mode=websocket", false),
            ("GET", "site=cross-site", false),
            ("POST", "site=cross-site mode=navigate dest=document", false),
            ("POST", "site=same-site mode=navigate dest=document", false),
            ("POST", "site=none", false),
            ("POST", "site=cross-site origin=https://mcp.example.com", false),
            ("POST", "", false),
            ("DELETE", "", false),
            ("OPTIONS", "", false),
            ("POST", "origin=null", false),
            ("POST", "origin=https://evil.example", false),
            ("GET", "origin=https://evil.example", false),
            ("GET", "origin=http://mcp.example.com", false),
            ("GET", "site=same-origin site=same-origin", false),
            ("POST", "origin=https://mcp.example.com origin=https://mcp.example.com", false),
        ] {
            let head = head(method, headers);
            let request = Contract::ForwardAuth.original_request(&head).unwrap();
            assert_eq!(is_own_doing(&request, &head, ORIGIN), expected, "{method} {headers}");
        }
    }
}
