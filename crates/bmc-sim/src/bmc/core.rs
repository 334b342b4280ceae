//! A BMC without its socket: datagrams in, datagrams out, time given from outside.

use std::{collections::HashMap, net::SocketAddr, sync::Arc, time::Duration};

use ipmi_wire::{
    CipherSuite, CompletionCode, NetFn, Privilege,
    ipmb::{Message, Request, RqSeq},
    rmcp::Asf,
    session::{
        BmcHandshake, Datagram, Established, OpenSessionRequest, OpenSessionResponse, OutgoingSequence, Packet, PayloadType, Rakp1, Rakp3,
        Rakp4, ReplayWindow, SecretKey, SessionKeys, Setup, Status, seal, unprotected_v15, unprotected_v20,
    },
};
use tokio::{sync::Notify, time::Instant};

use super::{
    bridge::{BridgeAnswers, is_send_message},
    commands,
    node::Node,
    sol::ActiveSol,
    users::Users,
};
use crate::faults::{Faults, Mute, Random};

/// What stays the same while a BMC runs.
#[derive(Debug)]
pub(super) struct Fixed {
    pub(super) users: Users,
    pub(super) kg: Option<SecretKey>,
    pub(super) suites: Box<[CipherSuite]>,
    pub(super) guid: [u8; 16],
    pub(super) max_sessions: usize,
    pub(super) session_timeout: Duration,
    pub(super) restart: Duration,
    /// UDP port, as Activate Payload states it.
    pub(super) port: u16,
    /// How answers of cartridges come back.
    pub(super) bridge_answers: BridgeAnswers,
}

/// A log-in whose RAKP messages have not all come.
#[derive(Debug)]
struct Pending {
    handshake: BmcHandshake,
    since: Instant,
    name: String,
    /// A fault: the console is never told that its session is open.
    half_open: bool,
}

/// How long a log-in may take.
const LOGIN_TIME: Duration = Duration::from_secs(10);
/// Unfinished log-ins kept; the oldest gives way.
const MAX_PENDING: usize = 16;

/// A session.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) console_id: u32,
    keys: SessionKeys,
    peer: SocketAddr,
    pub(super) user: String,
    /// What the user, and the level named at log-in, allow.
    pub(super) limit: Privilege,
    /// What the session may do now.
    pub(super) level: Privilege,
    window: ReplayWindow,
    sequence: OutgoingSequence,
    last_seen: Instant,
    /// The last request and its answer: a retransmission is answered again but not executed again.
    answered: Option<Answered>,
}

#[derive(Debug)]
struct Answered {
    request: (NetFn, u8, RqSeq, Vec<u8>),
    /// One message, none, or several when the request was bridged.
    responses: Vec<Vec<u8>>,
    at: Instant,
}

/// For so long the same request with the same sequence number is a retransmission.
const RETRANSMISSION: Duration = Duration::from_secs(4);

/// What a BMC has counted since its start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counters {
    /// Datagrams that arrived.
    pub received: u64,
    /// Datagrams that were sent.
    pub sent: u64,
    /// Datagrams that could not be read or authenticated.
    pub rejected: u64,
    /// Sessions that were opened.
    pub sessions: u64,
    /// Commands executed, retransmissions left out.
    pub commands: u64,
}

/// The whole state of a BMC.
pub(super) struct Core {
    pub(super) fixed: Fixed,
    /// The BMC's own first, then the cartridges.
    pub(super) nodes: Box<[Node]>,
    pub(super) faults: Faults,
    pub(super) counters: Counters,
    /// Rouses the task when a machine prints or reads.
    pub(super) wake: Arc<Notify>,
    dice: Random,
    pub(super) sessions: HashMap<u32, Session>,
    pending: HashMap<u32, Pending>,
    /// The BMC restarts: deaf until then.
    down_until: Option<Instant>,
    /// Cold reset was asked for: restart once the answer is out.
    pub(super) restart_wanted: bool,
    out: Vec<(Vec<u8>, SocketAddr)>,
}

impl Core {
    pub(super) fn new(fixed: Fixed, nodes: Vec<Node>, faults: Faults, seed: u64, wake: Arc<Notify>) -> Self {
        Self {
            fixed,
            nodes: nodes.into(),
            faults,
            counters: Counters::default(),
            wake,
            dice: Random::new(!seed),
            sessions: HashMap::new(),
            pending: HashMap::new(),
            down_until: None,
            restart_wanted: false,
            out: Vec::new(),
        }
    }

    /// What is to be sent now.
    pub(super) fn take_output(&mut self) -> Vec<(Vec<u8>, SocketAddr)> {
        let out = std::mem::take(&mut self.out);
        self.counters.sent += out.len() as u64;
        out
    }

    /// Takes a datagram that arrived.
    pub(super) fn receive(&mut self, datagram: &[u8], from: SocketAddr, now: Instant) {
        if self.down_until.is_some_and(|until| now < until) {
            return;
        }
        self.down_until = None;
        self.counters.received += 1;
        if !self.dispatch(datagram, from, now) {
            self.counters.rejected += 1;
        }
        if std::mem::take(&mut self.restart_wanted) {
            self.restart(now);
        }
    }

    /// Forgets all sessions and is deaf for a while. What is to be sent already still goes out.
    pub(super) fn restart(&mut self, now: Instant) {
        self.sessions.clear();
        self.pending.clear();
        // cartridges have controllers of their own, but their consoles went through sessions that are gone
        self.nodes.iter_mut().for_each(Node::restart);
        self.down_until = Some(now + self.fixed.restart);
    }

    /// Forgets all sessions and does not say so: to its consoles they are half-open.
    pub(super) fn forget_sessions(&mut self) {
        self.sessions.clear();
        self.pending.clear();
        self.nodes.iter_mut().for_each(|node| node.sol = None);
    }

    /// Whether the datagram made sense.
    fn dispatch(&mut self, datagram: &[u8], from: SocketAddr, now: Instant) -> bool {
        match Datagram::decode(datagram) {
            Ok(Datagram::Asf(Asf::Ping { tag })) => {
                if !self.faults.mutes(Mute::Ping) {
                    self.out.push((Asf::pong(tag).encode(), from));
                }
                true
            }
            Ok(Datagram::Asf(Asf::Pong { .. }) | Datagram::RmcpAck) => true,
            Ok(Datagram::V15(packet)) if packet.session_id == 0 => {
                let answer = self.outside_session(packet.payload, now);
                self.out.extend(answer.and_then(|answer| unprotected_v15(&answer).ok()).map(|answer| (answer, from)));
                true
            }
            Ok(Datagram::V20(packet)) if packet.session_id == 0 => self.unprotected(&packet, from, now),
            Ok(Datagram::V20(packet)) => self.in_session(&packet, from, now),
            Ok(Datagram::V15(_)) | Err(_) => false,
        }
    }

    fn unprotected(&mut self, packet: &Packet<'_>, from: SocketAddr, now: Instant) -> bool {
        let Ok(payload) = packet.plain() else { return false };
        if packet.payload_type == PayloadType::Ipmi {
            let answer = self.outside_session(payload, now);
            self.out.extend(answer.and_then(|answer| unprotected_v20(PayloadType::Ipmi, &answer).ok()).map(|answer| (answer, from)));
            return true;
        }
        let Ok(message) = Setup::decode(packet.payload_type, payload) else { return false };
        let muted = self.faults.mutes(Mute::Setup(packet.payload_type));
        let answer = match message {
            Setup::OpenRequest(request) => Some(self.open_session(&request, now)),
            Setup::Rakp1(message) => self.rakp1(&message),
            Setup::Rakp3(message) => self.rakp3(&message, from, now),
            // what only a BMC sends
            Setup::OpenResponse(_) | Setup::Rakp2(_) | Setup::Rakp4(_) => return false,
        };
        self.out.extend(answer.filter(|_| !muted).map(|answer| (answer, from)));
        true
    }

    // --- log-in

    fn open_session(&mut self, request: &OpenSessionRequest, now: Instant) -> Vec<u8> {
        self.pending.retain(|_, pending| now < pending.since + LOGIN_TIME);
        if self.faults.no_sessions || self.sessions.len() >= self.fixed.max_sessions {
            let nothing = OpenSessionResponse {
                tag: request.tag,
                status: Status::NO_RESOURCES,
                privilege: request.privilege,
                console_id: request.console_id,
                bmc_id: 0,
                algorithms: request.algorithms,
            };
            return Setup::OpenResponse(nothing).encode();
        }
        let bmc_id = self.fresh_id();
        let (answer, handshake) = BmcHandshake::open(request, bmc_id, &self.fixed.suites);
        if let Some(handshake) = handshake {
            if self.pending.len() >= MAX_PENDING
                && let Some(oldest) = self.pending.iter().min_by_key(|(_, pending)| pending.since).map(|(id, _)| *id)
            {
                self.pending.remove(&oldest);
            }
            self.pending.insert(bmc_id, Pending { handshake, since: now, name: String::new(), half_open: false });
        }
        answer
    }

    fn fresh_id(&self) -> u32 {
        loop {
            let id = u32::from_le_bytes(random());
            if id != 0 && !self.sessions.contains_key(&id) && !self.pending.contains_key(&id) {
                return id;
            }
        }
    }

    fn rakp1(&mut self, message: &Rakp1) -> Option<Vec<u8>> {
        let pending = self.pending.get_mut(&message.bmc_id)?;
        let user = self.fixed.users.find(&message.username, message.privilege, message.name_only).cloned();
        pending.name = String::from_utf8_lossy(message.username.as_bytes()).into_owned();
        let refused = user.is_none();
        if refused {
            tracing::debug!(bmc = self.fixed.port, user = pending.name, "log-in refused: no such user");
        }
        let answer = pending.handshake.rakp1(message, user, self.fixed.kg.as_ref(), random(), self.fixed.guid);
        if refused {
            self.pending.remove(&message.bmc_id);
        }
        Some(answer)
    }

    fn rakp3(&mut self, message: &Rakp3<'_>, from: SocketAddr, now: Instant) -> Option<Vec<u8>> {
        // A repetition, because RAKP 4 was lost, finds the log-in still here: it is kept until its time is over, and
        // answered anew without a second session.
        let pending = self.pending.get(&message.bmc_id)?;
        if self.sessions.len() >= self.fixed.max_sessions && !self.sessions.contains_key(&message.bmc_id) {
            let console_id = pending.handshake.console_id();
            return Some(Setup::Rakp4(Rakp4 { tag: message.tag, status: Status::NO_RESOURCES, console_id, icv: &[] }).encode());
        }
        let (answer, established) = pending.handshake.rakp3(message);
        match established {
            Some(established) if !self.sessions.contains_key(&message.bmc_id) => {
                let user = pending.name.clone();
                let half_open = self.dice.happens(self.faults.half_open);
                if let Some(pending) = self.pending.get_mut(&message.bmc_id) {
                    pending.half_open = half_open;
                }
                self.begin(established, user, from, now);
            }
            Some(_) => {}
            None => {
                tracing::debug!(bmc = self.fixed.port, user = pending.name, "log-in refused: wrong password");
                self.pending.remove(&message.bmc_id);
            }
        }
        let silent = self.pending.get(&message.bmc_id).is_some_and(|pending| pending.half_open);
        answer.filter(|_| !silent)
    }

    fn begin(&mut self, established: Established, user: String, peer: SocketAddr, now: Instant) {
        let limit = established.privilege.unwrap_or(Privilege::User);
        let session = Session {
            console_id: established.console_id,
            keys: established.keys,
            peer,
            user,
            limit,
            // IPMI 2.0 §22.18: every session starts at USER, or below if that is all there is
            level: limit.min(Privilege::User),
            window: ReplayWindow::default(),
            sequence: OutgoingSequence::default(),
            last_seen: now,
            answered: None,
        };
        tracing::debug!(bmc = self.fixed.port, user = session.user, %peer, "session opened");
        self.sessions.insert(established.bmc_id, session);
        self.counters.sessions += 1;
    }

    // --- packets inside a session

    fn in_session(&mut self, packet: &Packet<'_>, from: SocketAddr, now: Instant) -> bool {
        let Some(session) = self.sessions.get_mut(&packet.session_id) else { return false };
        let Ok(payload) = packet.open(&session.keys) else { return false };
        if !session.window.accept(packet.sequence) {
            // authentic, but seen before: the network's doing
            return true;
        }
        session.last_seen = now;
        session.peer = from;
        // the console has RAKP 4: the log-in is over
        self.pending.remove(&packet.session_id);
        match packet.payload_type {
            PayloadType::Ipmi => {
                for mut answer in self.request(packet.session_id, &payload, now) {
                    if self.dice.happens(self.faults.bad_checksum) {
                        spoil(&mut answer);
                    }
                    self.send(packet.session_id, PayloadType::Ipmi, &answer);
                }
                true
            }
            PayloadType::Sol => self.sol_packet(packet.session_id, packet.sequence, &payload, now),
            _ => false,
        }
    }

    /// Sends a payload inside a session.
    pub(super) fn send(&mut self, id: u32, payload_type: PayloadType, payload: &[u8]) {
        let Some(session) = self.sessions.get_mut(&id) else { return };
        let sealed = seal(&session.keys, payload_type, session.console_id, session.sequence.advance(), random(), payload);
        let Ok(mut datagram) = sealed else { return };
        if self.dice.happens(self.faults.bad_integrity) {
            spoil(&mut datagram);
        }
        self.out.push((datagram, session.peer));
    }

    fn outside_session(&mut self, payload: &[u8], now: Instant) -> Option<Vec<u8>> {
        let Ok(Message::Request(request)) = Message::decode(payload) else { return None };
        self.counters.commands += 1;
        let (completion, data) = self.execute(None, 0, &request, now);
        let mut answer = self.respond(&request, completion, &data)?;
        if self.dice.happens(self.faults.bad_checksum) {
            spoil(&mut answer);
        }
        Some(answer)
    }

    /// The messages that answer a request of a session.
    fn request(&mut self, id: u32, payload: &[u8], now: Instant) -> Vec<Vec<u8>> {
        let Ok(Message::Request(request)) = Message::decode(payload) else { return Vec::new() };
        let Some(session) = self.sessions.get(&id) else { return Vec::new() };
        let key = (request.net_fn, request.cmd, request.seq, request.data.to_vec());
        let answered = session.answered.as_ref();
        if let Some(answered) = answered.filter(|answered| answered.request == key && now < answered.at + RETRANSMISSION) {
            return answered.responses.clone();
        }
        self.counters.commands += 1;
        let responses: Vec<Vec<u8>> = if is_send_message(&request) && commands::may_bridge(session.level) {
            self.bridge(id, &request, now)
        } else {
            let (completion, data) = self.execute(Some(id), 0, &request, now);
            tracing::trace!(bmc = self.fixed.port, net_fn = %request.net_fn, cmd = request.cmd, %completion, "command");
            self.respond(&request, completion, &data).into_iter().collect()
        };
        // Close Session is the one command whose answer outlives the session; it has been sent already.
        let Some(session) = self.sessions.get_mut(&id) else { return Vec::new() };
        session.answered = Some(Answered { request: key, responses: responses.clone(), at: now });
        responses
    }

    fn respond(&self, request: &Request<'_>, completion: CompletionCode, data: &[u8]) -> Option<Vec<u8>> {
        if self.faults.mutes(Mute::Command { net_fn: request.net_fn, cmd: request.cmd }) {
            return None;
        }
        let mut out = Vec::with_capacity(data.len() + 8);
        let data = if completion.is_ok() { data } else { &[] };
        request.respond(completion, data).encode(&mut out);
        Some(out)
    }

    /// Ends a session; whoever closed itself gets its answer first.
    pub(super) fn close(&mut self, id: u32, closer: Option<(u32, &Request<'_>)>) {
        if let Some((own, request)) = closer.filter(|(own, _)| *own == id)
            && let Some(answer) = self.respond(request, CompletionCode::OK, &[])
        {
            self.send(own, PayloadType::Ipmi, &answer);
        }
        tracing::debug!(bmc = self.fixed.port, session = id, "session ended");
        self.sessions.remove(&id);
        for node in &mut self.nodes {
            node.sol.take_if(|sol| sol.session == id);
        }
    }

    // --- time

    /// Everything that happens without a datagram: time-outs, characters from the machine, repetitions.
    pub(super) fn tick(&mut self, now: Instant) {
        let timeout = self.fixed.session_timeout;
        let expired: Vec<u32> = self.sessions.iter().filter(|(_, session)| now >= session.last_seen + timeout).map(|(id, _)| *id).collect();
        for id in expired {
            self.close(id, None);
        }
        self.pending.retain(|_, pending| now < pending.since + LOGIN_TIME);
        for node in &mut self.nodes {
            node.identify_until.take_if(|until| now >= *until);
        }
        if !self.faults.mutes(Mute::Sol) {
            (0..self.nodes.len()).for_each(|node| self.move_characters(node, now));
        }
    }

    /// When [`Self::tick`] must be called again at the latest.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let sessions = self.sessions.values().map(|session| session.last_seen + self.fixed.session_timeout);
        let pending = self.pending.values().map(|pending| pending.since + LOGIN_TIME);
        let silent = self.faults.mutes(Mute::Sol);
        let sol = self.nodes.iter().filter_map(|node| node.sol.as_ref()).filter(|_| !silent).filter_map(ActiveSol::deadline);
        let identify = self.nodes.iter().filter_map(|node| node.identify_until);
        sessions.chain(pending).chain(sol).chain(identify).min()
    }
}

/// Makes the last octet wrong: of a message that is its checksum, of a packet the end of its authentication code.
fn spoil(octets: &mut [u8]) {
    if let Some(last) = octets.last_mut() {
        *last ^= 0x5a;
    }
}

/// Fresh random bytes.
fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    // The system's generator does not fail once it has started; if it ever does, the id or nonce is a constant and
    // the log-in that uses it fails or repeats, which is all a simulator must care for.
    let _ = getrandom::fill(&mut bytes);
    bytes
}
