//! Child processes that never outlive the test.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// Long enough for a busy machine; readiness is probed, so fast machines do not wait.
const PATIENCE: Duration = Duration::from_secs(120);

/// A folder that is removed when the test ends.
pub struct TempDir(PathBuf);

impl TempDir {
    pub fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("mcp-forward-auth-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.join(name);
        std::fs::write(&path, text).unwrap();
        path
    }
}

impl Drop for TempDir {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A running program whose output goes to a file.
pub struct Process {
    child: Child,
    name: String,
    log: PathBuf,
    folder: TempDir,
}

impl Process {
    /// Starts `command`; its output can be read with [`Process::output`].
    pub fn start(name: &str, command: &mut Command) -> Self {
        let folder = TempDir::new();
        let log = folder.path().join("output");
        let file = File::create(&log).unwrap();
        let child = command
            .stdin(Stdio::null())
            .stdout(file.try_clone().unwrap())
            .stderr(file)
            .spawn()
            .unwrap_or_else(|error| panic!("{name} cannot be started: {error}"));
        Self { child, name: name.to_owned(), log, folder }
    }

    /// The same for a program that the whole test binary shares: nobody drops a static, so it ends when this process does,
    /// however that ends. A shell holds the leash: the end of its input is the end of the program and of its folder.
    pub fn start_shared(name: &str, command: &Command) -> Self {
        const LEASH: &str = r#"folder=$0; "$@" </dev/null & program=$!
            (cat >/dev/null; kill -KILL $program; rm -rf "$folder") <&0 >/dev/null 2>&1 & wait $program"#;
        let folder = TempDir::new();
        let log = folder.path().join("output");
        let file = File::create(&log).unwrap();
        let mut leashed = Command::new("bash");
        leashed.arg("-c").arg(LEASH).arg(folder.path()).arg(command.get_program()).args(command.get_args());
        leashed.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        leashed.stdin(Stdio::piped()).stdout(file.try_clone().unwrap()).stderr(file);
        let child = leashed.spawn().unwrap_or_else(|error| panic!("{name} cannot be started: {error}"));
        Self { child, name: name.to_owned(), log, folder }
    }

    /// Everything that the program has written so far.
    pub fn output(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(&self.log).unwrap_or_default()).into_owned()
    }

    /// A folder of this process, removed with it.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits until `ready` says so; fails with the program's output when it ends or takes too long.
    pub fn wait_until(&mut self, what: &str, ready: impl FnMut() -> bool) {
        self.wait_within(PATIENCE, what, ready);
    }

    /// The same for programs that are slow to start.
    pub fn wait_within(&mut self, patience: Duration, what: &str, mut ready: impl FnMut() -> bool) {
        let deadline = Instant::now() + patience;
        while !ready() {
            if let Some(status) = self.child.try_wait().unwrap() {
                panic!("{} ended with {status} before {what}:\n{}", self.name, self.output());
            }
            assert!(Instant::now() < deadline, "{}: not {what} in time:\n{}", self.name, self.output());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Waits until the program has written `text`.
    pub fn wait_until_it_says(&mut self, text: &str) {
        let log = self.log.clone();
        self.wait_until(text, || std::fs::read_to_string(&log).is_ok_and(|output| output.contains(text)));
    }

    /// Everything that the program has written, once it has written `text`.
    pub fn output_once_it_says(&mut self, text: &str) -> String {
        let log = self.log.clone();
        self.wait_until(text, || std::fs::read_to_string(&log).is_ok_and(|output| output.contains(text)));
        self.output()
    }

    /// Waits for the end of a program that ends by itself.
    pub fn wait(&mut self) -> std::process::ExitStatus {
        self.child.wait().unwrap()
    }

    /// How it ended, if it has.
    pub fn ended(&mut self) -> Option<std::process::ExitStatus> {
        self.child.try_wait().unwrap()
    }

    /// Ends it at once, without a chance to say goodbye, and waits.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        let _ = self.child.wait();
    }

    /// Sends SIGTERM and waits; a program that has ended already keeps its status.
    pub fn terminate(&mut self) -> std::process::ExitStatus {
        if self.child.try_wait().unwrap().is_none() {
            let _ = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status();
        }
        self.wait()
    }
}

impl Drop for Process {
    #[allow(clippy::print_stderr, reason = "what the process said belongs to the failure of its test")]
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("--- output of {} ---\n{}", self.name, self.output());
        }
    }
}

/// Waits for a condition that no process owns.
pub fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !condition() {
        assert!(Instant::now() < deadline, "not in time: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
