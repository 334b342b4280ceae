//! Secrets at rest: BMC passwords sealed with XChaCha20-Poly1305 under a key file of the server's.

use std::{
    fs,
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use base64::{Engine, engine::general_purpose::STANDARD};
use chacha20poly1305::{
    Key, KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};
use zeroize::{Zeroize, Zeroizing};

const KEY_LEN: usize = 32;
const NONCE_LEN: usize = 24;

/// Seals and opens secrets. The key is in memory only here.
#[derive(Clone)]
pub struct Secrets {
    cipher: XChaCha20Poly1305,
}

#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    #[error("the key file {path} cannot be read or made: {source}")]
    KeyFile { path: String, source: io::Error },
    #[error("the key file {0} must hold exactly 32 bytes")]
    KeyLength(String),
    #[error("the secret was sealed with another key file, or is damaged")]
    Unsealable,
    #[error("no random numbers from the operating system")]
    Random,
}

/// Fresh random bytes of the operating system.
///
/// # Errors
/// [`SecretError::Random`] when there are none.
pub fn random<const N: usize>() -> Result<[u8; N], SecretError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|_| SecretError::Random)?;
    Ok(bytes)
}

/// Fresh random bytes as lower-case hex, two characters each.
///
/// # Errors
/// [`SecretError::Random`] when there are none.
pub fn random_hex<const N: usize>() -> Result<String, SecretError> {
    Ok(hex(&random::<N>()?))
}

/// Lower-case hex.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // writing to a String cannot fail
        let _ = write!(text, "{byte:02x}");
        text
    })
}

impl Secrets {
    /// Reads the key file, or makes one that only its owner can read (0600).
    ///
    /// # Errors
    /// When the file can be neither read nor made, or is no key.
    pub fn open(path: &Path) -> Result<Self, SecretError> {
        let failed = |source| SecretError::KeyFile { path: path.display().to_string(), source };
        let key = match fs::read(path) {
            Ok(key) => Zeroizing::new(key),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let key = Zeroizing::new(random::<KEY_LEN>()?.to_vec());
                let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(failed)?;
                file.write_all(&key).and_then(|()| file.sync_all()).map_err(failed)?;
                key
            }
            Err(error) => return Err(failed(error)),
        };
        let mut key: [u8; KEY_LEN] = key.as_slice().try_into().map_err(|_| SecretError::KeyLength(path.display().to_string()))?;
        let cipher = XChaCha20Poly1305::new(&Key::from(key));
        key.zeroize();
        Ok(Self { cipher })
    }

    /// Seals a secret for one purpose (e.g. `bmc`), which must be named again to open it.
    ///
    /// # Errors
    /// [`SecretError::Random`].
    pub fn seal(&self, purpose: &str, secret: &str) -> Result<String, SecretError> {
        let nonce = random::<NONCE_LEN>()?;
        let payload = Payload { msg: secret.as_bytes(), aad: purpose.as_bytes() };
        let sealed = self.cipher.encrypt(&XNonce::from(nonce), payload).map_err(|_| SecretError::Unsealable)?;
        Ok(STANDARD.encode([nonce.as_slice(), &sealed].concat()))
    }

    /// # Errors
    /// [`SecretError::Unsealable`] when the key, the purpose or the text is not the one it was sealed with.
    pub fn open_sealed(&self, purpose: &str, sealed: &str) -> Result<Zeroizing<String>, SecretError> {
        let bytes = STANDARD.decode(sealed).map_err(|_| SecretError::Unsealable)?;
        let (nonce, sealed) = bytes.split_first_chunk::<NONCE_LEN>().ok_or(SecretError::Unsealable)?;
        let payload = Payload { msg: sealed, aad: purpose.as_bytes() };
        let secret = self.cipher.decrypt(&XNonce::from(*nonce), payload).map_err(|_| SecretError::Unsealable)?;
        String::from_utf8(secret).map(Zeroizing::new).map_err(|_| SecretError::Unsealable)
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn what_was_sealed_opens_again_after_a_restart_and_only_for_its_purpose() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key");
        let sealed = Secrets::open(&path).unwrap().seal("bmc", "calvin").unwrap();
        assert!(!sealed.contains("calvin"));
        let again = Secrets::open(&path).unwrap();
        assert_eq!(again.open_sealed("bmc", &sealed).unwrap().as_str(), "calvin");
        assert!(again.open_sealed("other", &sealed).is_err());
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_damaged_key_file_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key");
        fs::write(&path, b"short").unwrap();
        assert!(Secrets::open(&path).err().unwrap().to_string().contains("key"));
    }
}
