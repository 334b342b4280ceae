//! Known answers: what `ipmitool` 1.8.19 and its peers put on the wire, octet for octet.
//!
//! The files in `tests/vectors` were captured with `ipmitool -I lanplus -C 3` against OpenIPMI's `ipmi_sim` and pyghmi's
//! BMC, and `-C 17` against `bmc-sim`; user `admin`, password `secret`.

use ipmi_wire::command::{
    Body, ChassisStatus, CloseSession, Command, GetChannelAuthCapabilities, GetChassisStatus, SessionPrivilege, SetSessionPrivilege,
};
use ipmi_wire::ipmb::{Message, Request, RqSeq};
use ipmi_wire::session::{BmcHandshake, BmcUser, Datagram, PayloadType, SecretKey, Setup, Step, seal, unprotected_v15};
use ipmi_wire::{CipherSuite, NetFn, Privilege};

use crate::capture::{Capture, packet, read_setup};

const SUITE_3: &str = include_str!("../vectors/power-status-suite3.txt");
const SUITE_17: &str = include_str!("../vectors/power-status-suite17.txt");
const PASSWORD: &[u8] = b"secret";

/// Open Session, RAKP 1 and RAKP 3 of our console equal `ipmitool`'s, and it accepts the BMC's proofs.
fn console_equals_ipmitool(text: &str) {
    let capture = Capture::read(text);
    let mut console = capture.console(PASSWORD);
    for (ours, theirs) in [
        (PayloadType::OpenSessionRequest, PayloadType::OpenSessionResponse),
        (PayloadType::Rakp1, PayloadType::Rakp2),
        (PayloadType::Rakp3, PayloadType::Rakp4),
    ] {
        assert_eq!(console.message(), capture.setup(ours), "{ours:?}");
        let step = console.handle(&read_setup(capture.setup(theirs))).unwrap();
        assert_eq!(matches!(step, Step::Established(_)), theirs == PayloadType::Rakp4);
    }
}

#[test]
fn suite_3_console_messages_equal_ipmitools() {
    console_equals_ipmitool(SUITE_3);
}

#[test]
fn suite_17_console_messages_equal_ipmitools() {
    console_equals_ipmitool(SUITE_17);
}

/// RAKP 2 and 4 of our BMC equal those `ipmitool` accepted.
fn bmc_equals_peer(text: &str) {
    let capture = Capture::read(text);
    let Setup::OpenResponse(opened) = read_setup(capture.setup(PayloadType::OpenSessionResponse)) else { panic!() };
    let Setup::Rakp2(rakp2) = read_setup(capture.setup(PayloadType::Rakp2)) else { panic!() };
    let Setup::Rakp3(rakp3) = read_setup(capture.setup(PayloadType::Rakp3)) else { panic!() };
    let (_, bmc) = BmcHandshake::open(&capture.open_request(), opened.bmc_id, &CipherSuite::ALL);
    let mut bmc = bmc.unwrap();
    let user = BmcUser { password: SecretKey::new(PASSWORD).unwrap(), max_privilege: Privilege::Administrator };
    let answer = bmc.rakp1(&capture.rakp1(), Some(user), None, rakp2.random, rakp2.guid);
    assert_eq!(answer, capture.setup(PayloadType::Rakp2));
    let (answer, established) = bmc.rakp3(&rakp3);
    assert_eq!(answer.unwrap(), capture.setup(PayloadType::Rakp4));
    assert!(established.is_some());
}

#[test]
fn suite_3_bmc_messages_equal_ipmi_sims() {
    bmc_equals_peer(SUITE_3);
}

#[test]
fn suite_17_bmc_messages_equal_those_ipmitool_accepted() {
    bmc_equals_peer(SUITE_17);
}

/// Every packet of the session opens, and sealing its content again with the same IV gives the same octets.
fn packets_equal(text: &str) {
    let capture = Capture::read(text);
    let established = capture.established(PASSWORD);
    let mut count = 0;
    for datagram in capture.to_bmc().chain(capture.of_bmc()) {
        let Some(packet) = packet(datagram).filter(|p| p.authenticated) else { continue };
        let payload = packet.open(&established.keys).unwrap();
        let iv = datagram[16..32].try_into().unwrap();
        let again = seal(&established.keys, packet.payload_type, packet.session_id, packet.sequence, iv, &payload).unwrap();
        assert_eq!(again, datagram);
        count += 1;
    }
    assert_eq!(count, 14, "packets in the session");
}

#[test]
fn suite_3_packets_equal_ipmitools_and_ipmi_sims() {
    packets_equal(SUITE_3);
}

#[test]
fn suite_17_packets_equal_ipmitools() {
    packets_equal(SUITE_17);
}

#[test]
fn the_first_question_equals_ipmitools() {
    let capture = Capture::read(SUITE_3);
    let question = GetChannelAuthCapabilities::current(Privilege::Administrator);
    let mut data = Vec::new();
    question.encode(&mut data);
    let mut message = Vec::new();
    Request::to_bmc(NetFn::APP, GetChannelAuthCapabilities::CMD, RqSeq::new(0), &data).encode(&mut message);
    assert_eq!(unprotected_v15(&message).unwrap(), capture.to_bmc().next().unwrap());

    let Datagram::V15(answer) = Datagram::decode(capture.of_bmc().next().unwrap()).unwrap() else { panic!() };
    let Message::Response(response) = Message::decode(answer.payload).unwrap() else { panic!() };
    let answer = <GetChannelAuthCapabilities as Command>::Response::decode(response.data).unwrap();
    assert!(answer.extended && answer.supports_v20 && answer.supports_v15 && !answer.kg_set);
}

/// What `ipmitool` asks in a session and what it was told, through our decoders.
#[test]
fn the_conversation_reads_as_what_ipmitool_did() {
    for text in [SUITE_3, SUITE_17] {
        let capture = Capture::read(text);
        let keys = capture.established(PASSWORD).keys;
        let requests: Vec<Vec<u8>> = Capture::protected(capture.to_bmc()).iter().map(|p| p.open(&keys).unwrap()).collect();
        let requests: Vec<Request<'_>> = requests
            .iter()
            .map(|payload| match Message::decode(payload).unwrap() {
                Message::Request(request) => request,
                Message::Response(_) => panic!("the console answers nothing"),
            })
            .collect();
        let find = |net_fn, cmd| requests.iter().position(|r| (r.net_fn, r.cmd) == (net_fn, cmd)).unwrap();

        // Fact 1: the privilege is raised before anything else.
        assert_eq!(find(NetFn::APP, SetSessionPrivilege::CMD), 0);
        assert_eq!(SetSessionPrivilege::decode(requests[0].data).unwrap().level, Some(Privilege::Administrator));
        let status = find(NetFn::CHASSIS, GetChassisStatus::CMD);
        let close = find(NetFn::APP, CloseSession::CMD);
        assert_eq!(CloseSession::decode(requests[close].data).unwrap().session_id, capture.established(PASSWORD).bmc_id);

        let answers: Vec<Vec<u8>> = Capture::protected(capture.of_bmc()).iter().map(|p| p.open(&keys).unwrap()).collect();
        let answer = |i: usize| match Message::decode(&answers[i]).unwrap() {
            Message::Response(response) => {
                assert!(response.answers(requests[i].net_fn, requests[i].cmd, requests[i].seq));
                response
            }
            Message::Request(_) => panic!("the BMC asks nothing"),
        };
        assert_eq!(SessionPrivilege::decode(answer(0).data).unwrap().level, Some(Privilege::Administrator));
        assert!(!ChassisStatus::decode(answer(status).data).unwrap().power_on());
    }
}

#[test]
fn a_wrong_password_is_noticed_at_rakp_2_and_a_wrong_kg_at_rakp_4() {
    use ipmi_wire::session::HandshakeError;
    for text in [SUITE_3, SUITE_17] {
        let capture = Capture::read(text);
        let mut console = capture.console(b"Secret");
        console.handle(&read_setup(capture.setup(PayloadType::OpenSessionResponse))).unwrap();
        let error = console.handle(&read_setup(capture.setup(PayloadType::Rakp2))).unwrap_err();
        assert_eq!(error, HandshakeError::WrongPassword);
    }
}
