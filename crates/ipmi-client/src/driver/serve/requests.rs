//! Requests of a session: sending, repeating, giving up, and what answers them.

use std::time::Duration;

use ipmi_wire::bridge::{Answer, Route, unwrap_answer};
use ipmi_wire::command::{Body, Command, DeactivatePayload, GetDeviceId, GetPayloadInstanceInfo, PayloadInstanceInfo};
use ipmi_wire::ipmb::{Response, RqSeq};
use ipmi_wire::session::PayloadType;
use ipmi_wire::{CompletionCode, NetFn};
use tokio::time::Instant;

use super::{End, Serving};
use crate::client::RawResponse;
use crate::driver::link::Link;
use crate::driver::session::Live;
use crate::driver::sol::Console;
use crate::driver::{Answered, Call, Patience, Request, Waiter};
use crate::error::{Error, ErrorKind, Stage};
use crate::metrics::Event;
use crate::sol::CloseReason;

/// Requests under way at a time. BMCs have few buffers, and drop what does not fit.
const IN_FLIGHT: usize = 4;
/// Repetitions of the probe before the session counts as lost.
pub(super) const PROBE_ATTEMPTS: u32 = 4;
/// A command that must not be executed twice is sent only into a session heard from this recently.
const FRESH: Duration = Duration::from_secs(3);
/// Copies of a packet that must not be executed twice.
const SAME_PACKET: u32 = 3;
/// Least wait for the answer to a request that a hop has passed on.
const PASSED_ON: Duration = Duration::from_secs(1);
/// Console characters unanswered for this long are a reason to probe.
const SOL_STALL: Duration = Duration::from_millis(1500);

/// A request that was sent.
pub(super) struct InFlight {
    pub(super) request: Request,
    pub(super) seq: RqSeq,
    pub(super) sent: Instant,
    pub(super) patience: Patience,
    pub(super) next_try: Instant,
    /// The packet itself when only this very one may be repeated.
    packet: Option<Vec<u8>>,
    /// The BMC is known to have it (busy with it, or passed it on).
    taken: bool,
}

impl Serving<'_> {
    /// Sends what waits in the queue, as far as the BMC can be expected to take it.
    pub(super) async fn dispatch(&mut self) {
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

    pub(super) fn probing(&self) -> bool {
        self.in_flight.iter().any(|f| matches!(f.request.waiter, Waiter::Probe))
    }

    async fn probe(&mut self) {
        if !self.probing() {
            let call = Call::internal(Route::Direct, &GetDeviceId);
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
        self.link.count(Event::Request);
        match transmit(&mut in_flight, &mut self.live, &self.link).await {
            Ok(()) => self.in_flight.push(in_flight),
            Err(kind) => in_flight.request.waiter.fail(self.error(kind)),
        }
    }

    /// Repeats what is due, gives up what is overdue, and watches over the session.
    pub(super) async fn timers(&mut self) -> Option<End> {
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
                if !f.request.waiter.is_gone() {
                    self.link.count(Event::Timeout);
                }
                let attempt = f.patience.attempts();
                let kind = self.given_up(&f, waited);
                f.request.waiter.fail(Error { attempt, ..self.error(kind) });
                continue;
            }
            f.next_try = f.patience.next().min(f.request.born + if is_probe { times.slow_request } else { limit.max(waited) });
            // Never later than the moment the request is given up, never in the past.
            f.next_try = f.next_try.max(now + Duration::from_millis(10));
            let once_only = f.packet.is_some() && f.patience.attempts() > SAME_PACKET;
            if !once_only && (!f.taken || f.request.call.repeatable) {
                self.link.count(Event::Retransmission);
                if let Err(error) = transmit(f, &mut self.live, &self.link).await {
                    tracing::debug!(bmc = %self.target.addr, %error, "repeating a request");
                }
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

    pub(super) fn answered(&mut self, response: Response<'_>) {
        let Some(i) = self.in_flight.iter().position(|f| f.seq == response.seq) else { return };
        let Some(f) = self.in_flight.get_mut(i) else { return };
        let call = &f.request.call;
        let bridged = call.route.depth() > 0;
        let result = if bridged { unwrap_answer(response) } else { Ok(Answer::Final(response)) };
        let raw = match result {
            Ok(Answer::Acknowledged) => {
                self.last_answer = Instant::now();
                if !f.taken {
                    f.taken = true;
                    // it is on its way over slower buses, but may get lost on the way back
                    f.patience = f.patience.slowed(PASSED_ON);
                    f.next_try = f.patience.next();
                }
                return;
            }
            Ok(Answer::HopFailed(code)) => Err(ErrorKind::Bridge { code }),
            Ok(Answer::Final(r)) if r.answers(call.net_fn, call.cmd, f.seq) => {
                Ok(RawResponse { code: r.completion, data: r.data.to_vec() })
            }
            // Somebody else's, or one that comes too late.
            Ok(Answer::Final(_)) => return,
            Err(error) => Err(ErrorKind::Garbage { stage: Stage::Command(call.name), error }),
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
        let attempts = f.patience.attempts();
        self.finish(f.request, raw, attempts);
    }

    /// Asks whose the console is: at once, and then as often as the session is kept alive. A BMC that ends SOL without
    /// telling its holder (OpenIPMI's simulator does) would leave a silent console for ever.
    pub(super) fn watch_console(&mut self) {
        let Some(console) = &self.console else { return };
        if self.console_asked.is_some_and(|at| at.elapsed() < self.target.timeouts.keep_alive) {
            return;
        }
        self.console_asked = Some(Instant::now());
        let question = GetPayloadInstanceInfo { payload_type: PayloadType::Sol.value(), instance: console.options.instance };
        let call = Call::internal(console.options.route, &question);
        self.queue.push_back(Request { call, waiter: Waiter::Console, born: Instant::now() });
    }

    /// Why a request got no answer: silence, or nothing that could be read.
    fn given_up(&self, f: &InFlight, waited: Duration) -> ErrorKind {
        let silence = f.request.call.no_answer(f.patience.attempts(), waited);
        match (&self.garbage, &silence) {
            // whether it was carried out matters more
            (_, ErrorKind::NoAnswer { outcome_unknown: true, .. }) => silence,
            (Some((at, error)), _) if *at >= f.sent && self.last_heard < *at => {
                ErrorKind::Garbage { stage: Stage::Command(f.request.call.name), error: *error }
            }
            _ => silence,
        }
    }

    fn finish(&mut self, request: Request, raw: Result<RawResponse, ErrorKind>, attempts: u32) {
        let Request { call, waiter, .. } = request;
        if (call.net_fn, call.cmd) == (NetFn::APP, DeactivatePayload::CMD)
            && matches!(&raw, Ok(r) if r.code.is_ok())
            && matches!(waiter, Waiter::Caller(_))
            // another controller's console is not ours
            && let Some(mut console) = self.console.take_if(|console| console.options.route == call.route)
        {
            console.close(CloseReason::Deactivated);
        }
        match waiter {
            Waiter::Caller(reply) => {
                let answered = raw.map(|raw| Answered { raw, attempts });
                drop(reply.send(answered.map_err(|kind| Error { attempt: attempts, ..self.error(kind) })));
            }
            Waiter::Sol(options, reply) => {
                let opened = raw.and_then(|raw| Console::open(self.target, options, &raw));
                match opened {
                    Ok((console, opened)) => {
                        if reply.send(Ok(opened)).is_ok() {
                            self.console = Some(console);
                            self.console_asked = None;
                        } else {
                            self.send_deactivate(&console);
                        }
                    }
                    Err(kind) => drop(reply.send(Err(Error { attempt: attempts, ..self.error(kind) }))),
                }
            }
            Waiter::Console => {
                let holder = raw.ok().filter(|raw| raw.code.is_ok()).and_then(|raw| PayloadInstanceInfo::decode(&raw.data).ok());
                if let (Some(info), Some(console)) = (holder, &mut self.console) {
                    console.held_by(info.session_id, self.live.bmc_id());
                }
            }
            Waiter::Probe | Waiter::Nobody => {}
        }
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
