//! What a TFTP client sends: first requests with their options, and answers within a transfer.

#![no_main]

use fuzz::metered;
use libfuzzer_sys::fuzz_target;

// not public: the file itself, as it is
#[allow(dead_code)]
#[path = "../../crates/tftp/src/packet.rs"]
mod packet;

fuzz_target!(|data: &[u8]| {
    // a request refused is quoted in the message
    if let Ok(request) = metered(data.len(), 24, || packet::decode_request(data, 512)) {
        assert!(!request.path.is_empty() && request.path.len() <= 512 && !request.path.contains('\0'));
        let options = request.options;
        assert!(options.blksize.is_none_or(|size| (8..=packet::MAX_BLKSIZE).contains(&size)));
        assert!(options.windowsize != Some(0) && options.timeout != Some(0));
    }
    let _ = metered(data.len(), 0, || packet::decode_reply(data));
    let text = String::from_utf8_lossy(data);
    let error = packet::encode_error(packet::ErrorCode::Undefined, &text);
    assert!(error.len() <= 512 && error.iter().skip(4).position(|octet| *octet == 0) == Some(error.len() - 5));
});
