//! The console of a session: between the user's channels and the SOL engine.

use std::collections::VecDeque;

use bytes::{Buf, Bytes};
use ipmi_wire::command::{ActivatePayload, ActivatePayloadResponse, Body, Command, explain};
use ipmi_wire::session::PayloadType;
use ipmi_wire::sol::{Role, SolConfig, SolEngine, SolEvent as WireEvent};
use ipmi_wire::{CompletionCode, DecodeError};
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use super::OpenedSol;
use super::link::Link;
use super::session::Live;
use crate::client::{RawResponse, SolOptions};
use crate::error::{Error, ErrorKind, Stage};
use crate::sol::{CloseReason, SolEvent, SolInput, SolWriter};
use crate::target::{Quirk, Target};

/// Events waiting for the user before the BMC is held back.
const EVENTS: usize = 64;
/// Writes waiting before writers are.
const INPUTS: usize = 8;
/// Packets to a port the BMC named without an answer from there, after which the session's port is used.
const PORT_TRIES: u32 = 3;

/// What the console needs the task for.
#[derive(Debug)]
pub(super) enum ConsoleWake {
    Input(SolInput),
    /// The user reads again.
    Room,
    /// The user is gone.
    Dropped,
}

/// Something the user waits for the BMC to take.
#[derive(Debug)]
enum Mark {
    Position(u64),
    Signal(u64),
}

#[derive(Debug)]
pub(super) struct Console {
    pub(super) options: SolOptions,
    target: std::net::SocketAddr,
    engine: SolEngine,
    events: mpsc::Sender<SolEvent>,
    /// An event the user had no room for.
    held: Option<SolEvent>,
    input: mpsc::Receiver<SolInput>,
    input_open: bool,
    /// What the engine had no room for.
    blocked: Option<(Bytes, oneshot::Sender<()>)>,
    marks: VecDeque<(Mark, oneshot::Sender<()>)>,
    signals: u64,
    session_port: u16,
    port: u16,
    /// Packets sent to a port nothing has come from yet.
    unproven: u32,
    closed: Option<CloseReason>,
    /// The BMC has named this session as the holder.
    named: bool,
}

impl Console {
    /// From the answer to Activate Payload.
    pub(super) fn open(target: &Target, options: SolOptions, raw: &RawResponse) -> Result<(Self, OpenedSol), ErrorKind> {
        match raw.code {
            CompletionCode::OK => {}
            ActivatePayload::ALREADY_ACTIVE | ActivatePayload::LIMIT => return Err(ErrorKind::SolHeld { holder: None }),
            code @ (ActivatePayload::DISABLED | CompletionCode::INVALID_COMMAND) => return Err(ErrorKind::NoSol { code }),
            code => {
                return Err(ErrorKind::Completion { command: ActivatePayload::NAME, code, text: explain::<ActivatePayload>(code) });
            }
        }
        let active = ActivatePayloadResponse::decode(&raw.data)
            .map_err(|error: DecodeError| ErrorKind::Garbage { stage: Stage::Command(ActivatePayload::NAME), error })?;
        let config = SolConfig {
            chunk: SolConfig::chunk_for(active.inbound_size),
            zero_accepts_all: target.quirks.has(Quirk::IntelPlus),
            ..SolConfig::default()
        };
        let (events, user_events) = mpsc::channel(EVENTS);
        let (user_input, input) = mpsc::channel(INPUTS);
        let session_port = target.addr.port();
        let port = match active.port {
            // Nothing, or the session's port with its octets swapped.
            0 => session_port,
            port if port.swap_bytes() == session_port => session_port,
            port => port,
        };
        let console = Self {
            options,
            target: target.addr,
            engine: SolEngine::new(Role::Console, config),
            events,
            held: None,
            input,
            input_open: true,
            blocked: None,
            marks: VecDeque::new(),
            signals: 0,
            session_port,
            port,
            unproven: 0,
            closed: None,
            named: false,
        };
        Ok((console, OpenedSol { events: user_events, writer: SolWriter { input: user_input } }))
    }

    /// Why nothing moves any more.
    pub(super) fn closed(&self) -> Option<&CloseReason> {
        self.closed.as_ref()
    }

    pub(super) fn unanswered_since(&self) -> Option<Instant> {
        self.engine.unanswered_since().map(Instant::from_std)
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        self.engine.deadline().map(Instant::from_std)
    }

    /// Waits for the user's side; forever when there is no console. Cancel safe.
    pub(super) async fn wake(console: &mut Option<Self>) -> ConsoleWake {
        let Some(console) = console else { return std::future::pending().await };
        let takes_input = console.input_open && console.blocked.is_none();
        loop {
            tokio::select! {
                input = console.input.recv(), if takes_input && console.input_open => match input {
                    Some(input) => return ConsoleWake::Input(input),
                    // All writers are gone; reading goes on.
                    None => console.input_open = false,
                },
                room = console.events.reserve(), if console.held.is_some() => {
                    match (room, console.held.take()) {
                        (Ok(room), Some(event)) => room.send(event),
                        (Err(_), _) | (_, None) => return ConsoleWake::Dropped,
                    }
                    return ConsoleWake::Room;
                },
                () = console.events.closed() => return ConsoleWake::Dropped,
            }
        }
    }

    pub(super) fn input(&mut self, input: SolInput) {
        match input {
            SolInput::Write(data, done) => self.blocked = Some((data, done)),
            SolInput::Break(done) => {
                self.engine.send_break();
                self.signals += 1;
                self.marks.push_back((Mark::Signal(self.signals), done));
            }
        }
    }

    /// A SOL packet of the session arrived from that port.
    pub(super) fn received(&mut self, payload: &[u8], sequence: u32, port: u16) -> Result<(), DecodeError> {
        self.port = port;
        self.unproven = 0;
        self.engine.handle(payload, sequence, Instant::now().into_std())
    }

    /// The BMC says whose the console is. Only one that has named this session before is believed when it names another:
    /// some fill in handles or nothing at all.
    pub(super) fn held_by(&mut self, holder: u32, ours: u32) {
        if holder == ours {
            self.named = true;
        } else if self.named {
            self.close(CloseReason::Deactivated);
        }
    }

    /// Moves everything as far as it goes.
    pub(super) async fn pump(&mut self, live: &mut Live, link: &Link) {
        loop {
            if let Some((mut data, done)) = self.blocked.take() {
                data.advance(self.engine.push(&data));
                if data.is_empty() {
                    self.marks.push_back((Mark::Position(self.engine.pushed()), done));
                } else {
                    self.blocked = Some((data, done));
                }
            }
            self.deliver();
            let Some(payload) = self.engine.poll_transmit(Instant::now().into_std()) else { break };
            if self.port != self.session_port {
                self.unproven += 1;
                if self.unproven > PORT_TRIES {
                    tracing::debug!(bmc = %self.target, port = self.port, "no SOL from the port the BMC named; using the session's");
                    self.port = self.session_port;
                }
            }
            match live.seal(PayloadType::Sol, &payload) {
                Ok(packet) => {
                    if let Err(error) = link.send_to_port(&packet, self.port).await {
                        tracing::debug!(bmc = %self.target, %error, "sending SOL");
                    }
                }
                Err(error) => tracing::debug!(bmc = %self.target, %error, "sealing SOL"),
            }
        }
        // `poll_transmit` may have given up.
        self.deliver();
        while let Some((mark, _)) = self.marks.front() {
            let reached = match mark {
                Mark::Position(at) => self.engine.acknowledged() >= *at,
                Mark::Signal(n) => self.engine.signals_acknowledged() >= *n,
            };
            if !reached {
                break;
            }
            if let Some((_, done)) = self.marks.pop_front() {
                // A writer that went away does not matter.
                let _ = done.send(());
            }
        }
    }

    /// Hands events to the user while there is room.
    fn deliver(&mut self) {
        while self.held.is_none() && self.closed.is_none() {
            let Some(event) = self.engine.poll_event() else { return };
            let event = match event {
                WireEvent::Data(data) => SolEvent::Data(data.into()),
                WireEvent::Overrun => SolEvent::Overrun,
                WireEvent::Break => SolEvent::Break,
                WireEvent::Unavailable(unavailable) => SolEvent::Unavailable(unavailable),
                WireEvent::Deactivated => return self.close(CloseReason::Deactivated),
                WireEvent::Unanswered => {
                    let waited = self.unanswered_since().map_or(std::time::Duration::ZERO, |since| since.elapsed());
                    let attempts = SolConfig::default().attempts;
                    let kind = ErrorKind::NoAnswer { stage: Stage::Command("SOL characters"), attempts, waited, outcome_unknown: true };
                    return self.close(CloseReason::Lost(Error::new(self.target, kind)));
                }
                // Operations of a console; no BMC sends them.
                WireEvent::Control(_) => continue,
            };
            if let Err(mpsc::error::TrySendError::Full(event)) = self.events.try_send(event) {
                self.held = Some(event);
            }
        }
    }

    /// Tells the user, after everything that came before.
    pub(super) fn close(&mut self, reason: CloseReason) {
        if self.closed.is_some() {
            return;
        }
        self.closed = Some(reason.clone());
        let mut last: Vec<SolEvent> = self.held.take().into_iter().collect();
        while let Some(event) = self.engine.poll_event() {
            if let WireEvent::Data(data) = event {
                last.push(SolEvent::Data(data.into()));
            }
        }
        last.push(SolEvent::Closed(reason));
        let events = self.events.clone();
        // The user may read slowly; the session's task must not wait for that.
        tokio::spawn(async move {
            for event in last {
                if events.send(event).await.is_err() {
                    return;
                }
            }
        });
        self.marks.clear();
        self.blocked = None;
        self.input.close();
    }
}
