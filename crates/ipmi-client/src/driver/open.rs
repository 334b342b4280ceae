//! Opening a session: discovery, choice of suite, RAKP, privilege.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use ipmi_wire::bridge::Route;
use ipmi_wire::command::{
    Body, ChannelAuthCapabilities, CipherSuiteRecords, Command, GetChannelAuthCapabilities, GetChannelCipherSuites, SetSessionPrivilege,
    SuiteRecord, parse_suite_records,
};
use ipmi_wire::ipmb::{Message, RqSeq};
use ipmi_wire::session::{
    ConsoleHandshake, ConsoleParams, Datagram, Established, HandshakeError, PayloadTooLong, PayloadType, SecretKey, Setup,
    Stage as SetupStage, Status, Step, Username, unprotected_v15, unprotected_v20,
};
use ipmi_wire::{CipherSuite, DecodeError, Privilege};
use tokio::time::{Instant, timeout_at};

use super::link::Link;
use super::session::{Live, ask};
use super::{Patience, random};
use crate::error::{ErrorKind, Stage};
use crate::metrics::{Event, Metrics};
use crate::network::Network;
use crate::target::{Quirk, Target};

/// How long a BMC may say nothing to an Open Session for a suite that is not the last choice.
const SILENT_SUITE: Duration = Duration::from_millis(1200);
/// Session ids remembered as ours, so that a console left over from a lost session is recognized.
const OWN_IDS: usize = 8;

/// What was learned about the BMC, kept for the life of the client.
#[derive(Debug, Default)]
pub(super) struct Memory {
    /// The strongest suite a session was opened with: nothing weaker is accepted any more.
    pub(super) strongest: Option<CipherSuite>,
    speaks_v20: bool,
    list: SuiteList,
    /// The BMC wants the privilege level in Open Session.
    open_with_privilege: bool,
    own_ids: Vec<u32>,
    metrics: Arc<Metrics>,
}

#[derive(Debug, Default)]
enum SuiteList {
    #[default]
    NotAsked,
    /// Asked, no answer: not asked again.
    Silent,
    Offered(Vec<u8>),
}

impl Memory {
    pub(super) fn new(metrics: Arc<Metrics>) -> Self {
        Self { metrics, ..Self::default() }
    }

    pub(super) fn is_own(&self, id: u32) -> bool {
        self.own_ids.contains(&id)
    }

    fn remember(&mut self, established: &Established) {
        let suite = established.keys.suite();
        self.strongest = self.strongest.max(Some(suite));
        if self.own_ids.len() == OWN_IDS {
            self.own_ids.remove(0);
        }
        self.own_ids.push(established.bmc_id);
    }

    fn candidates(&self, at_least: CipherSuite) -> Vec<CipherSuite> {
        let offered = |suite: &CipherSuite| match &self.list {
            SuiteList::Offered(ids) => ids.contains(&suite.id()),
            SuiteList::NotAsked | SuiteList::Silent => true,
        };
        CipherSuite::ALL.into_iter().filter(|suite| *suite >= at_least && offered(suite)).collect()
    }
}

/// Opens a session with the target's user, raised to the target's privilege.
pub(super) async fn open(
    network: &dyn Network,
    target: &Target,
    memory: &mut Memory,
    times: Range<Instant>,
) -> Result<(Link, Live), Failure> {
    let metrics = Arc::clone(&memory.metrics);
    let link = match Link::open(network, target.addr, metrics) {
        Ok(link) => link,
        Err(error) => return Err(Failure { kind: ErrorKind::Network(error.to_string()), attempts: 1 }),
    };
    let mut opening = Opening { target, memory, link, started: times.start, deadline: times.end, attempts: 1 };
    match opening.run().await {
        Ok(live) => Ok((opening.link, live)),
        Err(kind) => Err(Failure { kind, attempts: opening.attempts }),
    }
}

/// Why there is no session, and how often what failed was tried.
pub(super) struct Failure {
    pub(super) kind: ErrorKind,
    pub(super) attempts: u32,
}

struct Opening<'a> {
    target: &'a Target,
    memory: &'a mut Memory,
    link: Link,
    started: Instant,
    deadline: Instant,
    /// Copies sent of the last message.
    attempts: u32,
}

/// What a set-up attempt with one suite came to.
enum Attempt {
    Established(Box<Established>),
    /// The BMC cannot do this suite, or says nothing to it.
    NextSuite(ErrorKind),
    /// The BMC lost track, e.g. because a repeated message confused it.
    Again(ErrorKind),
}

impl Opening<'_> {
    async fn run(&mut self) -> Result<Live, ErrorKind> {
        self.discover().await?;
        let established = self.agree().await?;
        self.memory.remember(&established);
        let mut live = Live::new(established);
        self.raise_privilege(&mut live).await?;
        Ok(live)
    }

    /// Repeats datagrams until `accept` has found what it waits for, or `deadline`.
    async fn exchange<T>(
        &mut self,
        stage: Stage,
        datagrams: &[Vec<u8>],
        deadline: Instant,
        mut accept: impl FnMut(Datagram<'_>) -> Result<Option<T>, DecodeError>,
    ) -> Result<T, ErrorKind> {
        let mut patience = Patience::new(self.target.timeouts.retry);
        let mut garbage = None;
        loop {
            for datagram in datagrams {
                self.link.send(datagram).await.map_err(|e| ErrorKind::Network(e.to_string()))?;
            }
            let until = patience.next().min(deadline);
            self.attempts = patience.attempts();
            if self.attempts > 1 {
                self.link.count(Event::Retransmission);
            }
            while let Ok(received) = timeout_at(until, self.link.recv()).await {
                let (datagram, _) = received.map_err(|e| ErrorKind::Network(e.to_string()))?;
                match Datagram::decode(datagram).and_then(&mut accept) {
                    Ok(Some(found)) => return Ok(found),
                    Ok(None) => {}
                    Err(error) => {
                        self.link.count(Event::Malformed);
                        garbage = Some(error);
                    }
                }
            }
            if Instant::now() >= deadline {
                let waited = self.started.elapsed();
                return Err(match garbage {
                    Some(error) => ErrorKind::Garbage { stage, error },
                    None => ErrorKind::NoAnswer { stage, attempts: patience.attempts(), waited, outcome_unknown: false },
                });
            }
        }
    }

    /// Asks whether the BMC speaks IPMI 2.0 and which suites it has; only what is not known yet.
    async fn discover(&mut self) -> Result<(), ErrorKind> {
        if !self.memory.speaks_v20 {
            let question = GetChannelAuthCapabilities::current(self.target.privilege);
            let datagram = unprotected_v15(&message(&question, RqSeq::new(0))).map_err(too_long)?;
            let answer: Option<ChannelAuthCapabilities> = self
                .exchange(Stage::Discovery, &[datagram], self.deadline, |datagram| {
                    outside_answer::<GetChannelAuthCapabilities>(&datagram, RqSeq::new(0)).transpose()
                })
                .await?;
            if answer.is_some_and(|answer| answer.extended && !answer.supports_v20) {
                return Err(ErrorKind::NotV20);
            }
            self.memory.speaks_v20 = true;
        }
        if matches!(self.memory.list, SuiteList::NotAsked) {
            self.memory.list = if self.target.quirks.has(Quirk::NoSuiteList) { SuiteList::Silent } else { self.suite_list().await? };
        }
        Ok(())
    }

    /// The list, or that it did not come. Asked in the format of either version at once: `ipmi_sim` answers only the older,
    /// and who answers both does no harm.
    async fn suite_list(&mut self) -> Result<SuiteList, ErrorKind> {
        let mut records = Vec::new();
        for index in 0..=GetChannelCipherSuites::MAX_INDEX {
            let seq = RqSeq::new(index + 1);
            let question = message(&GetChannelCipherSuites::current(index), seq);
            let both = [unprotected_v20(PayloadType::Ipmi, &question).map_err(too_long)?, unprotected_v15(&question).map_err(too_long)?];
            let deadline = self.deadline.min(Instant::now() + self.target.timeouts.suite_list);
            let piece: Result<Option<CipherSuiteRecords>, ErrorKind> = self
                .exchange(Stage::Discovery, &both, deadline, |datagram| {
                    outside_answer::<GetChannelCipherSuites>(&datagram, seq).transpose()
                })
                .await;
            match piece {
                Ok(Some(piece)) => {
                    records.extend_from_slice(&piece.records);
                    if piece.records.len() < CipherSuiteRecords::PIECE {
                        break;
                    }
                }
                Err(error @ ErrorKind::Network(_)) => return Err(error),
                // An error, silence, or something unreadable: do without.
                Ok(None) | Err(_) => break,
            }
        }
        let ids: Vec<u8> = parse_suite_records(&records).filter_map(|r: SuiteRecord| (!r.oem).then_some(r.id)).collect();
        Ok(if ids.is_empty() { SuiteList::Silent } else { SuiteList::Offered(ids) })
    }

    /// RAKP with the strongest suite that works.
    async fn agree(&mut self) -> Result<Established, ErrorKind> {
        let at_least = self.memory.strongest.map_or(self.target.suites.at_least, |seen| seen.max(self.target.suites.at_least));
        let candidates = self.memory.candidates(at_least);
        let mut failure = None;
        for (i, suite) in candidates.iter().enumerate() {
            let is_last = i + 1 == candidates.len();
            for round in 0..3 {
                let with_privilege = self.memory.open_with_privilege || self.target.quirks.has(Quirk::OpenWithPrivilege);
                match self.attempt(*suite, with_privilege, is_last).await? {
                    Attempt::Established(established) => return Ok(*established),
                    Attempt::NextSuite(reason) => {
                        failure = Some(reason);
                        break;
                    }
                    Attempt::Again(reason) if round == 2 || Instant::now() >= self.deadline => return Err(reason),
                    Attempt::Again(_) => {}
                }
            }
        }
        let offered = match &self.memory.list {
            SuiteList::Offered(ids) => ids.clone(),
            SuiteList::NotAsked | SuiteList::Silent => Vec::new(),
        };
        Err(match failure {
            Some(silent @ ErrorKind::NoAnswer { .. }) => silent,
            _ if at_least > CipherSuite::Suite3 => ErrorKind::Downgrade { at_least },
            None => ErrorKind::NoSuite { offered },
            Some(_) if !offered.is_empty() => ErrorKind::NoSuite { offered },
            Some(refused) => refused,
        })
    }

    async fn attempt(&mut self, suite: CipherSuite, with_privilege: bool, is_last: bool) -> Result<Attempt, ErrorKind> {
        let quirks = self.target.quirks;
        let kg = self.target.kg.as_ref().map(|kg| SecretKey::new(kg.as_bytes())).transpose().map_err(ErrorKind::Credentials)?;
        let [a, b, c, d, tag] = random()?;
        let mut handshake = ConsoleHandshake::new(ConsoleParams {
            username: Username::new(self.target.username.as_bytes()).map_err(ErrorKind::Credentials)?,
            password: SecretKey::new(self.target.password.as_bytes()).map_err(ErrorKind::Credentials)?,
            kg,
            privilege: self.target.privilege,
            open_privilege: with_privilege.then_some(self.target.privilege),
            name_only: !quirks.has(Quirk::LookupWithPrivilege),
            rakp3_without_lookup: quirks.has(Quirk::IntelPlus) || quirks.has(Quirk::I82571Spt),
            suite,
            session_id: u32::from_le_bytes([a, b, c, d]).max(1),
            random: random()?,
            tag,
        });
        loop {
            let (stage, deadline) = match handshake.stage() {
                SetupStage::OpenSession if is_last => (Stage::OpenSession, self.deadline),
                SetupStage::OpenSession => (Stage::OpenSession, self.deadline.min(Instant::now() + SILENT_SUITE)),
                SetupStage::Rakp2 => (Stage::Authentication, self.deadline),
                SetupStage::Rakp4 => (Stage::Confirmation, self.deadline),
            };
            let datagram = handshake.message();
            let step = self
                .exchange(stage, &[datagram], deadline, |datagram| {
                    let Datagram::V20(packet) = datagram else { return Ok(None) };
                    let Ok(payload) = packet.plain() else { return Ok(None) };
                    if packet.payload_type == PayloadType::Ipmi {
                        // A belated answer of the discovery.
                        return Ok(None);
                    }
                    let message = Setup::decode(packet.payload_type, payload)?;
                    Ok(match handshake.handle(&message) {
                        Ok(Step::Ignored) => None,
                        other => Some(other),
                    })
                })
                .await;
            match step {
                Ok(Ok(Step::Established(established))) => return Ok(Attempt::Established(established)),
                Ok(Ok(Step::Send | Step::Ignored)) => {}
                Ok(Err(error)) => return self.refused(error, with_privilege),
                Err(silent @ ErrorKind::NoAnswer { .. }) if stage == Stage::OpenSession && !is_last => {
                    return Ok(Attempt::NextSuite(silent));
                }
                Err(error) => return Err(error),
            }
        }
    }

    fn refused(&mut self, error: HandshakeError, with_privilege: bool) -> Result<Attempt, ErrorKind> {
        let (stage, status) = match error {
            HandshakeError::WrongPassword => return Err(ErrorKind::WrongPassword),
            HandshakeError::WrongKg => return Err(ErrorKind::WrongKg),
            HandshakeError::SuiteChanged => {
                let reason = ErrorKind::Refused { stage: Stage::OpenSession, status: Status::NO_MATCHING_SUITE };
                return Ok(Attempt::NextSuite(reason));
            }
            HandshakeError::Refused { stage, status } => (stage, status),
        };
        let told = match stage {
            SetupStage::OpenSession => Stage::OpenSession,
            SetupStage::Rakp2 => Stage::Authentication,
            SetupStage::Rakp4 => Stage::Confirmation,
        };
        let reason = ErrorKind::Refused { stage: told, status };
        match status {
            Status::UNAUTHORIZED_NAME | Status::INVALID_NAME_LENGTH => Err(ErrorKind::UnknownUser),
            Status::UNAUTHORIZED_ROLE | Status::INVALID_ROLE => Err(ErrorKind::PrivilegeRefused { privilege: self.target.privilege }),
            Status::NO_RESOURCES | Status::NO_RESOURCES_FOR_ROLE => Err(ErrorKind::NoFreeSession),
            Status::INVALID_AUTHENTICATION
            | Status::INVALID_INTEGRITY
            | Status::INVALID_CONFIDENTIALITY
            | Status::NO_MATCHING_AUTHENTICATION
            | Status::NO_MATCHING_INTEGRITY
            | Status::NO_MATCHING_SUITE
                if stage == SetupStage::OpenSession =>
            {
                Ok(Attempt::NextSuite(reason))
            }
            Status::ILLEGAL_PARAMETER if stage == SetupStage::OpenSession && !with_privilege => {
                self.memory.open_with_privilege = true;
                Ok(Attempt::Again(reason))
            }
            Status::INVALID_SESSION_ID | Status::INACTIVE_SESSION_ID => Ok(Attempt::Again(reason)),
            // We have checked the BMC's proof by then, so normally this is a repeated RAKP 1 that changed its random number.
            Status::INVALID_INTEGRITY_CHECK if stage == SetupStage::Rakp4 => Ok(Attempt::Again(ErrorKind::WrongPassword)),
            _ => Err(reason),
        }
    }

    /// RAKP leaves the session at USER.
    async fn raise_privilege(&mut self, live: &mut Live) -> Result<(), ErrorKind> {
        let privilege = self.target.privilege;
        if privilege <= Privilege::User {
            return Ok(());
        }
        let mut data = Vec::new();
        let command = SetSessionPrivilege { level: Some(privilege) };
        command.encode(&mut data);
        let request = (SetSessionPrivilege::NET_FN, SetSessionPrivilege::CMD, data.as_slice());
        let answer = ask(&mut self.link, live, Stage::Privilege, request, RqSeq::new(1), self.target.timeouts.retry, self.deadline).await?;
        match answer {
            Ok(response) if response.code.is_ok() => Ok(()),
            Ok(response) if matches!(response.code.0, 0x80 | 0x81 | 0xd4) => Err(ErrorKind::PrivilegeRefused { privilege }),
            Ok(response) => Err(ErrorKind::Completion {
                command: SetSessionPrivilege::NAME,
                code: response.code,
                text: ipmi_wire::command::explain::<SetSessionPrivilege>(response.code),
            }),
            Err(attempts) => {
                Err(ErrorKind::NoAnswer { stage: Stage::Privilege, attempts, waited: self.started.elapsed(), outcome_unknown: false })
            }
        }
    }
}

fn message<C: Command>(command: &C, seq: RqSeq) -> Vec<u8> {
    let mut data = Vec::new();
    command.encode(&mut data);
    Route::Direct.wrap(C::NET_FN, 0, C::CMD, seq, &data)
}

/// The answer to a question asked outside any session, in whichever format it comes.
///
/// The inner `None` is a BMC that answered with an error: it is alive, and knows no more.
fn outside_answer<C: Command>(datagram: &Datagram<'_>, seq: RqSeq) -> Option<Result<Option<C::Response>, DecodeError>> {
    let payload = match datagram {
        Datagram::V15(packet) if packet.session_id == 0 => packet.payload,
        Datagram::V20(packet) if packet.session_id == 0 && packet.payload_type == PayloadType::Ipmi => packet.plain().ok()?,
        _ => return None,
    };
    match Message::decode(payload) {
        Ok(Message::Response(r)) if r.answers(C::NET_FN, C::CMD, seq) => {
            Some(if r.completion.is_ok() { C::Response::decode(r.data).map(Some) } else { Ok(None) })
        }
        Ok(_) => None,
        Err(error) => Some(Err(error)),
    }
}

fn too_long(error: PayloadTooLong) -> ErrorKind {
    ErrorKind::TooLong(error.0)
}
