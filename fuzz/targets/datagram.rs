//! Everything around a payload: RMCP, ASF, IPMI 1.5 and RMCP+ headers, integrity, decryption, padding.

#![no_main]

use std::sync::OnceLock;

use fuzz::{BMC_RANDOM, CONSOLE_RANDOM, PASSWORD, ROLE, USER, established, metered};
use hmac::{Hmac, KeyInit, Mac};
use ipmi_wire::{
    CipherSuite,
    session::{Datagram, PayloadType, SessionKeys, seal, unprotected_v15, unprotected_v20},
};
use libfuzzer_sys::fuzz_target;
use sha1::Sha1;
use sha2::Sha256;

/// The session's keys, and the key its integrity codes are made with: worked out here once more, so that packets can be
/// authentic and yet say anything.
struct Session {
    keys: SessionKeys,
    k1: Vec<u8>,
}

fn hmac(suite: CipherSuite, key: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    fn run<M: Mac + KeyInit>(key: &[u8], parts: &[&[u8]]) -> Vec<u8> {
        let mut mac = <M as KeyInit>::new_from_slice(key).expect("any length");
        parts.iter().for_each(|part| mac.update(part));
        mac.finalize().into_bytes().to_vec()
    }
    match suite {
        CipherSuite::Suite3 => run::<Hmac<Sha1>>(key, parts),
        CipherSuite::Suite17 => run::<Hmac<Sha256>>(key, parts),
    }
}

fn sessions() -> &'static [Session] {
    static SESSIONS: OnceLock<Vec<Session>> = OnceLock::new();
    SESSIONS.get_or_init(|| {
        let make = |suite| {
            let length = [ROLE, u8::try_from(USER.len()).expect("short")];
            let sik = hmac(suite, PASSWORD, &[&CONSOLE_RANDOM, &BMC_RANDOM, &length, USER]);
            Session { keys: established(suite).keys, k1: hmac(suite, &sik, &[&[1; 20]]) }
        };
        CipherSuite::ALL.into_iter().map(make).collect()
    })
}

fuzz_target!(|data: &[u8]| {
    // as it comes from the network
    if let Ok(Datagram::V20(packet)) = metered(data.len(), 0, || Datagram::decode(data)) {
        let _ = packet.plain();
        for session in sessions() {
            let _ = metered(data.len(), 2, || packet.open(&session.keys));
        }
    }
    for Session { keys, k1 } in sessions() {
        // authentic, whatever it says
        let mut authentic = data.to_vec();
        let icv = keys.suite().icv_len();
        authentic.extend_from_slice(&hmac(keys.suite(), k1, &[data.get(4..).unwrap_or_default()])[..icv]);
        if let Ok(Datagram::V20(packet)) = Datagram::decode(&authentic) {
            let _ = metered(authentic.len(), 2, || packet.open(keys));
        }
        // what was sealed opens, and does not when one octet behind the RMCP header changes
        let Ok(mut sealed) = seal(keys, PayloadType::Ipmi, 1, 2, [0x5a; 16], data) else { continue };
        let Ok(Datagram::V20(packet)) = Datagram::decode(&sealed) else { panic!("sealed by us") };
        assert_eq!(packet.open(keys).as_deref(), Ok(data));
        if let [at, flip, ..] = data
            && *flip != 0
        {
            let at = 4 + usize::from(*at) % (sealed.len() - 4);
            sealed[at] ^= *flip;
            if let Ok(Datagram::V20(packet)) = Datagram::decode(&sealed) {
                assert!(packet.open(keys).is_err(), "octet {at} changed by {flip:#x} went unnoticed");
            }
        }
    }
    if let Ok(bare) = unprotected_v15(data) {
        assert!(matches!(Datagram::decode(&bare), Ok(Datagram::V15(packet)) if packet.payload == data));
    }
    if let Ok(bare) = unprotected_v20(PayloadType::Rakp1, data) {
        assert!(matches!(Datagram::decode(&bare), Ok(Datagram::V20(packet)) if packet.plain() == Ok(data)));
    }
});
