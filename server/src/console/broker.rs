//! Who watches which console, and who types on it.

use std::{
    collections::{BTreeMap, HashMap},
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use app::api::Line;
use async_trait::async_trait;
use tokio::{
    sync::{Notify, broadcast, mpsc, watch},
    time::Instant,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{line, log, ring::Ring, viewer::Viewer};
use crate::bmc::{Bmc, BmcError, ConsoleInput};

/// Bytes of each console kept in memory for who opens it later; all of it is in the log.
const RING: usize = 256 * 1024;
/// Bytes of the log that whoever opens a console is shown when nobody has watched for long.
const REMEMBERED: u64 = 64 * 1024;
/// Inputs on their way to a slow BMC before typing waits.
const INPUTS: usize = 64;
/// A session is kept at least so long for who is about to join.
const JOINING: Duration = Duration::from_secs(5);

/// Finds a machine's BMC anew for every connection: its settings may have changed.
#[async_trait]
pub trait Lines: Send + Sync + 'static {
    /// # Errors
    /// When the machine has no BMC, or is gone.
    async fn bmc(&self, machine: i64) -> Result<Arc<dyn Bmc>, BmcError>;
}

#[derive(Clone, Debug)]
pub struct Settings {
    /// Where each console's log is written, as `<machine id>.log`.
    pub log_dir: PathBuf,
    /// How long a session is kept when nobody watches any more.
    pub linger: Duration,
}

/// Cheap to clone.
#[derive(Clone)]
pub struct Broker(Arc<Inner>);

struct Inner {
    settings: Settings,
    consoles: Mutex<HashMap<i64, Arc<Shared>>>,
    cancel: CancellationToken,
    tasks: TaskTracker,
}

/// One machine's console, shared by its line and its viewers.
pub(super) struct Shared {
    pub(super) machine: i64,
    pub(super) settings: Settings,
    pub(super) ring: Mutex<Ring>,
    /// Bytes ever put into the ring: wakes viewers.
    pub(super) head: watch::Sender<u64>,
    pub(super) status: watch::Sender<Status>,
    pub(super) notices: broadcast::Sender<Arc<str>>,
    pub(super) inputs: mpsc::Sender<ConsoleInput>,
    /// Wakes the line: somebody came, or wants to take over.
    pub(super) wake: Notify,
    /// Wakes the line: the machine's BMC may be another.
    pub(super) rewired: Notify,
    desk: Mutex<Desk>,
}

/// What viewers are told about a console.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Status {
    pub(super) line: Line,
    pub(super) message: Option<String>,
    pub(super) writer: Option<(u64, String)>,
    pub(super) viewers: u32,
}

/// Who is at a console.
struct Desk {
    next_id: u64,
    viewers: BTreeMap<u64, String>,
    writer: Option<u64>,
    take_over: bool,
    /// Wanted until then, even with nobody watching.
    keep_until: Instant,
}

impl Broker {
    /// Sessions end with `cancel`.
    #[must_use]
    pub fn new(settings: Settings, cancel: CancellationToken) -> Self {
        Self(Arc::new(Inner { settings, consoles: Mutex::default(), cancel, tasks: TaskTracker::new() }))
    }

    /// Joins a machine's console, which connects if it is not connected yet.
    pub fn attach(&self, machine: i64, lines: &Arc<dyn Lines>, name: &str) -> Viewer {
        let shared = self.console(machine, lines);
        let id = shared.join(name);
        Viewer::new(shared, id)
    }

    /// Connects a machine's console and logs it for a while, though nobody watches.
    pub fn record(&self, machine: i64, lines: &Arc<dyn Lines>, during: Duration) {
        let shared = self.console(machine, lines);
        let mut desk = shared.desk();
        desk.keep_until = desk.keep_until.max(Instant::now() + during);
        drop(desk);
        shared.wake.notify_one();
    }

    /// The machine has another BMC or none, or it is reached in another way: a session with the old one ends.
    pub fn look_again(&self, machine: i64) {
        if let Some(shared) = self.consoles().get(&machine) {
            shared.rewired.notify_one();
        }
    }

    /// Open serial sessions, or those being opened.
    #[must_use]
    pub fn open(&self) -> usize {
        self.consoles().len()
    }

    /// Waits until every session has ended after the cancellation.
    pub async fn closed(&self) {
        self.0.tasks.close();
        self.0.tasks.wait().await;
    }

    fn consoles(&self) -> MutexGuard<'_, HashMap<i64, Arc<Shared>>> {
        self.0.consoles.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn console(&self, machine: i64, lines: &Arc<dyn Lines>) -> Arc<Shared> {
        let mut consoles = self.consoles();
        if let Some(shared) = consoles.get(&machine) {
            // so that the line does not end between here and the join
            let mut desk = shared.desk();
            desk.keep_until = desk.keep_until.max(Instant::now() + JOINING);
            drop(desk);
            return Arc::clone(shared);
        }
        let (inputs, typed) = mpsc::channel(INPUTS);
        let status = Status { line: Line::Connecting, message: None, writer: None, viewers: 0 };
        let shared = Arc::new(Shared {
            machine,
            settings: self.0.settings.clone(),
            ring: Mutex::new(Ring::new(RING)),
            head: watch::Sender::new(0),
            status: watch::Sender::new(status),
            notices: broadcast::Sender::new(64),
            inputs,
            wake: Notify::new(),
            rewired: Notify::new(),
            desk: Mutex::new(Desk {
                next_id: 1,
                viewers: BTreeMap::new(),
                writer: None,
                take_over: false,
                keep_until: Instant::now() + JOINING,
            }),
        });
        consoles.insert(machine, Arc::clone(&shared));
        let (broker, lines, cancel, console) = (self.clone(), Arc::clone(lines), self.0.cancel.child_token(), Arc::clone(&shared));
        self.0.tasks.spawn(async move {
            let mut typed = typed;
            console.remember().await;
            loop {
                line::run(&console, &*lines, &mut typed, &cancel).await;
                let mut consoles = broker.consoles();
                // somebody may have come in the very moment it ended
                if cancel.is_cancelled() || console.unwanted() {
                    consoles.remove(&machine);
                    return;
                }
            }
        });
        shared
    }
}

impl Shared {
    fn desk(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn ring(&self) -> MutexGuard<'_, Ring> {
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins with the end of what is in the log. Before the line is there: nothing may come between.
    async fn remember(&self) {
        match log::recall(&self.settings.log_dir, self.machine, REMEMBERED).await {
            Ok(bytes) => self.push(&bytes),
            Err(error) => tracing::warn!(machine = self.machine, %error, "the console's log cannot be read"),
        }
    }

    /// Output of the machine, for all viewers.
    pub(super) fn push(&self, bytes: &[u8]) {
        let mut ring = self.ring();
        ring.push(bytes);
        self.head.send_replace(ring.end());
    }

    pub(super) fn notice(&self, text: &str) {
        // no receiver is no error: nobody is looking
        let _ = self.notices.send(text.into());
    }

    pub(super) fn set_line(&self, line: Line, message: Option<String>) {
        self.status.send_modify(|status| {
            status.line = line;
            status.message = message;
        });
    }

    /// Whether nobody needs the session any more.
    pub(super) fn unwanted(&self) -> bool {
        let desk = self.desk();
        desk.viewers.is_empty() && Instant::now() >= desk.keep_until
    }

    /// Whether a viewer asked to end the session somebody else holds; asked once, answered once.
    pub(super) fn take_over_wanted(&self) -> bool {
        std::mem::take(&mut self.desk().take_over)
    }

    pub(super) fn take_over(&self) {
        self.desk().take_over = true;
        self.wake.notify_one();
    }

    fn join(&self, name: &str) -> u64 {
        let mut desk = self.desk();
        let id = desk.next_id;
        desk.next_id += 1;
        desk.viewers.insert(id, name.to_owned());
        if desk.writer.is_none() {
            desk.writer = Some(id);
        }
        self.tell(&desk);
        drop(desk);
        self.wake.notify_one();
        id
    }

    pub(super) fn leave(&self, id: u64) {
        let mut desk = self.desk();
        desk.viewers.remove(&id);
        if desk.writer == Some(id) {
            // whoever has watched longest types on, as in a room where one gets up
            desk.writer = desk.viewers.keys().next().copied();
        }
        if desk.viewers.is_empty() {
            desk.keep_until = desk.keep_until.max(Instant::now() + self.settings.linger);
        }
        self.tell(&desk);
        drop(desk);
        self.wake.notify_one();
    }

    /// Answers whether it was somebody else's.
    pub(super) fn take_write(&self, id: u64) -> bool {
        let mut desk = self.desk();
        let before = desk.writer.replace(id);
        self.tell(&desk);
        before != Some(id)
    }

    /// Publishes who is there, under the desk's lock so that changes are told in order.
    fn tell(&self, desk: &Desk) {
        let writer = desk.writer.and_then(|id| desk.viewers.get(&id).map(|name| (id, name.clone())));
        let viewers = u32::try_from(desk.viewers.len()).unwrap_or(u32::MAX);
        self.status.send_if_modified(|status| {
            let changed = status.writer != writer || status.viewers != viewers;
            status.writer = writer;
            status.viewers = viewers;
            changed
        });
    }
}
