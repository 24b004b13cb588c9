//! The public listener inside the test's own process, with a clock that stands still: thousands of requests in seconds.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use actix_web::body::to_bytes;
use actix_web::dev::Service as _;
use actix_web::test::{self, TestRequest};
use actix_web::{App, web};
use mcp_forward_auth::authn::key_set::KeySet;
use mcp_forward_auth::authn::{Authenticator, IssuerKeys, IssuerSettings};
use mcp_forward_auth::authz::PolicySet;
use mcp_forward_auth::clock::Clock;
use mcp_forward_auth::config::Config;
use mcp_forward_auth::decision::DecisionPoint;
use mcp_forward_auth::domain::UnixTime;
use mcp_forward_auth::explain::Refusals;
use mcp_forward_auth::http::request_id::RequestIds;
use mcp_forward_auth::http::{Service, public_routes};
use mcp_forward_auth::proxy::TrustedProxies;
use mcp_forward_auth::telemetry::decision_record::Format;
use mcp_forward_auth::telemetry::{DecisionLog, Metrics};

use crate::support::http::Request;
use crate::support::issuer::{SigningKey, key_set};

pub const NOW: u64 = 1_795_243_365;

struct StandingStill;

impl Clock for StandingStill {
    fn now(&self) -> UnixTime {
        UnixTime::from_secs(NOW)
    }
}

/// What was answered.
#[derive(Debug, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    pub headers: BTreeMap<String, String>,
    pub body: String,
}

/// The service of `config`, whose issuers all sign with `key`; one without keys where `keyless` says so.
pub fn service(config: Config, key: &SigningKey, keyless: &str) -> web::Data<Service> {
    let issuers = config.issuers.iter().map(|issuer| {
        let keys = IssuerKeys::default();
        if issuer.issuer.as_str() != keyless {
            let set = KeySet::parse(key_set([key]).as_bytes(), &issuer.algorithms).unwrap();
            keys.replace(set, UnixTime::from_secs(NOW - 3600));
        }
        IssuerSettings {
            issuer: issuer.issuer.clone(),
            algorithms: issuer.algorithms.clone(),
            groups_claims: Vec::new(),
            assume_email_verified: false,
            keys: Arc::new(keys),
        }
    });
    let authenticator = Authenticator::new(issuers.collect(), Duration::from_secs(30), 1 << 20).keeping_claims(true);
    web::Data::new(Service {
        point: DecisionPoint {
            trusted: TrustedProxies::new(vec!["127.0.0.1/32".parse().unwrap()], None),
            policies: PolicySet::new(config.policies, None),
            authenticator,
            client_certificate: None,
        },
        clock: Arc::new(StandingStill),
        metrics: Metrics::new(&[("one".into(), false), ("two".into(), false)], None),
        log: DecisionLog::start(Format::Json, std::io::sink()).unwrap(),
        allows_logged_per_mille: 0,
        request_ids: RequestIds::new(),
        refusals: Refusals::default(),
        body_limits: config.server.body_limits,
        assertions: None,
        contracts: config.server.contracts,
        also_decide_at: Vec::new(),
    })
}

/// Sends `requests` to the public listener.
pub fn ask(service: &web::Data<Service>, requests: Vec<Request>) -> Vec<Answer> {
    actix_web::rt::System::new().block_on(async {
        let reads_bodies = service.point.may_need_operations();
        let routes = |routes: &mut web::ServiceConfig| public_routes(routes, None, reads_bodies);
        let app = test::init_service(App::new().app_data(service.clone()).configure(routes)).await;
        let mut answers = Vec::new();
        for request in requests {
            let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
            let mut wire = TestRequest::with_uri(&text(&request.target)).peer_addr("127.0.0.1:5000".parse().unwrap());
            wire = wire.method(request.method.parse().unwrap());
            for (name, value) in &request.headers {
                wire = wire.append_header((text(name), text(value)));
            }
            let response = app.call(wire.set_payload(request.body).to_request()).await.unwrap();
            let headers = response.headers().iter();
            let headers = headers.map(|(name, value)| (name.to_string(), text(value.as_bytes()))).collect();
            let status = response.status().as_u16();
            let body = text(&to_bytes(response.into_body()).await.unwrap());
            answers.push(Answer { status, headers, body });
        }
        answers
    })
}
