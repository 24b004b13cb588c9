//! The life of a client: it signs in, comes back, refreshes, shares its credentials, and loses its registration.

use serde_json::Value;

use super::guest::{ALL, Guest, judge};
use crate::sign_in::stage::Stage;
use crate::support::process::eventually;
use crate::support::proxies::Kind;
use crate::support::report::Report;

#[test]
fn clients_on_node_sign_in_refresh_and_register_again_through_traefik() {
    clients_on_node_sign_in_refresh_and_register_again(Kind::Traefik);
}

#[test]
fn clients_on_node_sign_in_refresh_and_register_again_through_nginx() {
    clients_on_node_sign_in_refresh_and_register_again(Kind::Nginx);
}

fn clients_on_node_sign_in_refresh_and_register_again(kind: Kind) {
    let mut stage = Stage::start(kind);
    let mut report = Report::new(kind);
    let guests = ALL.map(Guest::new);
    let last: Vec<Value> = guests
        .iter()
        .map(|guest| {
            let first = signs_in(guest, &stage, &mut report);
            report.stop_if_failed();
            let later = comes_back_and_refreshes(guest, &first, &stage, &mut report);
            report.stop_if_failed();
            refreshes_twice_at_once(guest, &later, &stage, &mut report)
        })
        .collect();
    stage.restart_without_memory();
    for (guest, last) in guests.iter().zip(&last) {
        registers_again(guest, last, &stage, &mut report);
    }
    report.finish();
}

fn signs_in(guest: &Guest, stage: &Stage, report: &mut Report) -> Value {
    report.row(format!("{}, the first time", guest.program));
    let seen = guest.visit(stage, &[], 1, report);
    report.equal("how it proves itself", &seen["client"]["token_endpoint_auth_method"], "none");
    seen
}

/// Another process with what the first one kept. Its access token ends between two calls: it is refused, and comes back by
/// itself with another.
fn comes_back_and_refreshes(guest: &Guest, before: &Value, stage: &Stage, report: &mut Report) -> Value {
    report.row(format!("{}, its access token ending between two calls", guest.program));
    let seen = guest.visit(stage, &["--revoke"], 0, report);
    report.holds(seen["again"].is_object(), || format!("there was no second call: {seen}"));
    for token in ["access_token", "refresh_token"] {
        report.holds(seen["tokens"][token] != before["tokens"][token], || format!("the {token} is still the old one"));
    }
    report.equal("the client", &seen["client"]["client_id"], &before["client"]["client_id"]);
    report.equal("the ended token", stage.ask(text(&before["tokens"]["access_token"])).status, 401);
    seen
}

/// Two processes present the same refresh token: the second within the window gets the same successor, and both go on.
fn refreshes_twice_at_once(guest: &Guest, before: &Value, stage: &Stage, report: &mut Report) -> Value {
    report.row(format!("{}, twice at once", guest.program));
    revoke_access_token(before, stage);
    let twin = guest.twin();
    let both = std::thread::scope(|scope| {
        let runs = [guest, &twin].map(|one| scope.spawn(|| one.run(stage, &[])));
        runs.map(|run| run.join().unwrap())
    });
    for seen in &both {
        judge(seen, stage, report);
        report.equal("the client", &seen["client"]["client_id"], &before["client"]["client_id"]);
        report.holds(seen["tokens"]["refresh_token"] != before["tokens"]["refresh_token"], || "no refresh".to_owned());
    }
    report.equal(
        "the refresh token of the twin",
        &both[1]["tokens"]["refresh_token"],
        &both[0]["tokens"]["refresh_token"],
    );
    report.equal("the twin was sent to the person", twin.walks(), 0);
    report.row(format!("{}, both going on", guest.program));
    twin.visit(stage, &["--revoke"], 0, report);
    guest.visit(stage, &["--revoke"], 0, report)
}

/// Nothing that it kept means anything any more: it registers anew, and the person is asked again.
fn registers_again(guest: &Guest, last: &Value, stage: &Stage, report: &mut Report) {
    report.row(format!("{}, its registration being gone", guest.program));
    // A token as young as the keys could be one whose key is yet to come: for seconds the answer is 503.
    eventually("the old token is refused", || stage.ask(text(&last["tokens"]["access_token"])).status == 401);
    let seen = guest.visit(stage, &["--revoke"], 1, report);
    report.holds(seen["client"]["client_id"] != last["client"]["client_id"], || "it is the same client".to_owned());
}

/// RFC 7009: only this token ends.
fn revoke_access_token(kept: &Value, stage: &Stage) {
    let (client, token) = (text(&kept["client"]["client_id"]), text(&kept["tokens"]["access_token"]));
    let revoked = stage.post("/revoke", &format!("client_id={client}&token={token}"));
    assert_eq!(revoked.status, 200, "{revoked:?}");
    assert_eq!(stage.ask(token).status, 401);
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
