//! Bridging: requests to controllers behind the BMC, wrapped in Send Message (spec 6.13, 22.7), framed as `ipmitool` does.

use crate::DecodeError;
use crate::ipmb::{BMC_ADDRESS, Message, REMOTE_CONSOLE, Request, Response, RqSeq};
use crate::message::{CompletionCode, NetFn};

/// Send Message, network function App.
pub const SEND_MESSAGE: u8 = 0x34;
/// Channel octet bit: the BMC keeps track of the request and matches its answer.
const TRACK: u8 = 0x40;

/// One step behind a controller: a bus and an address on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Hop {
    /// Channel of the bus, 4 bits.
    pub channel: u8,
    /// Slave address on that bus.
    pub address: u8,
}

/// Where a request goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Route {
    /// To the BMC itself.
    #[default]
    Direct,
    /// To a controller the BMC reaches (`ipmitool -b channel -t address`).
    Single(Hop),
    /// To a controller behind one the BMC reaches (`ipmitool -B -T` for the transit, `-b -t` for the target),
    /// as in the HP Moonshot chassis.
    Double { transit: Hop, target: Hop },
}

impl Route {
    /// How many Send Message frames surround the request.
    #[must_use]
    pub fn depth(self) -> u8 {
        match self {
            Self::Direct => 0,
            Self::Single(_) => 1,
            Self::Double { .. } => 2,
        }
    }

    /// The LAN message for a request along this route. All levels carry the same sequence number.
    #[must_use]
    pub fn wrap(self, net_fn: NetFn, lun: u8, cmd: u8, seq: RqSeq, data: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(data.len() + 7 + 8 * usize::from(self.depth()));
        let request = |rs_addr, rq_addr| Request { rs_addr, rs_lun: lun, net_fn, rq_addr, rq_lun: 0, seq, cmd, data };
        match self {
            Self::Direct => request(BMC_ADDRESS, REMOTE_CONSOLE).encode(&mut out),
            Self::Single(target) => {
                let mut inner = vec![TRACK | target.channel & 0x0f];
                request(target.address, REMOTE_CONSOLE).encode(&mut inner);
                send_message(BMC_ADDRESS, REMOTE_CONSOLE, seq, &inner).encode(&mut out);
            }
            Self::Double { transit, target } => {
                // Only the innermost requester is the BMC's own address, as in `ipmitool`.
                let mut innermost = vec![TRACK | target.channel & 0x0f];
                request(target.address, BMC_ADDRESS).encode(&mut innermost);
                let mut inner = vec![TRACK | transit.channel & 0x0f];
                send_message(transit.address, REMOTE_CONSOLE, seq, &innermost).encode(&mut inner);
                send_message(BMC_ADDRESS, REMOTE_CONSOLE, seq, &inner).encode(&mut out);
            }
        }
        out
    }
}

fn send_message(rs_addr: u8, rq_addr: u8, seq: RqSeq, data: &[u8]) -> Request<'_> {
    Request { rs_addr, rs_lun: 0, net_fn: NetFn::APP, rq_addr, rq_lun: 0, seq, cmd: SEND_MESSAGE, data }
}

/// What an answer that arrived for a bridged request is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer<'a> {
    /// A hop took the message; the target's answer comes as a message of its own.
    Acknowledged,
    /// The answer itself, which may have come inside the acknowledgement.
    Final(Response<'a>),
    /// A hop refused to pass the message on.
    HopFailed(CompletionCode),
}

/// Takes the Send Message layers off an answer.
///
/// A request that is itself a Send Message (sent along [`Route::Direct`]) must not come here.
///
/// # Errors
/// An embedded message that cannot be read.
pub fn unwrap_answer(response: Response<'_>) -> Result<Answer<'_>, DecodeError> {
    let mut response = response;
    loop {
        if response.net_fn != NetFn::APP.response() || response.cmd != SEND_MESSAGE {
            return Ok(Answer::Final(response));
        }
        if !response.completion.is_ok() {
            return Ok(Answer::HopFailed(response.completion));
        }
        if response.data.is_empty() {
            return Ok(Answer::Acknowledged);
        }
        response = match Message::decode(response.data)? {
            Message::Response(inner) => inner,
            Message::Request(_) => return Err(DecodeError::Value { what: "message embedded in an answer", value: 0 }),
        };
    }
}

/// The BMC's view: a Send Message request taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Forward<'a> {
    /// The channel it shall go out on.
    pub channel: u8,
    /// The requester expects the answer to be matched to this request.
    pub tracked: bool,
    pub request: Request<'a>,
}

impl<'a> Forward<'a> {
    /// Reads the data of a Send Message request.
    ///
    /// # Errors
    /// Truncated, bad checksums, or not a request.
    pub fn decode(data: &'a [u8]) -> Result<Self, DecodeError> {
        let Some((channel, frame)) = data.split_first() else {
            return Err(DecodeError::Truncated { what: "Send Message", need: 1, have: 0 });
        };
        match Message::decode(frame)? {
            Message::Request(request) => Ok(Self { channel: channel & 0x0f, tracked: channel & 0xc0 == TRACK, request }),
            Message::Response(_) => Err(DecodeError::Value { what: "Send Message", value: 1 }),
        }
    }
}
