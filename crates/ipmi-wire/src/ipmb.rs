//! LAN messages: the IPMB-like frame with two checksums inside every IPMI payload (spec 13.8).

use crate::DecodeError;
use crate::message::{CompletionCode, NetFn};
use crate::wire::{Reader, checksum};

/// Slave address of every BMC.
pub const BMC_ADDRESS: u8 = 0x20;
/// Software id a remote console uses as its address.
pub const REMOTE_CONSOLE: u8 = 0x81;
/// Octets of a frame without its data: header, checksum, addresses, command, checksum.
pub const OVERHEAD: usize = 7;

/// Sequence number of a request, 6 bits. It identifies the request: a retransmission keeps it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct RqSeq(u8);

impl RqSeq {
    /// How many requests can be told apart.
    pub const COUNT: u8 = 64;

    /// Keeps the low 6 bits.
    #[must_use]
    pub const fn new(value: u8) -> Self {
        Self(value & 0x3f)
    }

    #[must_use]
    pub const fn value(self) -> u8 {
        self.0
    }

    /// The number after this one, wrapping from 63 to 0.
    #[must_use]
    pub const fn next(self) -> Self {
        Self::new(self.0.wrapping_add(1))
    }
}

/// A request as it goes to a management controller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Request<'a> {
    /// Responder: slave address of the controller that shall execute it.
    pub rs_addr: u8,
    pub rs_lun: u8,
    pub net_fn: NetFn,
    /// Requester: [`REMOTE_CONSOLE`], or a slave address on a bridged bus.
    pub rq_addr: u8,
    pub rq_lun: u8,
    pub seq: RqSeq,
    pub cmd: u8,
    pub data: &'a [u8],
}

/// The answer to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Response<'a> {
    pub rq_addr: u8,
    pub rq_lun: u8,
    /// Always odd: the request's function | 1.
    pub net_fn: NetFn,
    pub rs_addr: u8,
    pub rs_lun: u8,
    pub seq: RqSeq,
    pub cmd: u8,
    pub completion: CompletionCode,
    /// What follows the completion code.
    pub data: &'a [u8],
}

/// Either kind, told apart by the lowest bit of the network function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Message<'a> {
    Request(Request<'a>),
    Response(Response<'a>),
}

impl<'a> Request<'a> {
    /// A request from a remote console to the BMC itself.
    #[must_use]
    pub fn to_bmc(net_fn: NetFn, cmd: u8, seq: RqSeq, data: &'a [u8]) -> Self {
        Self { rs_addr: BMC_ADDRESS, rs_lun: 0, net_fn, rq_addr: REMOTE_CONSOLE, rq_lun: 0, seq, cmd, data }
    }

    /// The answer that goes back to who asked.
    #[must_use]
    pub fn respond<'b>(&self, completion: CompletionCode, data: &'b [u8]) -> Response<'b> {
        Response {
            rq_addr: self.rq_addr,
            rq_lun: self.rq_lun,
            net_fn: self.net_fn.response(),
            rs_addr: self.rs_addr,
            rs_lun: self.rs_lun,
            seq: self.seq,
            cmd: self.cmd,
            completion,
            data,
        }
    }

    /// Appends the frame.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let head = [self.rs_addr, lun(self.net_fn.value(), self.rs_lun)];
        let body = [self.rq_addr, lun(self.seq.value(), self.rq_lun), self.cmd];
        frame(out, head, &body, self.data);
    }
}

impl Response<'_> {
    /// Appends the frame.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let head = [self.rq_addr, lun(self.net_fn.value(), self.rq_lun)];
        let body = [self.rs_addr, lun(self.seq.value(), self.rs_lun), self.cmd, self.completion.0];
        frame(out, head, &body, self.data);
    }

    /// Whether this answers a request with this function, command and sequence number. Addresses are left out
    /// on purpose: BMCs fill them in differently, above all when bridging.
    #[must_use]
    pub fn answers(&self, net_fn: NetFn, cmd: u8, seq: RqSeq) -> bool {
        self.net_fn == net_fn.response() && self.cmd == cmd && self.seq == seq
    }
}

impl<'a> Message<'a> {
    /// Reads a whole IPMI payload.
    ///
    /// # Errors
    /// Too short, or one of the two checksums is wrong.
    pub fn decode(payload: &'a [u8]) -> Result<Self, DecodeError> {
        let mut r = Reader::new("LAN message", payload);
        let head: [u8; 3] = r.array()?;
        if checksum(&head) != 0 {
            return Err(DecodeError::Checksum { what: "LAN message header" });
        }
        let body = r.rest();
        let Some((_, covered)) = body.split_last() else {
            return Err(DecodeError::Truncated { what: "LAN message", need: 4, have: 0 });
        };
        let [first, function, _] = head;
        let mut r = Reader::new("LAN message", covered);
        let [second, seq, cmd] = r.array()?;
        if checksum(body) != 0 {
            return Err(DecodeError::Checksum { what: "LAN message body" });
        }
        let net_fn = NetFn::new(function >> 2);
        let seq_number = RqSeq::new(seq >> 2);
        if net_fn.is_response() {
            let completion = CompletionCode(r.u8()?);
            return Ok(Self::Response(Response {
                rq_addr: first,
                rq_lun: function & 3,
                net_fn,
                rs_addr: second,
                rs_lun: seq & 3,
                seq: seq_number,
                cmd,
                completion,
                data: r.rest(),
            }));
        }
        Ok(Self::Request(Request {
            rs_addr: first,
            rs_lun: function & 3,
            net_fn,
            rq_addr: second,
            rq_lun: seq & 3,
            seq: seq_number,
            cmd,
            data: r.rest(),
        }))
    }
}

fn lun(six_bits: u8, lun: u8) -> u8 {
    six_bits << 2 | lun & 3
}

fn frame(out: &mut Vec<u8>, head: [u8; 2], body: &[u8], data: &[u8]) {
    out.reserve(head.len() + body.len() + data.len() + 2);
    out.extend_from_slice(&head);
    out.push(checksum(&head));
    let start = out.len();
    out.extend_from_slice(body);
    out.extend_from_slice(data);
    out.push(checksum(out.get(start..).unwrap_or_default()));
}
