//! `docs/configuration.md` names every key that is read, and no other. The program itself is asked which there are: it
//! lists them when one is misspelt.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use mcp_forward_auth::config::Config;

use crate::support::report::Report;
use crate::support::tools::project;

/// Every table: its heading in the documentation, and TOML that opens it.
const TABLES: [(&str, &str); 17] = [
    ("[server]", "[server]"),
    ("[log]", "[log]"),
    ("[tokens]", "[tokens]"),
    ("[keys]", "[keys]"),
    ("[[issuers]]", "[[issuers]]"),
    ("[[resources]]", "[[resources]]"),
    ("[[resources.tool_rules]]", "[[resources]]\n[[resources.tool_rules]]"),
    ("[authorization_server]", "[authorization_server]"),
    ("[authorization_server.identity_provider]", "[authorization_server.identity_provider]"),
    ("[authorization_server.identity_provider]", "[[authorization_server.identity_providers]]"),
    ("[authorization_server.registration]", "[authorization_server.registration]"),
    ("[authorization_server.client_documents]", "[authorization_server.client_documents]"),
    ("[[authorization_server.clients]]", "[[authorization_server.clients]]"),
    ("[[authorization_server.assertion_issuers]]", "[[authorization_server.assertion_issuers]]"),
    ("[store]", "[store]"),
    ("[api_keys]", "[api_keys]"),
    // Its only key is a table, which the heading names.
    ("[scopes.implies]", "[scopes]"),
];

/// The keys that the program knows in the table that `opened` opens.
fn read_there(opened: &str) -> BTreeSet<String> {
    let told = Config::from_toml(&format!("{opened}\nqqqqqqqq = 1\n")).unwrap_err().to_string();
    let listed = ["the keys here are ", "the only key here is "].iter().find_map(|start| told.split(start).nth(1));
    listed.unwrap_or_else(|| panic!("{opened}: {told}")).split(", ").map(ToOwned::to_owned).collect()
}

/// Heading → what its tables of keys name in their first column.
fn documented() -> BTreeMap<String, BTreeSet<String>> {
    let text = fs::read_to_string(project().join("docs/configuration.md")).unwrap();
    let (mut found, mut heading, mut of_keys) = (BTreeMap::<String, BTreeSet<String>>::new(), String::new(), false);
    for line in text.lines() {
        if let Some(title) = line.trim_start_matches('#').strip_prefix(" `").filter(|_| line.starts_with('#')) {
            title.trim_end_matches('`').clone_into(&mut heading);
            found.insert(heading.clone(), BTreeSet::new());
        } else if line.starts_with('#') {
            heading.clear();
        } else if let Some(row) = line.strip_prefix("| ") {
            let first = row.split(" | ").next().unwrap();
            of_keys = first == "key" || (of_keys && first.starts_with('`'));
            let names = first.split('`').skip(1).step_by(2).map(ToOwned::to_owned);
            found.entry(heading.clone()).or_default().extend(names.filter(|_| of_keys));
        }
    }
    found
}

#[test]
fn the_documentation_names_every_key_that_is_read_and_no_other() {
    let documented = documented();
    let headings: BTreeSet<&str> = documented.keys().map(String::as_str).collect();
    let is_table = |name: &str, key: &str| {
        let path = format!("{}.{key}", name.trim_matches(['[', ']']));
        headings.contains(&*format!("[{path}]"))
            || headings.contains(&*format!("[[{path}]]"))
            || path == "authorization_server.identity_providers"
    };
    let mut report = Report::new("documented keys");
    for (heading, opened) in TABLES {
        report.row(opened);
        let mut read = read_there(opened);
        read.retain(|key| !is_table(opened, key));
        report.equal("the keys", documented.get(heading), Some(&read));
    }
    report.row("the sections");
    let known: BTreeSet<&str> = TABLES.iter().map(|(heading, _)| *heading).collect();
    let shown: BTreeSet<&str> = headings.iter().copied().filter(|heading| heading.starts_with('[')).collect();
    report.equal("the headings", shown, known.clone());
    let section = |table: &&str| table.trim_matches(['[', ']']).split('.').next().unwrap_or_default().to_owned();
    report.equal("the sections", known.iter().map(section).collect::<BTreeSet<_>>(), read_there(""));
    report.finish();
}
