//! Secrets: what the user typed and what a session derives from it (spec 13.31–13.33).

use std::fmt;

use thiserror::Error;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::suite::{CipherSuite, Code};

/// A user's password or the BMC's key K_g: up to 20 octets, never shown, wiped when dropped.
#[derive(Clone, Default, Zeroize, ZeroizeOnDrop)]
pub struct SecretKey {
    bytes: [u8; 20],
    len: u8,
}

/// The secret or name is longer than the protocol has room for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("{what} has {len} octets, IPMI 2.0 allows {max}")]
pub struct KeyTooLong {
    pub what: &'static str,
    pub len: usize,
    pub max: usize,
}

impl SecretKey {
    /// Octets a password or K_g may have.
    pub const MAX: usize = 20;

    /// # Errors
    /// More than 20 octets.
    pub fn new(secret: &[u8]) -> Result<Self, KeyTooLong> {
        let mut key = Self::default();
        let too_long = KeyTooLong { what: "password or key", len: secret.len(), max: Self::MAX };
        key.bytes.get_mut(..secret.len()).ok_or(too_long)?.copy_from_slice(secret);
        key.len = u8::try_from(secret.len()).map_err(|_| too_long)?;
        Ok(key)
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.len)).unwrap_or_default()
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretKey(…)")
    }
}

/// A BMC user's name: up to 16 octets, by convention ASCII. Empty is the anonymous user.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Username {
    bytes: [u8; 16],
    len: u8,
}

impl Username {
    /// Octets a user name may have.
    pub const MAX: usize = 16;

    /// # Errors
    /// More than 16 octets.
    pub fn new(name: &[u8]) -> Result<Self, KeyTooLong> {
        let mut bytes = [0; 16];
        let too_long = KeyTooLong { what: "user name", len: name.len(), max: Self::MAX };
        bytes.get_mut(..name.len()).ok_or(too_long)?.copy_from_slice(name);
        Ok(Self { bytes, len: u8::try_from(name.len()).map_err(|_| too_long)? })
    }

    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.len)).unwrap_or_default()
    }

    pub(crate) fn len(&self) -> u8 {
        self.len
    }
}

impl fmt::Debug for Username {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Username({})", self.as_bytes().escape_ascii())
    }
}

/// What protects the packets of one session. Wiped when dropped.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct SessionKeys {
    #[zeroize(skip)]
    suite: CipherSuite,
    k1: Code,
    aes: [u8; 16],
}

impl SessionKeys {
    /// K1 and the AES key from the session integrity key. The constants have 20 octets for SHA-256 too.
    pub(crate) fn derive(suite: CipherSuite, sik: &Code) -> Self {
        let k1 = suite.hmac(sik.as_bytes(), &[&[0x01; 20]]);
        let k2 = suite.hmac(sik.as_bytes(), &[&[0x02; 20]]);
        let mut aes = [0; 16];
        aes.copy_from_slice(k2.as_bytes().first_chunk::<16>().unwrap_or(&[0; 16]));
        Self { suite, k1, aes }
    }

    #[must_use]
    pub fn suite(&self) -> CipherSuite {
        self.suite
    }

    /// The trailer's authentication code over `covered`.
    pub(crate) fn sign(&self, covered: &[u8]) -> Code {
        self.suite.hmac(self.k1.as_bytes(), &[covered])
    }

    pub(crate) fn aes(&self) -> &[u8; 16] {
        &self.aes
    }
}

impl fmt::Debug for SessionKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SessionKeys({:?}, …)", self.suite)
    }
}
