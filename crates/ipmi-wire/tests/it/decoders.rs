//! No input makes a decoder panic, and none is read past its end.

use std::time::{Duration, Instant};

use ipmi_wire::bridge::{Forward, unwrap_answer};
use ipmi_wire::command::*;
use ipmi_wire::inventory::{fru::Fru, sdr::Sdr, sel::SelRecord};
use ipmi_wire::ipmb::{Message, RqSeq};
use ipmi_wire::rmcp::{Asf, Header};
use ipmi_wire::session::{Datagram, PayloadType, Setup};
use ipmi_wire::sol::{Role, SolConfig, SolEngine, SolPacket};
use proptest::prelude::*;

fn commands(data: &[u8]) {
    fn both<C: Command>(data: &[u8]) {
        let _ = C::decode(data);
        let _ = C::Response::decode(data);
    }
    both::<GetChannelAuthCapabilities>(data);
    both::<GetChannelCipherSuites>(data);
    both::<SetSessionPrivilege>(data);
    both::<CloseSession>(data);
    both::<GetDeviceId>(data);
    both::<GetSystemGuid>(data);
    both::<GetChassisStatus>(data);
    both::<ChassisControl>(data);
    both::<ChassisIdentify>(data);
    both::<SetBootOption>(data);
    both::<GetBootOption>(data);
    both::<ActivatePayload>(data);
    both::<DeactivatePayload>(data);
    both::<GetPayloadActivationStatus>(data);
    both::<GetPayloadInstanceInfo>(data);
    both::<GetFruAreaInfo>(data);
    both::<ReadFru>(data);
    both::<GetSelInfo>(data);
    both::<ReserveSel>(data);
    both::<GetSelEntry>(data);
    both::<ClearSel>(data);
    both::<GetSelTime>(data);
    both::<GetSdrInfo>(data);
    both::<GetSdr>(data);
    both::<GetDeviceSdr>(data);
    both::<GetSensorReading>(data);
    both::<GetSensorThresholds>(data);
    both::<GetReadingFactors>(data);
    both::<GetSolConfig>(data);
    both::<SetSolConfig>(data);
    assert!(parse_suite_records(data).count() <= data.len());
}

/// Everything a datagram can become.
fn everything(data: &[u8]) {
    let _ = Header::decode(data);
    let _ = Asf::decode(data);
    if let Ok(Datagram::V20(packet)) = Datagram::decode(data)
        && let Ok(payload) = packet.plain()
    {
        let _ = Setup::decode(packet.payload_type, payload);
    }
    for kind in 0..0x40 {
        let _ = Setup::decode(PayloadType::from_value(kind), data);
    }
    if let Ok(Message::Response(response)) = Message::decode(data) {
        let _ = unwrap_answer(response);
    }
    let _ = Forward::decode(data);
    let _ = SolPacket::decode(data);
    commands(data);
    inventory(data);
}

/// What a BMC stores, as hostile as it likes.
fn inventory(data: &[u8]) {
    let fru = Fru::decode(data);
    let texts = fru.product.map_or(0, |product| product.custom.iter().map(String::len).sum());
    assert!(texts <= 2 * data.len(), "no more text than octets: at most two digits or characters for each");
    if let Ok(record) = SelRecord::decode(data) {
        let _ = (record.to_string(), record.time());
    }
    match Sdr::decode(data) {
        Ok(Sdr::Full(full)) => {
            for raw in [0, 1, 0x7f, 0x80, 0xff] {
                assert!(full.value(raw).is_none_or(f64::is_finite));
            }
            let _ = full.unit.to_string();
        }
        Ok(Sdr::Compact(compact)) => assert!(compact.sensors().count() <= 15),
        _ => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn arbitrary_octets(data in prop::collection::vec(any::<u8>(), 0..96)) {
        everything(&data);
    }

    /// With a credible beginning, decoders get further.
    #[test]
    fn arbitrary_octets_behind_headers(kind: u8, data in prop::collection::vec(any::<u8>(), 0..96)) {
        let mut v20 = vec![6, 0, 0xff, 7, 6, kind];
        v20.extend_from_slice(&data);
        everything(&v20);
        let mut v15 = vec![6, 0, 0xff, 7, 0];
        v15.extend_from_slice(&data);
        everything(&v15);
        let mut asf = vec![6, 0, 0xff, 6, 0, 0, 0x11, 0xbe];
        asf.extend_from_slice(&data);
        everything(&asf);
    }

    /// Inventories and records whose headers are right and whose insides are not.
    #[test]
    fn arbitrary_inventories(kind in prop::sample::select(vec![1u8, 2, 3, 0x11, 0x12]), data in prop::collection::vec(any::<u8>(), 0..120)) {
        let mut record = vec![1, 0, 0x51, kind, 60];
        record.extend_from_slice(&data);
        inventory(&record);
        let mut image = vec![1, 0, 1, 2, 5, 0, 0];
        let sum = image.iter().fold(0u8, |sum, octet| sum.wrapping_add(*octet)).wrapping_neg();
        image.push(sum);
        image.extend_from_slice(&data);
        inventory(&image);
    }

    /// LAN messages with right checksums around anything.
    #[test]
    fn arbitrary_messages(head: [u8; 2], body in prop::collection::vec(any::<u8>(), 0..64)) {
        let sum = |octets: &[u8]| octets.iter().fold(0u8, |sum, octet| sum.wrapping_add(*octet)).wrapping_neg();
        let mut frame = head.to_vec();
        frame.push(sum(&head));
        frame.extend_from_slice(&body);
        frame.push(sum(&body));
        if let Ok(Message::Response(response)) = Message::decode(&frame) {
            let _ = unwrap_answer(response);
        }
        prop_assert_eq!(Message::decode(&frame).is_err(), body.len() < 3 || (head[1] & 4 != 0 && body.len() < 4));
        let mut wrong = frame.clone();
        let last = wrong.len() - 1;
        wrong[last] ^= 0x55;
        prop_assert!(Message::decode(&wrong).is_err());
    }

    /// A SOL engine takes anything from the peer, forever.
    #[test]
    fn arbitrary_sol_packets(role in prop::sample::select(vec![Role::Console, Role::Bmc]), packets in prop::collection::vec((prop::collection::vec(any::<u8>(), 0..20), any::<u32>()), 0..60)) {
        let mut engine = SolEngine::new(role, SolConfig { receive_buffer: 64, ..SolConfig::default() });
        let mut now = Instant::now();
        for (packet, order) in packets {
            engine.push(b"some characters");
            engine.send_break();
            let _ = engine.handle(&packet, order, now);
            now += Duration::from_millis(70);
            while engine.poll_transmit(now).is_some() {}
            if order % 3 == 0 {
                while engine.poll_event().is_some() {}
            }
            prop_assert!(engine.acknowledged() <= engine.pushed());
        }
    }

    #[test]
    fn request_numbers_have_six_bits(n: u8) {
        prop_assert_eq!(RqSeq::new(n).value(), n % 64);
        prop_assert_eq!(RqSeq::new(n).next().value(), (n % 64 + 1) % 64);
    }
}
