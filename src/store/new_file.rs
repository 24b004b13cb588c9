//! Making a file that is there as a whole or not at all, for this user only, whatever dies meanwhile.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

/// Makes the file at `path`, and its folder if it is not there. If there is a file already, or another process is faster,
/// that one stays as it is.
pub(super) fn make(path: &Path, contents: &[u8]) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("/"));
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let draft = name_of_draft(path);
    let made = write_draft(&draft, contents).and_then(|()| put_in_place(&draft, path));
    let _ = fs::remove_file(&draft);
    made?;
    // Or a power failure could take the name away, and everything with it.
    File::open(folder)?.sync_all()
}

fn write_draft(draft: &Path, contents: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(draft)?;
    file.write_all(contents)?;
    file.sync_all()
}

/// A link instead of a renaming: it never replaces what is there.
fn put_in_place(draft: &Path, path: &Path) -> io::Result<()> {
    match fs::hard_link(draft, path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(io::Error::new(error.kind(), format!("a new file cannot be linked into place: {error}"))),
        Ok(()) => Ok(()),
    }
}

/// Drafts that a killed process left must not be in the way of one that got its number.
fn name_of_draft(path: &Path) -> PathBuf {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    loop {
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".{}-{}.new", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed)));
        if fs::symlink_metadata(&name).is_err() {
            return name.into();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::store::testing::Folder;

    fn names(folder: &Path) -> Vec<String> {
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[test]
    fn a_file_is_made_whole_for_this_user_only_and_nothing_else_stays() {
        let folder = Folder::new();
        let path = folder.path().join("a/b/file");
        make(&path, b"contents").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"contents");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::metadata(folder.path().join("a")).unwrap().permissions().mode() & 0o777, 0o700);
        assert_eq!(names(path.parent().unwrap()), ["file"]);
    }

    #[test]
    fn what_is_there_stays_whatever_it_is() {
        let folder = Folder::new();
        let path = folder.path().join("file");
        fs::write(&path, "old").unwrap();
        make(&path, b"new").unwrap();
        assert_eq!((fs::read(&path).unwrap(), names(folder.path())), (b"old".to_vec(), vec!["file".to_owned()]));
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(folder.path().join("nowhere"), &link).unwrap();
        make(&link, b"new").unwrap();
        assert!(!folder.path().join("nowhere").exists());
    }

    #[test]
    fn of_many_that_make_the_same_file_one_does() {
        let folder = Folder::new();
        let path = folder.path().join("file");
        let contents: Vec<String> = (0..20).map(|number| number.to_string().repeat(100_000)).collect();
        let read = std::thread::scope(|scope| {
            let make_and_read = |contents: &String| {
                make(&path, contents.as_bytes()).unwrap();
                fs::read_to_string(&path).unwrap()
            };
            let threads: Vec<_> =
                contents.iter().map(|contents| scope.spawn(move || make_and_read(contents))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
        });
        assert!(contents.contains(&read[0]) && read.iter().all(|other| *other == read[0]));
        assert_eq!(names(folder.path()), ["file"]);
    }

    #[test]
    fn a_draft_that_was_left_behind_is_not_in_the_way() {
        let folder = Folder::new();
        let path = folder.path().join("file");
        for number in 0..50 {
            fs::write(folder.path().join(format!("file.{}-{number}.new", std::process::id())), "left").unwrap();
        }
        make(&path, b"new").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
    }
}
