//! Why a packet could not be read.

use thiserror::Error;

/// A packet that is not what it claims to be. `what` names the structure or field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum DecodeError {
    /// The data ends before the structure does.
    #[error("{what}: {need} bytes needed, {have} left")]
    Truncated { what: &'static str, need: usize, have: usize },
    /// A field has a value the specification does not allow here.
    #[error("{what}: unexpected value {value:#x}")]
    Value { what: &'static str, value: u32 },
    /// One of the two checksums of a LAN message is wrong.
    #[error("{what}: wrong checksum")]
    Checksum { what: &'static str },
    /// The authentication code does not match: forged, corrupted, or another session's keys.
    #[error("packet authentication code does not match")]
    Integrity,
    /// The decrypted payload does not end in the padding that AES-CBC-128 payloads carry.
    #[error("decrypted payload has wrong padding")]
    Padding,
    /// A session packet arrived without the encryption or authentication the session agreed on.
    #[error("packet is not protected as the session requires")]
    Unprotected,
}
