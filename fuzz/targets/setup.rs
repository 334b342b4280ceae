//! Open Session and RAKP 1 to 4: the codecs, and both ends of the handshake given anything in any order.

#![no_main]

use fuzz::{BMC_RANDOM, bmc, console, metered, payload, user};
use ipmi_wire::{
    CipherSuite,
    session::{PayloadType, Setup, Step},
};
use libfuzzer_sys::fuzz_target;

const TYPES: [PayloadType; 6] = [
    PayloadType::OpenSessionRequest,
    PayloadType::OpenSessionResponse,
    PayloadType::Rakp1,
    PayloadType::Rakp2,
    PayloadType::Rakp3,
    PayloadType::Rakp4,
];

fuzz_target!(|data: &[u8]| {
    let Some((first, rest)) = data.split_first() else { return };
    for payload_type in TYPES {
        if let Ok(message) = metered(rest.len(), 0, || Setup::decode(payload_type, rest)) {
            assert_eq!(message.payload_type(), payload_type);
            let encoded = message.encode();
            // codes longer than any suite's are cut, and refusals carry none; after that nothing changes any more
            let again = Setup::decode(payload_type, payload(&encoded));
            assert_eq!(again.map(|message| message.encode()), Ok(encoded.clone()));
        }
    }
    // a conversation: pieces of the input as messages, some of them replaced by the right one
    let suite = if first & 1 == 0 { CipherSuite::Suite3 } else { CipherSuite::Suite17 };
    let mut console = console(suite);
    let (mut answer, mut bmc) = bmc(&console.message());
    let mut answer_type = PayloadType::OpenSessionResponse;
    let mut pieces = rest;
    while let Some((&[kind, len], more)) = pieces.split_first_chunk::<2>() {
        let (piece, more) = more.split_at_checked(usize::from(len)).unwrap_or((more, &[]));
        pieces = more;
        let honest = kind & 0x80 != 0;
        let (payload_type, content) = if honest { (answer_type, payload(&answer)) } else { (TYPES[usize::from(kind) % 6], piece) };
        let Ok(message) = Setup::decode(payload_type, content) else { continue };
        match &message {
            Setup::Rakp1(message) => drop(bmc.rakp1(message, Some(user()), None, BMC_RANDOM, [0x33; 16])),
            Setup::Rakp3(message) => drop(bmc.rakp3(message)),
            _ => {}
        }
        match console.handle(&message) {
            Ok(Step::Ignored) => {}
            Ok(Step::Send) => match Setup::decode(PayloadType::Rakp1, payload(&console.message())) {
                Ok(Setup::Rakp1(rakp1)) if answer_type == PayloadType::OpenSessionResponse => {
                    answer = bmc.rakp1(&rakp1, Some(user()), None, BMC_RANDOM, [0x33; 16]);
                    answer_type = PayloadType::Rakp2;
                }
                _ => {
                    if let Ok(Setup::Rakp3(rakp3)) = Setup::decode(PayloadType::Rakp3, payload(&console.message())) {
                        if let (Some(rakp4), _) = bmc.rakp3(&rakp3) {
                            answer = rakp4;
                        }
                        answer_type = PayloadType::Rakp4;
                    }
                }
            },
            Ok(Step::Established(_)) | Err(_) => return,
        }
    }
});
