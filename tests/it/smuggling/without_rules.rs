//! The attacks are real: without a rule they run the tool, on the servers that `executes.txt` names.

use super::{Target, attacks, wire};
use crate::support::attacked::{AttackedServer, Sdk};

/// Which attacks run `write` on which server: `name | v2 v1 python`. What no server runs has no line.
pub const EXECUTES: &str = include_str!("executes.txt");

#[test]
fn what_version_2_of_the_typescript_sdk_runs_is_known() {
    what_runs_is_known(Sdk::TypeScriptV2);
}

#[test]
fn what_version_1_of_the_typescript_sdk_runs_is_known() {
    what_runs_is_known(Sdk::TypeScriptV1);
}

#[test]
fn what_the_python_sdk_runs_is_known() {
    what_runs_is_known(Sdk::Python);
}

fn what_runs_is_known(sdk: Sdk) {
    let server = AttackedServer::start(sdk);
    let target = Target { authority: format!("127.0.0.1:{}", server.port), endpoint: "/open", token: "x".to_owned() };
    let mut complaints = Vec::new();
    let mut before = 0;
    for attack in attacks(&target) {
        let answer = wire::exchange(server.port, &attack);
        let ran = server.ran().split_off(before);
        before += ran.len();
        let wrote = ran.iter().any(|call| call == "/open write");
        if wrote != executes(sdk, &attack.name) {
            let statuses = wire::statuses(&answer);
            complaints.push(format!(
                "{}: it {} ({statuses:?})",
                attack.name,
                if wrote { "ran" } else { "did not run" }
            ));
        }
    }
    assert!(complaints.is_empty(), "{sdk:?}:\n{}", complaints.join("\n"));
}

/// Whether the attack runs `write` where nothing is in its way.
pub fn executes(sdk: Sdk, attack: &str) -> bool {
    let column = match sdk {
        Sdk::TypeScriptV2 => "v2",
        Sdk::TypeScriptV1 => "v1",
        Sdk::Python => "python",
    };
    let lines = EXECUTES.lines().filter(|line| !line.starts_with('#'));
    let servers = lines.filter_map(|line| line.rsplit_once(" | ")).find(|(name, _)| *name == attack);
    servers.is_some_and(|(_, servers)| servers.split(' ').any(|server| server == column))
}
