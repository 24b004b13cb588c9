//! Where the programs are that the tests need. `scripts/install-tools.sh` installs them; a missing one is a failure.

use std::path::{Path, PathBuf};

/// The project's folder.
pub fn project() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The service under test.
pub fn service_binary() -> PathBuf {
    PathBuf::from(env!("CARGO_BIN_EXE_mcp-forward-auth"))
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
