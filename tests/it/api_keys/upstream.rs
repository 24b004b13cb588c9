//! The key stays with the proxy: no MCP server ever sees it.

use super::stage::create;
use crate::support::http::Request;
use crate::support::process::TempDir;
use crate::support::proxies::{Kind, Proxy};
use crate::support::stage::Stage;
use crate::support::world::HOST;

fn config(issuer: &str, port: u16, folder: &TempDir) -> String {
    let store = folder.path().join("state.redb");
    format!(
        r#"
[log]
allows = 1.0

[api_keys]

[store]
url = "file:{store}"

[[issuers]]
issuer = "{issuer}"

[[resources]]
url = "http://{HOST}:{port}/mcp"
insecure_http = true
allowed_groups = ["staff"]
allow_api_keys = true
"#,
        store = store.display()
    )
}

#[test]
fn no_server_behind_any_proxy_sees_the_key() {
    for kind in [Kind::Traefik, Kind::Envoy, Kind::Nginx, Kind::Caddy] {
        let folder = TempDir::new();
        let start = |backends| Proxy::start_edited(kind, backends, &|_, text| text);
        let stage = Stage::start_configured(start, &|issuer, port| config(issuer, port, &folder));
        let key = create(&stage.service, "backup", &["--resource", &stage.resource("/mcp")]);
        let post = |token: &str| {
            let request = Request::new("POST", "/mcp").host(&stage.authority()).bearer(token);
            request.header("X-Forwarded-User", "root").body("application/json", "{}")
        };
        let outcome = stage.try_out(post(&key));
        assert_eq!(outcome.status(), 200, "{kind:?}: {outcome:?}");
        let seen = outcome.reached();
        assert!(!format!("{seen:?}").contains("mfa_"), "{kind:?}: {seen:?}");
        assert_eq!(seen.all("x-forwarded-user"), ["api-key:backup"], "{kind:?}");
        assert_eq!(seen.all("x-auth-client"), ["api-key:backup"], "{kind:?}");
        assert_eq!(outcome.judged[0]["client"], "api-key:backup", "{kind:?}: {outcome:?}");
        let refused = stage.try_out(post(&format!("{key}x")));
        assert!(refused.is_refused() && refused.status() == 401, "{kind:?}: {refused:?}");
    }
}
