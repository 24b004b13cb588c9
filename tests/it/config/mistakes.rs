//! Every rule of the configuration, broken once, with the exact line that the operator reads: `mistakes.txt`.

use mcp_forward_auth::config::Config;

use crate::support::report::Report;

const TABLE: &str = include_str!("mistakes.txt");

/// A case of the table.
struct Case {
    text: String,
    expected: Vec<String>,
}

/// The whole configuration for TOML that stands under `heading`.
fn complete(heading: &str, toml: &str) -> String {
    let part = |place: &str| if heading == place { toml } else { "" };
    if heading == "alone" {
        return toml.to_owned();
    }
    let server = if heading == "in [server]" { format!("[server]\n{toml}") } else { String::new() };
    format!(
        "{}\n{server}
[[issuers]]
issuer = \"https://idp.example.com\"
{}
[[resources]]
url = \"https://mcp.example.com/mcp\"
{}
{}",
        part("before everything"),
        part("in [[issuers]]"),
        part("in [[resources]]"),
        part("after everything"),
    )
}

fn cases() -> Vec<Case> {
    const HEADINGS: [&str; 6] =
        ["alone", "before everything", "in [server]", "in [[issuers]]", "in [[resources]]", "after everything"];
    let (mut cases, mut heading) = (Vec::new(), "");
    for block in TABLE.split("\n\n").map(str::trim) {
        if let Some(place) = block.strip_prefix("## ") {
            assert!(HEADINGS.contains(&place), "no such place: {place}");
            heading = place;
        } else if !block.starts_with('#') {
            let (expected, toml): (Vec<&str>, Vec<&str>) = block.lines().partition(|line| line.starts_with("=> "));
            let expected = expected.iter().map(|line| line["=> ".len()..].to_owned()).collect();
            cases.push(Case { text: complete(heading, &toml.join("\n")), expected });
        }
    }
    cases
}

#[test]
fn every_mistake_is_told_in_its_own_words() {
    let mut report = Report::new("mistakes");
    for Case { text, expected } in cases() {
        report.row(text.lines().filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" | "));
        let told = Config::from_toml(&text).map_or_else(|errors| errors.to_string(), |_| "no mistake".to_owned());
        report.equal("the message", told.lines().collect::<Vec<_>>(), expected);
        for line in told.lines() {
            let parts = line.split_once(": ").and_then(|(_, rest)| rest.split_once("; "));
            let complete = parts.is_some_and(|(rule, fix)| !rule.is_empty() && !fix.is_empty());
            report.holds(complete, || format!("not `key: rule; fix`: {line}"));
        }
    }
    report.finish();
}

#[test]
fn no_message_shows_a_secret() {
    let secrets = ["hunter2", "12345678901234567890", "1234567890123456"];
    let written = cases().into_iter().filter(|case| secrets.iter().any(|secret| case.text.contains(secret)));
    let shown: Vec<String> = written
        .map(|case| Config::from_toml(&case.text).unwrap_err().to_string())
        .inspect(|message| assert!(!secrets.iter().any(|secret| message.contains(secret)), "{message}"))
        .collect();
    assert!(shown.len() >= 8, "the table lost its secrets: {shown:#?}");
}

#[test]
fn what_surrounds_the_cases_is_sound() {
    for heading in ["before everything", "in [server]", "in [[issuers]]", "in [[resources]]", "after everything"] {
        assert_eq!(Config::from_toml(&complete(heading, "")).map(|_| ()), Ok(()), "{heading}");
    }
}
