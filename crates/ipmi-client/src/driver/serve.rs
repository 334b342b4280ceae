//! An open session at work: many requests under way, a console beside them, and a watch on whether the BMC is still there.

use std::collections::VecDeque;
use std::io;
use std::time::Duration;

use ipmi_wire::bridge::{Answer, unwrap_answer};
use ipmi_wire::command::{CloseSession, Command, DeactivatePayload, GetDeviceId};
use ipmi_wire::ipmb::{Message, Response, RqSeq};
use ipmi_wire::session::{Datagram, PayloadType};
use ipmi_wire::{CompletionCode, NetFn};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep_until};

use super::link::Link;
use super::open::Memory;
use super::session::{Live, ask};
use super::sol::{Console, ConsoleWake};
use super::{Call, Job, Patience, Request, Waiter, activate};
use crate::client::RawResponse;
use crate::error::{Error, ErrorKind};
use crate::sol::CloseReason;
use crate::target::Target;

/// Requests under way at a time. BMCs have few buffers, and drop what does not fit.
const IN_FLIGHT: usize = 4;
/// Requests accepted from the handles before they wait.
const BACKLOG: usize = 64;
/// Repetitions of the probe before the session counts as lost.
const PROBE_ATTEMPTS: u32 = 4;
/// A command that must not be executed twice is sent only into a session heard from this recently.
const FRESH: Duration = Duration::from_secs(3);
/// Copies of a packet that must not be executed twice.
const SAME_PACKET: u32 = 3;
/// Console characters unanswered for this long are a reason to probe.
const SOL_STALL: Duration = Duration::from_millis(1500);

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

struct InFlight {
    request: Request,
    seq: RqSeq,
    sent: Instant,
    patience: Patience,
    next_try: Instant,
    /// The packet itself when only this very one may be repeated.
    packet: Option<Vec<u8>>,
    /// The BMC is known to have it (busy with it, or passed it on).
    taken: bool,
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
        }
    }

    pub(super) async fn run(&mut self) -> End {
        loop {
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

    /// Sends what waits in the queue, as far as the BMC can be expected to take it.
    async fn dispatch(&mut self) {
        self.queue.retain(|request| !request.waiter.is_gone());
        while let Some(front) = self.queue.front() {
            let probing = self.probing();
            if self.in_flight.len() >= IN_FLIGHT + usize::from(probing) {
                return;
            }
            if !front.call.repeatable && self.last_heard.elapsed() > FRESH {
                // If the session is dead, better to learn it from something harmless.
                self.probe().await;
                return;
            }
            let Some(request) = self.queue.pop_front() else { return };
            self.send(request).await;
        }
    }

    fn probing(&self) -> bool {
        self.in_flight.iter().any(|f| matches!(f.request.waiter, Waiter::Probe))
    }

    async fn probe(&mut self) {
        if !self.probing() {
            let call = Call::internal(ipmi_wire::bridge::Route::Direct, &GetDeviceId);
            self.send(Request { call, waiter: Waiter::Probe, born: Instant::now() }).await;
        }
    }

    async fn send(&mut self, request: Request) {
        let mut seq = self.next_seq;
        while self.in_flight.iter().any(|f| f.seq == seq) {
            seq = seq.next();
        }
        self.next_seq = seq.next();
        let mut patience = Patience::new(self.target.timeouts.retry);
        let next_try = patience.next();
        let mut in_flight = InFlight { request, seq, sent: Instant::now(), patience, next_try, packet: None, taken: false };
        match transmit(&mut in_flight, &mut self.live, &self.link).await {
            Ok(()) => self.in_flight.push(in_flight),
            Err(kind) => in_flight.request.waiter.fail(Error { bmc: self.target.addr, kind }),
        }
    }

    /// Repeats what is due, gives up what is overdue, and watches over the session.
    async fn timers(&mut self) -> Option<End> {
        let now = Instant::now();
        let times = self.target.timeouts;
        let mut wants_probe = false;
        let mut i = 0;
        while let Some(f) = self.in_flight.get_mut(i) {
            if now < f.next_try {
                i += 1;
                continue;
            }
            let is_probe = matches!(f.request.waiter, Waiter::Probe);
            let alive = f.taken || self.last_heard > f.sent;
            let limit = if alive { times.slow_request } else { times.request };
            if is_probe && f.patience.attempts() >= PROBE_ATTEMPTS {
                return Some(End::Lost);
            }
            let waited = now - f.request.born;
            if !is_probe && (waited >= limit || f.request.waiter.is_gone()) {
                let f = self.in_flight.swap_remove(i);
                let kind = f.request.call.no_answer(f.patience.attempts(), waited);
                f.request.waiter.fail(Error { bmc: self.target.addr, kind });
                continue;
            }
            f.next_try = f.patience.next().min(f.request.born + if is_probe { times.slow_request } else { limit.max(waited) });
            // Never later than the moment the request is given up, never in the past.
            f.next_try = f.next_try.max(now + Duration::from_millis(10));
            let once_only = f.packet.is_some() && f.patience.attempts() > SAME_PACKET;
            if !f.taken
                && !once_only
                && let Err(error) = transmit(f, &mut self.live, &self.link).await
            {
                tracing::debug!(bmc = %self.target.addr, %error, "repeating a request");
            }
            wants_probe |= !is_probe && self.last_heard <= f.sent;
            i += 1;
        }
        if let Some(since) = self.console.as_ref().and_then(Console::unanswered_since) {
            wants_probe |= since.elapsed() > SOL_STALL && self.last_heard.elapsed() > SOL_STALL;
        }
        if wants_probe || self.last_answer.elapsed() >= times.keep_alive {
            self.probe().await;
        }
        let busy = self.console.is_some() || !self.queue.is_empty() || !self.in_flight.is_empty();
        (!busy && self.last_use.elapsed() >= times.idle).then_some(End::Idle)
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
                Ok((datagram, port)) => {
                    let seen = Seen::read(datagram, port, &mut self.live, self.target);
                    Err(Ok(seen))
                }
                Err(error) => Err(Err(error)),
            },
            job = self.jobs.recv(), if room => Ok(Wake::Job(job)),
            console = Console::wake(&mut self.console) => Ok(Wake::Console(console)),
            () = sleep_until(deadline) => Ok(Wake::Timer),
        };
        match wake {
            Ok(wake) => wake,
            Err(Ok(Some(seen))) => {
                self.received(&seen);
                Wake::Received(Ok(()))
            }
            Err(Ok(None)) => Wake::Received(Ok(())),
            Err(Err(error)) => Wake::Received(Err(error)),
        }
    }

    fn received(&mut self, seen: &Seen) {
        self.last_heard = Instant::now();
        match seen.payload_type {
            PayloadType::Sol => {
                if let Some(console) = &mut self.console {
                    console.received(&seen.payload, seen.sequence, seen.port);
                }
            }
            PayloadType::Ipmi => match Message::decode(&seen.payload) {
                Ok(Message::Response(response)) => self.answered(response),
                Ok(Message::Request(_)) => {}
                Err(error) => tracing::debug!(bmc = %self.target.addr, %error, "unreadable message"),
            },
            _ => {}
        }
    }

    fn answered(&mut self, response: Response<'_>) {
        let Some(i) = self.in_flight.iter().position(|f| f.seq == response.seq) else { return };
        let Some(f) = self.in_flight.get_mut(i) else { return };
        let call = &f.request.call;
        let bridged = call.route.depth() > 0;
        let result = if bridged { unwrap_answer(response) } else { Ok(Answer::Final(response)) };
        let raw = match result {
            Ok(Answer::Acknowledged) => {
                self.last_answer = Instant::now();
                f.taken = true;
                return;
            }
            Ok(Answer::HopFailed(code)) => Err(ErrorKind::Bridge { code }),
            Ok(Answer::Final(r)) if r.answers(call.net_fn, call.cmd, f.seq) => {
                Ok(RawResponse { code: r.completion, data: r.data.to_vec() })
            }
            // Somebody else's, or one that comes too late.
            Ok(Answer::Final(_)) => return,
            Err(error) => Err(ErrorKind::Garbage { stage: crate::Stage::Command(call.name), error }),
        };
        self.last_answer = Instant::now();
        let busy = matches!(&raw, Ok(r) if r.code == CompletionCode::NODE_BUSY);
        if busy && f.request.born.elapsed() < self.target.timeouts.slow_request {
            // Not executed, so even a command that must not run twice may go out anew.
            f.packet = None;
            f.patience = Patience::new(self.target.timeouts.retry);
            f.next_try = f.patience.next();
            return;
        }
        let f = self.in_flight.swap_remove(i);
        self.finish(f.request, raw);
    }

    fn finish(&mut self, request: Request, raw: Result<RawResponse, ErrorKind>) {
        let Request { call, waiter, .. } = request;
        if (call.net_fn, call.cmd) == (NetFn::APP, DeactivatePayload::CMD)
            && matches!(&raw, Ok(r) if r.code.is_ok())
            && matches!(waiter, Waiter::Caller(_))
            && let Some(mut console) = self.console.take()
        {
            console.close(CloseReason::Deactivated);
        }
        match waiter {
            Waiter::Caller(reply) => drop(reply.send(raw.map_err(|kind| self.error(kind)))),
            Waiter::Sol(options, reply) => {
                let opened = raw.and_then(|raw| Console::open(self.target, options, &raw));
                match opened {
                    Ok((console, opened)) => {
                        if reply.send(Ok(opened)).is_ok() {
                            self.console = Some(console);
                        } else {
                            self.send_deactivate(&console);
                        }
                    }
                    Err(kind) => drop(reply.send(Err(self.error(kind)))),
                }
            }
            Waiter::Probe | Waiter::Nobody => {}
        }
    }

    /// Settles what is under way when serving ends.
    async fn ended(&mut self, end: End) -> End {
        let lost = self.error(ErrorKind::NoAnswer {
            stage: crate::Stage::Command(GetDeviceId::NAME),
            attempts: PROBE_ATTEMPTS,
            waited: self.last_heard.elapsed(),
            outcome_unknown: false,
        });
        let is_lost = matches!(end, End::Lost);
        for f in self.in_flight.drain(..) {
            let (tries, waited) = (f.patience.attempts(), f.request.born.elapsed());
            if is_lost && f.request.call.repeatable && matches!(f.request.waiter, Waiter::Caller(_)) {
                // Goes out again in the next session, within its own time.
                self.queue.push_front(f.request);
            } else if is_lost {
                let kind = f.request.call.no_answer(tries, waited);
                f.request.waiter.fail(Error { bmc: self.target.addr, kind });
            } else {
                f.request.waiter.fail(Error { bmc: self.target.addr, kind: ErrorKind::Closed });
            }
        }
        let console = self.console.take();
        if is_lost {
            if let Some(mut console) = console {
                console.close(CloseReason::Lost(lost));
            }
            self.queue.retain(|request| !matches!(request.waiter, Waiter::Nobody | Waiter::Probe));
            return end;
        }
        if !matches!(end, End::Idle) {
            let closed = self.error(ErrorKind::Closed);
            self.queue.drain(..).for_each(|request| request.waiter.fail(closed.clone()));
        }
        self.say_goodbye(console).await;
        end
    }

    /// Deactivates the console and closes the session, without insisting.
    async fn say_goodbye(&mut self, console: Option<Console>) {
        let retry = self.target.timeouts.retry;
        let mut goodbyes = Vec::new();
        if let Some(mut console) = console {
            console.close(CloseReason::Local);
            goodbyes.push(Call::internal(console.options.route, &DeactivatePayload::sol(console.options.instance)));
        }
        goodbyes.push(Call::internal(ipmi_wire::bridge::Route::Direct, &CloseSession { session_id: self.live.bmc_id() }));
        for call in goodbyes {
            let seq = self.next_seq;
            self.next_seq = seq.next();
            let deadline = Instant::now() + retry * 2;
            let request = (call.net_fn, call.cmd, call.data.as_slice());
            if let Err(error) = ask(&mut self.link, &mut self.live, request, seq, retry, deadline).await {
                tracing::debug!(bmc = %self.target.addr, %error, "closing the session");
            }
        }
    }

    fn error(&self, kind: ErrorKind) -> Error {
        Error { bmc: self.target.addr, kind }
    }
}

/// Sends a request, for the first time or again: the same request number, and a new session sequence number unless the
/// request must not be executed twice. Then it is the same packet, which the BMC's replay window lets through once.
async fn transmit(f: &mut InFlight, live: &mut Live, link: &Link) -> Result<(), ErrorKind> {
    let call = &f.request.call;
    if f.packet.is_none() {
        let message = call.route.wrap(call.net_fn, call.lun, call.cmd, f.seq, &call.data);
        let packet = live.seal(PayloadType::Ipmi, &message)?;
        if call.repeatable {
            return send(link, &packet).await;
        }
        f.packet = Some(packet);
    }
    send(link, f.packet.as_deref().unwrap_or_default()).await
}

/// Errors of sending are passing ones (buffers, routes): repetition deals with them.
async fn send(link: &Link, packet: &[u8]) -> Result<(), ErrorKind> {
    if let Err(error) = link.send(packet).await {
        tracing::debug!(%error, "sending");
    }
    Ok(())
}

/// An authentic, fresh packet of the session.
struct Seen {
    payload_type: PayloadType,
    sequence: u32,
    payload: Vec<u8>,
    port: u16,
}

impl Seen {
    fn read(datagram: &[u8], port: u16, live: &mut Live, target: &Target) -> Option<Self> {
        match Datagram::decode(datagram) {
            Ok(Datagram::V20(packet)) => match live.open(&packet) {
                Ok(payload) => payload.map(|payload| Self { payload_type: packet.payload_type, sequence: packet.sequence, payload, port }),
                Err(error) => {
                    tracing::debug!(bmc = %target.addr, %error, "packet refused");
                    None
                }
            },
            Ok(_) => None,
            Err(error) => {
                tracing::debug!(bmc = %target.addr, %error, "not an IPMI packet");
                None
            }
        }
    }
}
