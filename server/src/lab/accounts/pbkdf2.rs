//! The original's password hashes, in passlib's format: `$pbkdf2-sha256$<rounds>$<salt>$<hash>`, the last two in base64
//! with `.` for `+` and without padding (passlib's "adapted base64").

use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use sha2::Sha256;
use subtle::ConstantTimeEq;

const PREFIX: &str = "$pbkdf2-sha256$";

/// The original's default is 29,000. More than this would keep a processor busy for a minute.
const MOST_ROUNDS: u32 = 10_000_000;

/// Whether the password is the one the hash was made of; None when the hash is of another kind.
pub(super) fn verify(password: &str, stored: &str) -> Option<bool> {
    let fields: Vec<&str> = stored.strip_prefix(PREFIX)?.split('$').collect();
    let [rounds, salt, hash] = fields[..] else { return Some(false) };
    let rounds = rounds.parse().ok().filter(|rounds| (1..=MOST_ROUNDS).contains(rounds));
    let (Some(rounds), Some(salt), Some(hash)) = (rounds, decode(salt), decode(hash)) else { return Some(false) };
    let mut made = [0; 32];
    pbkdf2::pbkdf2_hmac::<Sha256>(password.as_bytes(), &salt, rounds, &mut made);
    // an empty hash would fit every password
    Some(hash.len() == made.len() && bool::from(hash.ct_eq(&made)))
}

fn decode(text: &str) -> Option<Vec<u8>> {
    STANDARD_NO_PAD.decode(text.replace('.', "+")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made with passlib 1.7.4, `pbkdf2_sha256.hash("linaro", salt=b"\xfb\xff\xfe0123456789abc")`.
    const LINARO: &str = "$pbkdf2-sha256$29000$.//.MDEyMzQ1Njc4OWFiYw$APDwlamlKxTy46.Y30joI.0UVJh.dT1NDV6ssLRltjM";

    #[test]
    fn x7_a_hash_of_passlib_is_verified() {
        assert_eq!(verify("linaro", LINARO), Some(true));
        assert_eq!(verify("Linaro", LINARO), Some(false));
        assert!(LINARO.contains('.'), "the test has a character in which the alphabets differ");
    }

    #[test]
    fn what_is_damaged_fits_no_password_and_costs_no_time() {
        for stored in [
            "$pbkdf2-sha256$",
            "$pbkdf2-sha256$1$$",
            "$pbkdf2-sha256$0$AAAA$AAAA",
            "$pbkdf2-sha256$4294967295$AAAA$AAAA",
            "$pbkdf2-sha256$1$!$A",
        ] {
            assert_eq!(verify("", stored), Some(false), "{stored}");
        }
        assert_eq!(verify("linaro", "$argon2id$v=19$m=8,t=1,p=1$AAAA$AAAA"), None);
    }
}
