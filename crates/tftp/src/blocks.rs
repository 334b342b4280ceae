//! A file as ready-made DATA packets: a stretch of blocks is read at once, each behind its header, so that one block or a
//! whole window is sent straight from here without another copy.

use std::fs::File;
use std::io::{self, IoSliceMut};
use std::sync::Arc;

use bytes::Bytes;
use rustix::io::{Errno, ReadWriteFlags};

use crate::packet::{self, DATA_HEADER};
use crate::source::Content;
use crate::transfer::{self, Terms};

/// Read at a time for a windowed transfer; a lock-step transfer is content with the smaller one.
const LARGE_STRETCH: usize = 256 * 1024;
const SMALL_STRETCH: usize = 64 * 1024;

/// preadv(2) takes at most 1024 buffers (`UIO_MAXIOV`), and each block is one.
const MAX_BLOCKS: usize = 1024;

#[derive(Debug)]
enum Origin {
    Bytes(Bytes),
    File(Arc<File>),
}

/// A window into the file, laid out as packets. Memory is bounded by [`LARGE_STRETCH`] whatever the file's length.
#[derive(Debug)]
pub(crate) struct Blocks {
    origin: Origin,
    len: u64,
    blksize: usize,
    /// Number of the last block of the file.
    final_block: u64,
    /// Blocks held at a time.
    capacity: u64,
    /// Packets of the blocks `first..first + held`, without gaps.
    buf: Vec<u8>,
    first: u64,
    held: u64,
}

impl Blocks {
    pub(crate) fn new(content: Content, terms: &Terms) -> Self {
        let blksize = usize::from(terms.blksize);
        let window = usize::from(terms.windowsize).max(1);
        let wanted = if window > 1 { LARGE_STRETCH } else { SMALL_STRETCH };
        let mut capacity = (wanted / blksize).clamp(1, MAX_BLOCKS);
        if capacity > window {
            // whole windows, so that no window is sent in two pieces
            capacity -= capacity % window;
        }
        let final_block = terms.blocks();
        let capacity = (capacity as u64).min(final_block);
        let origin = match content {
            Content::Bytes(bytes) => Origin::Bytes(bytes),
            Content::File { file, .. } => Origin::File(Arc::new(file)),
        };
        Self { origin, len: terms.len, blksize, final_block, capacity, buf: Vec::new(), first: 0, held: 0 }
    }

    /// Length of a full packet.
    pub(crate) fn stride(&self) -> usize {
        self.blksize + DATA_HEADER
    }

    fn holds(&self, block: u64) -> bool {
        block >= self.first && block - self.first < self.held
    }

    /// Sees to it that `block` can be sent, reading a stretch of the file from there on if need be.
    pub(crate) async fn load(&mut self, block: u64) -> io::Result<()> {
        if self.holds(block) || block > self.final_block {
            return Ok(());
        }
        self.held = 0;
        let count = self.capacity.min(self.final_block - block + 1);
        let offset = (block - 1) * self.blksize as u64;
        // fits usize: it is at most a stretch
        let payload = (count * self.blksize as u64).min(self.len.saturating_sub(offset)) as usize;
        let stride = self.stride();
        self.buf.resize(payload + count as usize * DATA_HEADER, 0);
        for (slot, number) in self.buf.chunks_mut(stride).zip(block..) {
            packet::write_data_header(slot, transfer::low_bits(number));
        }
        match &self.origin {
            Origin::Bytes(bytes) => {
                let start = usize::try_from(offset).unwrap_or(usize::MAX);
                let from = bytes.get(start..start + payload).ok_or(io::ErrorKind::UnexpectedEof)?;
                for (slot, part) in self.buf.chunks_mut(stride).zip(from.chunks(self.blksize)) {
                    slot[DATA_HEADER..].copy_from_slice(part);
                }
            }
            Origin::File(file) => {
                let mut read = Stretch { buf: std::mem::take(&mut self.buf), blksize: self.blksize, offset, payload, done: 0 };
                // What the page cache holds is copied at once; only a read that would wait for a disk is worth a thread.
                if !read.fill(file, ReadWriteFlags::NOWAIT)? {
                    let file = Arc::clone(file);
                    let task = tokio::task::spawn_blocking(move || {
                        let filled = read.fill(&file, ReadWriteFlags::empty());
                        (read, filled)
                    });
                    let (back, filled) = task.await.map_err(io::Error::other)?;
                    read = back;
                    if !filled? {
                        return Err(io::ErrorKind::WouldBlock.into());
                    }
                }
                self.buf = read.buf;
            }
        }
        self.first = block;
        self.held = count;
        Ok(())
    }

    /// Reads on behind `last` if it is the last block held, so that the next window is there when it is asked for.
    pub(crate) async fn read_ahead(&mut self, last: u64) -> io::Result<()> {
        if self.holds(last) && !self.holds(last + 1) { self.load(last + 1).await } else { Ok(()) }
    }

    /// The packets of `first..=last` as far as they are held, one behind the other, at most `limit` of them.
    pub(crate) fn packets(&self, first: u64, last: u64, limit: usize) -> &[u8] {
        if !self.holds(first) {
            return &[];
        }
        // both are smaller than the capacity
        let skip = (first - self.first) as usize;
        let count = ((last + 1).saturating_sub(first) as usize).min(self.held as usize - skip).min(limit);
        let start = skip * self.stride();
        let end = (start + count * self.stride()).min(self.buf.len());
        &self.buf[start..end]
    }
}

/// A read under way: file bytes go between the headers already in `buf`.
struct Stretch {
    buf: Vec<u8>,
    blksize: usize,
    offset: u64,
    payload: usize,
    done: usize,
}

impl Stretch {
    /// Reads what is missing. `false`: the rest cannot be had without waiting, or this file system cannot tell.
    fn fill(&mut self, file: &File, flags: ReadWriteFlags) -> io::Result<bool> {
        while self.done < self.payload {
            let (whole, within) = (self.done / self.blksize, self.done % self.blksize);
            let slots = self.buf.chunks_mut(self.blksize + DATA_HEADER).skip(whole).enumerate();
            let mut parts: Vec<IoSliceMut<'_>> = slots
                .map(|(n, slot)| IoSliceMut::new(&mut slot[DATA_HEADER + if n == 0 { within } else { 0 }..]))
                .filter(|part| !part.is_empty())
                .collect();
            match rustix::io::preadv2(file, &mut parts, self.offset + self.done as u64, flags) {
                Ok(0) => return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the file became shorter while it was sent")),
                Ok(n) => self.done += n,
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN | Errno::OPNOTSUPP | Errno::NOSYS) if flags.contains(ReadWriteFlags::NOWAIT) => return Ok(false),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::time::Duration;

    use super::*;

    fn terms(len: usize, blksize: u16, windowsize: u16) -> Terms {
        let second = Duration::from_secs(1);
        Terms { len: len as u64, blksize, windowsize, oack: false, timeout: second, max_backoff: second, max_retries: 1 }
    }

    fn pattern(len: usize) -> Vec<u8> {
        (0..len).map(|n| (n % 251) as u8).collect()
    }

    /// The payloads of all packets put together, checking headers and lengths.
    async fn reassemble(mut blocks: Blocks, terms: &Terms) -> Vec<u8> {
        let mut out = Vec::new();
        let mut next = 1;
        while next <= terms.blocks() {
            blocks.load(next).await.unwrap();
            let packets = blocks.packets(next, terms.blocks(), 7).to_vec();
            assert!(!packets.is_empty());
            for packet in packets.chunks(blocks.stride()) {
                assert_eq!(packet[..4], [0, 3, (next >> 8) as u8, next as u8]);
                assert_eq!(packet.len() - 4 == usize::from(terms.blksize), next < terms.blocks());
                out.extend_from_slice(&packet[4..]);
                next += 1;
            }
        }
        out
    }

    #[tokio::test]
    async fn packets_hold_the_file_whatever_its_length() {
        for (blksize, window) in [(8, 1), (512, 1), (512, 16), (1468, 64), (65464, 3)] {
            let b = usize::from(blksize);
            for len in [0, 1, b - 1, b, b + 1, 3 * b, 300_000] {
                let terms = terms(len, blksize, window);
                let data = pattern(len);
                let mut file = tempfile::tempfile().unwrap();
                file.write_all(&data).unwrap();
                let content = Content::File { file, len: len as u64 };
                assert_eq!(reassemble(Blocks::new(content, &terms), &terms).await, data);
                let content = Content::Bytes(data.clone().into());
                assert_eq!(reassemble(Blocks::new(content, &terms), &terms).await, data);
            }
        }
    }

    #[tokio::test]
    async fn memory_does_not_grow_with_the_file() {
        let terms = terms(50_000_000, 1468, 64);
        let mut blocks = Blocks::new(Content::Bytes(vec![0; 50_000_000].into()), &terms);
        for block in [1, 5_000, 20_000, 3] {
            blocks.load(block).await.unwrap();
            assert!(blocks.buf.capacity() <= LARGE_STRETCH + MAX_BLOCKS * DATA_HEADER);
        }
    }

    #[tokio::test]
    async fn a_file_that_shrinks_is_an_error() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&[1; 1000]).unwrap();
        let mut blocks = Blocks::new(Content::File { file, len: 2000 }, &terms(2000, 512, 1));
        assert_eq!(blocks.load(1).await.unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
        assert!(blocks.packets(1, 4, 4).is_empty());
    }
}
