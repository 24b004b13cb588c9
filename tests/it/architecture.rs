//! Who may import whom. Layers inside one package are not kept by the compiler, so this test keeps them.

use std::fs;
use std::path::{Path, PathBuf};

use crate::support::tools::project;

/// A folder or file of `src/` and the modules of ours that it may name; what is not listed may name anything.
const MAY_IMPORT: [(&str, &[&str]); 16] = [
    ("domain", &["domain", "random"]),
    ("random.rs", &[]),
    ("clock.rs", &["domain"]),
    ("outbound", &["outbound", "domain"]),
    ("authn", &["authn", "domain", "clock", "outbound"]),
    ("authz", &["authz", "authn", "domain"]),
    ("proxy", &["proxy", "authn", "authz", "domain"]),
    ("mcp", &["mcp", "domain"]),
    ("store", &["store", "domain", "random"]),
    ("idp", &["idp", "authn", "domain", "clock", "random", "outbound"]),
    // Our own tokens are judged by the same code as everybody's, so the keys are handed to authn.
    ("oauth", &["oauth", "store", "idp", "authn", "authz", "domain", "clock", "random", "outbound"]),
    ("api_keys", &["api_keys", "store", "authn", "authz", "domain", "clock", "random"]),
    ("decision", &["decision", "proxy", "mcp", "authn", "authz", "domain"]),
    ("explain", &["explain", "decision", "proxy", "mcp", "authn", "authz", "domain"]),
    ("telemetry", &["telemetry", "authn", "authz", "domain"]),
    (
        "http",
        &[
            "http",
            "mcp",
            "domain",
            "authn",
            "authz",
            "proxy",
            "decision",
            "oauth",
            "api_keys",
            "explain",
            "oauth",
            "idp",
            "telemetry",
            "clock",
        ],
    ),
];

/// Web frameworks and clients, each in its one place.
const ONLY_IN: [(&str, &[&str]); 7] = [
    ("actix_web", &["http", "app"]),
    ("askama", &["http"]),
    ("reqwest", &["outbound"]),
    ("redb::", &["store"]),
    ("clap", &["command", "main.rs"]),
    ("aws_lc_rs::signature", &["authn", "oauth"]),
    ("aws_lc_rs::aead", &["store"]),
];

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}

/// The file without its tests, which may borrow from everywhere.
fn code_of(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    let code = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
    let is_code = |line: &&str| !line.trim_start().starts_with("//");
    code.lines().filter(is_code).collect::<Vec<_>>().join("\n")
}

/// The modules that follow `crate::`, in paths and in grouped imports.
fn imported(code: &str) -> Vec<String> {
    let word = |text: &str| text.chars().take_while(|char| char.is_alphanumeric() || *char == '_').collect::<String>();
    let mut modules = Vec::new();
    for (place, _) in code.match_indices("crate::") {
        let rest = &code[place + "crate::".len()..];
        match rest.strip_prefix('{') {
            Some(group) => {
                let group = group.split('}').next().unwrap_or_default();
                modules.extend(group.split(',').map(|item| word(item.trim())));
            }
            None => modules.push(word(rest)),
        }
    }
    modules.retain(|module| !module.is_empty());
    modules
}

fn top_of(path: &Path) -> String {
    let inner = path.strip_prefix(project().join("src")).unwrap();
    inner.components().next().unwrap().as_os_str().to_str().unwrap().to_owned()
}

#[test]
fn layers_import_only_what_lies_below_them() {
    let mut broken = Vec::new();
    for path in sources(&project().join("src")) {
        let top = top_of(&path);
        let Some((_, allowed)) = MAY_IMPORT.iter().find(|(name, _)| *name == top) else { continue };
        let foreign = imported(&code_of(&path)).into_iter().filter(|module| !allowed.contains(&module.as_str()));
        broken.extend(foreign.map(|module| format!("{} imports {module}", path.display())));
    }
    assert!(broken.is_empty(), "{broken:#?}");
}

#[test]
fn frameworks_stay_in_their_place() {
    let mut broken = Vec::new();
    for path in sources(&project().join("src")) {
        let (top, code) = (top_of(&path), code_of(&path));
        for (name, places) in ONLY_IN {
            if code.contains(name) && !places.contains(&top.as_str()) {
                broken.push(format!("{} uses {name}", path.display()));
            }
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
}

#[test]
fn files_stay_readable() {
    let too_long = |path: &PathBuf| fs::read_to_string(path).unwrap().lines().count() > 400;
    let long: Vec<PathBuf> = sources(&project().join("src")).into_iter().filter(too_long).collect();
    assert!(long.is_empty(), "over 400 lines: {long:#?}");
}

/// A file that no other names is never compiled: what it tests is silently not tested.
#[test]
fn no_file_is_left_out_of_the_build() {
    let mut forgotten = Vec::new();
    for folder in ["src", "tests/it"] {
        let root = project().join(folder);
        forgotten.extend(sources(&root).into_iter().filter(|path| !is_named(path, &root)));
    }
    assert!(forgotten.is_empty(), "no `mod` names {forgotten:#?}");
}

/// Whether the file that belongs above `path` has a `mod` for it.
fn is_named(path: &Path, root: &Path) -> bool {
    let (folder, name) = (path.parent().unwrap(), path.file_stem().unwrap().to_str().unwrap());
    let (folder, name) = match name {
        "main" | "lib" if folder == root => return true,
        "mod" => (folder.parent().unwrap(), folder.file_name().unwrap().to_str().unwrap()),
        name => (folder, name),
    };
    let above = if folder == root { ["lib.rs", "main.rs"].as_slice() } else { &["mod.rs"] };
    let declaration = format!("mod {name};");
    let names =
        |text: String| text.lines().any(|line| line == declaration || line.ends_with(&format!(" {declaration}")));
    above.iter().any(|file| fs::read_to_string(folder.join(file)).is_ok_and(names))
}

#[test]
fn grouped_and_plain_imports_are_both_seen() {
    let code = "use crate::authn::Identity;\nuse crate::{authz, config::Config};\nlet x = crate::http::y();";
    assert_eq!(imported(code), ["authn", "authz", "config", "http"]);
}
