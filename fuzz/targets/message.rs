//! LAN messages and what is bridged inside them.

#![no_main]

use fuzz::metered;
use ipmi_wire::{
    bridge::{Forward, unwrap_answer},
    ipmb::Message,
};
use libfuzzer_sys::fuzz_target;

/// Random octets hardly ever have right checksums: the same octets with them set right.
fn with_checksums(data: &[u8]) -> Option<Vec<u8>> {
    let mut frame = data.to_vec();
    let sum = |octets: &[u8]| octets.iter().fold(0u8, |sum, octet| sum.wrapping_sub(*octet));
    *frame.get_mut(2)? = sum(data.get(..2)?);
    let body = sum(data.get(3..)?);
    frame.push(body);
    Some(frame)
}

fn check(payload: &[u8]) {
    let Ok(message) = metered(payload.len(), 0, || Message::decode(payload)) else { return };
    let mut encoded = Vec::new();
    match message {
        Message::Request(request) => {
            request.encode(&mut encoded);
            if let Ok(forward) = metered(payload.len(), 0, || Forward::decode(request.data)) {
                let mut inner = Vec::new();
                forward.request.encode(&mut inner);
                assert_eq!(Message::decode(&inner), Ok(Message::Request(forward.request)));
            }
        }
        Message::Response(response) => {
            response.encode(&mut encoded);
            let _ = metered(payload.len(), 0, || unwrap_answer(response));
        }
    }
    assert_eq!(Message::decode(&encoded), Ok(message));
}

fuzz_target!(|data: &[u8]| {
    check(data);
    if let Some(frame) = with_checksums(data) {
        check(&frame);
        // once more inside a Send Message, both as a request and as its answer
        if data.len() < 200 {
            let mut forward = vec![0x20, 0x18, 0, 0x81, 0x04, 0x34, 0x47];
            forward.extend_from_slice(&frame);
            with_checksums(&forward).iter().for_each(|frame| check(frame));
            let mut answer = vec![0x81, 0x1c, 0, 0x20, 0x04, 0x34, 0x00];
            answer.extend_from_slice(&frame);
            with_checksums(&answer).iter().for_each(|frame| check(frame));
        }
    }
});
