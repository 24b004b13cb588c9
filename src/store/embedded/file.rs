//! The file on the disk: made as a whole, closed to others, its contents checked before anything is read from it.

use std::fs::{File, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use redb::{Builder, Database, DatabaseError, Error, ReadableTable as _, TableHandle as _};

use super::image::Image;
use super::layout::{self, EXPIRIES, LAYOUT, LAYOUT_KEY, META};
use crate::store::{OpenError, Table, new_file};

/// Memory for pages that were read; the whole state of a usual installation fits.
const CACHE_BYTES: usize = 16 * 1024 * 1024;

/// Opens the file at `path`. If `may_make`, it and its folder are made when they are not there.
pub(super) fn open(path: &Path, may_make: bool) -> Result<Database, OpenError> {
    let place = path.display().to_string();
    let inaccessible = |error: io::Error| OpenError::Inaccessible { place: place.clone(), cause: error.to_string() };
    let mut opened = OpenOptions::new().read(true).write(true).open(path);
    if may_make && opened.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::NotFound) {
        // The engine would make it step by step, and not open one whose making was interrupted.
        new_file::make(path, &blank().map_err(|error| refusal(error, &place))?).map_err(inaccessible)?;
        opened = OpenOptions::new().read(true).write(true).open(path);
    }
    let file = opened.map_err(inaccessible)?;
    let metadata = file.metadata().map_err(inaccessible)?;
    if !metadata.is_file() {
        return Err(OpenError::NoFile { place });
    }
    if metadata.len() == 0 {
        return Err(OpenError::Damaged { place, cause: "it is empty".into() });
    }
    keep_others_out(&file, metadata.permissions().mode());
    check(|| builder().create_file(file), &place)
}

/// The same with a disk of the tests' own.
#[cfg(test)]
pub(super) fn open_backend(backend: impl redb::StorageBackend, place: &str) -> Result<Database, OpenError> {
    check(|| builder().create_with_backend(backend), place)
}

fn builder() -> Builder {
    let mut builder = Builder::new();
    builder.set_cache_size(CACHE_BYTES);
    builder
}

/// A database that holds nothing, as the bytes of its file.
pub(super) fn blank() -> Result<Vec<u8>, Error> {
    let image = Image::default();
    let database = builder().create_with_backend(image.clone())?;
    let transaction = database.begin_write()?;
    transaction.open_table(META)?.insert(LAYOUT_KEY, LAYOUT)?;
    transaction.open_table(EXPIRIES)?;
    for table in Table::ALL {
        transaction.open_table(layout::records(table))?;
    }
    transaction.commit()?;
    drop(database);
    Ok(image.bytes())
}

/// Opens the database and checks that it is whole, ours, and of a layout that is known.
fn check(open: impl FnOnce() -> Result<Database, DatabaseError>, place: &str) -> Result<Database, OpenError> {
    // The engine panics on some kinds of damage.
    let (database, found) = match catch_unwind(AssertUnwindSafe(|| open_whole(open()?))) {
        Ok(opened) => opened.map_err(|error| refusal(error, place))?,
        Err(_) => return Err(OpenError::Damaged { place: place.to_owned(), cause: "the engine gave up".into() }),
    };
    match found {
        Some(LAYOUT) => Ok(database),
        Some(found) if found > LAYOUT => Err(OpenError::Newer { place: place.to_owned(), found, known: LAYOUT }),
        Some(_) | None => Err(OpenError::Foreign { place: place.to_owned() }),
    }
}

/// The database and its layout. Every page is compared with its checksum: damage must show now, not in the middle of
/// somebody's sign-in.
fn open_whole(mut database: Database) -> Result<(Database, Option<u64>), Error> {
    database.check_integrity()?;
    let transaction = database.begin_write()?;
    let ours = transaction.list_tables()?.any(|table| table.name() == META.name());
    let found = if ours { transaction.open_table(META)?.get(LAYOUT_KEY)?.map(|layout| layout.value()) } else { None };
    transaction.abort()?;
    Ok((database, found))
}

/// A file from elsewhere (a restored backup) may be open to others. One that is not ours to change stays as it is: then
/// the operator gave us the right by its group.
fn keep_others_out(file: &File, mode: u32) {
    if mode & 0o077 != 0 {
        let _ = file.set_permissions(Permissions::from_mode(0o600));
    }
}

/// What the engine's refusal to open means to the operator.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the engine may refuse in new words; all of them are about contents"
)]
fn refusal(error: Error, place: &str) -> OpenError {
    let place = place.to_owned();
    match error {
        Error::DatabaseAlreadyOpen => OpenError::InUse { place },
        Error::Io(error) if !is_about_contents(&error) => OpenError::Inaccessible { place, cause: error.to_string() },
        other => OpenError::Damaged { place, cause: other.to_string() },
    }
}

/// Not the engine's kind of file, or one that was cut.
fn is_about_contents(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof)
}
