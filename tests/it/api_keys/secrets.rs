//! A key is told once. After that it is nowhere: not in logs, metrics, lists or files.

use super::presenting::invented;
use super::stage::{OTHER, PEOPLE, RESOURCE, Stage};
use crate::support::process::eventually;

#[test]
fn no_key_is_in_the_logs_the_metrics_the_list_or_the_store() {
    let stage = Stage::start_with(|text| text.replacen("[log]\n", "[log]\nlevel = \"debug\"\n", 1));
    let (good, revoked) = (stage.create("backup", &[]), stage.create("gone", &[]));
    let made = stage.operator(&["create", "--name", "third", "--resource", RESOURCE, "--json"]).text;
    let third = serde_json::from_str::<serde_json::Value>(&made).unwrap()["key"].as_str().unwrap().to_owned();
    assert_eq!(stage.operator(&["revoke", "gone"]).code, 0);
    let unknown = invented(42);
    let broken = format!("{}{}", &good[..52], if good.ends_with('x') { 'y' } else { 'x' });
    let keys = [&good, &revoked, &third, &unknown, &broken];
    for key in keys {
        for resource in [RESOURCE, OTHER, PEOPLE] {
            stage.ask(resource, key);
        }
        stage.operator(&["revoke", key]);
        stage.operator(&["create", "--name", key, "--resource", key]);
    }
    let lines = || stage.service.decision_lines();
    eventually("the decision lines", || lines().len() >= keys.len() * 3);
    assert!(lines().iter().any(|line| line["client"] == "api-key:backup"), "the holder is named");
    let told = |text: &str| stage.operator(&["list", "--json"]).text + &stage.operator(&["list"]).text + text;
    let everything = [
        stage.service.process.output().into_bytes(),
        stage.service.admin("/metrics").text().into_bytes(),
        told("").into_bytes(),
        stage.stored(),
    ];
    for key in keys {
        // A part is enough to recognise one: 20 digits are 119 bits.
        let part = &key.as_bytes()[10..30];
        for (place, text) in ["log", "metrics", "list", "store"].iter().zip(&everything) {
            assert!(!text.windows(part.len()).any(|found| found == part), "a key is in the {place}");
        }
    }
    let hash = mcp_forward_auth::domain::SecretHash::of(&good);
    let hash = hash.as_str().as_bytes();
    assert!(everything[3].windows(hash.len()).any(|found| found == hash), "the store is what was looked at");
}
