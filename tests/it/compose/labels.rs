//! The labels of `docker-compose.yml` and the flags of its Traefik say what Traefik's files say: neither can drift from
//! the other. The other shipped files for Traefik share their middlewares with them.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{compose, services};
use crate::support::report::Report;
use crate::support::tools::{project, read_yaml};

/// Dotted names in lower case, as Traefik reads labels and flags, with their values as text.
type Settings = BTreeMap<String, String>;

#[test]
fn the_labels_say_what_the_file_of_routes_says() {
    let mut labels = labels(&compose());
    let mut file = settings(&traefik_file("traefik/dynamic.yml"));
    // The same port on another host.
    let address = "http.middlewares.mcp-auth.forwardauth.address";
    for (settings, host) in [(&mut labels, "mcp-forward-auth"), (&mut file, "127.0.0.1")] {
        let shown = settings[address].replace(&format!("//{host}:"), "//HOST:");
        assert_ne!(shown, settings[address], "{address}");
        settings.insert(address.to_owned(), shown);
    }
    // Docker tells a container's address, so a label names the port alone.
    for (service, port) in [("mcp-forward-auth", "11000"), ("mcp", "8000")] {
        let balancer = format!("http.services.{service}.loadbalancer");
        assert_eq!(labels.remove(&format!("{balancer}.server.port")).as_deref(), Some(port));
        let url = format!("http://127.0.0.1:{port}");
        assert_eq!(file.remove(&format!("{balancer}.servers.0.url")), Some(url));
    }
    assert_eq!(differences(&labels, &file), [""; 0], "in the labels, and in the file");
}

#[test]
fn the_flags_say_what_the_static_file_says() {
    let compose = compose();
    let flags = compose["services"]["traefik"]["command"].as_array().unwrap().iter().map(|flag| {
        let (name, value) = flag.as_str().unwrap().strip_prefix("--").unwrap().split_once('=').unwrap();
        (name.to_lowercase(), value.to_owned())
    });
    let is_provider = |name: &str| name.starts_with("providers.");
    let mut flags: Settings = flags.filter(|(name, _)| !is_provider(name)).collect();
    let mut file = settings(&traefik_file("traefik/traefik.yml"));
    file.retain(|name, _| !is_provider(name));
    let address = "entrypoints.web.address";
    assert_eq!(flags.remove(address).as_deref(), Some(":8080"));
    assert_eq!(file.remove(address).as_deref(), Some("0.0.0.0:8080"));
    assert_eq!(differences(&flags, &file), [""; 0], "in the flags, and in the file");
}

/// What one file forbids, the others do not allow.
#[test]
fn the_files_for_traefik_share_their_middlewares() {
    let middlewares = |file: &str| settings(&traefik_file(file)["http"]["middlewares"]);
    let edge = middlewares("traefik/dynamic.yml");
    let mut report = Report::new("middlewares");
    for file in
        ["traefik/redirect-well-known.yml", "traefik/behind-load-balancer.yml", "examples/many-servers/dynamic.yml"]
    {
        report.row(file);
        let other = middlewares(file);
        for (name, value) in &edge {
            let balanced = file.contains("behind") && name == "mcp-auth.forwardauth.trustforwardheader";
            let expected = if balanced { "true" } else { value };
            report.equal(name, other.get(name).map(String::as_str), Some(expected));
        }
        for router in traefik_file(file)["http"]["routers"].as_object().unwrap().values() {
            let chain: Vec<&str> =
                router["middlewares"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
            let guarded = router["service"] != "mcp-forward-auth";
            report.equal("guarded", chain.contains(&"mcp-auth"), guarded);
            report.holds(!guarded || chain.starts_with(&["own-view", "cors", "mcp-auth"]), || format!("{chain:?}"));
        }
    }
    report.finish();
}

/// All labels of Traefik's routes, whichever container they stand at.
fn labels(compose: &Value) -> Settings {
    let all = services(compose).filter_map(|(_, service)| service["labels"].as_object()).flatten();
    let routes = all.filter_map(|(name, value)| Some((name.strip_prefix("traefik.")?, value)));
    let routes = routes.filter(|(name, _)| name.starts_with("http."));
    // `$$` is how Compose writes `$`.
    routes.map(|(name, value)| (name.to_lowercase(), value.as_str().unwrap().replace("$$", "$"))).collect()
}

fn traefik_file(path: &str) -> Value {
    read_yaml(&project().join(path), None).unwrap()
}

/// A tree as dotted names; lists of texts become one text with commas, as in labels.
fn settings(tree: &Value) -> Settings {
    let mut settings = Settings::new();
    collect(tree.as_object().unwrap(), "", &mut settings);
    settings
}

fn collect(tree: &Map<String, Value>, prefix: &str, settings: &mut Settings) {
    for (name, value) in tree {
        let name = format!("{prefix}{}", name.to_lowercase());
        match value {
            Value::Object(inner) => collect(inner, &format!("{name}."), settings),
            Value::Array(items) if items.iter().all(Value::is_string) => {
                let items: Vec<&str> = items.iter().filter_map(Value::as_str).collect();
                settings.insert(name, items.join(","));
            }
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    collect(item.as_object().unwrap(), &format!("{name}.{index}."), settings);
                }
            }
            Value::String(text) => drop(settings.insert(name, text.clone())),
            Value::Null | Value::Bool(_) | Value::Number(_) => drop(settings.insert(name, value.to_string())),
        }
    }
}

/// Every name whose value is not the same on both sides.
fn differences(left: &Settings, right: &Settings) -> Vec<String> {
    let names: std::collections::BTreeSet<&String> = left.keys().chain(right.keys()).collect();
    let different = names.into_iter().filter(|name| left.get(*name) != right.get(*name));
    different.map(|name| format!("{name}: {:?}, {:?}", left.get(name), right.get(name))).collect()
}

#[test]
fn a_value_that_drifts_is_a_difference() {
    let file = settings(&traefik_file("traefik/dynamic.yml"));
    let mut drifted = file.clone();
    drifted.remove("http.middlewares.own-view.headers.customrequestheaders.x-original-url");
    drifted.insert("http.routers.mcp.middlewares".into(), "cors,mcp-auth".into());
    assert_eq!(
        differences(&drifted, &file),
        [
            r#"http.middlewares.own-view.headers.customrequestheaders.x-original-url: None, Some("")"#,
            r#"http.routers.mcp.middlewares: Some("cors,mcp-auth"), Some("own-view,cors,mcp-auth,whole-body")"#,
        ]
    );
}
