//! A BMC small enough to be scripted: it writes down every request it was sent, and does what [`Script`] says.
//!
//! `bmc-sim` is the simulator to use for anything realistic; this one exists so that a test can say "lose the answer to the
//! third request" or "name a port nobody listens on".

use std::collections::VecDeque;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use ipmi_client::{Client, Secret, Target, Timeouts};
use ipmi_wire::command::*;
use ipmi_wire::ipmb::{Message, Request, RqSeq};
use ipmi_wire::session::*;
use ipmi_wire::sol::{Role, SolConfig, SolEngine, SolEvent};
use ipmi_wire::{CipherSuite, CompletionCode, NetFn, Privilege};
use tokio::net::UdpSocket;
use tokio::task::JoinHandle;

pub const USER: &str = "admin";
pub const PASSWORD: &str = "secret";
const BMC_ID: u32 = 0xb000_0000;

/// One request in the session, or a copy of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// Session sequence number.
    pub order: u32,
    pub seq: RqSeq,
    pub net_fn: NetFn,
    pub cmd: u8,
    pub data: Vec<u8>,
    /// The replay window let it through.
    pub fresh: bool,
}

impl Seen {
    pub fn is<C: Command>(&self) -> bool {
        (self.net_fn, self.cmd) == (C::NET_FN, C::CMD)
    }
}

/// What happens to the next requests of a command: one entry each, in order; afterwards all is well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mishap {
    /// The request is lost.
    Lost,
    /// It is executed and the answer is lost.
    AnswerLost,
    /// It is answered with this code.
    Code(u8),
    /// The answer comes this late.
    Late(Duration),
    None,
}

#[derive(Debug)]
pub struct Script {
    pub suites: Vec<CipherSuite>,
    /// Get Channel Cipher Suites is answered.
    pub lists_suites: bool,
    /// Open Session with "highest privilege" is refused with 0x12.
    pub wants_open_privilege: bool,
    /// Nothing is answered to an unknown user, as from pyghmi.
    pub silent_to_strangers: bool,
    pub max_privilege: Privilege,
    pub kg: Option<&'static [u8]>,
    pub no_session_left: bool,
    /// Nothing gets in or out.
    pub dead: bool,
    pub mishaps: Vec<((NetFn, u8), VecDeque<Mishap>)>,
    pub activate_code: u8,
    /// Port named in Activate Payload; `None` is the session's.
    pub sol_port: Option<u16>,
    /// SOL really is on a second port.
    pub sol_elsewhere: bool,
    pub sol_holder: u32,
    /// What the next answers are replaced by, undecipherable.
    pub garbage: bool,
}

#[derive(Debug, Default)]
pub struct Log {
    pub seen: Vec<Seen>,
    /// Levels named in Open Session, and the role octets of RAKP 1.
    pub opens: Vec<(CipherSuite, Option<Privilege>)>,
    pub roles: Vec<u8>,
    /// How often the list of suites was asked for, in either format.
    pub list_questions: u32,
    pub sol_received: Vec<u8>,
    pub sol_breaks: u32,
    /// Arrived on the second port.
    pub sol_elsewhere: u32,
    pub power_cycles: u32,
}

#[derive(Debug)]
struct Live {
    session: Established,
    outgoing: OutgoingSequence,
    window: ReplayWindow,
    privilege: Privilege,
}

#[derive(Debug, Default)]
struct State {
    handshake: Option<BmcHandshake>,
    live: Option<Live>,
    next_id: u32,
    engine: Option<SolEngine>,
    peer: Option<SocketAddr>,
}

#[derive(Debug)]
struct Shared {
    script: Mutex<Script>,
    log: Mutex<Log>,
    state: Mutex<State>,
}

/// Runs until dropped.
#[derive(Debug)]
pub struct FakeBmc {
    pub addr: SocketAddr,
    pub second_port: u16,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

impl Drop for FakeBmc {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl FakeBmc {
    pub async fn start() -> Self {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let second = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let (addr, second_port) = (socket.local_addr().unwrap(), second.local_addr().unwrap().port());
        let script = Script {
            suites: CipherSuite::ALL.to_vec(),
            lists_suites: true,
            wants_open_privilege: false,
            silent_to_strangers: false,
            max_privilege: Privilege::Administrator,
            kg: None,
            no_session_left: false,
            dead: false,
            mishaps: Vec::new(),
            activate_code: 0,
            sol_port: None,
            sol_elsewhere: false,
            sol_holder: 0,
            garbage: false,
        };
        let shared = Arc::new(Shared { script: Mutex::new(script), log: Mutex::default(), state: Mutex::default() });
        let task = tokio::spawn(run(Arc::clone(&shared), socket, second));
        Self { addr, second_port, shared, task }
    }

    pub fn script(&self) -> MutexGuard<'_, Script> {
        self.shared.script.lock().unwrap()
    }

    pub fn log(&self) -> MutexGuard<'_, Log> {
        self.shared.log.lock().unwrap()
    }

    pub fn mishaps<C: Command>(&self, mishaps: impl IntoIterator<Item = Mishap>) {
        self.script().mishaps.push(((C::NET_FN, C::CMD), mishaps.into_iter().collect()));
    }

    /// Sessions and consoles are forgotten, as after a restart.
    pub fn reboot(&self) {
        let mut state = self.shared.state.lock().unwrap();
        *state = State { next_id: state.next_id, ..State::default() };
    }

    /// The machine prints.
    pub fn print(&self, characters: &[u8]) {
        let mut state = self.shared.state.lock().unwrap();
        assert_eq!(state.engine.as_mut().unwrap().push(characters), characters.len());
    }

    pub fn with_engine(&self, f: impl FnOnce(&mut SolEngine)) {
        f(self.shared.state.lock().unwrap().engine.as_mut().unwrap());
    }

    pub fn sol_active(&self) -> bool {
        self.shared.state.lock().unwrap().engine.is_some()
    }

    /// All requests of one command.
    pub fn seen<C: Command>(&self) -> Vec<Seen> {
        self.log().seen.iter().filter(|seen| seen.is::<C>()).cloned().collect()
    }

    pub fn target(&self) -> Target {
        let mut target = Target::new(self.addr, USER, Secret::new(PASSWORD));
        // Short enough to test, long enough for a busy machine.
        target.timeouts = Timeouts { retry: Duration::from_millis(150), ..Timeouts::default() };
        target
    }

    pub fn client(&self) -> Client {
        Client::new(self.target())
    }
}

async fn run(shared: Arc<Shared>, socket: UdpSocket, second: UdpSocket) {
    let (mut first_buffer, mut second_buffer) = ([0; 2048], [0; 2048]);
    let mut late: Vec<(tokio::time::Instant, Vec<u8>, SocketAddr)> = Vec::new();
    loop {
        let (len, from, on_second) = tokio::select! {
            received = socket.recv_from(&mut first_buffer) => received.map(|(len, from)| (len, from, false)).unwrap(),
            received = second.recv_from(&mut second_buffer) => received.map(|(len, from)| (len, from, true)).unwrap(),
            () = tokio::time::sleep(Duration::from_millis(5)) => (0, socket.local_addr().unwrap(), false),
        };
        let datagram = if on_second { &second_buffer[..len] } else { &first_buffer[..len] };
        let mut answers = Vec::new();
        if len > 0 && !shared.script.lock().unwrap().dead {
            answers = shared.received(datagram, from, on_second);
        }
        answers.extend(shared.console());
        let now = tokio::time::Instant::now();
        for (wait, answer, to, from_second) in answers {
            if shared.script.lock().unwrap().dead {
                continue;
            }
            if wait.is_zero() {
                let socket = if from_second { &second } else { &socket };
                socket.send_to(&answer, to).await.unwrap();
            } else {
                late.push((now + wait, answer, to));
            }
        }
        while let Some(i) = late.iter().position(|(at, ..)| *at <= now) {
            let (_, answer, to) = late.swap_remove(i);
            socket.send_to(&answer, to).await.unwrap();
        }
    }
}

type Answers = Vec<(Duration, Vec<u8>, SocketAddr, bool)>;

impl Shared {
    fn received(&self, datagram: &[u8], from: SocketAddr, on_second: bool) -> Answers {
        let at_once = |answer: Option<Vec<u8>>| answer.map(|answer| (Duration::ZERO, answer, from, false)).into_iter().collect();
        match Datagram::decode(datagram) {
            Ok(Datagram::V15(packet)) => {
                let answer = self.outside(packet.payload).map(|answer| unprotected_v15(&answer).unwrap());
                at_once(answer)
            }
            Ok(Datagram::V20(packet)) if packet.authenticated => self.protected(&packet, from, on_second),
            Ok(Datagram::V20(packet)) if packet.payload_type == PayloadType::Ipmi => {
                let answer = self.outside(packet.plain().unwrap());
                at_once(answer.map(|answer| unprotected_v20(PayloadType::Ipmi, &answer).unwrap()))
            }
            Ok(Datagram::V20(packet)) => at_once(self.setup(&packet)),
            _ => Vec::new(),
        }
    }

    fn outside(&self, payload: &[u8]) -> Option<Vec<u8>> {
        let Ok(Message::Request(request)) = Message::decode(payload) else { return None };
        let mut data = Vec::new();
        match request.cmd {
            GetChannelAuthCapabilities::CMD => ChannelAuthCapabilities {
                channel: 1,
                auth_types: 0,
                extended: true,
                kg_set: false,
                per_message_disabled: false,
                user_level_disabled: false,
                non_null_users: true,
                null_users: false,
                anonymous: false,
                supports_v20: true,
                supports_v15: false,
                oem_iana: [0; 3],
                oem_data: 0,
            }
            .encode(&mut data),
            GetChannelCipherSuites::CMD => {
                self.log.lock().unwrap().list_questions += 1;
                let script = self.script.lock().unwrap();
                if !script.lists_suites {
                    return None;
                }
                let index = GetChannelCipherSuites::decode(request.data).unwrap().index;
                let all = encode_suite_records(&script.suites);
                let records = all.chunks(16).nth(index.into()).unwrap_or_default().to_vec();
                CipherSuiteRecords { channel: 1, records }.encode(&mut data);
            }
            _ => return None,
        }
        let mut out = Vec::new();
        request.respond(CompletionCode::OK, &data).encode(&mut out);
        Some(out)
    }

    fn setup(&self, packet: &Packet<'_>) -> Option<Vec<u8>> {
        let script = self.script.lock().unwrap();
        let mut log = self.log.lock().unwrap();
        let mut state = self.state.lock().unwrap();
        match Setup::decode(packet.payload_type, packet.plain().unwrap()).unwrap() {
            Setup::OpenRequest(open) => {
                if let Some(suite) = CipherSuite::from_algorithms(open.algorithms) {
                    log.opens.push((suite, open.privilege));
                }
                let refuse = |status| {
                    let OpenSessionRequest { tag, privilege, console_id, algorithms } = open;
                    Some(Setup::OpenResponse(OpenSessionResponse { tag, status, privilege, console_id, bmc_id: 0, algorithms }).encode())
                };
                if script.no_session_left {
                    return refuse(Status::NO_RESOURCES);
                }
                if script.wants_open_privilege && open.privilege.is_none() {
                    return refuse(Status::ILLEGAL_PARAMETER);
                }
                state.next_id += 1;
                let (answer, handshake) = BmcHandshake::open(&open, BMC_ID + state.next_id, &script.suites);
                state.handshake = handshake;
                Some(answer)
            }
            Setup::Rakp1(rakp1) => {
                log.roles.push(rakp1.role());
                let known = rakp1.username.as_bytes() == USER.as_bytes();
                if !known && script.silent_to_strangers {
                    return None;
                }
                let user = BmcUser { password: SecretKey::new(PASSWORD.as_bytes()).unwrap(), max_privilege: script.max_privilege };
                let kg = script.kg.map(|kg| SecretKey::new(kg).unwrap());
                let handshake = state.handshake.as_mut()?;
                Some(handshake.rakp1(&rakp1, known.then_some(user), kg.as_ref(), [0x11; 16], [0x22; 16]))
            }
            Setup::Rakp3(rakp3) => {
                let (answer, established) = state.handshake.as_ref()?.rakp3(&rakp3);
                if let Some(session) = established {
                    let (outgoing, window) = (OutgoingSequence::default(), ReplayWindow::default());
                    state.live = Some(Live { session, outgoing, window, privilege: Privilege::User });
                    state.engine = None;
                }
                answer
            }
            _ => None,
        }
    }

    fn protected(&self, packet: &Packet<'_>, from: SocketAddr, on_second: bool) -> Answers {
        let mut guard = self.state.lock().unwrap();
        let state = &mut *guard;
        let Some(live) = state.live.as_mut().filter(|live| live.session.bmc_id == packet.session_id) else { return Vec::new() };
        let payload = packet.open(&live.session.keys).unwrap();
        let mut window = live.window;
        let fresh = window.accept(packet.sequence);
        state.peer = Some(from);
        if packet.payload_type == PayloadType::Sol {
            live.window = window;
            let mut log = self.log.lock().unwrap();
            log.sol_elsewhere += u32::from(on_second);
            if fresh
                && on_second == self.script.lock().unwrap().sol_elsewhere
                && let Some(engine) = &mut state.engine
            {
                engine.handle(&payload, packet.sequence, Instant::now()).unwrap();
                while let Some(event) = engine.poll_event() {
                    match event {
                        SolEvent::Data(data) => log.sol_received.extend(data),
                        SolEvent::Break => log.sol_breaks += 1,
                        _ => {}
                    }
                }
            }
            return Vec::new();
        }
        let Ok(Message::Request(request)) = Message::decode(&payload) else { panic!("not a request") };
        let Request { net_fn, cmd, seq, data, .. } = request;
        let seen = Seen { order: packet.sequence, seq, net_fn, cmd, data: data.to_vec(), fresh };
        self.log.lock().unwrap().seen.push(seen);
        if !fresh {
            return Vec::new();
        }
        let mishap = {
            let mut script = self.script.lock().unwrap();
            let queue = script.mishaps.iter_mut().find(|(command, queue)| *command == (net_fn, cmd) && !queue.is_empty());
            queue.and_then(|(_, queue)| queue.pop_front()).unwrap_or(Mishap::None)
        };
        if mishap == Mishap::Lost {
            // It never got here: the window has not seen it either.
            return Vec::new();
        }
        live.window = window;
        let (code, data) = match mishap {
            Mishap::Code(code) => (CompletionCode(code), Vec::new()),
            _ => self.execute(state, &request, from),
        };
        let wait = match mishap {
            Mishap::AnswerLost => return Vec::new(),
            Mishap::Late(wait) => wait,
            _ => Duration::ZERO,
        };
        let mut answer = Vec::new();
        request.respond(code, &data).encode(&mut answer);
        if self.script.lock().unwrap().garbage {
            answer.truncate(answer.len() / 2);
        }
        state.seal(PayloadType::Ipmi, &answer).map(|datagram| (wait, datagram, from, false)).into_iter().collect()
    }

    fn execute(&self, state: &mut State, request: &Request<'_>, from: SocketAddr) -> (CompletionCode, Vec<u8>) {
        let mut data = Vec::new();
        let live = state.live.as_mut().unwrap();
        let (net_fn, cmd) = (request.net_fn, request.cmd);
        let is_control = (net_fn, cmd) == (NetFn::CHASSIS, ChassisControl::CMD);
        let needed = if is_control { Privilege::Operator } else { Privilege::User };
        if live.privilege < needed {
            return (CompletionCode::INSUFFICIENT_PRIVILEGE, data);
        }
        let script = self.script.lock().unwrap();
        match (net_fn, cmd) {
            (NetFn::APP, SetSessionPrivilege::CMD) => {
                let wanted = SetSessionPrivilege::decode(request.data).unwrap().level.unwrap();
                if wanted > script.max_privilege {
                    return (CompletionCode(0x81), data);
                }
                live.privilege = wanted;
                SessionPrivilege { level: Some(wanted) }.encode(&mut data);
            }
            (NetFn::APP, GetDeviceId::CMD) => DeviceId {
                device_id: 1,
                device_revision: 1,
                firmware_major: 2,
                firmware_minor: 0x15,
                available: true,
                ipmi_version: (2, 0),
                additional_support: 0x80,
                manufacturer: 42,
                product: 7,
                aux_revision: [0; 4],
            }
            .encode(&mut data),
            (NetFn::APP, CloseSession::CMD) => {}
            (NetFn::CHASSIS, GetChassisStatus::CMD) => ChassisStatus::with_power(true).encode(&mut data),
            (NetFn::CHASSIS, ChassisControl::CMD) => {
                if ChassisControl::decode(request.data).unwrap() == ChassisControl::PowerCycle {
                    self.log.lock().unwrap().power_cycles += 1;
                }
            }
            (NetFn::CHASSIS, SetBootOption::CMD) => {}
            (NetFn::APP, ActivatePayload::CMD) => {
                if script.activate_code != 0 {
                    return (CompletionCode(script.activate_code), data);
                }
                state.engine = Some(SolEngine::new(Role::Bmc, SolConfig::default()));
                state.peer = Some(from);
                let port = script.sol_port.unwrap_or(0);
                ActivatePayloadResponse { aux: [0; 4], inbound_size: 100, outbound_size: 100, port, vlan: 0xffff }.encode(&mut data);
            }
            (NetFn::APP, DeactivatePayload::CMD) => {
                drop(script);
                self.script.lock().unwrap().activate_code = 0;
                if state.engine.take().is_none() {
                    return (DeactivatePayload::ALREADY_INACTIVE, data);
                }
            }
            (NetFn::APP, GetPayloadInstanceInfo::CMD) => {
                PayloadInstanceInfo { session_id: script.sol_holder, info: [0; 8] }.encode(&mut data);
            }
            _ => return (CompletionCode::INVALID_COMMAND, data),
        }
        (CompletionCode::OK, data)
    }

    /// What the console's engine wants to send.
    fn console(&self) -> Answers {
        let mut state = self.state.lock().unwrap();
        let mut payloads = Vec::new();
        if let Some(engine) = &mut state.engine {
            while let Some(payload) = engine.poll_transmit(Instant::now()) {
                payloads.push(payload);
            }
        }
        let Some(to) = state.peer else { return Vec::new() };
        let elsewhere = self.script.lock().unwrap().sol_elsewhere;
        payloads
            .iter()
            .filter_map(|payload| state.seal(PayloadType::Sol, payload))
            .map(|datagram| (Duration::ZERO, datagram, to, elsewhere))
            .collect()
    }
}

impl State {
    fn seal(&mut self, payload_type: PayloadType, payload: &[u8]) -> Option<Vec<u8>> {
        let live = self.live.as_mut()?;
        let order = live.outgoing.advance();
        Some(seal(&live.session.keys, payload_type, live.session.console_id, order, [order as u8; 16], payload).unwrap())
    }
}
