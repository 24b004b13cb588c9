//! The key that seals the store: lost, wrong, readable by others, replaced. Real processes, one after the other, on one
//! store.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use crate::support::http::Request;
use crate::support::ports;
use crate::support::process::TempDir;
use crate::support::service::Service;
use crate::support::tools;

const NEW: &str = "fbffbf3334353637383930313233343536373839303132333435363738393031";

/// A store that outlives the processes.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        Self(TempDir::new())
    }

    fn store(&self) -> PathBuf {
        self.0.path().join("state.redb")
    }

    fn key(&self) -> PathBuf {
        self.0.path().join("state.redb.key")
    }

    fn config(&self, more: &str) -> String {
        format!(
            "[[resources]]\nurl = \"http://localhost:8080/mcp\"\n[store]\nurl = \"file:{}\"\n\
             [authorization_server]\nissuer = \"http://localhost:8080\"\n{more}\n\
             [authorization_server.identity_provider]\nkind = \"development\"\n",
            self.store().display()
        )
    }

    /// Starts, reads the ids of the published keys, and stops.
    fn keys(&self, more: &str) -> Vec<String> {
        let service = Service::start(&self.config(more));
        let set = Request::get("/jwks").host("localhost:8080").send(service.port).json();
        let ids = set["keys"].as_array().unwrap().iter().map(|key: &Value| key["kid"].as_str().unwrap().to_owned());
        ids.collect()
    }

    /// What a start says that comes to nothing: one line, and the exit code is 1.
    fn refused(&self, more: &str) -> String {
        let config = self.0.write("config.toml", &self.config(more));
        let mut command = Command::new(tools::service_binary());
        command.env_clear().arg("--config").arg(config).arg("--listen").arg(format!("127.0.0.1:{}", ports::free()));
        let output = command.args(["--set", "server.admin_listen=127.0.0.1:0"]).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), said.lines().count()), (Some(1), 1), "{said}");
        said.strip_prefix("mcp-forward-auth: ").unwrap().trim_end().to_owned()
    }
}

#[test]
fn a_lost_key_file_is_told_and_no_new_key_is_made_beside_the_store() {
    let place = Place::new();
    let before = place.keys("");
    let aside = place.0.path().join("aside");
    fs::rename(place.key(), &aside).unwrap();
    let said = place.refused("");
    let (key, store) = (place.key().display().to_string(), place.store().display().to_string());
    assert_eq!(
        said,
        format!(
            "{key}: the file is gone, and it holds the key that file:{store} was sealed with; put it back from a backup, \
             or name the key in authorization_server.encryption_key_file; if it is lost, move the store away to start \
             anew: then everybody signs in again"
        )
    );
    assert!(!place.key().exists(), "a new key was made");
    fs::rename(&aside, place.key()).unwrap();
    assert_eq!(place.keys(""), before, "the file was put back");
    fs::rename(place.key(), &aside).unwrap();
    let named = format!("encryption_key_file = \"{}\"", aside.display());
    assert_eq!(place.keys(&named), before, "the key is named elsewhere");
    fs::remove_file(place.store()).unwrap();
    assert_ne!(place.keys(""), before, "the store was moved away");
}

#[test]
fn a_store_without_anything_sealed_gets_a_key() {
    let place = Place::new();
    // As it is left by a start that died between making the store and making the key.
    drop(mcp_forward_auth::store::EmbeddedStore::open(&place.store()).unwrap());
    assert!(!place.keys("").is_empty());
}

#[test]
fn a_wrong_key_is_told_wherever_it_comes_from() {
    let place = Place::new();
    let before = place.keys("");
    let said = place.refused(&format!("encryption_key = \"{NEW}\""));
    assert!(said.starts_with("authorization_server.encryption_key: this is not the key that file:"), "{said}");
    assert!(said.contains("older_encryption_key_files") && !said.contains(NEW), "{said}");
    let aside = place.0.path().join("aside");
    fs::rename(place.key(), &aside).unwrap();
    fs::write(place.key(), NEW).unwrap();
    fs::set_permissions(place.key(), Permissions::from_mode(0o600)).unwrap();
    let said = place.refused("");
    assert!(said.starts_with(&format!("{}: this is not the key that", place.key().display())), "{said}");
    fs::rename(&aside, place.key()).unwrap();
    assert_eq!(place.keys(""), before);
}

#[test]
fn a_key_file_that_others_may_read_is_refused() {
    let place = Place::new();
    place.keys("");
    fs::set_permissions(place.key(), Permissions::from_mode(0o640)).unwrap();
    let said = place.refused("");
    assert_eq!(
        said,
        format!(
            "{}: others than its owner may use the file (its mode is 640); give it the mode 600, and think about who may \
             have read it",
            place.key().display()
        )
    );
}

#[test]
fn a_key_is_replaced_while_the_older_one_is_named() {
    let place = Place::new();
    let before = place.keys("");
    let older = place.0.path().join("older.key");
    fs::rename(place.key(), &older).unwrap();
    fs::write(place.key(), NEW).unwrap();
    fs::set_permissions(place.key(), Permissions::from_mode(0o600)).unwrap();
    let with_older = format!("older_encryption_key_files = [\"{}\"]", older.display());
    assert_eq!(place.keys(&with_older), before, "what was sealed can be opened");
    assert_eq!(place.keys(""), before, "the start sealed it anew, so the older key is needed no more");
}
