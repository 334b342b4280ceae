//! Opening a session as a state machine, for the console and for the BMC (RAKP, spec 13.20–13.24).

use std::fmt;

use thiserror::Error;

use super::setup::{Transcript, role};
use super::{OpenSessionRequest, OpenSessionResponse, Rakp1, Rakp2, Rakp3, Rakp4, SecretKey, SessionKeys, Setup, Status, Username};
use crate::CipherSuite;
use crate::message::Privilege;
use crate::suite::Code;

/// Which message of the set-up an error is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stage {
    OpenSession,
    Rakp2,
    Rakp4,
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OpenSession => "open session",
            Self::Rakp2 => "RAKP 1/2",
            Self::Rakp4 => "RAKP 3/4",
        })
    }
}

/// Why no session came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum HandshakeError {
    /// The BMC said no.
    #[error("refused at {stage}: {status}")]
    Refused { stage: Stage, status: Status },
    /// The BMC's proof does not fit our password: ours is wrong, or this is not our BMC.
    #[error("the BMC's key does not match the password")]
    WrongPassword,
    /// The passwords agree but the session keys do not: K_g differs.
    #[error("the session keys do not match: wrong BMC key (K_g)")]
    WrongKg,
    /// The BMC chose algorithms nobody asked for.
    #[error("the BMC answered with another cipher suite than requested")]
    SuiteChanged,
}

/// A session both ends agree on.
#[derive(Debug, Clone)]
pub struct Established {
    /// Id in packets to the console.
    pub console_id: u32,
    /// Id in packets to the BMC.
    pub bmc_id: u32,
    /// Highest level the session may be raised to. It starts at USER (spec 22.18).
    pub privilege: Option<Privilege>,
    pub keys: SessionKeys,
}

/// What the console brings to the handshake.
#[derive(Debug, Clone)]
pub struct ConsoleParams {
    pub username: Username,
    pub password: SecretKey,
    /// The BMC's key for two-key log-in; `None` where it has none.
    pub kg: Option<SecretKey>,
    /// Level named in RAKP 1.
    pub privilege: Privilege,
    /// Level named in Open Session; `None`, "highest for the suite", suits the most BMCs.
    pub open_privilege: Option<Privilege>,
    /// Look the user up by name alone (the usual way) and not by name and privilege.
    pub name_only: bool,
    /// The BMC leaves the lookup bit out of RAKP 3's code (ipmitool: `intelplus`, `i82571spt`).
    pub rakp3_without_lookup: bool,
    pub suite: CipherSuite,
    /// Our session id, not 0.
    pub session_id: u32,
    /// Must be unpredictable.
    pub random: [u8; 16],
    /// Marks the messages of this attempt; answers carry it back.
    pub tag: u8,
}

#[derive(Debug)]
enum ConsoleState {
    Opening,
    Proving,
    Confirming { code: Code, sik: Code },
    Done,
}

/// What follows from a message.
#[derive(Debug)]
pub enum Step {
    /// Not for this handshake, or not now (a duplicate): wait on.
    Ignored,
    /// Send [`ConsoleHandshake::message`] next.
    Send,
    /// The session stands.
    Established(Box<Established>),
}

/// The console's side. Send [`Self::message`], repeat it on time-out, feed answers to [`Self::handle`].
#[derive(Debug)]
pub struct ConsoleHandshake {
    params: ConsoleParams,
    state: ConsoleState,
    transcript: Transcript,
    granted: Option<Privilege>,
}

impl ConsoleHandshake {
    #[must_use]
    pub fn new(params: ConsoleParams) -> Self {
        let transcript = Transcript {
            console_id: params.session_id,
            bmc_id: 0,
            console_random: params.random,
            bmc_random: [0; 16],
            guid: [0; 16],
            role: role(Some(params.privilege), params.name_only),
            username: params.username,
        };
        Self { params, state: ConsoleState::Opening, transcript, granted: None }
    }

    /// The stage a time-out now would belong to.
    #[must_use]
    pub fn stage(&self) -> Stage {
        match self.state {
            ConsoleState::Opening => Stage::OpenSession,
            ConsoleState::Proving => Stage::Rakp2,
            ConsoleState::Confirming { .. } | ConsoleState::Done => Stage::Rakp4,
        }
    }

    /// The datagram to send (again); the same octets every time within a state.
    #[must_use]
    pub fn message(&self) -> Vec<u8> {
        let tag = self.params.tag;
        match &self.state {
            ConsoleState::Opening => Setup::OpenRequest(OpenSessionRequest {
                tag,
                privilege: self.params.open_privilege,
                console_id: self.params.session_id,
                algorithms: self.params.suite.algorithms(),
            })
            .encode(),
            ConsoleState::Proving => Setup::Rakp1(Rakp1 {
                tag,
                bmc_id: self.transcript.bmc_id,
                random: self.params.random,
                privilege: Some(self.params.privilege),
                name_only: self.params.name_only,
                username: self.params.username,
            })
            .encode(),
            ConsoleState::Confirming { code, .. } => {
                Setup::Rakp3(Rakp3 { tag, status: Status::OK, bmc_id: self.transcript.bmc_id, code: code.as_bytes() }).encode()
            }
            ConsoleState::Done => Vec::new(),
        }
    }

    /// Takes a set-up message that arrived.
    ///
    /// # Errors
    /// The BMC refused, or could not prove that it knows our secrets.
    pub fn handle(&mut self, message: &Setup<'_>) -> Result<Step, HandshakeError> {
        let tag = self.params.tag;
        let ours = self.params.session_id;
        let refused = |stage, status: Status| if status.is_ok() { Ok(()) } else { Err(HandshakeError::Refused { stage, status }) };
        match (&self.state, message) {
            // A refusal may leave the console's id out, a success may not.
            (ConsoleState::Opening, Setup::OpenResponse(m)) if m.tag == tag => {
                refused(Stage::OpenSession, m.status)?;
                if m.console_id != ours {
                    return Ok(Step::Ignored);
                }
                if m.algorithms != self.params.suite.algorithms() {
                    return Err(HandshakeError::SuiteChanged);
                }
                self.transcript.bmc_id = m.bmc_id;
                self.granted = m.privilege;
                self.state = ConsoleState::Proving;
                Ok(Step::Send)
            }
            (ConsoleState::Proving, Setup::Rakp2(m)) if m.tag == tag && m.console_id == ours => {
                refused(Stage::Rakp2, m.status)?;
                self.transcript.bmc_random = m.random;
                self.transcript.guid = m.guid;
                let suite = self.params.suite;
                if !self.transcript.rakp2_code(suite, &self.params.password).matches(m.code) {
                    return Err(HandshakeError::WrongPassword);
                }
                let rakp3_role = role(Some(self.params.privilege), self.params.name_only && !self.params.rakp3_without_lookup);
                let code = self.transcript.rakp3_code(suite, &self.params.password, rakp3_role);
                let sik = self.transcript.sik(suite, self.params.kg.as_ref().unwrap_or(&self.params.password));
                self.state = ConsoleState::Confirming { code, sik };
                Ok(Step::Send)
            }
            (ConsoleState::Confirming { sik, .. }, Setup::Rakp4(m)) if m.tag == tag && m.console_id == ours => {
                refused(Stage::Rakp4, m.status)?;
                let suite = self.params.suite;
                if !self.transcript.rakp4_icv(suite, sik).matches_truncated(suite.icv_len(), m.icv) {
                    return Err(HandshakeError::WrongKg);
                }
                let established = Established {
                    console_id: ours,
                    bmc_id: self.transcript.bmc_id,
                    privilege: self.granted,
                    keys: SessionKeys::derive(suite, sik),
                };
                self.state = ConsoleState::Done;
                Ok(Step::Established(Box::new(established)))
            }
            _ => Ok(Step::Ignored),
        }
    }
}

/// What the BMC knows about the user RAKP 1 names.
#[derive(Debug, Clone)]
pub struct BmcUser {
    pub password: SecretKey,
    pub max_privilege: Privilege,
}

#[derive(Debug)]
struct Proof {
    transcript: Transcript,
    user: BmcUser,
    sik: Code,
    privilege: Option<Privilege>,
}

/// The BMC's side of one session set-up, created by an Open Session request it accepted.
#[derive(Debug)]
pub struct BmcHandshake {
    suite: CipherSuite,
    console_id: u32,
    bmc_id: u32,
    proof: Option<Proof>,
}

impl BmcHandshake {
    /// Answers Open Session. The datagram is to be sent in any case.
    #[must_use]
    pub fn open(request: &OpenSessionRequest, bmc_id: u32, suites: &[CipherSuite]) -> (Vec<u8>, Option<Self>) {
        let suite = CipherSuite::from_algorithms(request.algorithms).filter(|suite| suites.contains(suite));
        let status = if suite.is_some() { Status::OK } else { Status::NO_MATCHING_SUITE };
        let response = Setup::OpenResponse(OpenSessionResponse {
            tag: request.tag,
            status,
            privilege: request.privilege.or(Some(Privilege::Administrator)),
            console_id: request.console_id,
            bmc_id,
            algorithms: request.algorithms,
        });
        let handshake = suite.map(|suite| Self { suite, console_id: request.console_id, bmc_id, proof: None });
        (response.encode(), handshake)
    }

    #[must_use]
    pub fn console_id(&self) -> u32 {
        self.console_id
    }

    /// Answers RAKP 1. `user` is what the look-up by name (or name and privilege) found.
    #[must_use]
    pub fn rakp1(&mut self, message: &Rakp1, user: Option<BmcUser>, kg: Option<&SecretKey>, random: [u8; 16], guid: [u8; 16]) -> Vec<u8> {
        let refuse = |status| {
            let m = Rakp2 { tag: message.tag, status, console_id: self.console_id, random: [0; 16], guid: [0; 16], code: &[] };
            Setup::Rakp2(m).encode()
        };
        let Some(user) = user else {
            return refuse(Status::UNAUTHORIZED_NAME);
        };
        if message.privilege.is_some_and(|wanted| wanted > user.max_privilege) {
            return refuse(Status::UNAUTHORIZED_ROLE);
        }
        let transcript = Transcript {
            console_id: self.console_id,
            bmc_id: self.bmc_id,
            console_random: message.random,
            bmc_random: random,
            guid,
            role: message.role(),
            username: message.username,
        };
        let code = transcript.rakp2_code(self.suite, &user.password);
        let sik = transcript.sik(self.suite, kg.unwrap_or(&user.password));
        let privilege = message.privilege.or(Some(user.max_privilege));
        self.proof = Some(Proof { transcript, user, sik, privilege });
        Setup::Rakp2(Rakp2 { tag: message.tag, status: Status::OK, console_id: self.console_id, random, guid, code: code.as_bytes() })
            .encode()
    }

    /// Answers RAKP 3. `None` as datagram: the console gave up (its status says so) and expects nothing.
    #[must_use]
    pub fn rakp3(&self, message: &Rakp3<'_>) -> (Option<Vec<u8>>, Option<Established>) {
        if !message.status.is_ok() {
            return (None, None);
        }
        let answer = |status, icv: &[u8]| Some(Setup::Rakp4(Rakp4 { tag: message.tag, status, console_id: self.console_id, icv }).encode());
        let Some(proof) = &self.proof else {
            return (answer(Status::INACTIVE_SESSION_ID, &[]), None);
        };
        let expected = proof.transcript.rakp3_code(self.suite, &proof.user.password, proof.transcript.role);
        if !expected.matches(message.code) {
            return (answer(Status::INVALID_INTEGRITY_CHECK, &[]), None);
        }
        let icv = proof.transcript.rakp4_icv(self.suite, &proof.sik);
        let established = Established {
            console_id: self.console_id,
            bmc_id: self.bmc_id,
            privilege: proof.privilege,
            keys: SessionKeys::derive(self.suite, &proof.sik),
        };
        (answer(Status::OK, icv.truncated(self.suite.icv_len())), Some(established))
    }
}
