//! The task behind a [`crate::Client`]: it alone owns the socket and the session of one BMC.

mod link;
mod open;
mod serve;
mod session;
mod sol;

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use ipmi_wire::NetFn;
use ipmi_wire::bridge::Route;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use crate::client::{RawResponse, SolOptions};
use crate::error::{Error, ErrorKind, Stage};
use crate::metrics::{Event, Metrics};
use crate::network::Network;
use crate::sol::{SolEvent, SolWriter};
use crate::target::Target;

use open::{Failure, Memory};
use serve::{End, Serving};

/// One request as the handle wants it.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) route: Route,
    pub(crate) net_fn: NetFn,
    pub(crate) lun: u8,
    pub(crate) cmd: u8,
    pub(crate) data: Vec<u8>,
    pub(crate) name: &'static str,
    /// Executing it twice does no harm.
    pub(crate) repeatable: bool,
}

#[derive(Debug)]
pub(crate) enum Job {
    Call { call: Call, reply: oneshot::Sender<Result<Answered, Error>> },
    OpenSol { options: SolOptions, reply: oneshot::Sender<Result<OpenedSol, Error>> },
    IsOwnSession { id: u32, reply: oneshot::Sender<bool> },
    Close { reply: oneshot::Sender<()> },
}

/// An answer, and how often it was asked for.
#[derive(Debug)]
pub(crate) struct Answered {
    pub(crate) raw: RawResponse,
    pub(crate) attempts: u32,
}

/// The user's ends of a console's channels.
#[derive(Debug)]
pub(crate) struct OpenedSol {
    pub(crate) events: mpsc::Receiver<SolEvent>,
    pub(crate) writer: SolWriter,
}

/// Who waits for an answer.
#[derive(Debug)]
enum Waiter {
    Caller(oneshot::Sender<Result<Answered, Error>>),
    Sol(SolOptions, oneshot::Sender<Result<OpenedSol, Error>>),
    /// Shows whether the session lives.
    Probe,
    /// Shows whose the console is.
    Console,
    Nobody,
}

impl Waiter {
    fn fail(self, error: Error) {
        // A caller that went away needs no answer.
        match self {
            Self::Caller(reply) => drop(reply.send(Err(error))),
            Self::Sol(_, reply) => drop(reply.send(Err(error))),
            Self::Probe | Self::Console | Self::Nobody => {}
        }
    }

    fn is_gone(&self) -> bool {
        match self {
            Self::Caller(reply) => reply.is_closed(),
            Self::Sol(_, reply) => reply.is_closed(),
            Self::Probe | Self::Console | Self::Nobody => false,
        }
    }
}

/// A request waiting to be sent or answered.
#[derive(Debug)]
struct Request {
    call: Call,
    waiter: Waiter,
    born: Instant,
}

/// Waits between repetitions: growing, and scattered so that many clients do not keep step.
#[derive(Debug, Clone)]
struct Patience {
    wait: Duration,
    attempts: u32,
}

impl Patience {
    fn new(first: Duration) -> Self {
        Self { wait: first, attempts: 0 }
    }

    /// When to repeat what is sent now.
    fn next(&mut self) -> Instant {
        self.attempts += 1;
        let [scatter] = random().unwrap_or([128]);
        // 80 to 120 %.
        let wait = self.wait.mul_f32(0.8 + 0.4 * f32::from(scatter) / 255.0);
        self.wait = self.wait.mul_f32(1.5).min(Duration::from_secs(2));
        Instant::now() + wait
    }

    /// The same with longer waits.
    fn slowed(&self, least: Duration) -> Self {
        Self { wait: self.wait.max(least), attempts: self.attempts - u32::from(self.attempts > 0) }
    }

    fn attempts(&self) -> u32 {
        self.attempts
    }
}

/// Unpredictable octets.
fn random<const N: usize>() -> Result<[u8; N], ErrorKind> {
    let mut octets = [0; N];
    getrandom::fill(&mut octets).map_err(|e| ErrorKind::Network(format!("no random numbers: {e}")))?;
    Ok(octets)
}

/// Runs until the last handle is gone.
pub(crate) async fn run(
    network: Arc<dyn Network>,
    target: Arc<Target>,
    mut jobs: mpsc::Receiver<Job>,
    strongest: Arc<AtomicU8>,
    metrics: Arc<Metrics>,
) {
    let mut memory = Memory::new(Arc::clone(&metrics));
    let mut queue: VecDeque<Request> = VecDeque::new();
    loop {
        // Nothing is sent before somebody wants something.
        while queue.is_empty() {
            match jobs.recv().await {
                Some(job) => enqueue(job, &mut queue, &memory),
                None => return,
            }
        }
        let born = queue.iter().map(|request| request.born).max().unwrap_or_else(Instant::now);
        let (link, live) = match open::open(&*network, &target, &mut memory, born..born + target.timeouts.request).await {
            Ok(opened) => opened,
            Err(Failure { kind, attempts }) => {
                metrics.count(Event::SessionRefused);
                let error = Error { bmc: target.addr, attempt: attempts, kind };
                tracing::debug!(%error, "no session");
                while let Ok(job) = jobs.try_recv() {
                    enqueue(job, &mut queue, &memory);
                }
                queue.drain(..).for_each(|request| request.waiter.fail(error.clone()));
                continue;
            }
        };
        let suite = memory.strongest.map_or(0, ipmi_wire::CipherSuite::id);
        strongest.store(suite, Ordering::Relaxed);
        metrics.count(Event::SessionOpened);
        tracing::debug!(bmc = %target.addr, suite, "session open");
        let mut serving = Serving::new(&target, &memory, link, live, &mut jobs, &mut queue);
        match serving.run().await {
            End::Lost => {
                metrics.count(Event::SessionLost);
                tracing::debug!(bmc = %target.addr, "session lost");
            }
            End::Idle => {}
            End::Closed(reply) => drop(reply.send(())),
            End::HandlesGone => return,
        }
    }
}

/// Puts a job that arrives while there is no session into the queue, or answers it at once.
fn enqueue(job: Job, queue: &mut VecDeque<Request>, memory: &Memory) {
    match job {
        Job::Call { call, reply } => queue.push_back(Request { call, waiter: Waiter::Caller(reply), born: Instant::now() }),
        Job::OpenSol { options, reply } => queue.push_back(activate(options, reply)),
        Job::IsOwnSession { id, reply } => drop(reply.send(memory.is_own(id))),
        Job::Close { reply } => drop(reply.send(())),
    }
}

fn activate(options: SolOptions, reply: oneshot::Sender<Result<OpenedSol, Error>>) -> Request {
    use ipmi_wire::command::{ActivatePayload, Body, Command};
    let mut data = Vec::new();
    ActivatePayload::sol(options.instance).encode(&mut data);
    let call = Call {
        route: options.route,
        net_fn: ActivatePayload::NET_FN,
        lun: 0,
        cmd: ActivatePayload::CMD,
        data,
        name: ActivatePayload::NAME,
        repeatable: false,
    };
    Request { call, waiter: Waiter::Sol(options, reply), born: Instant::now() }
}

impl Call {
    /// A command without data or options, on behalf of the task itself.
    fn internal<C: ipmi_wire::command::Command>(route: Route, command: &C) -> Self {
        let mut data = Vec::new();
        command.encode(&mut data);
        Self { route, net_fn: C::NET_FN, lun: 0, cmd: C::CMD, data, name: C::NAME, repeatable: command.is_idempotent() }
    }

    fn no_answer(&self, attempts: u32, waited: Duration) -> ErrorKind {
        let outcome_unknown = !self.repeatable && attempts > 0;
        ErrorKind::NoAnswer { stage: Stage::Command(self.name), attempts, waited, outcome_unknown }
    }
}
