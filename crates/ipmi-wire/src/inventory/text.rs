//! Texts in records and inventories: a type and length octet, then characters in one of four encodings
//! (FRU information storage definition §13, IPMI 2.0 §43.15).

use crate::DecodeError;
use crate::wire::Reader;

/// Most characters one field holds.
pub(super) const LONGEST: usize = 0x3f;
const EIGHT_BIT: u8 = 0xc0;

/// How the two topmost bits of the type octet are meant; the records and the inventory differ in the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum First {
    /// In an inventory: octets without meaning.
    Binary,
    /// In records: UTF-8, in effect.
    Unicode,
}

/// Reads one field after its type octet.
pub(super) fn decode(first: First, type_length: u8, r: &mut Reader<'_>) -> Result<String, DecodeError> {
    let data = r.bytes(usize::from(type_length) & LONGEST)?;
    let text: String = match (type_length >> 6, first) {
        (0, First::Binary) => data.iter().map(|octet| format!("{octet:02x}")).collect(),
        (0, First::Unicode) => String::from_utf8_lossy(data).into_owned(),
        (1, _) => data.iter().flat_map(|octet| [octet >> 4, octet & 0x0f]).map(bcd_plus).collect(),
        (2, _) => six_bit(data),
        // ASCII and Latin-1, whose characters are Unicode's first 256
        _ => data.iter().map(|octet| char::from(*octet)).collect(),
    };
    // some vendors pad
    Ok(text.trim_end_matches(['\0', ' ']).to_owned())
}

/// Appends a field as ASCII and Latin-1. What is too long is cut, what has no such character is a question mark.
pub(super) fn encode(text: &str, out: &mut Vec<u8>) {
    let start = out.len();
    out.push(EIGHT_BIT);
    out.extend(text.chars().take(LONGEST).map(|c| u8::try_from(u32::from(c)).unwrap_or(b'?')));
    // 0xC1, a text of one character, would be taken for the end of an area
    if out.len() == start + 2 {
        out.push(b' ');
    }
    let length = out.len() - start - 1;
    if let Some(type_length) = out.get_mut(start) {
        *type_length |= u8::try_from(length).unwrap_or(0) & 0x3f;
    }
}

fn bcd_plus(nibble: u8) -> char {
    match nibble {
        0..=9 => char::from(b'0' + nibble),
        10 => ' ',
        11 => '-',
        12 => '.',
        13 => ':',
        14 => ',',
        _ => '_',
    }
}

/// Four characters in three octets, lowest bits first.
fn six_bit(data: &[u8]) -> String {
    let mut text = String::with_capacity(data.len() * 4 / 3);
    let (mut bits, mut have) = (0u32, 0);
    for octet in data {
        bits |= u32::from(*octet) << have;
        have += 8;
        while have >= 6 {
            let [low, ..] = bits.to_le_bytes();
            text.push(char::from((low & 0x3f) + b' '));
            bits >>= 6;
            have -= 6;
        }
    }
    text
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "clippy.toml allows it in tests, but does not see that helpers of tests are tests")]
mod tests {
    use super::*;

    fn read(first: First, octets: &[u8]) -> String {
        let mut r = Reader::new("text", octets);
        let type_length = r.u8().unwrap();
        decode(first, type_length, &mut r).unwrap()
    }

    #[test]
    fn four_encodings() {
        assert_eq!(read(First::Binary, &[0x02, 0xab, 0x01]), "ab01");
        assert_eq!(read(First::Unicode, &[0x03, 0xc3, 0xa4, b'b']), "äb");
        assert_eq!(read(First::Binary, &[0x42, 0x12, 0xb3]), "12-3");
        // the specification's own example: "IPMI" is 29 DC A6
        assert_eq!(read(First::Binary, &[0x83, 0x29, 0xdc, 0xa6]), "IPMI");
        assert_eq!(read(First::Binary, &[0xc4, b'A', b'c', 0xe9, b' ']), "Acé");
    }

    #[test]
    fn what_is_written_can_be_read() {
        for text in ["", "x", "Mr Provisioner", "été", &"long".repeat(30)] {
            let mut out = Vec::new();
            encode(text, &mut out);
            let expected: String = text.chars().take(LONGEST).collect();
            assert_eq!(read(First::Binary, &out), expected);
            assert_ne!(out[0], 0xc1, "which ends an area");
        }
    }
}
