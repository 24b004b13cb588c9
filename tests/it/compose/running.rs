//! Traefik with the flags and labels of `docker-compose.yml`, as if Compose had started it: a daemon of ours tells it what
//! runs. It is attacked with the other variants of Traefik's files, see `holes::traefik::variants`.

use serde_json::{Value, json};

use super::{compose, services};
use crate::support::proxies::{Backends, Kind, Proxy, renumbered};
use crate::support::stage::Stage;
use crate::support::web::{Answer, Web};

pub fn stage() -> Stage {
    let compose = compose();
    Stage::start_behind(|backends| {
        let daemon = daemon(&compose, backends);
        let flags = flags(&compose, &daemon.url().replace("http://", "tcp://"));
        let with_flags = |name: &str, text| if name == "traefik.yml" { flags.to_string() } else { text };
        let proxy = Proxy::start_edited(Kind::Traefik, backends, &with_flags);
        // Traefik goes on listening to it for as long as it runs.
        std::mem::forget(daemon);
        proxy
    })
}

/// The flags as the static file that they mean, with the daemon's address.
fn flags(compose: &Value, daemon: &str) -> Value {
    let mut file = json!({});
    let given = compose["services"]["traefik"]["command"].as_array().unwrap().iter().map(|flag| flag.as_str().unwrap());
    let given = given.filter(|flag| *flag != "--providers.docker=true").map(ToOwned::to_owned);
    for flag in given.chain([format!("--providers.docker.endpoint={daemon}")]) {
        let (name, value) = flag.strip_prefix("--").unwrap().split_once('=').unwrap();
        let place = name.split('.').fold(&mut file, |place, part| &mut place[part]);
        *place = value.parse::<bool>().map_or_else(|_| json!(value), |flag| json!(flag));
    }
    file
}

/// Answers as Docker does, of containers that all run on this machine.
fn daemon(compose: &Value, backends: Backends) -> Web {
    let daemon = Web::start();
    let mut list = Vec::new();
    for (name, service) in services(compose) {
        let container = container(name, service, backends);
        daemon.answer(&format!("*/containers/{name}/json"), Answer::Json(container.to_string()));
        list.push(json!({ "Id": name }));
    }
    daemon.answer("*/containers/json", Answer::Json(Value::from(list).to_string()));
    daemon.answer("*/_ping", Answer::Json(String::new()));
    daemon.answer("*/version", Answer::Json(json!({ "Version": "28.0.0" }).to_string()));
    daemon.answer("*/events", Answer::Hang);
    daemon
}

/// What the daemon says of a container.
fn container(name: &str, service: &Value, backends: Backends) -> Value {
    let here = |value: &Value| {
        let value = value.as_str().unwrap().replace("$$", "$").replace("//mcp-forward-auth:", "//127.0.0.1:");
        renumbered(&value, &[("11000", backends.service), ("8000", backends.upstream)])
    };
    let labels = service["labels"].as_object().into_iter().flatten();
    let labels: serde_json::Map<String, Value> =
        labels.map(|(name, value)| (name.clone(), here(value).into())).collect();
    let network = labels.get("traefik.docker.network").and_then(Value::as_str).unwrap_or("none").to_owned();
    json!({
        "Id": name,
        "Name": format!("/{name}"),
        "Config": { "Labels": labels },
        "State": { "Status": "running", "Running": true },
        "HostConfig": { "NetworkMode": network },
        "NetworkSettings": { "Ports": {}, "Networks": { network: { "IPAddress": "127.0.0.1" } } },
    })
}
