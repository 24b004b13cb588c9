//! Every attack, on every server, through the proxies: behind a rule the tool never runs, whatever is sent. Where no rule
//! stands in the way the same attack runs it through the same proxy.

use super::without_rules::executes;
use super::{Attack, Target, attacks, legacy, modern, wire};
use crate::support::attacked::{AttackedServer, Sdk};
use crate::support::issuer::TestIssuer;
use crate::support::ports;
use crate::support::proxies::{Backends, Edit, Kind, Proxy, with_body};
use crate::support::service::Service;
use crate::support::world::HOST;

/// A server behind a proxy: `/mcp` and `/vouched` forbid `write`, `/open` has no rules. The headers of `/vouched` are believed
/// where the body does not come.
pub struct Siege {
    pub server: AttackedServer,
    pub proxy: Proxy,
    issuer: TestIssuer,
    service: Service,
}

#[test]
fn nothing_forbidden_runs_on_version_2_of_the_typescript_sdk() {
    nothing_forbidden_runs(Sdk::TypeScriptV2);
}

#[test]
fn nothing_forbidden_runs_on_version_1_of_the_typescript_sdk() {
    nothing_forbidden_runs(Sdk::TypeScriptV1);
}

#[test]
fn nothing_forbidden_runs_on_the_python_sdk() {
    nothing_forbidden_runs(Sdk::Python);
}

fn nothing_forbidden_runs(sdk: Sdk) {
    let mut complaints: Vec<String> = Vec::new();
    for kind in [Kind::Traefik, Kind::Envoy] {
        let siege = Siege::start(sdk, kind, &with_body);
        let seen = [siege.under_rules(sdk, true), siege.without_rules(sdk), siege.late()].concat();
        complaints.extend(seen.into_iter().map(|complaint| format!("{kind:?} with bodies: {complaint}")));
    }
    for kind in [Kind::Traefik, Kind::Envoy, Kind::Nginx, Kind::Caddy] {
        let siege = Siege::start(sdk, kind, &|_, text| text);
        let seen = [siege.under_rules(sdk, false), siege.late()].concat();
        complaints.extend(seen.into_iter().map(|complaint| format!("{kind:?}: {complaint}")));
    }
    assert!(complaints.is_empty(), "{sdk:?}:\n{}", complaints.join("\n"));
}

/// What a proxy refuses or mends before anybody judges it.
fn stopped_by(kind: Kind, sdk: Sdk, attack: &str) -> bool {
    match attack {
        // A header that `Connection` names goes no further (RFC 9110 §7.6.1); and this is more than a proxy holds.
        "a connection that drops the type" | "name after 1.5 MB" => true,
        // Envoy makes one line of the two, which only the Python SDK takes for JSON.
        "type twice, JSON first" => kind == Kind::Envoy && sdk != Sdk::Python,
        _ => false,
    }
}

impl Siege {
    pub fn start(sdk: Sdk, kind: Kind, edit: &Edit<'_>) -> Self {
        let (issuer, server, service_port) = (TestIssuer::start(), AttackedServer::start(sdk), ports::free());
        let proxy = Proxy::start_edited(kind, Backends { service: service_port, upstream: server.port }, edit);
        let mut service = Service::start_at(service_port, &config(&issuer.url(), proxy.port));
        service.wait_until_ready();
        Self { server, proxy, issuer, service }
    }

    pub fn target(&self, endpoint: &'static str) -> Target {
        let authority = format!("{HOST}:{}", self.proxy.port);
        let resources = ["/mcp", "/vouched", "/open"].map(|path| format!("http://{authority}{path}"));
        let token = self.issuer.token_for(&resources[0]).claim("aud", resources.to_vec());
        Target { token: self.issuer.sign(&token), authority, endpoint }
    }

    /// Attacks where rules forbid, and calls that they allow.
    fn under_rules(&self, sdk: Sdk, sends_body: bool) -> Vec<String> {
        let mut complaints = Vec::new();
        for endpoint in ["/mcp", "/vouched"] {
            for attack in attacks(&self.target(endpoint)) {
                let (statuses, ran) = self.attack(&attack);
                if ran.iter().any(|call| call.ends_with("write")) {
                    complaints.push(format!("{}: it ran at {endpoint} ({statuses:?})", attack.name));
                }
            }
            complaints.extend(self.allowed_calls_that_failed(endpoint, sdk, sends_body));
        }
        complaints
    }

    /// The same attacks where nothing forbids them.
    fn without_rules(&self, sdk: Sdk) -> Vec<String> {
        let check = |attack: Attack| {
            let (statuses, ran) = self.attack(&attack);
            let wrote = ran.iter().any(|call| call == "/open write");
            let did = if wrote { "ran" } else { "did not run" };
            let expected = executes(sdk, &attack.name) && !stopped_by(self.proxy.kind, sdk, &attack.name);
            // The proxy drops what makes a server look at the headers: a server that is asked directly refuses it.
            let expected = expected || attack.name == "a connection that drops the version";
            (wrote != expected).then(|| format!("{}: without rules it {did} ({statuses:?})", attack.name))
        };
        attacks(&self.target("/open")).into_iter().filter(|attack| !attack.is_framing).filter_map(check).collect()
    }

    /// What ran when nobody looked any more.
    fn late(&self) -> Vec<String> {
        let ran = self.server.ran();
        ran.into_iter().filter(|call| call.ends_with("write") && call != "/open write").collect()
    }

    /// The statuses of the answers, and what ran meanwhile.
    fn attack(&self, attack: &Attack) -> (Vec<String>, Vec<String>) {
        let before = self.server.ran().len();
        let answer = wire::exchange(self.proxy.port, attack);
        (wire::statuses(&answer), self.server.ran().split_off(before))
    }

    /// The rules would be worth nothing if they kept everybody out.
    fn allowed_calls_that_failed(&self, endpoint: &'static str, sdk: Sdk, sends_body: bool) -> Vec<String> {
        let target = self.target(endpoint);
        let mut calls = Vec::new();
        if sends_body {
            calls.push(Attack::new("an older call", &target.post(legacy("read"))));
            let versioned = target.post(legacy("read")).header("MCP-Protocol-Version", "2025-11-25");
            calls.push(Attack::new("an older call with its version", &versioned));
        }
        if sdk != Sdk::TypeScriptV1 && (sends_body || endpoint == "/vouched") {
            calls.push(Attack::new("a newer call", &target.modern_post("read", modern("read"))));
        }
        let expected = format!("{endpoint} read");
        let failed = |call: &Attack| {
            let (statuses, ran) = self.attack(call);
            (ran != [expected.clone()]).then(|| {
                let lines = self.service.decision_lines();
                format!("{} at {endpoint} ran {ran:?} ({statuses:?}, {:?})", call.name, lines.last())
            })
        };
        calls.iter().filter_map(failed).collect()
    }
}

fn config(issuer: &str, port: u16) -> String {
    let resource = |path: &str, more: &str| {
        format!(
            "[[resources]]\nurl = \"http://{HOST}:{port}{path}\"\ninsecure_http = true\nallow_any_authenticated = true\n{more}\n"
        )
    };
    let rule = "\n[[resources.tool_rules]]\nnames = [\"write\"]\ndeny = true\n";
    [
        format!("[server]\nmax_body_bytes = 131072\n\n[log]\nallows = 1.0\n\n[[issuers]]\nissuer = \"{issuer}\"\n\n"),
        resource("/mcp", &format!("also_paths = [\"/sse\", \"/messages\"]\n{rule}")),
        resource("/vouched", &format!("upstream_enforces_mcp_headers = true\n{rule}")),
        resource("/open", "also_paths = [\"/open-sse\", \"/open-messages\"]\n"),
    ]
    .concat()
}
