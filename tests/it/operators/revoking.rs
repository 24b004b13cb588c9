//! Cutting somebody off: effective on the next request, through real proxies, and no refresh brings it back.

use super::access::Access;
use super::stage::Stage;
use crate::support::proxies::Kind;
use crate::support::report::Report;

const ALICE: &str = "alice@example.com";
const BOB: &str = "bob@example.com";

#[test]
fn who_is_cut_off_is_out_with_the_next_request_through_traefik() {
    cut_off_step_by_step(Kind::Traefik);
}

#[test]
fn who_is_cut_off_is_out_with_the_next_request_through_caddy() {
    cut_off_step_by_step(Kind::Caddy);
}

fn cut_off_step_by_step(kind: Kind) {
    let stage = Stage::behind(kind);
    let (one, two) = (stage.register("One"), stage.register("Two"));
    let other = stage.resource("/other");
    let accesses: Vec<(&str, Access)> = vec![
        ("alice, one, /mcp", stage.let_in(ALICE, &one, "/mcp")),
        ("alice, two, /mcp", stage.let_in(ALICE, &two, "/mcp")),
        ("alice, one, /other", stage.let_in(ALICE, &one, "/other")),
        ("bob, one, /mcp", stage.let_in(BOB, &one, "/mcp")),
        ("bob, two, /mcp", stage.let_in(BOB, &two, "/mcp")),
        ("bob, one, /other", stage.let_in(BOB, &one, "/other")),
    ];
    let mut alive: Vec<&str> = accesses.iter().map(|(name, _)| *name).collect();
    let mut report = Report::new(kind);
    check(&stage, &mut report, "before anything", &accesses, &alive);
    // What is selected, what it must end, and whose words say so.
    let steps: [(&[&str], &[&str]); 7] = [
        (&["--user", "carol@example.com"], &[]),
        (&["--user", ALICE, "--client", &two, "--resource", &other], &[]),
        (&["--user", ALICE, "--client", &two], &["alice, two, /mcp"]),
        (&["--resource", &other, "--user", BOB], &["bob, one, /other"]),
        (&["--client", &two], &["bob, two, /mcp"]),
        (&["--user", "Alice@Example.com"], &["alice, one, /mcp", "alice, one, /other"]),
        (&["--all"], &["bob, one, /mcp"]),
    ];
    for (selection, ended) in steps {
        report.row(selection.join(" "));
        let said = stage.operator(&[&["grants", "revoke"], selection].concat());
        let expected = match ended.len() {
            0 => "no grant fits, so none ended\n".to_owned(),
            1 => "1 grant ended\n".to_owned(),
            many => format!("{many} grants ended\n"),
        };
        report.equal("the answer", (said.code, said.text, said.complaint), (0, expected, String::new()));
        alive.retain(|name| !ended.contains(name));
        check(&stage, &mut report, &selection.join(" "), &accesses, &alive);
    }
    report.finish();
    assert_eq!(stage.operator_json(&["grants", "list"])["grants"].as_array().unwrap().len(), 0);
}

/// Asks with every token; those that died must not come back by a refresh.
fn check(stage: &Stage, report: &mut Report, after: &str, accesses: &[(&str, Access)], alive: &[&str]) {
    for (name, access) in accesses {
        report.row(format!("{name}, after {after}"));
        report.equal("the token being good", stage.is_good(access), alive.contains(name));
        if !alive.contains(name) {
            report.equal("the refresh", stage.refresh_error(access).as_str(), "invalid_grant");
        }
    }
}

#[test]
fn somebody_is_found_by_any_of_their_names_and_by_no_part_of_one() {
    let stage = Stage::start();
    let client = stage.register("One");
    let mut report = Report::new("names");
    for (name, found) in [
        ("alice@example.com", 1),
        ("ALICE@example.com", 1),
        ("development:alice@example.com", 1),
        ("alice", 0),
        ("example.com", 0),
        ("*@example.com", 0),
        ("", 0),
        ("%", 0),
    ] {
        stage.let_in(ALICE, &client, "/mcp");
        report.row(name);
        let listed = stage.operator_json(&["grants", "list", "--user", name]);
        report.equal("the grants listed", listed["grants"].as_array().unwrap().len(), found);
        let ended = stage.operator_json(&["grants", "revoke", "--user", name]);
        report.equal("the grants ended", ended["ended"].as_u64(), u64::try_from(found).ok());
        stage.operator_json(&["grants", "revoke", "--all"]);
    }
    report.finish();
}
