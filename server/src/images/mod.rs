//! The files behind the images, on disk. Content-addressed: rows of equal content share one file, `sha256/ab/ab12…`.
//!
//! A file being received lies in `tmp/` and goes with the value that writes it, so an upload that is cut leaves
//! nothing. A [`Gate`] orders what adds and removes files with the rows that name them; it also holds against
//! another server process on the same folder.

mod incoming;
mod name;

use std::{
    collections::HashSet,
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use tokio::sync::{Mutex, MutexGuard};

pub use incoming::{Incoming, ReceiveError, Received};
pub use name::{safe_name, shown_name};

/// Files without a row that a start removes at most. A crash leaves one; many mean that this folder belongs to another
/// database (or to a later state of this one), and then they are all that is left of it.
const ORPHANS_LIMIT: usize = 16;

/// The folder of image files. Cheap to clone.
#[derive(Clone)]
pub struct Files(Arc<Inner>);

struct Inner {
    root: PathBuf,
    limit: u64,
    turn: Mutex<()>,
}

/// What a start found and did.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Uploads that never ended.
    pub unfinished: usize,
    /// Files no row names, removed.
    pub removed: usize,
    /// Files no row names, kept because there were too many to be a crash's leftovers.
    pub kept: usize,
}

impl Files {
    /// Makes the folders that are missing. `limit`: most bytes one file may have.
    ///
    /// # Errors
    /// When a folder cannot be made.
    pub fn new(root: &Path, limit: u64) -> io::Result<Self> {
        let files = Self(Arc::new(Inner { root: root.to_owned(), limit, turn: Mutex::new(()) }));
        fs::create_dir_all(files.tmp())?;
        fs::create_dir_all(files.blobs())?;
        Ok(files)
    }

    /// Most bytes one file may have.
    #[must_use]
    pub fn limit(&self) -> u64 {
        self.0.limit
    }

    /// Starts receiving a file.
    ///
    /// # Errors
    /// When it cannot be made.
    pub async fn receive(&self) -> io::Result<Incoming> {
        let (folder, limit) = (self.tmp(), self.0.limit);
        blocking(move || Incoming::create(&folder, limit)).await
    }

    /// Where the file of this content is, or would be. `sha256` in lower-case hex, as stored.
    #[must_use]
    pub fn path(&self, sha256: &str) -> PathBuf {
        self.blobs().join(sha256.get(..2).unwrap_or_default()).join(sha256)
    }

    /// Waits for its turn to add or remove files. Take it before a transaction, never within one.
    ///
    /// # Errors
    /// When the lock file cannot be made.
    pub async fn gate(&self) -> io::Result<Gate<'_>> {
        let turn = self.0.turn.lock().await;
        let path = self.0.root.join("lock");
        let lock = blocking(move || {
            let lock = File::create(path)?;
            lock.lock()?;
            Ok(lock)
        })
        .await?;
        Ok(Gate { files: self, _turn: turn, _lock: lock })
    }

    fn tmp(&self) -> PathBuf {
        self.0.root.join("tmp")
    }

    fn blobs(&self) -> PathBuf {
        self.0.root.join("sha256")
    }
}

/// The right to add and remove files. Give it back soon.
pub struct Gate<'a> {
    files: &'a Files,
    _turn: MutexGuard<'a, ()>,
    _lock: File,
}

impl Gate<'_> {
    /// Puts a received file in its place, lastingly. One of the same content that is there already stays.
    ///
    /// # Errors
    /// When the disk refuses.
    pub async fn keep(&self, received: Received) -> io::Result<()> {
        let path = self.files.path(received.sha256());
        let blobs = self.files.blobs();
        blocking(move || {
            if fs::metadata(&path).is_ok_and(|there| there.is_file() && there.len() == received.size()) {
                return Ok(());
            }
            let Some(folder) = path.parent() else { return Err(io::ErrorKind::InvalidInput.into()) };
            if !folder.is_dir() {
                fs::create_dir_all(folder)?;
                File::open(&blobs)?.sync_all()?;
            }
            received.move_to(&path)?;
            File::open(folder)?.sync_all()
        })
        .await
    }

    /// Removes the file of a content no row names any more. One that is gone already is no error.
    ///
    /// # Errors
    /// When the disk refuses.
    pub async fn remove(&self, sha256: &str) -> io::Result<()> {
        let path = self.files.path(sha256);
        blocking(move || match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        })
        .await
    }

    /// Removes what a crash left: uploads nobody is writing and files whose content is not `known`.
    ///
    /// # Errors
    /// When a folder cannot be read or a file not be removed.
    pub async fn sweep(&self, known: HashSet<String>) -> io::Result<Swept> {
        let (tmp, blobs) = (self.files.tmp(), self.files.blobs());
        blocking(move || {
            let mut swept = Swept::default();
            for entry in fs::read_dir(tmp)? {
                let path = entry?.path();
                // whoever receives it, maybe in another process, holds its lock
                if File::open(&path)?.try_lock().is_ok() {
                    fs::remove_file(path)?;
                    swept.unfinished += 1;
                }
            }
            let mut orphans = Vec::new();
            for folder in fs::read_dir(blobs)? {
                for entry in fs::read_dir(folder?.path())? {
                    let entry = entry?;
                    if !entry.file_name().to_str().is_some_and(|name| known.contains(name)) {
                        orphans.push(entry.path());
                    }
                }
            }
            if orphans.len() > ORPHANS_LIMIT {
                swept.kept = orphans.len();
            } else {
                swept.removed = orphans.len();
                orphans.into_iter().try_for_each(fs::remove_file)?;
            }
            Ok(swept)
        })
        .await
    }
}

/// Runs what waits for the disk where it holds up nobody.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(io::Error::other)?
}

#[cfg(test)]
mod tests {
    use super::*;

    const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    async fn received(files: &Files, content: &[u8]) -> Received {
        let mut incoming = files.receive().await.unwrap();
        for byte in content.chunks(2) {
            incoming.write(byte).await.unwrap();
        }
        incoming.finish().await.unwrap()
    }

    fn entries(path: &Path) -> usize {
        fs::read_dir(path).unwrap().count()
    }

    #[tokio::test]
    async fn a_file_is_kept_under_its_hash_and_removed_again() {
        let dir = tempfile::tempdir().unwrap();
        let files = Files::new(dir.path(), 100).unwrap();
        let file = received(&files, b"abc").await;
        assert_eq!((file.sha256(), file.size()), (ABC, 3));
        let gate = files.gate().await.unwrap();
        gate.keep(file).await.unwrap();
        assert_eq!(entries(&files.tmp()), 0);
        assert_eq!(fs::read(files.path(ABC)).unwrap(), b"abc");
        gate.remove(ABC).await.unwrap();
        assert!(!files.path(ABC).exists());
        gate.remove(ABC).await.unwrap();
    }

    #[tokio::test]
    async fn the_same_content_again_needs_no_second_file() {
        let dir = tempfile::tempdir().unwrap();
        let files = Files::new(dir.path(), 100).unwrap();
        let gate = files.gate().await.unwrap();
        gate.keep(received(&files, b"abc").await).await.unwrap();
        gate.keep(received(&files, b"abc").await).await.unwrap();
        assert_eq!(entries(&files.tmp()), 0);
        assert_eq!(entries(files.path(ABC).parent().unwrap()), 1);
    }

    #[tokio::test]
    async fn one_byte_over_the_limit_is_refused_and_leaves_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let files = Files::new(dir.path(), 5).unwrap();
        let mut incoming = files.receive().await.unwrap();
        incoming.write(b"12345").await.unwrap();
        assert!(matches!(incoming.write(b"6").await, Err(ReceiveError::TooLarge { limit: 5 })));
        drop(incoming);
        assert_eq!(entries(&files.tmp()), 0);
    }

    #[tokio::test]
    async fn a_sweep_leaves_running_uploads_and_known_files() {
        let dir = tempfile::tempdir().unwrap();
        let files = Files::new(dir.path(), 100).unwrap();
        let running = files.receive().await.unwrap();
        fs::write(files.tmp().join("left"), "half").unwrap();
        let gate = files.gate().await.unwrap();
        gate.keep(received(&files, b"abc").await).await.unwrap();
        gate.keep(received(&files, b"orphan").await).await.unwrap();
        let swept = gate.sweep(HashSet::from([ABC.to_owned()])).await.unwrap();
        assert_eq!(swept, Swept { unfinished: 1, removed: 1, kept: 0 });
        assert!(files.path(ABC).exists());
        assert_eq!(entries(&files.tmp()), 1);
        drop(running);
    }

    #[tokio::test]
    async fn a_sweep_with_the_wrong_database_removes_no_image() {
        let dir = tempfile::tempdir().unwrap();
        let files = Files::new(dir.path(), 100).unwrap();
        let gate = files.gate().await.unwrap();
        for n in 0..=ORPHANS_LIMIT {
            gate.keep(received(&files, n.to_string().as_bytes()).await).await.unwrap();
        }
        let swept = gate.sweep(HashSet::new()).await.unwrap();
        assert_eq!(swept, Swept { unfinished: 0, removed: 0, kept: ORPHANS_LIMIT + 1 });
    }
}
