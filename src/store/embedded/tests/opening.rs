//! Opening: who may read the file, what is kept over a restart, and what is said of a file that cannot be used.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use redb::{Database, TableDefinition};

use super::super::EmbeddedStore;
use super::super::layout::{LAYOUT, LAYOUT_KEY, META};
use crate::store::testing::{Folder, at, delete, key, keys, put, written};
use crate::store::{OpenError, Store as _, Table};

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn refusal(path: &Path) -> OpenError {
    EmbeddedStore::open(path).unwrap_err()
}

#[tokio::test]
async fn what_was_written_is_there_after_a_restart_and_versions_go_on() {
    let folder = Folder::new();
    let path = folder.path().join("state.redb");
    let mut last = 0;
    for round in 0..5 {
        let store = EmbeddedStore::open(&path).unwrap();
        assert_eq!(store.count(Table::Grants).await.unwrap(), round);
        written(&store, put(Table::Codes, "a", "x")).await;
        written(&store, put(Table::Grants, &key(round), "x").ends(at(100))).await;
        let version = store.get(Table::Codes, "a", at(1)).await.unwrap().unwrap().version;
        assert!(version > last, "{version} after {last}");
        last = version;
        // The highest version must not be forgotten with the record that had it.
        written(&store, delete(Table::Codes, "a")).await;
    }
    let store = EmbeddedStore::open(&path).unwrap();
    assert_eq!(keys(&store, Table::Grants, "", at(99)).await.len(), 5);
    assert_eq!(store.purge(at(100)).await.unwrap(), 5, "ends are kept as well");
}

#[test]
fn the_file_and_its_folder_are_made_for_this_user_only() {
    let folder = Folder::new();
    let path = folder.path().join("made/too/state.redb");
    drop(EmbeddedStore::open(&path).unwrap());
    assert_eq!(mode(&path), 0o600);
    assert_eq!(mode(&folder.path().join("made/too")), 0o700);
    assert_eq!(mode(&folder.path().join("made")), 0o700);
}

#[test]
fn a_file_that_others_may_read_is_closed_to_them_and_a_folder_that_is_there_stays_as_it_is() {
    let folder = Folder::new();
    let path = folder.path().join("state.redb");
    drop(EmbeddedStore::open(&path).unwrap());
    fs::set_permissions(&path, Permissions::from_mode(0o664)).unwrap();
    fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
    drop(EmbeddedStore::open(&path).unwrap());
    assert_eq!((mode(&path), mode(folder.path())), (0o600, 0o755));
}

#[test]
fn a_file_has_one_owner_at_a_time() {
    let folder = Folder::new();
    let path = folder.path().join("state.redb");
    let store = EmbeddedStore::open(&path).unwrap();
    let error = refusal(&path);
    assert_eq!(error, OpenError::InUse { place: path.display().to_string() });
    assert_eq!(
        error.to_string(),
        format!(
            "{}: another process has it open; stop that process, or give this one a file of its own",
            path.display()
        )
    );
    drop(store);
    drop(EmbeddedStore::open(&path).unwrap());
}

#[test]
fn what_is_no_file_is_refused() {
    let folder = Folder::new();
    let pipe = folder.path().join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    assert!(matches!(refusal(&pipe), OpenError::NoFile { .. }), "{}", refusal(&pipe));
    let error = refusal(folder.path());
    assert!(matches!(&error, OpenError::Inaccessible { cause, .. } if cause.contains("directory")), "{error}");
    let below_a_file = folder.path().join("file/state.redb");
    fs::write(folder.path().join("file"), "").unwrap();
    assert!(matches!(refusal(&below_a_file), OpenError::Inaccessible { .. }));
}

#[test]
fn a_file_that_lost_its_contents_is_no_new_store() {
    let folder = Folder::new();
    let path = folder.path().join("state.redb");
    fs::write(&path, "").unwrap();
    assert_eq!(refusal(&path), OpenError::Damaged { place: path.display().to_string(), cause: "it is empty".into() });
}

#[test]
fn a_small_new_file_is_all_that_is_made() {
    let folder = Folder::new();
    drop(EmbeddedStore::open(&folder.path().join("state.redb")).unwrap());
    let entries: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap()).collect();
    assert_eq!(entries.len(), 1);
    assert!(entries[0].metadata().unwrap().len() <= 4 * 1024 * 1024);
}

/// Changes the file by the engine alone, as another program would.
fn tamper(path: &Path, change: impl FnOnce(&redb::WriteTransaction)) {
    let database = Database::create(path).unwrap();
    let transaction = database.begin_write().unwrap();
    change(&transaction);
    transaction.commit().unwrap();
}

#[test]
fn a_file_of_a_newer_version_is_left_alone() {
    let folder = Folder::new();
    let path = folder.path().join("state.redb");
    drop(EmbeddedStore::open(&path).unwrap());
    tamper(&path, |transaction| {
        transaction.open_table(META).unwrap().insert(LAYOUT_KEY, LAYOUT + 1).unwrap();
    });
    let place = path.display().to_string();
    assert_eq!(refusal(&path), OpenError::Newer { place, found: LAYOUT + 1, known: LAYOUT });
    assert!(refusal(&path).to_string().contains("a newer version wrote it (layout 2, this version knows up to 1)"));
    tamper(&path, |transaction| {
        let mut meta = transaction.open_table(META).unwrap();
        assert_eq!(meta.insert(LAYOUT_KEY, LAYOUT).unwrap().unwrap().value(), LAYOUT + 1, "it stays of its version");
    });
    drop(EmbeddedStore::open(&path).unwrap());
}

#[test]
fn a_database_of_another_program_is_left_alone() {
    let folder = Folder::new();
    let others: [fn(&redb::WriteTransaction); 3] = [
        |transaction| {
            transaction.open_table(TableDefinition::<&str, &str>::new("songs")).unwrap();
        },
        |transaction| {
            transaction.open_table(META).unwrap();
        },
        |transaction| {
            transaction.open_table(META).unwrap().insert(LAYOUT_KEY, 0).unwrap();
        },
    ];
    for (number, other) in others.into_iter().enumerate() {
        let path = folder.path().join(key(number));
        tamper(&path, other);
        assert!(matches!(refusal(&path), OpenError::Foreign { .. }), "{}", refusal(&path));
    }
    let path = folder.path().join("same name, other type");
    tamper(&path, |transaction| {
        transaction.open_table(TableDefinition::<&str, &str>::new("meta")).unwrap();
    });
    assert!(matches!(refusal(&path), OpenError::Damaged { .. }), "{}", refusal(&path));
}

#[test]
fn what_is_no_database_is_called_damaged_and_left_alone() {
    let folder = Folder::new();
    let path = folder.path().join("state.redb");
    for contents in [b"x".to_vec(), b"[store]\nurl = \"memory:\"\n".to_vec(), vec![0; 4096], vec![0xff; 300_000]] {
        fs::write(&path, &contents).unwrap();
        let error = refusal(&path);
        assert!(matches!(&error, OpenError::Damaged { .. }), "{error}");
        assert!(error.to_string().contains("restore it from a backup, or move it away to start anew"), "{error}");
        assert!(fs::read(&path).unwrap() == contents);
    }
}
