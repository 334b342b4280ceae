//! Who is being served: the bounds on how many, and which client and port a request belongs to.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

/// A client that repeats its request after this much silence in mid-transfer has started over; before, it is a copy of the
/// request that the network delivered late.
const STARTED_OVER: Duration = Duration::from_secs(2);

/// The table of requests being served or waiting.
#[derive(Debug)]
pub(crate) struct Slots {
    table: Mutex<Table>,
    max: usize,
    max_per_ip: usize,
    origin: Instant,
}

#[derive(Debug, Default)]
struct Table {
    by_peer: HashMap<SocketAddr, Occupant>,
    by_ip: HashMap<IpAddr, usize>,
    total: usize,
    serial: u64,
}

#[derive(Debug)]
struct Occupant {
    serial: u64,
    request: Box<[u8]>,
    heard: Arc<AtomicU64>,
    cancel: CancellationToken,
}

/// What to do with a request.
#[derive(Debug)]
pub(crate) enum Admission {
    Serve(Slot),
    /// The same request from the same port is being served already.
    Duplicate,
    /// This address has as many transfers as it may.
    PeerFull,
    /// The server has as many requests as it takes.
    Full,
}

/// A place in the table; free again when dropped.
#[derive(Debug)]
pub(crate) struct Slot {
    slots: Arc<Slots>,
    peer: SocketAddr,
    serial: u64,
    /// Milliseconds after the origin at which the client last said something; 0: not yet.
    heard: Arc<AtomicU64>,
    /// Cancelled when the client starts over, or the server stops.
    pub(crate) cancel: CancellationToken,
}

impl Slots {
    /// At most `max` at a time, and `max_per_ip` for one address.
    pub(crate) fn new(max: usize, max_per_ip: usize) -> Arc<Self> {
        Arc::new(Self { table: Mutex::default(), max, max_per_ip, origin: Instant::now() })
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        // Nothing panics while holding it, and the table is consistent between any two statements below.
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn clock(&self) -> u64 {
        u64::try_from(self.origin.elapsed().as_millis()).unwrap_or(u64::MAX).max(1)
    }

    /// Takes in `request` (the whole packet) of `peer`. A transfer it replaces is cancelled.
    pub(crate) fn admit(self: &Arc<Self>, peer: SocketAddr, request: &[u8], parent: &CancellationToken) -> Admission {
        let mut guard = self.lock();
        let table = &mut *guard;
        if let Some(occupant) = table.by_peer.get(&peer) {
            if *occupant.request == *request {
                let heard = occupant.heard.load(Ordering::Relaxed);
                let silent = Duration::from_millis(self.clock().saturating_sub(heard));
                if heard == 0 || silent < STARTED_OVER {
                    return Admission::Duplicate;
                }
            }
            // A machine that was reset asks from the same port as before, and must not wait for its former self to time out.
            occupant.cancel.cancel();
        }
        let of_ip = table.by_ip.get(&peer.ip()).copied().unwrap_or(0);
        if of_ip >= self.max_per_ip {
            return Admission::PeerFull;
        }
        if table.total >= self.max {
            return Admission::Full;
        }
        table.serial += 1;
        table.total += 1;
        table.by_ip.insert(peer.ip(), of_ip + 1);
        let (serial, heard, cancel) = (table.serial, Arc::new(AtomicU64::new(0)), parent.child_token());
        let occupant = Occupant { serial, request: request.into(), heard: Arc::clone(&heard), cancel: cancel.clone() };
        table.by_peer.insert(peer, occupant);
        Admission::Serve(Slot { slots: Arc::clone(self), peer, serial, heard, cancel })
    }

    #[cfg(test)]
    fn sizes(&self) -> (usize, usize, usize) {
        let table = self.lock();
        (table.total, table.by_peer.len(), table.by_ip.len())
    }
}

impl Slot {
    /// The client said something.
    pub(crate) fn heard(&self) {
        self.heard.store(self.slots.clock(), Ordering::Relaxed);
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut table = self.slots.lock();
        table.total -= 1;
        if let Entry::Occupied(mut count) = table.by_ip.entry(self.peer.ip()) {
            *count.get_mut() -= 1;
            if *count.get() == 0 {
                count.remove();
            }
        }
        if let Entry::Occupied(occupant) = table.by_peer.entry(self.peer)
            && occupant.get().serial == self.serial
        {
            occupant.remove();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    fn serve(admission: Admission) -> Slot {
        match admission {
            Admission::Serve(slot) => slot,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn bounds_and_release() {
        let (slots, parent) = (Slots::new(3, 2), CancellationToken::new());
        let a = serve(slots.admit(peer("10.0.0.1:1000"), b"x", &parent));
        let b = serve(slots.admit(peer("10.0.0.1:1001"), b"x", &parent));
        assert!(matches!(slots.admit(peer("10.0.0.1:1002"), b"x", &parent), Admission::PeerFull));
        let c = serve(slots.admit(peer("10.0.0.2:1000"), b"x", &parent));
        assert!(matches!(slots.admit(peer("10.0.0.3:1000"), b"x", &parent), Admission::Full));
        drop(a);
        let d = serve(slots.admit(peer("10.0.0.3:1000"), b"x", &parent));
        drop((b, c, d));
        assert_eq!(slots.sizes(), (0, 0, 0));
    }

    #[test]
    fn a_repeated_request_is_a_duplicate_and_another_one_a_new_start() {
        let (slots, parent) = (Slots::new(9, 9), CancellationToken::new());
        let first = serve(slots.admit(peer("10.0.0.1:1000"), b"x", &parent));
        assert!(matches!(slots.admit(peer("10.0.0.1:1000"), b"x", &parent), Admission::Duplicate));
        first.heard();
        assert!(matches!(slots.admit(peer("10.0.0.1:1000"), b"x", &parent), Admission::Duplicate));
        let second = serve(slots.admit(peer("10.0.0.1:1000"), b"y", &parent));
        assert!(first.cancel.is_cancelled() && !second.cancel.is_cancelled());
        // the end of the first does not make room in the name of the second
        drop(first);
        assert!(matches!(slots.admit(peer("10.0.0.1:1000"), b"y", &parent), Admission::Duplicate));
        assert_eq!(slots.sizes(), (1, 1, 1));
    }

    #[test]
    fn the_same_request_after_a_long_silence_is_a_new_start() {
        let slots = Slots { table: Mutex::default(), max: 9, max_per_ip: 9, origin: Instant::now() - Duration::from_secs(10) };
        let (slots, parent) = (Arc::new(slots), CancellationToken::new());
        let first = serve(slots.admit(peer("10.0.0.1:1000"), b"x", &parent));
        first.heard.store(5_000, Ordering::Relaxed);
        let _second = serve(slots.admit(peer("10.0.0.1:1000"), b"x", &parent));
        assert!(first.cancel.is_cancelled());
    }
}
