//! An open session at work: many requests under way, a console beside them, and a watch on whether the BMC is still there.

mod farewell;
mod requests;
mod seen;

use std::collections::VecDeque;
use std::io;

use ipmi_wire::DecodeError;
use ipmi_wire::command::DeactivatePayload;
use ipmi_wire::ipmb::{Message, RqSeq};
use ipmi_wire::session::PayloadType;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep_until};

use super::link::Link;
use super::open::Memory;
use super::session::Live;
use super::sol::{Console, ConsoleWake};
use super::{Call, Job, Request, Waiter, activate};
use crate::error::{Error, ErrorKind};
use crate::metrics::Event;
use crate::sol::CloseReason;
use crate::target::Target;

use requests::InFlight;
use seen::Seen;

/// Requests accepted from the handles before they wait.
const BACKLOG: usize = 64;

/// Why serving ended.
pub(super) enum End {
    /// The BMC has forgotten the session, or is gone.
    Lost,
    /// Nobody needed it; closed politely.
    Idle,
    /// As asked for; closed politely.
    Closed(oneshot::Sender<()>),
    /// Closed politely because nobody can ask for anything more.
    HandlesGone,
}

enum Wake {
    Job(Option<Job>),
    /// A datagram was handled where it lay.
    Received(io::Result<()>),
    Console(ConsoleWake),
    Timer,
}

pub(super) struct Serving<'a> {
    target: &'a Target,
    memory: &'a Memory,
    link: Link,
    live: Live,
    jobs: &'a mut mpsc::Receiver<Job>,
    queue: &'a mut VecDeque<Request>,
    in_flight: Vec<InFlight>,
    console: Option<Console>,
    next_seq: RqSeq,
    /// Any authenticated packet.
    last_heard: Instant,
    /// Any answer to a request: what keeps the session alive.
    last_answer: Instant,
    /// Anything asked for by a handle.
    last_use: Instant,
    /// When the BMC was last asked whose the console is.
    console_asked: Option<Instant>,
    /// The last packet that could not be read, and when it came.
    garbage: Option<(Instant, DecodeError)>,
}

impl<'a> Serving<'a> {
    pub(super) fn new(
        target: &'a Target,
        memory: &'a Memory,
        link: Link,
        live: Live,
        jobs: &'a mut mpsc::Receiver<Job>,
        queue: &'a mut VecDeque<Request>,
    ) -> Self {
        let now = Instant::now();
        Self {
            target,
            memory,
            link,
            live,
            jobs,
            queue,
            in_flight: Vec::new(),
            console: None,
            // Set Session Privilege had 1.
            next_seq: RqSeq::new(2),
            last_heard: now,
            last_answer: now,
            last_use: now,
            console_asked: None,
            garbage: None,
        }
    }

    pub(super) async fn run(&mut self) -> End {
        loop {
            self.watch_console();
            self.dispatch().await;
            if let Some(console) = &mut self.console {
                console.pump(&mut self.live, &self.link).await;
                if let Some(reason) = console.closed() {
                    // A console somebody else has taken is not ours to end.
                    if *reason == CloseReason::Deactivated {
                        self.console = None;
                    } else {
                        self.drop_console();
                    }
                    continue;
                }
            }
            if let Some(end) = self.timers().await {
                return self.ended(end).await;
            }
            match self.wake().await {
                Wake::Job(Some(job)) => {
                    self.last_use = Instant::now();
                    if let Some(end) = self.accept(job) {
                        return self.ended(end).await;
                    }
                }
                Wake::Job(None) => return self.ended(End::HandlesGone).await,
                // Errors of a UDP socket are passing; if not, the probe will tell.
                Wake::Received(Err(error)) => tracing::debug!(bmc = %self.target.addr, %error, "receiving"),
                Wake::Received(Ok(())) | Wake::Timer => {}
                Wake::Console(ConsoleWake::Input(input)) => {
                    self.last_use = Instant::now();
                    if let Some(console) = &mut self.console {
                        console.input(input);
                    }
                }
                Wake::Console(ConsoleWake::Room) => {}
                Wake::Console(ConsoleWake::Dropped) => self.drop_console(),
            }
        }
    }

    fn accept(&mut self, job: Job) -> Option<End> {
        match job {
            Job::Call { call, reply } => self.queue.push_back(Request { call, waiter: Waiter::Caller(reply), born: Instant::now() }),
            Job::OpenSol { options, reply } => {
                if self.console.is_some() && !options.take_over {
                    drop(reply.send(Err(self.error(ErrorKind::SolOpenHere))));
                    return None;
                }
                if let Some(mut console) = self.console.take() {
                    console.close(CloseReason::Local);
                    self.send_deactivate(&console);
                }
                self.queue.push_back(activate(options, reply));
            }
            Job::IsOwnSession { id, reply } => drop(reply.send(self.memory.is_own(id) && self.console.is_none())),
            Job::Close { reply } => return Some(End::Closed(reply)),
        }
        None
    }

    /// The user let go of the console.
    fn drop_console(&mut self) {
        if let Some(console) = self.console.take() {
            self.send_deactivate(&console);
        }
    }

    fn send_deactivate(&mut self, console: &Console) {
        let call = Call::internal(console.options.route, &DeactivatePayload::sol(console.options.instance));
        self.queue.push_back(Request { call, waiter: Waiter::Nobody, born: Instant::now() });
    }

    async fn wake(&mut self) -> Wake {
        let times = self.target.timeouts;
        let now = Instant::now();
        let mut deadline = self.last_answer + times.keep_alive;
        if self.probing() || deadline <= now {
            // The probe under way has its own times.
            deadline = now + times.keep_alive;
        }
        // In the past when something is going on although no handle has asked for anything lately: a console.
        let idle = self.last_use + times.idle;
        if idle > now {
            deadline = deadline.min(idle);
        }
        for f in &self.in_flight {
            deadline = deadline.min(f.next_try);
        }
        if let Some(at) = self.console.as_ref().and_then(Console::deadline) {
            deadline = deadline.min(at);
        }
        let room = self.queue.len() < BACKLOG;
        let wake = tokio::select! {
            received = self.link.recv() => match received {
                Ok((datagram, port)) => Err(Ok(Seen::read(datagram, port, &mut self.live))),
                Err(error) => Err(Err(error)),
            },
            job = self.jobs.recv(), if room => Ok(Wake::Job(job)),
            console = Console::wake(&mut self.console) => Ok(Wake::Console(console)),
            () = sleep_until(deadline) => Ok(Wake::Timer),
        };
        match wake {
            Ok(wake) => wake,
            Err(Ok(seen)) => {
                match seen {
                    Ok(Some(seen)) => self.received(&seen),
                    Ok(None) => {}
                    Err(error) => self.malformed(error),
                }
                Wake::Received(Ok(()))
            }
            Err(Err(error)) => Wake::Received(Err(error)),
        }
    }

    fn received(&mut self, seen: &Seen) {
        let now = Instant::now();
        match seen.payload_type {
            PayloadType::Sol => {
                self.last_heard = now;
                let read = self.console.as_mut().map(|console| console.received(&seen.payload, seen.sequence, seen.port));
                if let Some(Err(error)) = read {
                    self.malformed(error);
                }
            }
            PayloadType::Ipmi => match Message::decode(&seen.payload) {
                Ok(message) => {
                    self.last_heard = now;
                    if let Message::Response(response) = message {
                        self.answered(response);
                    }
                }
                // what cannot be read is no sign of life
                Err(error) => self.malformed(error),
            },
            _ => self.last_heard = now,
        }
    }

    /// A packet from the BMC's address that makes no sense. It changes nothing, because anybody can send one; but if
    /// there was nothing else, the error will say so.
    fn malformed(&mut self, error: DecodeError) {
        tracing::debug!(bmc = %self.target.addr, %error, "packet refused");
        self.link.count(Event::Malformed);
        self.garbage = Some((Instant::now(), error));
    }

    fn error(&self, kind: ErrorKind) -> Error {
        Error::new(self.target.addr, kind)
    }
}
