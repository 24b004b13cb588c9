//! Keys over time: restarts, a service that is killed, a revocation while requests run.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::stage::{OTHER, RESOURCE, Stage};
use crate::support::process::eventually;
use crate::support::service::Service;

fn end(service: &mut Service) {
    assert!(service.process.terminate().success());
}

fn kill(service: &mut Service) {
    service.process.kill();
}

fn last_used(stage: &Stage, name: &str) -> Option<String> {
    let listed = stage.listed();
    let key = listed.iter().find(|key| key["name"] == name).unwrap();
    key["last_used"].as_str().map(ToOwned::to_owned)
}

#[test]
fn keys_and_revocations_survive_a_restart_and_a_crash() {
    let mut stage = Stage::start();
    let (kept, gone) = (stage.create("kept", &[]), stage.create("gone", &[]));
    assert_eq!(stage.operator(&["revoke", "gone"]).code, 0);
    stage.restart_after(end, |text| text);
    assert_eq!((stage.ask(RESOURCE, &kept), stage.ask(RESOURCE, &gone)), ("ok".into(), "invalid_token".into()));
    // What was said to be done is done: nothing is waited for between the answer and the crash.
    let new = stage.create("new", &[]);
    assert_eq!(stage.operator(&["revoke", "kept"]).code, 0);
    stage.restart_after(kill, |text| text);
    assert_eq!((stage.ask(RESOURCE, &new), stage.ask(RESOURCE, &kept)), ("ok".into(), "invalid_token".into()));
    let states: Vec<String> = stage.listed().iter().map(|key| format!("{} {}", key["name"], key["state"])).collect();
    assert_eq!(states, ["\"gone\" \"revoked\"", "\"kept\" \"revoked\"", "\"new\" \"living\""]);
}

#[test]
fn the_last_use_is_shown_at_once_and_written_before_long() {
    let mut stage = Stage::start();
    let key = stage.create("backup", &[]);
    stage.create("idle", &[]);
    assert_eq!(last_used(&stage, "backup"), None);
    stage.ask(OTHER, &key);
    let used = last_used(&stage, "backup").expect("a use that was refused later is a use");
    assert!(used.ends_with(":00Z"), "{used}");
    // A crash right after the use may lose it; what is in the file, it cannot.
    eventually("the last use in the file", || contains(&stage.stored(), b"used/K"));
    // Written after it, and answered only when it is there.
    stage.create("later", &[]);
    stage.restart_after(kill, |text| text);
    assert_eq!((last_used(&stage, "backup"), last_used(&stage, "idle")), (Some(used), None));
    // Who is asked to stop writes it first.
    let quick = stage.create("quick", &[]);
    assert_eq!(stage.ask(RESOURCE, &quick), "ok");
    stage.restart_after(end, |text| text);
    assert!(last_used(&stage, "quick").is_some());
}

fn contains(all: &[u8], part: &[u8]) -> bool {
    all.windows(part.len()).any(|found| found == part)
}

#[test]
fn once_the_operator_is_told_no_request_gets_through() {
    let stage = Stage::start();
    for round in 0..5 {
        let name = format!("job-{round}");
        let key = stage.create(&name, &[]);
        let (revoked, done) = (AtomicBool::new(false), AtomicBool::new(false));
        let (before, after) = (AtomicUsize::new(0), AtomicUsize::new(0));
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    while !done.load(Ordering::SeqCst) {
                        // Asked first: a request that began before the answer may be let through.
                        let must_fail = revoked.load(Ordering::SeqCst);
                        match (&*stage.ask(RESOURCE, &key), must_fail) {
                            ("ok", false) => before.fetch_add(1, Ordering::SeqCst),
                            ("ok", true) => panic!("let through after the revocation"),
                            (_, true) => after.fetch_add(1, Ordering::SeqCst),
                            (_, false) => 0,
                        };
                    }
                });
            }
            eventually("requests before", || before.load(Ordering::SeqCst) > 20);
            let said = stage.operator(&["revoke", &name]);
            revoked.store(true, Ordering::SeqCst);
            eventually("requests after", || after.load(Ordering::SeqCst) > 20);
            done.store(true, Ordering::SeqCst);
            assert_eq!(said.code, 0, "{said:?}");
        });
    }
}
