//! Argon2id, off the threads that answer requests and never more at a time than there are processors: each takes 19 MiB.

use std::{num::NonZero, sync::Arc};

use argon2::{
    Argon2, Params,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use tokio::{sync::Semaphore, task::spawn_blocking};
use zeroize::Zeroizing;

use super::pbkdf2;
use crate::{lab::LabError, secrets};

/// No letter or digit that is read as another: no `l`, `o`, `0`, `1`.
const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

/// A generated password: 20 characters, 100 bits.
pub(super) fn generate() -> Result<String, LabError> {
    let bytes = secrets::random::<20>()?;
    Ok(bytes.iter().map(|byte| char::from(ALPHABET[usize::from(byte % 32)])).collect())
}

/// What a password is to a stored hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Wrong,
    Right,
    /// Right, and the hash was made with weaker parameters than today's.
    RightButWeak,
}

pub(super) struct Hasher {
    permits: Arc<Semaphore>,
    /// Verified in place of an unknown user's, so that both answers take as long.
    nobodys: Arc<str>,
}

impl Hasher {
    pub(super) fn new() -> Result<Self, LabError> {
        let permits = std::thread::available_parallelism().map_or(1, NonZero::get);
        let nobodys = hash(&generate()?)?;
        Ok(Self { permits: Arc::new(Semaphore::new(permits)), nobodys: nobodys.into() })
    }

    pub(super) async fn hash(&self, password: &str) -> Result<String, LabError> {
        let password = Zeroizing::new(password.to_owned());
        self.run(move || hash(&password)).await?
    }

    /// Without a stored hash the answer is [`Verdict::Wrong`], as late as with one.
    pub(super) async fn verify(&self, password: &str, stored: Option<String>) -> Result<Verdict, LabError> {
        let password = Zeroizing::new(password.to_owned());
        let nobodys = Arc::clone(&self.nobodys);
        self.run(move || match stored {
            Some(stored) => verify(&password, &stored),
            None => {
                verify(&password, &nobodys);
                Verdict::Wrong
            }
        })
        .await
    }

    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, LabError> {
        let failed = |_| LabError::Internal("password hashing was interrupted".into());
        // the permit goes with the work: a client that hangs up does not make room for another while it still runs
        let permit =
            Arc::clone(&self.permits).acquire_owned().await.map_err(|_| LabError::Internal("password hashing has ended".into()))?;
        spawn_blocking(move || {
            let done = work();
            drop(permit);
            done
        })
        .await
        .map_err(failed)
    }
}

fn hash(password: &str) -> Result<String, LabError> {
    let failed = |error| LabError::Internal(format!("a password could not be hashed: {error}"));
    let hash: PasswordHash = Argon2::default().hash_password(password.as_bytes()).map_err(failed)?;
    Ok(hash.to_string())
}

fn verify(password: &str, stored: &str) -> Verdict {
    if let Some(right) = pbkdf2::verify(password, stored) {
        return if right { Verdict::RightButWeak } else { Verdict::Wrong };
    }
    let Ok(hash) = PasswordHash::new(stored) else { return Verdict::Wrong };
    if Argon2::default().verify_password(password.as_bytes(), &hash).is_err() {
        return Verdict::Wrong;
    }
    let today = Params::default();
    match Params::try_from(&hash) {
        Ok(then) if then.m_cost() >= today.m_cost() && then.t_cost() >= today.t_cost() => Verdict::Right,
        _ => Verdict::RightButWeak,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_verifies_against_its_own_hash_only() {
        let stored = hash("correct horse").unwrap();
        assert!(stored.starts_with("$argon2id$"), "{stored}");
        assert_eq!(verify("correct horse", &stored), Verdict::Right);
        assert_eq!(verify("correct horse ", &stored), Verdict::Wrong);
        assert_eq!(verify("correct horse", "no hash"), Verdict::Wrong);
    }

    #[test]
    fn a_hash_of_weaker_days_is_told() {
        let params = Params::new(8, 1, 1, None).unwrap();
        let weak = Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, params);
        let stored: PasswordHash = weak.hash_password(b"correct horse").unwrap();
        assert_eq!(verify("correct horse", &stored.to_string()), Verdict::RightButWeak);
    }

    #[test]
    fn generated_passwords_differ_and_are_easily_read() {
        let (one, other) = (generate().unwrap(), generate().unwrap());
        assert_ne!(one, other);
        assert_eq!(one.len(), 20);
        assert!(one.bytes().all(|byte| ALPHABET.contains(&byte)));
    }
}
