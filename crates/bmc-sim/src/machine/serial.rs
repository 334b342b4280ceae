//! The serial line between a machine and its BMC.
//!
//! What the machine prints goes into a bounded history that readers follow with a cursor, so that a line nobody
//! watches costs no task and no channel. One reader, the SOL session, may be *attached*: the machine then waits for
//! it, as hardware flow control (RTS/CTS) makes a real UART wait, and nothing is lost while it reads.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::sync::{Notify, watch};

/// Bytes the BMC end may queue before the machine has read any: the FIFO of a 16550A is 16, a BMC adds a buffer.
pub const INPUT_CAPACITY: usize = 1024;

/// What arrives at the machine's end of the line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// Characters, in order.
    Bytes(Vec<u8>),
    /// The line was held in the break state (SOL "generate break", the SysRq of a serial console).
    Break,
}

#[derive(Debug)]
struct State {
    history: VecDeque<u8>,
    /// Bytes ever written; the history holds the last `history.len()` of them.
    total: u64,
    /// How far the attached reader has read, while the machine waits for it.
    tap: Option<u64>,
    /// The newest reader; older ones no longer move `tap`.
    newest: u64,
    /// Told when there is something for the newest reader to take, or room for what it types.
    waker: Option<Arc<Notify>>,
    input: VecDeque<u8>,
    breaks: u32,
    /// Whether a UART is there to take what is typed.
    powered: bool,
}

impl State {
    fn wake(&self) {
        if let Some(waker) = &self.waker {
            waker.notify_one();
        }
    }
}

/// Both directions of one serial line. Cheap while unused: buffers grow on demand.
#[derive(Debug)]
pub struct SerialLine {
    state: Mutex<State>,
    capacity: usize,
    written: watch::Sender<u64>,
    room: Notify,
    typed: Notify,
}

impl SerialLine {
    /// A line that remembers the last `capacity` bytes of output.
    #[must_use]
    pub fn new(capacity: usize) -> Arc<Self> {
        let state = State {
            history: VecDeque::new(),
            total: 0,
            tap: None,
            newest: 0,
            waker: None,
            input: VecDeque::new(),
            breaks: 0,
            powered: true,
        };
        Arc::new(Self {
            state: Mutex::new(state),
            capacity: capacity.max(256),
            written: watch::Sender::new(0),
            room: Notify::new(),
            typed: Notify::new(),
        })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    // --- the machine's end

    /// Prints. Waits while an attached reader is more than half the history behind; never waits for anybody else.
    pub async fn write(&self, bytes: &[u8]) {
        for piece in bytes.chunks(self.capacity / 4) {
            loop {
                let room = self.room.notified();
                if self.push(piece) {
                    break;
                }
                // A reader that stalls for good (a viewer's dead network) must not stop the machine for ever.
                let _ = tokio::time::timeout(Duration::from_secs(10), room).await.map_err(|_| self.lock().tap.take());
            }
        }
    }

    fn push(&self, piece: &[u8]) -> bool {
        let mut state = self.lock();
        if let Some(at) = state.tap
            && state.total - at > (self.capacity / 2) as u64
        {
            return false;
        }
        state.history.extend(piece);
        let excess = state.history.len().saturating_sub(self.capacity);
        state.history.drain(..excess);
        state.total += piece.len() as u64;
        self.written.send_replace(state.total);
        state.wake();
        true
    }

    /// Waits for what the BMC end types. Cancel safe.
    pub async fn read(&self) -> Input {
        loop {
            let typed = self.typed.notified();
            {
                let mut state = self.lock();
                if !state.input.is_empty() {
                    state.wake();
                    return Input::Bytes(state.input.drain(..).collect());
                }
                if state.breaks > 0 {
                    state.breaks -= 1;
                    return Input::Break;
                }
            }
            typed.await;
        }
    }

    /// Power came (or a reset): the line works and nothing is typed yet. Power went: what is typed goes nowhere.
    pub fn set_powered(&self, powered: bool) {
        let mut state = self.lock();
        state.input.clear();
        state.breaks = 0;
        state.powered = powered;
        state.wake();
    }

    // --- the BMC's end

    /// Types. Returns how many characters the line took; the rest did not fit and is the caller's to repeat.
    pub fn type_in(&self, bytes: &[u8]) -> usize {
        let mut state = self.lock();
        if !state.powered {
            return bytes.len();
        }
        let taken = bytes.len().min(INPUT_CAPACITY - state.input.len());
        state.input.extend(&bytes[..taken]);
        drop(state);
        self.typed.notify_one();
        taken
    }

    /// Sends a break.
    pub fn send_break(&self) {
        let mut state = self.lock();
        if state.powered {
            state.breaks = state.breaks.saturating_add(1).min(8);
        }
        drop(state);
        self.typed.notify_one();
    }

    /// Attaches the one reader the machine waits for; it sees what is written from now on. The reader before it, if any, is cut off.
    #[must_use]
    pub fn attach(self: &Arc<Self>) -> Tap {
        self.attach_reader(None)
    }

    /// [`Self::attach`], with something that is told whenever the machine has printed, or has read what was typed.
    #[must_use]
    pub fn attach_waking(self: &Arc<Self>, waker: Arc<Notify>) -> Tap {
        self.attach_reader(Some(waker))
    }

    fn attach_reader(self: &Arc<Self>, waker: Option<Arc<Notify>>) -> Tap {
        let mut state = self.lock();
        state.waker = waker;
        state.tap = Some(state.total);
        state.newest += 1;
        let (at, id) = (state.total, state.newest);
        drop(state);
        Tap { line: Arc::clone(self), id, at }
    }

    // --- onlookers

    /// The last output, up to the history's capacity.
    #[must_use]
    pub fn history(&self) -> Vec<u8> {
        self.lock().history.iter().copied().collect()
    }

    /// Bytes ever written by the machine.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.lock().total
    }

    /// Output from byte number `from` on (counted since the start), as far as the history still has it.
    #[must_use]
    pub fn since(&self, from: u64) -> Vec<u8> {
        let state = self.lock();
        let oldest = state.total - state.history.len() as u64;
        let skip = usize::try_from(from.saturating_sub(oldest)).unwrap_or(usize::MAX).min(state.history.len());
        state.history.range(skip..).copied().collect()
    }

    /// Changes to the count of bytes ever written each time it grows.
    #[must_use]
    pub fn subscribe(&self) -> watch::Receiver<u64> {
        self.written.subscribe()
    }
}

/// The attached reader's cursor. Dropping it detaches.
#[derive(Debug)]
pub struct Tap {
    line: Arc<SerialLine>,
    id: u64,
    at: u64,
}

impl Tap {
    /// Takes at most `max` bytes; empty when there are none. Bytes that left the history meanwhile are skipped.
    pub fn take(&mut self, max: usize) -> Vec<u8> {
        let mut state = self.line.lock();
        let oldest = state.total - state.history.len() as u64;
        let from = self.at.max(oldest);
        let skip = usize::try_from(from - oldest).unwrap_or(usize::MAX);
        let taken: Vec<u8> = state.history.iter().skip(skip).take(max).copied().collect();
        self.at = from + taken.len() as u64;
        if state.newest == self.id {
            state.tap = Some(self.at);
        }
        drop(state);
        if !taken.is_empty() {
            self.line.room.notify_waiters();
        }
        taken
    }
}

impl Drop for Tap {
    fn drop(&mut self) {
        let mut state = self.line.lock();
        if state.newest == self.id {
            state.tap = None;
            state.waker = None;
        }
        drop(state);
        self.line.room.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn history_is_bounded_and_keeps_the_newest() {
        let line = SerialLine::new(256);
        for i in 0..100u8 {
            line.write(&[i; 8]).await;
        }
        let history = line.history();
        assert_eq!(history.len(), 256);
        assert_eq!(history.last(), Some(&99));
        assert_eq!(line.total(), 800);
        assert_eq!(line.since(792), vec![99; 8]);
    }

    #[tokio::test]
    async fn an_attached_reader_loses_nothing() {
        let line = SerialLine::new(256);
        line.write(b"before").await;
        let mut tap = line.attach();
        let writer = {
            let line = Arc::clone(&line);
            tokio::spawn(async move {
                for i in 0..200u32 {
                    line.write(format!("{i:04}").as_bytes()).await;
                }
            })
        };
        let mut seen = Vec::new();
        let mut written = line.subscribe();
        while seen.len() < 800 {
            let taken = tap.take(7);
            if taken.is_empty() {
                written.changed().await.unwrap();
            }
            seen.extend(taken);
        }
        writer.await.unwrap();
        let expected: String = (0..200u32).map(|i| format!("{i:04}")).collect();
        assert_eq!(String::from_utf8(seen).unwrap(), expected);
    }

    #[tokio::test]
    async fn a_new_reader_cuts_the_old_one_off_without_stopping_the_machine() {
        let line = SerialLine::new(256);
        let old = line.attach();
        let mut new = line.attach();
        drop(old);
        line.write(b"x").await;
        assert_eq!(new.take(10), b"x");
    }

    #[tokio::test]
    async fn typing_is_taken_only_as_far_as_it_fits() {
        let line = SerialLine::new(256);
        assert_eq!(line.type_in(&[b'a'; INPUT_CAPACITY + 5]), INPUT_CAPACITY);
        assert_eq!(line.type_in(b"b"), 0);
        line.send_break();
        assert_eq!(line.read().await, Input::Bytes(vec![b'a'; INPUT_CAPACITY]));
        assert_eq!(line.read().await, Input::Break);
    }
}
