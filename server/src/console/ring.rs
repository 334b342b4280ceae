//! The last bytes of a serial line, addressed by how many came before them.

use std::collections::VecDeque;

use bytes::Bytes;

/// Keeps the newest bytes up to a capacity. Readers bring their own position, so a slow one costs no memory.
pub(super) struct Ring {
    bytes: VecDeque<u8>,
    capacity: usize,
    /// Bytes ever written.
    end: u64,
}

/// What a reader gets.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Chunk {
    /// Bytes between the reader's position and the oldest kept.
    pub skipped: u64,
    pub bytes: Bytes,
}

impl Ring {
    pub(super) fn new(capacity: usize) -> Self {
        Self { bytes: VecDeque::new(), capacity, end: 0 }
    }

    pub(super) fn end(&self) -> u64 {
        self.end
    }

    pub(super) fn start(&self) -> u64 {
        self.end - self.bytes.len() as u64
    }

    pub(super) fn push(&mut self, data: &[u8]) {
        self.end += data.len() as u64;
        let data = &data[data.len().saturating_sub(self.capacity)..];
        let overflow = (self.bytes.len() + data.len()).saturating_sub(self.capacity);
        self.bytes.drain(..overflow.min(self.bytes.len()));
        self.bytes.extend(data);
    }

    /// What a reader at `position` has not seen, at most `limit` bytes; moves the position. None: nothing new.
    pub(super) fn read(&self, position: &mut u64, limit: usize) -> Option<Chunk> {
        if *position >= self.end {
            return None;
        }
        let from = (*position).max(self.start());
        let skipped = from - *position;
        // both are within the ring, which is in memory
        let offset = (from - self.start()) as usize;
        let length = (self.bytes.len() - offset).min(limit);
        let bytes: Vec<u8> = self.bytes.range(offset..offset + length).copied().collect();
        *position = from + length as u64;
        Some(Chunk { skipped, bytes: bytes.into() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_gets_every_byte_once_and_is_told_of_those_it_missed() {
        let mut ring = Ring::new(8);
        let mut position = 0;
        assert_eq!(ring.read(&mut position, 100), None);
        ring.push(b"abc");
        assert_eq!(ring.read(&mut position, 2), Some(Chunk { skipped: 0, bytes: "ab".into() }));
        ring.push(b"de");
        assert_eq!(ring.read(&mut position, 100), Some(Chunk { skipped: 0, bytes: "cde".into() }));
        assert_eq!(ring.read(&mut position, 100), None);
        ring.push(b"0123456789");
        assert_eq!(ring.read(&mut position, 100), Some(Chunk { skipped: 2, bytes: "23456789".into() }));
        assert_eq!(ring.end(), 15);
    }

    #[test]
    fn a_push_larger_than_the_ring_keeps_its_end() {
        let mut ring = Ring::new(4);
        ring.push(b"xy");
        ring.push(&[b'z'; 1000]);
        let mut position = 0;
        assert_eq!(ring.read(&mut position, 100), Some(Chunk { skipped: 998, bytes: "zzzz".into() }));
    }
}
