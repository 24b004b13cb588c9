//! What the documentation says of the tree is true: links, cited tests, named files, commands of `make`, shown output.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use mcp_forward_auth::config::{Config, Overrides};

use crate::config::documents::{files, has_extension, shown, variables};
use crate::support::report::Report;
use crate::support::tools::project;

fn pages() -> Vec<(PathBuf, String)> {
    let paths = files(&project(), &|path| has_extension(path, "md"));
    paths.into_iter().map(|path| (path.clone(), fs::read_to_string(path).unwrap())).collect()
}

/// What stands between `open` and the next `close`, as often as it occurs.
fn between<'t>(text: &'t str, open: &'t str, close: &'t str) -> impl Iterator<Item = &'t str> {
    text.split(open).skip(1).filter_map(move |rest| rest.split(close).next())
}

#[test]
fn every_link_leads_to_a_file_and_to_a_heading_of_it() {
    let mut report = Report::new("links");
    for (page, text) in pages() {
        for link in between(&text, "](", ")").filter(|link| !link.contains("://")) {
            report.row(format!("{}: {link}", shown(&page)));
            let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target = if path.is_empty() { page.clone() } else { page.parent().unwrap().join(path) };
            report.holds(target.exists(), || "there is no such file".to_owned());
            report.holds(anchor.is_empty() || anchors(&target).contains(anchor), || "no such heading".to_owned());
        }
    }
    report.finish();
}

/// The headings of a page, as links name them.
fn anchors(page: &Path) -> BTreeSet<String> {
    let text = fs::read_to_string(page).unwrap_or_default();
    let headings = text.lines().filter_map(|line| line.trim_start_matches('#').strip_prefix(' '));
    let kept = |char: char| match char {
        ' ' => Some('-'),
        char if char.is_alphanumeric() || "-_".contains(char) => Some(char),
        _ => None,
    };
    headings.map(|heading| heading.to_lowercase().chars().filter_map(kept).collect()).collect()
}

#[test]
fn every_answer_of_the_security_model_cites_tests_that_exist() {
    let text = fs::read_to_string(project().join("docs/security-model.md")).unwrap();
    let mut report = Report::new("cited tests");
    let tables = text.split("| tested in |\n|---|---|---|\n").skip(1);
    let rows: Vec<&str> = tables.flat_map(|table| table.lines().take_while(|line| line.starts_with('|'))).collect();
    assert!(rows.len() > 100, "only {} rows are found", rows.len());
    for row in &rows {
        report.row((*row).to_owned());
        report.holds(rows.iter().filter(|other| other == &row).count() == 1, || "it stands there twice".to_owned());
        let cells: Vec<&str> = row.split(" | ").collect();
        report.equal("cells", cells.len(), 3);
        let cited: Vec<&str> = between(cells.last().unwrap(), "`", "`").step_by(2).collect();
        report.holds(!cited.is_empty(), || "it cites nothing".to_owned());
        for name in cited {
            let base = if name.starts_with("src/") { project() } else { project().join("tests/it") };
            report.holds(has_tests(&base.join(name)), || format!("{name} holds no test"));
        }
    }
    report.finish();
}

#[test]
fn every_file_and_folder_of_the_tree_that_a_page_names_exists() {
    let tops = ["src/", "tests/", "docs/", "examples/", "scripts/", "benches/", "templates/"];
    let mut report = Report::new("paths");
    let mut named = 0;
    for (page, text) in pages() {
        let prose = text.split("```").step_by(2);
        for path in prose.flat_map(|part| between(part, "`", "`").step_by(2)) {
            let is_pattern = path.contains(['<', '*', '…', ' ', '{']);
            if tops.iter().any(|top| path.starts_with(top)) && !is_pattern {
                named += 1;
                report.row(format!("{}: {path}", shown(&page)));
                report.holds(project().join(path).exists(), || "there is no such file".to_owned());
            }
        }
    }
    report.holds(named > 30, || format!("only {named} are found"));
    report.finish();
}

fn has_tests(path: &Path) -> bool {
    let files = if path.is_dir() { files(path, &|path| has_extension(path, "rs")) } else { vec![path.to_owned()] };
    let is_test = |text: &str| text.contains("#[test]") || text.contains("#[tokio::test]");
    files.iter().any(|file| fs::read_to_string(file).is_ok_and(|text| is_test(&text)))
}

#[test]
fn every_command_of_make_that_is_named_exists_and_the_readme_names_those_to_begin_with() {
    let makefile = fs::read_to_string(project().join("Makefile")).unwrap();
    let targets: BTreeSet<&str> = between(&makefile, ".PHONY:", "\n").flat_map(str::split_whitespace).collect();
    let mut report = Report::new("make");
    for (page, text) in pages() {
        for named in text.split("`make ").chain(text.split("\nmake ")).skip(1).filter_map(|rest| {
            let end = rest.find(|char: char| !char.is_ascii_lowercase() && char != '-')?;
            (end > 0).then(|| &rest[..end])
        }) {
            report.row(format!("{}: make {named}", shown(&page)));
            report.holds(targets.contains(named) || text.starts_with(named), || "there is no such target".to_owned());
        }
    }
    report.row("README.md");
    let readme = fs::read_to_string(project().join("README.md")).unwrap();
    for command in ["make demo ", "make demo PROXY=", "make demo-check ", "make test ", "make bench "] {
        report.holds(readme.contains(&format!("\n{command}")), || format!("{command} is missing"));
    }
    report.holds(readme.lines().count() <= 150, || "it is too long".to_owned());
    report.finish();
}

#[test]
fn the_example_in_place_of_mcpauth_shows_what_check_says() {
    let folder = project().join("examples/mcpauth-drop-in");
    let readme = fs::read_to_string(folder.join("README.md")).unwrap();
    for file in ["google.env", "keycloak.env"] {
        let given = variables(&fs::read_to_string(folder.join(file)).unwrap());
        let said = Config::from_sources(&Overrides::default(), &given).unwrap().to_string();
        assert!(readme.contains(&format!("\n```\n{said}```\n")), "{file}: {said}");
    }
}
