//! The two cipher suites this stack speaks, with their lengths and primitives (spec 13.28, table 22-20).
//!
//! Nothing weaker exists as a value, so no code path can negotiate it.

use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::Sha256;
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// Authentication, integrity and confidentiality agreed for a session. Ordered by strength.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CipherSuite {
    /// RAKP-HMAC-SHA1, HMAC-SHA1-96, AES-CBC-128: the one IPMI 2.0 makes mandatory.
    Suite3,
    /// RAKP-HMAC-SHA256, HMAC-SHA256-128, AES-CBC-128.
    Suite17,
}

/// Algorithm numbers as Open Session carries them (spec tables 13-17 to 13-19).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Algorithms {
    pub authentication: u8,
    pub integrity: u8,
    pub confidentiality: u8,
}

impl CipherSuite {
    /// Both suites, strongest first.
    pub const ALL: [Self; 2] = [Self::Suite17, Self::Suite3];

    /// The number in "cipher suite ID" fields and `ipmitool -C`.
    #[must_use]
    pub fn id(self) -> u8 {
        match self {
            Self::Suite3 => 3,
            Self::Suite17 => 17,
        }
    }

    /// The suite with that number, if this stack speaks it.
    #[must_use]
    pub fn from_id(id: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|suite| suite.id() == id)
    }

    /// What Open Session proposes for this suite.
    #[must_use]
    pub fn algorithms(self) -> Algorithms {
        match self {
            Self::Suite3 => Algorithms { authentication: 0x01, integrity: 0x01, confidentiality: 0x01 },
            Self::Suite17 => Algorithms { authentication: 0x03, integrity: 0x04, confidentiality: 0x01 },
        }
    }

    /// The suite with exactly these algorithms.
    #[must_use]
    pub fn from_algorithms(algorithms: Algorithms) -> Option<Self> {
        Self::ALL.into_iter().find(|suite| suite.algorithms() == algorithms)
    }

    /// Octets of the key exchange authentication codes of RAKP 2 and 3.
    #[must_use]
    pub fn mac_len(self) -> usize {
        match self {
            Self::Suite3 => 20,
            Self::Suite17 => 32,
        }
    }

    /// Octets of the integrity check value of RAKP 4 and of every authenticated packet's trailer.
    #[must_use]
    pub fn icv_len(self) -> usize {
        match self {
            Self::Suite3 => 12,
            Self::Suite17 => 16,
        }
    }

    /// HMAC over the concatenation of `parts`. Keys longer than 64 octets are cut; none of IPMI's is.
    #[must_use]
    pub fn hmac(self, key: &[u8], parts: &[&[u8]]) -> Code {
        // A zero-filled block is the same HMAC key as the bare octets (RFC 2104), and makes construction infallible.
        let mut block = [0u8; 64];
        for (to, from) in block.iter_mut().zip(key) {
            *to = *from;
        }
        let mut bytes = [0u8; 32];
        match self {
            Self::Suite3 => {
                let mut mac = Hmac::<Sha1>::new(&block.into());
                parts.iter().for_each(|part| mac.update(part));
                let (head, _) = bytes.split_at_mut(20);
                head.copy_from_slice(&mac.finalize().into_bytes());
            }
            Self::Suite17 => {
                let mut mac = Hmac::<Sha256>::new(&block.into());
                parts.iter().for_each(|part| mac.update(part));
                bytes = mac.finalize().into_bytes().into();
            }
        }
        block.zeroize();
        Code { bytes, len: self.mac_len() }
    }
}

/// The output of [`CipherSuite::hmac`]. Wiped when dropped, because session keys are such outputs too.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Code {
    bytes: [u8; 32],
    len: usize,
}

impl Code {
    /// The whole code: 20 or 32 octets.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }

    /// The first `n` octets, or all when there are fewer.
    #[must_use]
    pub fn truncated(&self, n: usize) -> &[u8] {
        self.bytes.get(..n.min(self.len)).unwrap_or_default()
    }

    /// Compares in constant time with the whole code.
    #[must_use]
    pub fn matches(&self, other: &[u8]) -> bool {
        self.as_bytes().ct_eq(other).into()
    }

    /// Compares in constant time with the first `n` octets.
    #[must_use]
    pub fn matches_truncated(&self, n: usize, other: &[u8]) -> bool {
        self.truncated(n).ct_eq(other).into()
    }
}

impl std::fmt::Debug for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Code({} octets)", self.len)
    }
}
