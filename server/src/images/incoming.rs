//! A file on its way in.

use std::{
    fs::{self, File},
    io::{self, Write},
    mem,
    path::{Path, PathBuf},
};

use sha2::{Digest, Sha256};

use super::blocking;
use crate::secrets;

/// Bytes gathered before they go to the disk: what an upload needs of memory, however large it is.
const BLOCK: usize = 256 * 1024;

#[derive(Debug, thiserror::Error)]
pub enum ReceiveError {
    #[error("larger than {limit} bytes")]
    TooLarge { limit: u64 },
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// A file being received. Dropped, it leaves nothing.
pub struct Incoming {
    place: Place,
    /// None while, and after, a write failed.
    writer: Option<Writer>,
    block: Vec<u8>,
    size: u64,
    limit: u64,
}

struct Writer {
    file: File,
    hash: Sha256,
}

/// A file received whole and safe on disk, but in no image's place yet. Dropped, it leaves nothing.
pub struct Received {
    place: Place,
    sha256: String,
    size: u64,
    /// Holds the lock that tells a starting server that somebody wants this file.
    _file: File,
}

/// The temporary file's path; the file goes with it.
struct Place(PathBuf);

impl Drop for Place {
    fn drop(&mut self) {
        // after `move_to` it is not there any more; else a start sweeps what cannot be removed now
        let _ = fs::remove_file(&self.0);
    }
}

impl Incoming {
    pub(super) fn create(folder: &Path, limit: u64) -> io::Result<Self> {
        let name = secrets::random_hex::<16>().map_err(io::Error::other)?;
        let place = Place(folder.join(name));
        let file = File::create_new(&place.0)?;
        file.lock()?;
        let writer = Writer { file, hash: Sha256::new() };
        Ok(Self { place, writer: Some(writer), block: Vec::with_capacity(BLOCK), size: 0, limit })
    }

    /// Takes the next bytes.
    ///
    /// # Errors
    /// Too many bytes, or the disk refuses: the file is worth nothing then.
    pub async fn write(&mut self, bytes: &[u8]) -> Result<(), ReceiveError> {
        self.size += bytes.len() as u64;
        if self.size > self.limit {
            return Err(ReceiveError::TooLarge { limit: self.limit });
        }
        self.block.extend_from_slice(bytes);
        if self.block.len() >= BLOCK {
            self.flush().await?;
        }
        Ok(())
    }

    /// Waits until all of it is safe on disk.
    ///
    /// # Errors
    /// When the disk refuses.
    pub async fn finish(mut self) -> Result<Received, ReceiveError> {
        self.flush().await?;
        let writer = self.writer.take().ok_or_else(failed_before)?;
        let (file, hash) = blocking(move || {
            writer.file.sync_all()?;
            Ok((writer.file, writer.hash.finalize()))
        })
        .await?;
        Ok(Received { place: self.place, sha256: secrets::hex(&hash), size: self.size, _file: file })
    }

    async fn flush(&mut self) -> io::Result<()> {
        let mut writer = self.writer.take().ok_or_else(failed_before)?;
        let mut block = mem::take(&mut self.block);
        (self.writer, self.block) = blocking(move || {
            writer.hash.update(&block);
            writer.file.write_all(&block)?;
            block.clear();
            Ok((Some(writer), block))
        })
        .await?;
        Ok(())
    }
}

fn failed_before() -> io::Error {
    io::Error::other("an earlier write of this file failed")
}

impl Received {
    /// Lower-case hex.
    #[must_use]
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    /// Bytes.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    pub(super) fn move_to(self, path: &Path) -> io::Result<()> {
        fs::rename(&self.place.0, path)
    }
}
