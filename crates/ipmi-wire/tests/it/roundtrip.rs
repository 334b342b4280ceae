//! What one end writes, the other reads.

use std::fmt::Debug;

use ipmi_wire::command::*;
use ipmi_wire::ipmb::{Message, Request, Response, RqSeq};
use ipmi_wire::rmcp::{Asf, Class, Header};
use ipmi_wire::session::{
    Datagram, OpenSessionRequest, OpenSessionResponse, PayloadType, Rakp1, Rakp2, Rakp3, Rakp4, Setup, Status, Username, unprotected_v15,
    unprotected_v20,
};
use ipmi_wire::suite::Algorithms;
use ipmi_wire::{CipherSuite, CompletionCode, NetFn, Privilege};
use proptest::prelude::*;

fn comes_back<B: Body + PartialEq + Debug>(body: &B) {
    let mut data = Vec::new();
    body.encode(&mut data);
    assert_eq!(&B::decode(&data).unwrap(), body, "{data:02x?}");
}

fn privilege() -> impl Strategy<Value = Privilege> {
    (1u8..=5).prop_map(|n| Privilege::from_value(n).unwrap())
}

fn username() -> impl Strategy<Value = Username> {
    prop::collection::vec(any::<u8>(), 0..=16).prop_map(|name| Username::new(&name).unwrap())
}

fn algorithms() -> impl Strategy<Value = Algorithms> {
    (0u8..64, 0u8..64, 0u8..64).prop_map(|(authentication, integrity, confidentiality)| Algorithms {
        authentication,
        integrity,
        confidentiality,
    })
}

fn setup_comes_back(message: &Setup<'_>) {
    let datagram = message.encode();
    let Datagram::V20(packet) = Datagram::decode(&datagram).unwrap() else { panic!() };
    assert_eq!((packet.session_id, packet.sequence, packet.payload_type), (0, 0, message.payload_type()));
    assert_eq!(&Setup::decode(packet.payload_type, packet.plain().unwrap()).unwrap(), message);
}

proptest! {
    #[test]
    fn lan_messages(addresses: [u8; 2], luns in (0u8..4, 0u8..4), net_fn in 0u8..32, seq: u8, cmd: u8, code: u8, data in prop::collection::vec(any::<u8>(), 0..80)) {
        let ([rs_addr, rq_addr], (rs_lun, rq_lun), net_fn, seq) = (addresses, luns, NetFn::new(net_fn * 2), RqSeq::new(seq));
        let request = Request { rs_addr, rs_lun, net_fn, rq_addr, rq_lun, seq, cmd, data: &data };
        let mut frame = Vec::new();
        request.encode(&mut frame);
        prop_assert_eq!(Message::decode(&frame).unwrap(), Message::Request(request));
        let response: Response<'_> = request.respond(CompletionCode(code), &data);
        prop_assert!(response.answers(net_fn, cmd, seq));
        prop_assert!(!response.answers(net_fn, cmd, seq.next()));
        let mut frame = Vec::new();
        response.encode(&mut frame);
        prop_assert_eq!(Message::decode(&frame).unwrap(), Message::Response(response));
    }

    #[test]
    fn set_up(tag: u8, status in 1u8.., ids: [u32; 2], randoms: [[u8; 16]; 2], level in prop::option::of(privilege()), name_only: bool, username in username(), a in algorithms(), code in prop::collection::vec(any::<u8>(), 0..=32)) {
        let ([console_id, bmc_id], [random, guid]) = (ids, randoms);
        let none = Algorithms { authentication: 0, integrity: 0, confidentiality: 0 };
        setup_comes_back(&Setup::OpenRequest(OpenSessionRequest { tag, privilege: level, console_id, algorithms: a }));
        setup_comes_back(&Setup::OpenResponse(OpenSessionResponse { tag, status: Status::OK, privilege: level, console_id, bmc_id, algorithms: a }));
        setup_comes_back(&Setup::OpenResponse(OpenSessionResponse { tag, status: Status(status), privilege: level, console_id, bmc_id: 0, algorithms: none }));
        setup_comes_back(&Setup::Rakp1(Rakp1 { tag, bmc_id, random, privilege: level, name_only, username }));
        setup_comes_back(&Setup::Rakp2(Rakp2 { tag, status: Status::OK, console_id, random, guid, code: &code }));
        setup_comes_back(&Setup::Rakp2(Rakp2 { tag, status: Status(status), console_id, random: [0; 16], guid: [0; 16], code: &[] }));
        setup_comes_back(&Setup::Rakp3(Rakp3 { tag, status: Status::OK, bmc_id, code: &code }));
        setup_comes_back(&Setup::Rakp4(Rakp4 { tag, status: Status::OK, console_id, icv: &code }));
    }

    #[test]
    fn envelopes(payload in prop::collection::vec(any::<u8>(), 0..=255), kind in 0u8..64, tag: u8) {
        let datagram = unprotected_v15(&payload).unwrap();
        let Datagram::V15(v15) = Datagram::decode(&datagram).unwrap() else { panic!() };
        prop_assert_eq!((v15.session_id, v15.payload), (0, payload.as_slice()));
        let kind = PayloadType::from_value(kind);
        prop_assume!(kind.value() != 2);
        let datagram = unprotected_v20(kind, &payload).unwrap();
        let Datagram::V20(v20) = Datagram::decode(&datagram).unwrap() else { panic!() };
        prop_assert_eq!((v20.payload_type, v20.plain().unwrap()), (kind, payload.as_slice()));
        for asf in [Asf::Ping { tag }, Asf::pong(tag)] {
            let datagram = asf.encode();
            prop_assert_eq!(Datagram::decode(&datagram).unwrap(), Datagram::Asf(asf));
        }
    }

    #[test]
    fn session_commands(v20: bool, channel in 0u8..16, level in privilege(), index in 0u8..64, id: u32, flags: [bool; 9], types in 0u8..64, iana: [u8; 3], oem_data: u8, records in prop::collection::vec(any::<u8>(), 0..=16)) {
        comes_back(&GetChannelAuthCapabilities { v20, channel, privilege: level });
        let [extended, kg_set, per_message_disabled, user_level_disabled, non_null_users, null_users, anonymous, supports_v20, supports_v15] = flags;
        comes_back(&ChannelAuthCapabilities {
            channel, auth_types: types, extended, kg_set, per_message_disabled, user_level_disabled, non_null_users, null_users, anonymous,
            supports_v20, supports_v15, oem_iana: iana, oem_data,
        });
        comes_back(&GetChannelCipherSuites { channel, payload_type: types, index });
        comes_back(&CipherSuiteRecords { channel, records });
        comes_back(&SetSessionPrivilege { level: Some(level) });
        comes_back(&SetSessionPrivilege { level: None });
        comes_back(&SessionPrivilege { level: Some(level) });
        comes_back(&CloseSession { session_id: id });
    }

    #[test]
    fn device_and_chassis(octets: [u8; 8], aux_revision: [u8; 4], manufacturer in 0u32..1 << 20, product: u16, guid: [u8; 16], available: bool, control in 0u8..6) {
        let [device_id, device_revision, major, firmware_minor, version, additional_support, seconds, misc] = octets;
        comes_back(&DeviceId {
            device_id, device_revision, firmware_major: major & 0x7f, firmware_minor, available,
            ipmi_version: (version & 15, version >> 4), additional_support, manufacturer, product, aux_revision,
        });
        comes_back(&SystemGuid(guid));
        comes_back(&ChassisStatus { power_state: major, last_event: version, misc });
        comes_back(&ChassisControl::decode(&[control]).unwrap());
        comes_back(&ChassisIdentify { seconds, forever: available });
    }

    #[test]
    fn boot_options(flags: [u8; 5], selector in 6u8..128, data in prop::collection::vec(any::<u8>(), 1..20), pair: [u8; 2], bits in 0u8..32, mark_invalid: bool, valid: bool) {
        let wire = { let mut f = flags; f[0] &= 0xe0; f };
        prop_assert_eq!(BootFlags::from_bytes(flags).to_bytes(), wire, "no bit of data 2 to 5 is lost");
        let [mask, ack] = pair;
        for parameter in [
            BootParameter::SetInProgress(ProgressState::Complete),
            BootParameter::SetInProgress(ProgressState::InProgress),
            BootParameter::SetInProgress(ProgressState::Commit),
            BootParameter::ValidBitClearing(bits),
            BootParameter::InfoAcknowledge { mask, data: ack },
            BootParameter::Flags(BootFlags::from_bytes(flags)),
            BootParameter::Other { selector, data: data.clone() },
        ] {
            comes_back(&GetBootOptionResponse { valid, parameter: parameter.clone() });
            comes_back(&GetBootOption { selector: parameter.selector(), set: mask, block: ack });
            comes_back(&SetBootOption { mark_invalid, parameter: BootChange::Write(parameter) });
        }
        comes_back(&SetBootOption { mark_invalid, parameter: BootChange::MarkOnly(selector) });
    }

    #[test]
    fn payload_commands(payload_type in 0u8..64, instance in 0u8..16, aux: [u8; 4], sizes: [u16; 4], id: u32, info: [u8; 8], capacity in 0u8..16) {
        comes_back(&ActivatePayload { payload_type, instance, aux });
        let [inbound_size, outbound_size, port, vlan] = sizes;
        comes_back(&ActivatePayloadResponse { aux, inbound_size, outbound_size, port, vlan });
        comes_back(&DeactivatePayload { payload_type, instance });
        comes_back(&GetPayloadActivationStatus { payload_type });
        comes_back(&PayloadActivationStatus { capacity, active: port });
        comes_back(&GetPayloadInstanceInfo { payload_type, instance });
        comes_back(&PayloadInstanceInfo { session_id: id, info });
    }
}

#[test]
fn boot_flags_are_the_octets_ipmitool_sends() {
    // ipmitool chassis bootdev pxe options=efiboot,persistent
    assert_eq!(BootFlags::new(BootDevice::Pxe, true, true).to_bytes(), [0xe0, 0x04, 0, 0, 0]);
    assert_eq!(BootFlags::new(BootDevice::Disk, false, false).to_bytes(), [0x80, 0x08, 0, 0, 0]);
    assert_eq!(BootFlags::new(BootDevice::Bios, false, true).to_bytes(), [0xc0, 0x18, 0, 0, 0]);
    for n in 0..16 {
        assert_eq!(BootDevice::from_value(n).value(), n);
    }
}

#[test]
fn sol_activation_is_the_octets_ipmitool_sends() {
    let mut data = Vec::new();
    ActivatePayload::sol(1).encode(&mut data);
    assert_eq!(data, [0x01, 0x01, 0xc6, 0, 0, 0]);
}

#[test]
fn suite_records_are_found_among_others() {
    // As ipmi_sim sends them: suites 0 to 3, then an OEM's 17 that must not count.
    let mut list = vec![0xc0, 0, 0, 0x40, 0x80, 0xc0, 1, 1, 0x40, 0x80, 0xc0, 2, 1, 0x41, 0x80, 0xc0, 3, 1, 0x41, 0x81];
    list.extend_from_slice(&[0xc1, 17, 0x57, 0x01, 0x00, 3, 0x44, 0x81]);
    let records: Vec<SuiteRecord> = parse_suite_records(&list).collect();
    assert_eq!(records.iter().map(|r| r.id).collect::<Vec<_>>(), [0, 1, 2, 3, 17]);
    assert_eq!(records.iter().filter_map(SuiteRecord::suite).collect::<Vec<_>>(), [CipherSuite::Suite3]);
    let ours: Vec<_> = encode_suite_records(&CipherSuite::ALL);
    assert_eq!(parse_suite_records(&ours).filter_map(|r| r.suite()).collect::<Vec<_>>(), CipherSuite::ALL);
}

#[test]
fn completion_codes_explain_themselves_per_command() {
    assert_eq!(explain::<ActivatePayload>(CompletionCode(0x80)), "payload already active on another session (0x80)");
    assert_eq!(explain::<SetBootOption>(CompletionCode(0x80)), "parameter not supported (0x80)");
    assert_eq!(explain::<ChassisControl>(CompletionCode(0xd4)), "insufficient privilege level (0xd4)");
    assert_eq!(explain::<ChassisControl>(CompletionCode(0x9f)), "code 0x9f");
}

#[test]
fn rmcp_headers() {
    for class in [Class::Asf, Class::Ipmi] {
        for ack in [false, true] {
            let header = Header { sequence: 9, class, ack };
            let mut out = Vec::new();
            header.encode(&mut out);
            assert_eq!(Header::decode(&out).unwrap(), (header, [].as_slice()));
        }
    }
    assert!(Header::decode(&[6, 0, 0xff, 8]).is_err(), "OEM class");
    assert!(Header::decode(&[5, 0, 0xff, 7]).is_err(), "version");
}
