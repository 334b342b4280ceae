//! Looking for an answer for a moment before going to sleep until it comes.
//!
//! In lock step a transfer waits for an acknowledgement after every block, and on a fast network most of that time goes into
//! putting a processor to sleep and waking it up again. Looking costs processor time, so it is done only where it pays.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// Looks in vain, one after the other, that show that answers of this client take longer.
const MAX_MISSES: u32 = 8;

/// Answers to sleep for before it is tried again.
const PAUSE: u32 = 512;

/// Longest time other tasks of the same thread are kept waiting while every look is a hit.
const TURN: Duration = Duration::from_micros(500);

/// The number of transfers that are running.
#[derive(Debug, Clone)]
pub(crate) struct Running {
    count: Arc<AtomicUsize>,
    /// With more than this many there is always somebody to serve instead of looking.
    max_looking: usize,
}

impl Running {
    pub(crate) fn new() -> Self {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        Self { count: Arc::default(), max_looking: (processors / 2).max(1) }
    }
}

/// The habit of one transfer; counts as a running one while it lives.
#[derive(Debug)]
pub(crate) struct BusyPoll {
    limit: Duration,
    running: Running,
    misses: u32,
    pause: u32,
    turn: Instant,
}

impl BusyPoll {
    /// Looks for at most `limit` at a time; zero: never.
    pub(crate) fn new(limit: Duration, running: &Running) -> Self {
        running.count.fetch_add(1, Ordering::Relaxed);
        Self { limit, running: running.clone(), misses: 0, pause: 0, turn: Instant::now() }
    }

    /// What `try_recv` finds within the limit. `None`: it is time to sleep.
    pub(crate) async fn look<T>(&mut self, mut try_recv: impl FnMut() -> io::Result<Option<T>>) -> io::Result<Option<T>> {
        if self.limit.is_zero() || self.running.count.load(Ordering::Relaxed) > self.running.max_looking {
            return Ok(None);
        }
        if self.pause > 0 {
            self.pause -= 1;
            return Ok(None);
        }
        let mut now = Instant::now();
        if now.duration_since(self.turn) >= TURN {
            tokio::task::yield_now().await;
            now = Instant::now();
            self.turn = now;
        }
        let end = now + self.limit;
        loop {
            if let Some(found) = try_recv()? {
                self.misses = 0;
                return Ok(Some(found));
            }
            if Instant::now() >= end {
                break;
            }
            // The client may be waiting for this very processor.
            std::thread::yield_now();
        }
        self.misses += 1;
        if self.misses >= MAX_MISSES {
            self.misses = 0;
            self.pause = PAUSE;
        }
        Ok(None)
    }
}

impl Drop for BusyPoll {
    fn drop(&mut self) {
        self.running.count.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one_processor() -> Running {
        Running { count: Arc::default(), max_looking: 1 }
    }

    #[tokio::test]
    async fn looking_in_vain_is_given_up_for_a_while() {
        let mut poll = BusyPoll::new(Duration::from_micros(50), &one_processor());
        let mut looks = 0;
        for _ in 0..MAX_MISSES + PAUSE + 1 {
            let before = looks;
            let found = poll.look(|| -> io::Result<Option<()>> {
                looks += 1;
                Ok(None)
            });
            assert!(found.await.unwrap().is_none());
            assert!(before == 0 || looks == before || poll.pause == 0 || poll.pause == PAUSE);
        }
        assert_eq!((poll.misses, poll.pause), (1, 0), "it is tried again after the pause");
        assert_eq!(poll.look(|| Ok(Some(7))).await.unwrap(), Some(7));
        assert_eq!(poll.misses, 0);
    }

    #[tokio::test]
    async fn nobody_looks_while_others_could_be_served() {
        let running = one_processor();
        let mut first = BusyPoll::new(Duration::from_micros(50), &running);
        let second = BusyPoll::new(Duration::from_micros(50), &running);
        assert_eq!(first.look(|| Ok(Some(1))).await.unwrap(), None);
        drop(second);
        assert_eq!(first.look(|| Ok(Some(1))).await.unwrap(), Some(1));
        let mut never = BusyPoll::new(Duration::ZERO, &one_processor());
        assert_eq!(never.look(|| Ok(Some(1))).await.unwrap(), None);
    }

    /// A transfer whose every look is a hit never sleeps; the other tasks of its thread get their turn all the same.
    #[tokio::test]
    async fn hits_do_not_starve_other_tasks() {
        let other = tokio::spawn(async {});
        let mut poll = BusyPoll::new(Duration::from_micros(50), &one_processor());
        let start = Instant::now();
        while !other.is_finished() {
            assert_eq!(poll.look(|| Ok(Some(1))).await.unwrap(), Some(1));
            assert!(start.elapsed() < Duration::from_secs(5));
        }
    }
}
