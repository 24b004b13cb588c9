//! Keycloak itself, one for all tests of a run, with the realm of tests/idp/keycloak.

use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use mcp_forward_auth::domain::Secret;
use mcp_forward_auth::idp::Registration;
use serde_json::{Value, json};
use url::Url;

use super::browser::{Browser, Page};
use super::http::{Request, Response};
use super::process::Process;
use super::{ports, tools};

/// It takes ten to twenty seconds on a machine of its own, and this one has other things to do.
const PATIENCE: Duration = Duration::from_secs(240);
const REALM: &str = "/realms/main";
const ADMIN: &str = "admin";

pub struct Keycloak {
    _process: Process,
    port: u16,
}

impl Keycloak {
    /// The running Keycloak; the first test that needs it starts it.
    pub fn start() -> &'static Self {
        static SHARED: OnceLock<Keycloak> = OnceLock::new();
        SHARED.get_or_init(|| {
            let port = ports::free();
            let mut process = Process::start_shared("keycloak", &command(port));
            process.wait_within(PATIENCE, "listening", || {
                let answer = Request::get("/realms/master").host("127.0.0.1").try_send(port);
                answer.is_ok_and(|answer| answer.status == 200)
            });
            let keycloak = Self { _process: process, port };
            let realm = std::fs::read_to_string(tools::project().join("tests/idp/keycloak/realm.json")).unwrap();
            let answer = keycloak.admin("POST", "/admin/realms", &realm);
            assert_eq!(answer.status, 201, "{}", answer.text());
            keycloak
        })
    }

    /// The realm.
    pub fn issuer(&self) -> String {
        format!("http://127.0.0.1:{}{REALM}", self.port)
    }

    /// Us as a client of the realm, which takes any redirect URI of ours.
    pub fn registration() -> Registration {
        Registration { client_id: "notes".into(), client_secret: Some(Secret::new("notes-secret")), secret_in: None }
    }

    /// Disables or enables an account. Others use the same realm: take Carol's, and give it back.
    pub fn set_enabled(&self, name: &str, enabled: bool) {
        let found = self.admin("GET", &format!("/admin{REALM}/users?exact=true&username={name}"), "").json();
        let id = found[0]["id"].as_str().unwrap();
        let answer =
            self.admin("PUT", &format!("/admin{REALM}/users/{id}"), &json!({ "enabled": enabled }).to_string());
        assert_eq!(answer.status, 204, "{}", answer.text());
    }

    /// Signs `name` in on the page that `url` leads to, and comes home.
    pub fn sign_in(browser: &mut Browser, url: &Url, name: &str) -> Page {
        let page = browser.visit(url);
        browser.submit(&page, &[("username", name), ("password", &format!("{name}-password"))])
    }

    fn admin(&self, method: &str, path: &str, body: &str) -> Response {
        let request = self.request(method, path).bearer(&self.admin_token());
        if body.is_empty() { request.send(self.port) } else { request.body("application/json", body).send(self.port) }
    }

    fn admin_token(&self) -> String {
        let form = format!("grant_type=password&client_id=admin-cli&username={ADMIN}&password={ADMIN}");
        let request = self.request("POST", "/realms/master/protocol/openid-connect/token");
        let answer = request.body("application/x-www-form-urlencoded", form).send(self.port);
        let Value::String(token) = answer.json()["access_token"].clone() else { panic!("{}", answer.text()) };
        token
    }

    fn request(&self, method: &str, path: &str) -> Request {
        Request::new(method, path).host(&format!("127.0.0.1:{}", self.port))
    }
}

/// Java without the script around it, which would outlive a kill. The options are the script's, and those for a quick
/// start; the database lives in memory.
fn command(port: u16) -> Command {
    let home = tools::project().join(".tools/keycloak");
    assert!(home.join(".stamp").exists(), "Keycloak is not installed; run scripts/install-tools.sh");
    let home = home.to_str().unwrap();
    let mut command = Command::new(tools::tool("java"));
    command.args(["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx512m"]);
    for package in ["java.util", "java.util.concurrent", "java.security", "java.lang"] {
        command.arg(format!("--add-opens=java.base/{package}=ALL-UNNAMED"));
    }
    let threads = "io.quarkus.bootstrap.forkjoin.QuarkusForkJoinWorkerThreadFactory";
    command.arg(format!("-Djava.util.concurrent.ForkJoinPool.common.threadFactory={threads}"));
    command.arg("-Djava.util.logging.manager=org.jboss.logmanager.LogManager");
    command.arg(format!("-Dkc.home.dir={home}")).arg(format!("-Djboss.server.config.dir={home}/conf"));
    command.args(["-cp", &format!("{home}/lib/quarkus-run.jar"), "io.quarkus.bootstrap.runner.QuarkusEntryPoint"]);
    command.args(["start", "--optimized", "--cache=local", "--http-enabled=true", "--hostname-strict=false"]);
    command.args(["--http-host=127.0.0.1", &format!("--http-port={port}")]);
    command.envs([("KC_BOOTSTRAP_ADMIN_USERNAME", ADMIN), ("KC_BOOTSTRAP_ADMIN_PASSWORD", ADMIN)]);
    command
}
