//! Who may command. There is no password: a command is believed because it comes from this machine and from no browser.
//! So a page that somebody looks at on this machine must not be able to give one, whatever name it gave to our address
//! (DNS rebinding), and neither must another machine that reaches the listener to read metrics.

use std::net::{IpAddr, SocketAddr};

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{self, HeaderName};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::{Error, HttpRequest};

use super::answer;

/// Lets a request through that may be a command, and answers any other itself.
pub(super) async fn admit(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    match judge(request.request()) {
        Ok(()) => next.call(request).await.map(ServiceResponse::map_into_boxed_body),
        Err(refusal) => {
            let peer = request.peer_addr().map(|peer| peer.ip().to_string());
            tracing::warn!(peer, reason = refusal.code, "a command was refused");
            Ok(request.into_response(answer::refusal(refusal.status, refusal.code, refusal.description)))
        }
    }
}

/// Why a request is no command.
struct Refusal {
    status: StatusCode,
    code: &'static str,
    description: &'static str,
}

const fn forbidden(code: &'static str, description: &'static str) -> Refusal {
    Refusal { status: StatusCode::FORBIDDEN, code, description }
}

fn judge(request: &HttpRequest) -> Result<(), Refusal> {
    if !is_local(request.peer_addr(), request.app_config().local_addr()) {
        return Err(forbidden("not_local", "commands are taken from the machine of the service only"));
    }
    if FORWARDED.iter().any(|name| request.headers().contains_key(name)) {
        return Err(forbidden("forwarded", "commands are not taken through a proxy"));
    }
    if !is_plain_host(request) {
        return Err(forbidden("unknown_host", "Host must be an IP address or localhost"));
    }
    if BROWSERS.iter().any(|name| request.headers().contains_key(name)) {
        return Err(forbidden("from_a_browser", "commands are not taken from browsers"));
    }
    if !matches!(*request.method(), Method::GET | Method::HEAD) && !is_json(request) {
        let description = "the body must be application/json";
        return Err(Refusal { status: StatusCode::UNSUPPORTED_MEDIA_TYPE, code: "not_json", description });
    }
    Ok(())
}

/// Whoever sends one of these speaks for somebody else.
const FORWARDED: [HeaderName; 4] =
    [header::FORWARDED, header::X_FORWARDED_FOR, header::X_FORWARDED_HOST, HeaderName::from_static("x-real-ip")];

/// Browsers send these, and pages cannot stop them (Fetch §4.6, Fetch Metadata §2).
const BROWSERS: [HeaderName; 4] = [
    header::ORIGIN,
    HeaderName::from_static("sec-fetch-site"),
    HeaderName::from_static("sec-fetch-mode"),
    HeaderName::from_static("sec-fetch-dest"),
];

/// The same machine: a loopback address, or the address that the listener is bound to.
fn is_local(peer: Option<SocketAddr>, listener: SocketAddr) -> bool {
    let canonical = |address: SocketAddr| address.ip().to_canonical();
    peer.map(canonical).is_some_and(|peer| peer.is_loopback() || peer == canonical(listener))
}

/// A name could be anybody's who has it point to us; an address is nobody's but ours.
fn is_plain_host(request: &HttpRequest) -> bool {
    let mut hosts = request.headers().get_all(header::HOST);
    let (Some(host), None) = (hosts.next(), hosts.next()) else { return false };
    host.to_str().is_ok_and(is_plain)
}

fn is_plain(host: &str) -> bool {
    if host.parse::<SocketAddr>().is_ok() {
        return true;
    }
    let bare = |text: &str| text.parse::<IpAddr>().is_ok() || text.eq_ignore_ascii_case("localhost");
    let inside = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    inside.map_or_else(
        || {
            let (name, port) = host.split_once(':').unwrap_or((host, "0"));
            bare(name) && port.parse::<u16>().is_ok()
        },
        |inside| inside.parse::<std::net::Ipv6Addr>().is_ok(),
    )
}

/// A page of another site cannot send this without being asked for a preflight, which we never grant (Fetch §3.2.2).
fn is_json(request: &HttpRequest) -> bool {
    let mut types = request.headers().get_all(header::CONTENT_TYPE);
    let (Some(kind), None) = (types.next(), types.next()) else { return false };
    let essence = kind.to_str().unwrap_or_default().split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/json")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_addresses_or_localhost() {
        for host in ["127.0.0.1", "127.0.0.1:9090", "localhost", "LocalHost:9090", "[::1]", "[::1]:9090", "10.0.0.5:1"]
        {
            assert!(is_plain(host), "{host}");
        }
        for host in
            ["", "evil.example", "evil.example:9090", "localhost.evil.example", "127.0.0.1.evil.example", "::1:9090x"]
        {
            assert!(!is_plain(host), "{host}");
        }
        for host in
            ["localhost:", "localhost:99999", "localhost:80:80", "[::1", "[localhost]", "127.0.0.1@evil.example"]
        {
            assert!(!is_plain(host), "{host}");
        }
    }

    #[test]
    fn only_this_machine_is_local() {
        let at = |text: &str| text.parse::<SocketAddr>().unwrap();
        let wide = at("0.0.0.0:9090");
        for peer in ["127.0.0.1:5", "127.8.8.8:5", "[::1]:5", "[::ffff:127.0.0.1]:5"] {
            assert!(is_local(Some(at(peer)), wide), "{peer}");
        }
        for peer in ["10.0.0.5:5", "192.168.1.1:5", "0.0.0.0:5", "[fe80::1]:5", "[::ffff:10.0.0.5]:5"] {
            assert!(!is_local(Some(at(peer)), at("127.0.0.1:9090")), "{peer}");
        }
        assert!(is_local(Some(at("10.0.0.5:5")), at("10.0.0.5:9090")), "the machine's own address");
        assert!(!is_local(Some(at("10.0.0.6:5")), at("10.0.0.5:9090")));
        assert!(!is_local(None, wide));
    }
}
