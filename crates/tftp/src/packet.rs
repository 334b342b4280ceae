//! The datagrams of TFTP (RFC 1350 §5, RFC 2347): decoding what a client sent, encoding what it is answered.

/// Length of the opcode and block number before the bytes of a DATA packet.
pub(crate) const DATA_HEADER: usize = 4;

const RRQ: u16 = 1;
const WRQ: u16 = 2;
const DATA: u16 = 3;
const ACK: u16 = 4;
const ERROR: u16 = 5;
const OACK: u16 = 6;

/// Longest text put into an ERROR packet; loaders print it on one line of a text screen.
const MAX_ERROR_TEXT: usize = 480;

/// Error codes of RFC 1350 (0 to 7) and RFC 2347 (8).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u16)]
pub enum ErrorCode {
    /// 0: only the message says what is wrong.
    Undefined = 0,
    /// 1: no such file.
    NotFound = 1,
    /// 2: the file is there, but not for this client, or not for writing.
    AccessViolation = 2,
    /// 4: not a request this server understands.
    IllegalOperation = 4,
    /// 5: a packet from a port that has no part in the transfer.
    UnknownTransferId = 5,
    /// 8: the options of a request make no sense together.
    OptionNegotiation = 8,
}

/// The options of RFC 2348, 2349 and 7440 as the client asked for them.
///
/// A value outside its RFC's range counts as not asked for: RFC 2347 has a server leave such an option out of its
/// acknowledgement, and the transfer goes on with the default.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Options {
    /// Bytes of data in one packet, 8 to 65464. More than that is taken as 65464.
    pub blksize: Option<u16>,
    /// The client wants to know the length of the file.
    pub tsize: bool,
    /// Seconds after which the server retransmits, 1 to 255.
    pub timeout: Option<u8>,
    /// Blocks sent before an acknowledgement is awaited, 1 to 65535.
    pub windowsize: Option<u16>,
}

/// A well-formed read request in octet mode.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ReadRequest {
    pub(crate) path: String,
    pub(crate) options: Options,
}

/// Why a first packet is not a read request this server serves.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum RequestError {
    /// Nothing to be answered: an answer to an ERROR or an ACK could start an endless exchange between two servers.
    #[error("not a request")]
    NotARequest,
    #[error("{message}")]
    Refused { code: ErrorCode, path: String, message: String },
}

impl RequestError {
    fn illegal(path: &[u8], message: impl Into<String>) -> Self {
        Self::refused(ErrorCode::IllegalOperation, path, message)
    }

    fn refused(code: ErrorCode, path: &[u8], message: impl Into<String>) -> Self {
        // the name is only for the log here, and comes from whoever sent the packet
        let path = String::from_utf8_lossy(&path[..path.len().min(256)]).into_owned();
        Self::Refused { code, path, message: message.into() }
    }
}

/// Decodes the first packet of a transfer. `max_path` is the longest file name accepted, in bytes.
pub(crate) fn decode_request(packet: &[u8], max_path: usize) -> Result<ReadRequest, RequestError> {
    let Some((opcode, rest)) = split_u16(packet) else {
        return Err(RequestError::NotARequest);
    };
    match opcode {
        RRQ | WRQ => {}
        DATA | ACK | ERROR | OACK => return Err(RequestError::NotARequest),
        other => return Err(RequestError::illegal(b"", format!("unknown operation {other}"))),
    }
    let Some((path, rest)) = split_string(rest) else {
        return Err(RequestError::illegal(rest, "the file name has no terminating NUL"));
    };
    if opcode == WRQ {
        return Err(RequestError::refused(ErrorCode::AccessViolation, path, "this server is read-only"));
    }
    if path.is_empty() {
        return Err(RequestError::illegal(path, "the file name is empty"));
    }
    if path.len() > max_path {
        let message = format!("the file name has {} bytes, at most {max_path} are allowed", path.len());
        return Err(RequestError::illegal(path, message));
    }
    let Ok(name) = std::str::from_utf8(path) else {
        return Err(RequestError::illegal(path, "the file name is not UTF-8"));
    };
    let Some((mode, rest)) = split_string(rest) else {
        return Err(RequestError::illegal(path, "the mode has no terminating NUL"));
    };
    if !mode.eq_ignore_ascii_case(b"octet") {
        let shown = String::from_utf8_lossy(&mode[..mode.len().min(16)]).into_owned();
        return Err(RequestError::illegal(path, format!("mode {shown:?} is not served, use octet (binary)")));
    }
    let options = decode_options(rest).map_err(|(code, message)| RequestError::refused(code, path, message))?;
    Ok(ReadRequest { path: name.to_owned(), options })
}

fn decode_options(mut rest: &[u8]) -> Result<Options, (ErrorCode, String)> {
    let mut options = Options::default();
    let mut seen = [false; 4];
    while !rest.is_empty() {
        let unterminated = || (ErrorCode::IllegalOperation, "an option has no terminating NUL".to_owned());
        let (name, after) = split_string(rest).ok_or_else(unterminated)?;
        if name.is_empty() {
            // Some loaders pad their request with NULs.
            if after.iter().all(|&byte| byte == 0) {
                break;
            }
            return Err((ErrorCode::OptionNegotiation, "an option has no name".to_owned()));
        }
        let (value, after) = split_string(after).ok_or_else(unterminated)?;
        rest = after;
        const NAMES: [&str; 4] = ["blksize", "tsize", "timeout", "windowsize"];
        // RFC 2347: what is not recognized is ignored.
        let Some(which) = NAMES.iter().position(|known| name.eq_ignore_ascii_case(known.as_bytes())) else {
            continue;
        };
        if std::mem::replace(&mut seen[which], true) {
            return Err((ErrorCode::OptionNegotiation, format!("option {} is given twice", NAMES[which])));
        }
        let number = parse_number(value);
        match which {
            0 => options.blksize = number.filter(|&n| n >= 8).map(|n| u16::try_from(n).unwrap_or(MAX_BLKSIZE).min(MAX_BLKSIZE)),
            1 => options.tsize = true,
            2 => options.timeout = number.and_then(|n| u8::try_from(n).ok()).filter(|&n| n >= 1),
            _ => options.windowsize = number.filter(|&n| n >= 1).map(|n| u16::try_from(n).unwrap_or(u16::MAX)),
        }
    }
    Ok(options)
}

/// Largest block of RFC 2348 §2.
pub(crate) const MAX_BLKSIZE: u16 = 65464;

/// Decimal digits only; a number too long for 64 bits counts as the largest.
fn parse_number(text: &[u8]) -> Option<u64> {
    if text.is_empty() || !text.iter().all(u8::is_ascii_digit) {
        return None;
    }
    Some(text.iter().fold(0u64, |n, digit| n.saturating_mul(10).saturating_add(u64::from(digit - b'0'))))
}

/// What a client sends during a transfer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Reply<'a> {
    Ack(u16),
    Error {
        code: u16,
        message: &'a [u8],
    },
    /// Anything else; it has no meaning inside a read transfer and is passed over.
    Noise,
}

pub(crate) fn decode_reply(packet: &[u8]) -> Reply<'_> {
    let Some((opcode, rest)) = split_u16(packet) else { return Reply::Noise };
    match (opcode, split_u16(rest)) {
        (ACK, Some((block, _))) => Reply::Ack(block),
        (ERROR, Some((code, text))) => Reply::Error { code, message: text.split(|&byte| byte == 0).next().unwrap_or_default() },
        // A client that gives up may not care to complete its packet.
        (ERROR, None) => Reply::Error { code: 0, message: b"" },
        _ => Reply::Noise,
    }
}

/// Writes opcode and block number of a DATA packet into the first four bytes of `slot`.
pub(crate) fn write_data_header(slot: &mut [u8], block: u16) {
    for (to, from) in slot.iter_mut().zip(DATA.to_be_bytes().into_iter().chain(block.to_be_bytes())) {
        *to = from;
    }
}

pub(crate) fn encode_error(code: ErrorCode, message: &str) -> Vec<u8> {
    let mut end = message.len().min(MAX_ERROR_TEXT);
    while !message.is_char_boundary(end) {
        end -= 1;
    }
    let mut packet = Vec::with_capacity(end + 5);
    packet.extend(ERROR.to_be_bytes());
    packet.extend((code as u16).to_be_bytes());
    packet.extend(message[..end].bytes().map(|byte| if byte == 0 { b' ' } else { byte }));
    packet.push(0);
    packet
}

pub(crate) fn encode_oack<'a>(options: impl IntoIterator<Item = (&'a str, u64)>) -> Vec<u8> {
    let mut packet = OACK.to_be_bytes().to_vec();
    for (name, value) in options {
        packet.extend(name.bytes());
        packet.push(0);
        packet.extend(value.to_string().bytes());
        packet.push(0);
    }
    packet
}

fn split_u16(bytes: &[u8]) -> Option<(u16, &[u8])> {
    let (head, rest) = bytes.split_first_chunk::<2>()?;
    Some((u16::from_be_bytes(*head), rest))
}

fn split_string(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = bytes.iter().position(|&byte| byte == 0)?;
    Some((&bytes[..end], &bytes[end + 1..]))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn request(opcode: u8, fields: &[&[u8]]) -> Vec<u8> {
        let mut packet = vec![0, opcode];
        for field in fields {
            packet.extend_from_slice(field);
            packet.push(0);
        }
        packet
    }

    fn refusal(packet: &[u8]) -> (ErrorCode, String) {
        match decode_request(packet, 1024) {
            Err(RequestError::Refused { code, message, .. }) => (code, message),
            other => panic!("expected a refusal, got {other:?}"),
        }
    }

    #[test]
    fn what_real_loaders_send() {
        let ovmf = request(1, &[b"bootx64.efi", b"octet", b"tsize", b"0", b"blksize", b"1468", b"windowsize", b"4"]);
        let read = decode_request(&ovmf, 1024).unwrap();
        assert_eq!(read.path, "bootx64.efi");
        assert_eq!(read.options, Options { blksize: Some(1468), tsize: true, timeout: None, windowsize: Some(4) });

        let plain = request(1, &[b"pxelinux.cfg/default", b"OCTET"]);
        assert_eq!(decode_request(&plain, 1024).unwrap().options, Options::default());

        let mut padded = request(1, &[b"a", b"octet", b"blksize", b"1432"]);
        padded.extend([0; 20]);
        assert_eq!(decode_request(&padded, 1024).unwrap().options.blksize, Some(1432));
    }

    #[test]
    fn option_values_out_of_range_count_as_not_asked_for() {
        let options = |name: &[u8], value: &[u8]| decode_request(&request(1, &[b"a", b"octet", name, value]), 1024).unwrap().options;
        assert_eq!(options(b"blksize", b"7").blksize, None);
        assert_eq!(options(b"blksize", b"8").blksize, Some(8));
        assert_eq!(options(b"BlkSize", b"65464").blksize, Some(65464));
        assert_eq!(options(b"blksize", b"99999999999999999999999").blksize, Some(65464));
        assert_eq!(options(b"blksize", b"-1").blksize, None);
        assert_eq!(options(b"blksize", b"").blksize, None);
        assert_eq!(options(b"timeout", b"0").timeout, None);
        assert_eq!(options(b"timeout", b"256").timeout, None);
        assert_eq!(options(b"timeout", b"255").timeout, Some(255));
        assert_eq!(options(b"windowsize", b"0").windowsize, None);
        assert_eq!(options(b"windowsize", b"70000").windowsize, Some(65535));
        assert_eq!(options(b"multicast", b""), Options::default());
    }

    #[test]
    fn refusals_say_why() {
        assert_eq!(refusal(&request(2, &[b"a", b"octet"])), (ErrorCode::AccessViolation, "this server is read-only".into()));
        assert_eq!(refusal(&request(1, &[b"", b"octet"])).1, "the file name is empty");
        assert_eq!(refusal(&request(1, &[&[b'x'; 10_000], b"octet"])).1, "the file name has 10000 bytes, at most 1024 are allowed");
        assert_eq!(refusal(&request(1, &[b"a\xff", b"octet"])).1, "the file name is not UTF-8");
        assert_eq!(refusal(&request(1, &[b"a", b"netascii"])).1, "mode \"netascii\" is not served, use octet (binary)");
        assert_eq!(refusal(&request(1, &[b"a", b"mail"])).0, ErrorCode::IllegalOperation);
        assert_eq!(refusal(b"\0\x01name").1, "the file name has no terminating NUL");
        assert_eq!(refusal(b"\0\x01name\0octet").1, "the mode has no terminating NUL");
        assert_eq!(refusal(b"\0\x01name\0octet\0blksize\x00512").1, "an option has no terminating NUL");
        assert_eq!(refusal(b"\0\x01name\0octet\0\0x\0").1, "an option has no name");
        assert_eq!(refusal(b"\0\x09").1, "unknown operation 9");
        let twice = request(1, &[b"a", b"octet", b"blksize", b"512", b"BLKSIZE", b"1024"]);
        assert_eq!(refusal(&twice), (ErrorCode::OptionNegotiation, "option blksize is given twice".into()));
    }

    #[test]
    fn replies_of_a_server_are_never_answered() {
        for packet in [&b""[..], b"\0", b"\0\x03\0\x01data", b"\0\x04\0\x01", b"\0\x05\0\0oops\0", b"\0\x06tsize\x001\0"] {
            assert_eq!(decode_request(packet, 1024), Err(RequestError::NotARequest));
        }
    }

    #[test]
    fn replies_inside_a_transfer() {
        assert_eq!(decode_reply(b"\0\x04\xff\xff"), Reply::Ack(65535));
        assert_eq!(decode_reply(b"\0\x04\xff"), Reply::Noise);
        assert_eq!(decode_reply(b"\0\x05\0\x08no\0junk"), Reply::Error { code: 8, message: b"no" });
        assert_eq!(decode_reply(b"\0\x05"), Reply::Error { code: 0, message: b"" });
        assert_eq!(decode_reply(b""), Reply::Noise);
    }

    #[test]
    fn an_error_text_is_cut_at_a_character_and_holds_no_nul() {
        let packet = encode_error(ErrorCode::NotFound, &"é\0".repeat(400));
        assert!(packet.len() <= 485);
        assert_eq!(packet.iter().filter(|&&byte| byte == 0).count(), 3, "two zero bytes of numbers and the terminator");
        assert!(std::str::from_utf8(&packet[4..packet.len() - 1]).is_ok());
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_decoders_panic(bytes in proptest::collection::vec(any::<u8>(), 0..600), opcode in 0u8..9) {
            let _ = decode_request(&bytes, 64);
            let _ = decode_reply(&bytes);
            let mut packet = vec![0, opcode];
            packet.extend(bytes);
            let _ = decode_request(&packet, 64);
            let _ = decode_reply(&packet);
        }

        #[test]
        fn a_request_survives_its_encoding(path in "[^\0]{1,80}", blksize in 8u16..=65464, windowsize in 1u16.., timeout in 1u8.., tsize: bool) {
            let [b, w, t] = [u64::from(blksize), u64::from(windowsize), u64::from(timeout)].map(|n| n.to_string());
            let mut fields: Vec<&[u8]> = vec![path.as_bytes(), b"octet", b"windowsize", w.as_bytes(), b"blksize", b.as_bytes(), b"timeout", t.as_bytes()];
            if tsize {
                fields.extend([&b"tsize"[..], b"0"]);
            }
            let read = decode_request(&request(1, &fields), 1024).unwrap();
            prop_assert_eq!(read.path, path);
            prop_assert_eq!(read.options, Options { blksize: Some(blksize), tsize, timeout: Some(timeout), windowsize: Some(windowsize) });
        }
    }
}
