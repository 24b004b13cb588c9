//! actix's request as the adapters see it.

use std::net::IpAddr;

use actix_web::HttpRequest;
use actix_web::http::header::HeaderName;

use crate::domain::Occurrence;
use crate::proxy::{Field, RequestHead};

/// A borrowed actix request.
#[derive(Debug)]
pub struct ActixHead<'a>(pub &'a HttpRequest);

impl RequestHead for ActixHead<'_> {
    fn method(&self) -> &str {
        self.0.method().as_str()
    }

    fn target(&self) -> &str {
        self.0.uri().path_and_query().map_or("", |target| target.as_str())
    }

    fn field(&self, field: Field) -> Occurrence<'_> {
        let mut values = self.0.headers().get_all(header_name(field));
        match (values.next(), values.next()) {
            (None, _) => Occurrence::Absent,
            (Some(value), None) => Occurrence::Once(value.as_bytes()),
            (Some(_), Some(_)) => Occurrence::Repeated,
        }
    }

    fn peer(&self) -> Option<IpAddr> {
        self.0.peer_addr().map(|address| address.ip())
    }
}

static SEC_FETCH_MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");
static SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
static SEC_FETCH_DEST: HeaderName = HeaderName::from_static("sec-fetch-dest");

/// Names made once, so that a look-up parses nothing.
const fn header_name(field: Field) -> &'static HeaderName {
    use actix_web::http::header as known;
    static FORWARDED_METHOD: HeaderName = HeaderName::from_static("x-forwarded-method");
    static FORWARDED_URI: HeaderName = HeaderName::from_static("x-forwarded-uri");
    static FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
    static FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
    static FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
    static ORIGINAL_METHOD: HeaderName = HeaderName::from_static("x-original-method");
    static ORIGINAL_URL: HeaderName = HeaderName::from_static("x-original-url");
    static REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
    static PROXY_SECRET: HeaderName = HeaderName::from_static("x-proxy-secret");
    static AUTHORIZATION: HeaderName = known::AUTHORIZATION;
    static HOST: HeaderName = known::HOST;
    static ORIGIN: HeaderName = known::ORIGIN;
    static REQUEST_METHOD: HeaderName = known::ACCESS_CONTROL_REQUEST_METHOD;
    static USER_AGENT: HeaderName = known::USER_AGENT;
    static COOKIE: HeaderName = known::COOKIE;
    static ACCEPT: HeaderName = known::ACCEPT;
    match field {
        Field::Authorization => &AUTHORIZATION,
        Field::Host => &HOST,
        Field::Origin => &ORIGIN,
        Field::AccessControlRequestMethod => &REQUEST_METHOD,
        Field::ForwardedMethod => &FORWARDED_METHOD,
        Field::ForwardedProto => &FORWARDED_PROTO,
        Field::ForwardedHost => &FORWARDED_HOST,
        Field::ForwardedUri => &FORWARDED_URI,
        Field::OriginalMethod => &ORIGINAL_METHOD,
        Field::OriginalUrl => &ORIGINAL_URL,
        Field::ForwardedFor => &FORWARDED_FOR,
        Field::RequestId => &REQUEST_ID,
        Field::UserAgent => &USER_AGENT,
        Field::ProxySecret => &PROXY_SECRET,
        Field::Cookie => &COOKIE,
        Field::Accept => &ACCEPT,
        Field::SecFetchMode => &SEC_FETCH_MODE,
        Field::SecFetchSite => &SEC_FETCH_SITE,
        Field::SecFetchDest => &SEC_FETCH_DEST,
    }
}
