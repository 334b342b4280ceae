//! Session headers and trailers: the IPMI 1.5 null session, and RMCP+ with integrity and confidentiality
//! (spec 13.6, 13.28.4, 13.29).

use aes::Aes128;
use aes::cipher::{Block, BlockModeDecrypt, BlockModeEncrypt, KeyIvInit};
use thiserror::Error;

use super::SessionKeys;
use crate::DecodeError;
use crate::rmcp::{Asf, Class, Header};
use crate::wire::Reader;

const AUTH_RMCP_PLUS: u8 = 0x06;
const NEXT_HEADER: u8 = 0x07;
const BLOCK: usize = 16;
/// RMCP header, session header, largest trailer and AES overhead.
const ROOM: usize = 4 + 12 + 4 + 2 + 32 + 2 * BLOCK;

/// What an RMCP+ packet carries (spec table 13-16).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PayloadType {
    Ipmi,
    Sol,
    OpenSessionRequest,
    OpenSessionResponse,
    Rakp1,
    Rakp2,
    Rakp3,
    Rakp4,
    /// Any other number, 6 bits.
    Other(u8),
}

impl PayloadType {
    #[must_use]
    pub fn value(self) -> u8 {
        match self {
            Self::Ipmi => 0x00,
            Self::Sol => 0x01,
            Self::OpenSessionRequest => 0x10,
            Self::OpenSessionResponse => 0x11,
            Self::Rakp1 => 0x12,
            Self::Rakp2 => 0x13,
            Self::Rakp3 => 0x14,
            Self::Rakp4 => 0x15,
            Self::Other(n) => n & 0x3f,
        }
    }

    #[must_use]
    pub fn from_value(value: u8) -> Self {
        match value & 0x3f {
            0x00 => Self::Ipmi,
            0x01 => Self::Sol,
            0x10 => Self::OpenSessionRequest,
            0x11 => Self::OpenSessionResponse,
            0x12 => Self::Rakp1,
            0x13 => Self::Rakp2,
            0x14 => Self::Rakp3,
            0x15 => Self::Rakp4,
            n => Self::Other(n),
        }
    }
}

/// A payload that does not fit the length field of its header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("payload of {0} octets does not fit into a packet")]
pub struct PayloadTooLong(pub usize);

/// Anything that may arrive on the RMCP port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Datagram<'a> {
    /// A presence ping or pong.
    Asf(Asf),
    /// An RMCP acknowledgement, without content.
    RmcpAck,
    /// The IPMI 1.5 format. This stack uses it only outside sessions.
    V15(V15Packet<'a>),
    /// The RMCP+ format.
    V20(Packet<'a>),
}

/// An IPMI 1.5 packet. Sessions of that format are not supported, so only `session_id` 0 has a meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct V15Packet<'a> {
    pub session_id: u32,
    pub sequence: u32,
    /// A LAN message.
    pub payload: &'a [u8],
}

/// An RMCP+ packet as it arrived: possibly encrypted, not yet authenticated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Packet<'a> {
    pub payload_type: PayloadType,
    pub encrypted: bool,
    pub authenticated: bool,
    /// The receiver's session id; 0 outside a session.
    pub session_id: u32,
    pub sequence: u32,
    payload: &'a [u8],
    /// Everything after the RMCP header.
    whole: &'a [u8],
    /// What follows the payload.
    trailer: &'a [u8],
}

impl<'a> Datagram<'a> {
    /// Reads the envelope. The content of an authenticated packet comes out of [`Packet::open`].
    ///
    /// # Errors
    /// Not RMCP, or shorter than its headers say.
    pub fn decode(datagram: &'a [u8]) -> Result<Self, DecodeError> {
        let (header, whole) = Header::decode(datagram)?;
        if header.ack {
            return Ok(Self::RmcpAck);
        }
        if header.class == Class::Asf {
            return Ok(Self::Asf(Asf::decode(whole)?));
        }
        let mut r = Reader::new("session header", whole);
        let auth_type = r.u8()?;
        if auth_type != AUTH_RMCP_PLUS {
            let sequence = r.u32()?;
            let session_id = r.u32()?;
            if auth_type != 0 {
                r.skip(16)?;
            }
            let len = r.u8()?;
            let payload = r.bytes(len.into())?;
            return Ok(Self::V15(V15Packet { session_id, sequence, payload }));
        }
        let kind = r.u8()?;
        let payload_type = PayloadType::from_value(kind);
        if payload_type == PayloadType::Other(0x02) {
            // OEM explicit: enterprise number and payload id stand before the session id.
            r.skip(6)?;
        }
        let session_id = r.u32()?;
        let sequence = r.u32()?;
        let len = r.u16()?;
        let payload = r.bytes(len.into())?;
        Ok(Self::V20(Packet {
            payload_type,
            encrypted: kind & 0x80 != 0,
            authenticated: kind & 0x40 != 0,
            session_id,
            sequence,
            payload,
            whole,
            trailer: r.rest(),
        }))
    }
}

impl<'a> Packet<'a> {
    /// The payload of a packet that claims no protection: session set-up and questions before it.
    ///
    /// # Errors
    /// [`DecodeError::Unprotected`] when the packet is encrypted or authenticated, because then this is not its content.
    pub fn plain(&self) -> Result<&'a [u8], DecodeError> {
        if self.encrypted || self.authenticated { Err(DecodeError::Unprotected) } else { Ok(self.payload) }
    }

    /// Checks the authentication code and decrypts. Both are demanded: a session of suite 3 or 17 never sends less.
    ///
    /// # Errors
    /// Unprotected, wrong code, wrong length or wrong padding.
    pub fn open(&self, keys: &SessionKeys) -> Result<Vec<u8>, DecodeError> {
        if !self.encrypted || !self.authenticated {
            return Err(DecodeError::Unprotected);
        }
        let icv = keys.suite().icv_len();
        let truncated = DecodeError::Truncated { what: "session trailer", need: icv + 2, have: self.trailer.len() };
        let split = self.whole.len().checked_sub(icv).ok_or(truncated)?;
        let (covered, code) = self.whole.split_at_checked(split).ok_or(truncated)?;
        if !keys.sign(covered).matches_truncated(icv, code) {
            return Err(DecodeError::Integrity);
        }
        let pad_len = self.trailer.len().checked_sub(icv + 2).ok_or(truncated)?;
        let mut tail = Reader::new("session trailer", self.trailer.get(pad_len..).unwrap_or_default());
        let [stated, next] = tail.array()?;
        if usize::from(stated) != pad_len {
            return Err(tail.bad(stated));
        }
        if next != NEXT_HEADER {
            return Err(tail.bad(next));
        }
        decrypt(keys.aes(), self.payload)
    }
}

/// A LAN message outside any session, in the IPMI 1.5 format (Get Channel Authentication Capabilities).
///
/// # Errors
/// More than 255 octets.
pub fn unprotected_v15(payload: &[u8]) -> Result<Vec<u8>, PayloadTooLong> {
    let len = u8::try_from(payload.len()).map_err(|_| PayloadTooLong(payload.len()))?;
    let mut out = Vec::with_capacity(ROOM + payload.len());
    Header::IPMI.encode(&mut out);
    out.extend_from_slice(&[0; 9]);
    out.push(len);
    out.extend_from_slice(payload);
    Ok(out)
}

/// A payload outside any session, in the RMCP+ format (session set-up, Get Channel Cipher Suites).
///
/// # Errors
/// More than 65535 octets.
pub fn unprotected_v20(payload_type: PayloadType, payload: &[u8]) -> Result<Vec<u8>, PayloadTooLong> {
    let len = u16::try_from(payload.len()).map_err(|_| PayloadTooLong(payload.len()))?;
    let mut out = Vec::with_capacity(ROOM + payload.len());
    put_header(&mut out, payload_type.value(), 0, 0, len);
    out.extend_from_slice(payload);
    Ok(out)
}

/// A payload inside a session, encrypted and authenticated.
///
/// `session_id` is the receiver's. `iv` must be unpredictable and new for every packet.
///
/// # Errors
/// The payload does not fit into the length field.
pub fn seal(
    keys: &SessionKeys,
    payload_type: PayloadType,
    session_id: u32,
    sequence: u32,
    iv: [u8; 16],
    payload: &[u8],
) -> Result<Vec<u8>, PayloadTooLong> {
    let pad = (BLOCK - (payload.len() + 1) % BLOCK) % BLOCK;
    let encrypted_len = BLOCK + payload.len() + pad + 1;
    let len = u16::try_from(encrypted_len).map_err(|_| PayloadTooLong(payload.len()))?;
    let mut out = Vec::with_capacity(ROOM + payload.len());
    put_header(&mut out, payload_type.value() | 0xc0, session_id, sequence, len);
    out.extend_from_slice(&iv);
    let mut cipher = cbc::Encryptor::<Aes128>::new(keys.aes().into(), &iv.into());
    let mut padding = 0u8;
    let mut input = payload.iter().copied();
    for _ in 0..(payload.len() + pad + 1) / BLOCK {
        let mut block = Block::<Aes128>::default();
        for (i, octet) in block.iter_mut().enumerate() {
            *octet = match input.next() {
                Some(octet) => octet,
                // The last octet of the last block says how many padding octets 1, 2, 3 … precede it.
                None if i + 1 == BLOCK => padding,
                None => {
                    padding += 1;
                    padding
                }
            };
        }
        cipher.encrypt_block(&mut block);
        out.extend_from_slice(&block);
    }
    // The authenticated range starts after the RMCP header and must be a multiple of 4 long.
    let covered = out.len() - crate::rmcp::HEADER_LEN;
    let pad = (4 - (covered + 2) % 4) % 4;
    out.extend(std::iter::repeat_n(0xff, pad));
    out.push(pad as u8);
    out.push(NEXT_HEADER);
    let code = keys.sign(out.get(crate::rmcp::HEADER_LEN..).unwrap_or_default());
    out.extend_from_slice(code.truncated(keys.suite().icv_len()));
    Ok(out)
}

pub(super) fn put_header(out: &mut Vec<u8>, kind: u8, session_id: u32, sequence: u32, len: u16) {
    Header::IPMI.encode(out);
    out.extend_from_slice(&[AUTH_RMCP_PLUS, kind]);
    out.extend_from_slice(&session_id.to_le_bytes());
    out.extend_from_slice(&sequence.to_le_bytes());
    out.extend_from_slice(&len.to_le_bytes());
}

fn decrypt(key: &[u8; 16], payload: &[u8]) -> Result<Vec<u8>, DecodeError> {
    let mut r = Reader::new("encrypted payload", payload);
    let iv: [u8; BLOCK] = r.array()?;
    let ciphertext = r.rest();
    if ciphertext.is_empty() || !ciphertext.len().is_multiple_of(BLOCK) {
        return Err(DecodeError::Truncated {
            what: "encrypted payload",
            need: ciphertext.len().max(1).next_multiple_of(BLOCK),
            have: ciphertext.len(),
        });
    }
    let mut cipher = cbc::Decryptor::<Aes128>::new(key.into(), &iv.into());
    let mut out = Vec::with_capacity(ciphertext.len());
    for chunk in ciphertext.chunks_exact(BLOCK) {
        let mut block = Block::<Aes128>::default();
        block.copy_from_slice(chunk);
        cipher.decrypt_block(&mut block);
        out.extend_from_slice(&block);
    }
    let pad = usize::from(out.pop().unwrap_or(0));
    let len = out.len().checked_sub(pad).filter(|_| pad < BLOCK).ok_or(DecodeError::Padding)?;
    if out.iter().skip(len).zip(1u8..).any(|(octet, expected)| *octet != expected) {
        return Err(DecodeError::Padding);
    }
    out.truncate(len);
    Ok(out)
}
