//! `docker-compose.local.yml`: what it puts in the place of the shipped file's, and that it stays on this machine.

use serde_json::Value;

use super::{compose, schema};
use crate::config::documents;
use crate::support::report::Report;
use crate::support::tools::{project, read_yaml};

const FILE: &str = "docker-compose.local.yml";

fn local() -> Value {
    read_yaml(&project().join(FILE), Some(&schema())).unwrap()
}

/// Whoever reaches the port can sign in as anybody.
#[test]
fn the_development_login_is_published_on_this_machine_only() {
    let text = std::fs::read_to_string(project().join(FILE)).unwrap();
    // Without the tag the ports of both files would be published.
    assert!(text.contains("    ports: !override [\"127.0.0.1:8080:8080\"]\n"), "{text}");
    let local = local();
    let published = local["services"].as_object().unwrap().values().filter(|service| !service["ports"].is_null());
    assert_eq!(published.count(), 1);
}

#[test]
fn its_labels_differ_from_the_shipped_ones_in_the_host_only() {
    let (shipped, local) = (compose(), local());
    let mut report = Report::new("labels");
    for (service, settings) in local["services"].as_object().unwrap() {
        report.row(service);
        report.holds(!shipped["services"][service].is_null(), || "the shipped file has no such service".to_owned());
        for (name, value) in settings["labels"].as_object().into_iter().flatten() {
            let expected = shipped["services"][service]["labels"][name].as_str().unwrap_or_default();
            report.equal(name, value.as_str(), Some(expected.replace("mcp.example.com", "localhost").as_str()));
        }
    }
    let hosts = compose().to_string().matches("Host(`").count();
    report.equal("rules with a host", local.to_string().matches("Host(`localhost`)").count(), hosts);
    report.finish();
}

#[test]
fn its_environment_starts_an_authorization_server_that_keeps_its_state() {
    let text = std::fs::read_to_string(project().join(FILE)).unwrap();
    assert!(text.contains("    environment: !override\n"), "the shipped issuer would stay");
    let config = documents::load(&documents::compose_variables(&text)).unwrap();
    assert_eq!(config.authorization_server.unwrap().issuer.as_str(), "http://localhost:8080");
    let volume = local()["services"]["mcp-forward-auth"]["volumes"][0].as_str().unwrap().to_owned();
    assert_eq!(volume, "state:/data");
    assert_eq!(config.store_url.unwrap().to_string(), "file:/data/mcp-forward-auth.redb");
}
