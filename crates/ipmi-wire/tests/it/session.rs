//! Facts 2, 3 and 9 at the wire: lengths, sequence windows, role octet; and what hostile packets get.

use ipmi_wire::session::{
    BmcHandshake, BmcUser, ConsoleHandshake, ConsoleParams, Datagram, Established, HandshakeError, OutgoingSequence, PayloadType,
    ReplayWindow, SecretKey, Setup, Stage, Status, Step, Username, seal,
};
use ipmi_wire::{CipherSuite, DecodeError, Privilege};
use proptest::prelude::*;

use crate::capture::{packet, read_setup};

pub fn params(suite: CipherSuite) -> ConsoleParams {
    ConsoleParams {
        username: Username::new(b"operator").unwrap(),
        password: SecretKey::new(b"correct horse").unwrap(),
        kg: None,
        privilege: Privilege::Operator,
        open_privilege: None,
        name_only: true,
        rakp3_without_lookup: false,
        suite,
        session_id: 0x0102_0304,
        random: [7; 16],
        tag: 42,
    }
}

struct Bmc {
    password: &'static [u8],
    kg: Option<&'static [u8]>,
    max_privilege: Privilege,
    suites: &'static [CipherSuite],
}

impl Default for Bmc {
    fn default() -> Self {
        Self { password: b"correct horse", kg: None, max_privilege: Privilege::Administrator, suites: &CipherSuite::ALL }
    }
}

/// Runs the whole handshake; both ends' results.
fn shake(params: ConsoleParams, bmc: &Bmc) -> Result<(Established, Established), HandshakeError> {
    let mut console = ConsoleHandshake::new(params);
    let first = console.message();
    let Setup::OpenRequest(open) = read_setup(&first) else { panic!() };
    let (answer, handshake) = BmcHandshake::open(&open, 0x99, bmc.suites);
    console.handle(&read_setup(&answer))?;
    let mut handshake = handshake.unwrap();
    let message = console.message();
    let Setup::Rakp1(rakp1) = read_setup(&message) else { panic!() };
    let user = BmcUser { password: SecretKey::new(bmc.password).unwrap(), max_privilege: bmc.max_privilege };
    let kg = bmc.kg.map(|kg| SecretKey::new(kg).unwrap());
    let answer = handshake.rakp1(&rakp1, (rakp1.username.as_bytes() == b"operator").then_some(user), kg.as_ref(), [8; 16], [9; 16]);
    console.handle(&read_setup(&answer))?;
    let message = console.message();
    let Setup::Rakp3(rakp3) = read_setup(&message) else { panic!() };
    let (answer, established) = handshake.rakp3(&rakp3);
    match console.handle(&read_setup(&answer.unwrap()))? {
        Step::Established(ours) => Ok((*ours, established.unwrap())),
        other => panic!("{other:?}"),
    }
}

fn refused(stage: Stage, status: Status) -> HandshakeError {
    HandshakeError::Refused { stage, status }
}

#[test]
fn fact_2_both_suites_agree_on_keys_with_and_without_kg() {
    for suite in CipherSuite::ALL {
        for kg in [None, Some(b"bmc key".as_slice())] {
            let ours = ConsoleParams { kg: kg.map(|kg| SecretKey::new(kg).unwrap()), ..params(suite) };
            let (console, bmc) = shake(ours, &Bmc { kg, ..Bmc::default() }).unwrap();
            let datagram = seal(&console.keys, PayloadType::Ipmi, console.bmc_id, 1, [1; 16], b"hello").unwrap();
            assert_eq!(packet(&datagram).unwrap().open(&bmc.keys).unwrap(), b"hello");
        }
    }
}

#[test]
fn fact_2_codes_have_the_lengths_of_their_suite() {
    for (suite, code, icv) in [(CipherSuite::Suite3, 20, 12), (CipherSuite::Suite17, 32, 16)] {
        assert_eq!((suite.mac_len(), suite.icv_len()), (code, icv));
        let (console, _) = shake(params(suite), &Bmc::default()).unwrap();
        let datagram = seal(&console.keys, PayloadType::Ipmi, 1, 1, [1; 16], &[0; 15]).unwrap();
        // RMCP 4, header 12, IV 16, one block, trailer: padding to a multiple of 4, its length, next header, code.
        assert_eq!(datagram.len(), 4 + 12 + 16 + 16 + 4 + icv);
    }
    let mut console = ConsoleHandshake::new(params(CipherSuite::Suite17));
    let first = console.message();
    let Setup::OpenRequest(open) = read_setup(&first) else { panic!() };
    let (answer, handshake) = BmcHandshake::open(&open, 0x99, &CipherSuite::ALL);
    console.handle(&read_setup(&answer)).unwrap();
    let message = console.message();
    let Setup::Rakp1(rakp1) = read_setup(&message) else { panic!() };
    let user = BmcUser { password: SecretKey::new(b"correct horse").unwrap(), max_privilege: Privilege::Administrator };
    let answer = handshake.unwrap().rakp1(&rakp1, Some(user), None, [8; 16], [9; 16]);
    let Setup::Rakp2(rakp2) = read_setup(&answer) else { panic!() };
    assert_eq!(rakp2.code.len(), 32);
}

#[test]
fn fact_2_nothing_weaker_than_suite_3_can_be_named() {
    assert_eq!((0..=255).filter_map(CipherSuite::from_id).map(CipherSuite::id).collect::<Vec<_>>(), [3, 17]);
    assert!(CipherSuite::Suite17 > CipherSuite::Suite3);
}

#[test]
fn a_bmc_without_the_suite_says_so_and_a_bmc_that_changes_it_is_refused() {
    let only_3 = Bmc { suites: &[CipherSuite::Suite3], ..Bmc::default() };
    let error = shake(params(CipherSuite::Suite17), &only_3).unwrap_err();
    assert_eq!(error, refused(Stage::OpenSession, Status::NO_MATCHING_SUITE));

    let mut console = ConsoleHandshake::new(params(CipherSuite::Suite17));
    let first = console.message();
    let Setup::OpenRequest(mut open) = read_setup(&first) else { panic!() };
    open.algorithms = CipherSuite::Suite3.algorithms();
    let (answer, _) = BmcHandshake::open(&open, 0x99, &CipherSuite::ALL);
    assert_eq!(console.handle(&read_setup(&answer)).unwrap_err(), HandshakeError::SuiteChanged);
}

#[test]
fn wrong_name_password_key_and_privilege_are_told_apart() {
    for suite in CipherSuite::ALL {
        let stranger = ConsoleParams { username: Username::new(b"stranger").unwrap(), ..params(suite) };
        assert_eq!(shake(stranger, &Bmc::default()).unwrap_err(), refused(Stage::Rakp2, Status::UNAUTHORIZED_NAME));
        let error = shake(params(suite), &Bmc { password: b"other", ..Bmc::default() }).unwrap_err();
        assert_eq!(error, HandshakeError::WrongPassword);
        let error = shake(params(suite), &Bmc { kg: Some(b"key"), ..Bmc::default() }).unwrap_err();
        assert_eq!(error, HandshakeError::WrongKg);
        let error = shake(params(suite), &Bmc { max_privilege: Privilege::User, ..Bmc::default() }).unwrap_err();
        assert_eq!(error, refused(Stage::Rakp2, Status::UNAUTHORIZED_ROLE));
    }
}

#[test]
fn fact_9_open_session_asks_for_the_highest_level_and_rakp_1_looks_up_by_name() {
    let mut console = ConsoleHandshake::new(params(CipherSuite::Suite3));
    let first = console.message();
    let Setup::OpenRequest(open) = read_setup(&first) else { panic!() };
    assert_eq!(open.privilege, None);
    let (answer, _) = BmcHandshake::open(&open, 0x99, &CipherSuite::ALL);
    console.handle(&read_setup(&answer)).unwrap();
    let message = console.message();
    let Setup::Rakp1(rakp1) = read_setup(&message) else { panic!() };
    assert_eq!(rakp1.role(), 0x10 | Privilege::Operator.value());
}

#[test]
fn fact_10_the_rakp_3_quirk_leaves_the_look_up_bit_out() {
    let quirky = ConsoleParams { rakp3_without_lookup: true, ..params(CipherSuite::Suite3) };
    // A BMC that follows the specification then refuses.
    let error = shake(quirky, &Bmc::default()).unwrap_err();
    assert_eq!(error, refused(Stage::Rakp4, Status::INVALID_INTEGRITY_CHECK));
    // Without look-up bit there is nothing to leave out.
    let plain = ConsoleParams { rakp3_without_lookup: true, name_only: false, ..params(CipherSuite::Suite3) };
    shake(plain, &Bmc::default()).unwrap();
}

#[test]
fn messages_of_other_handshakes_and_duplicates_are_ignored() {
    let mut console = ConsoleHandshake::new(params(CipherSuite::Suite3));
    let first = console.message();
    let Setup::OpenRequest(open) = read_setup(&first) else { panic!() };
    let mut foreign = open;
    foreign.tag = 1;
    let (answer, _) = BmcHandshake::open(&foreign, 0x99, &CipherSuite::ALL);
    assert!(matches!(console.handle(&read_setup(&answer)), Ok(Step::Ignored)));
    let (answer, _) = BmcHandshake::open(&open, 0x99, &CipherSuite::ALL);
    assert!(matches!(console.handle(&read_setup(&answer)), Ok(Step::Send)));
    let sent = console.message();
    assert!(matches!(console.handle(&read_setup(&answer)), Ok(Step::Ignored)));
    assert_eq!(console.message(), sent, "a repetition is the same message");
}

#[test]
fn fact_3_outgoing_numbers_skip_zero_and_the_window_accepts_each_number_once() {
    let mut outgoing = OutgoingSequence::default();
    assert_eq!([outgoing.advance(), outgoing.advance(), outgoing.advance()], [1, 2, 3]);
    let mut window = ReplayWindow::default();
    assert!(!window.accept(0));
    for n in [5, 3, 4, 1, 2, 40, 9] {
        assert!(window.accept(n), "{n} is fresh");
        assert!(!window.accept(n), "{n} is a replay");
    }
    assert!(!window.accept(8), "32 behind 40 and never seen, but too old to tell");
    assert!(window.accept(u32::MAX / 2), "packets lost in between do not end the session");
}

proptest! {
    /// The window agrees with a set that remembers everything, for numbers it can still tell apart.
    #[test]
    fn the_window_is_a_set_of_the_last_32(numbers in prop::collection::vec(1u32..100, 1..200)) {
        let mut window = ReplayWindow::default();
        let mut seen = std::collections::HashSet::new();
        let mut highest = 0;
        for n in numbers {
            let told = n > highest || highest - n < ReplayWindow::SIZE;
            prop_assert_eq!(window.accept(n), told && !seen.contains(&n));
            seen.insert(n);
            highest = highest.max(n);
            prop_assert_eq!(window.highest(), highest);
        }
    }

    #[test]
    fn every_payload_comes_back(suite in prop::sample::select(CipherSuite::ALL.to_vec()), payload in prop::collection::vec(any::<u8>(), 0..300), iv: [u8; 16], sequence: u32) {
        let (console, bmc) = shake(params(suite), &Bmc::default()).unwrap();
        let datagram = seal(&console.keys, PayloadType::Sol, console.bmc_id, sequence, iv, &payload).unwrap();
        let packet = packet(&datagram).unwrap();
        prop_assert_eq!((packet.session_id, packet.sequence, packet.payload_type), (0x99, sequence, PayloadType::Sol));
        prop_assert_eq!(packet.plain(), Err(DecodeError::Unprotected));
        prop_assert_eq!(packet.open(&bmc.keys).unwrap(), payload);
    }

    /// No single flipped bit gets through, wherever it is.
    #[test]
    fn a_changed_packet_is_refused(suite in prop::sample::select(CipherSuite::ALL.to_vec()), at: prop::sample::Index, bit in 0u8..8, cut: prop::sample::Index) {
        let (console, bmc) = shake(params(suite), &Bmc::default()).unwrap();
        let datagram = seal(&console.keys, PayloadType::Ipmi, console.bmc_id, 3, [5; 16], b"power on").unwrap();
        let opens = |octets: &[u8]| match Datagram::decode(octets) {
            Ok(Datagram::V20(packet)) => packet.open(&bmc.keys).is_ok(),
            _ => false,
        };
        prop_assert!(opens(&datagram));
        let mut changed = datagram.clone();
        // The RMCP header is outside the authenticated range.
        let at = 4 + at.index(changed.len() - 4);
        changed[at] ^= 1 << bit;
        prop_assert!(!opens(&changed), "octet {}", at);
        prop_assert!(!opens(&datagram[..cut.index(datagram.len())]));
    }
}

#[test]
fn nothing_secret_is_shown() {
    let (console, _) = shake(params(CipherSuite::Suite17), &Bmc::default()).unwrap();
    let shown = format!("{:?} {:?} {:?}", params(CipherSuite::Suite17), console, ConsoleHandshake::new(params(CipherSuite::Suite3)));
    assert!(!shown.contains("horse") && !shown.contains("99, 111, 114"), "{shown}");
    assert!(!shown.contains("bytes"), "{shown}");
}

#[test]
fn too_long_secrets_and_names_are_refused_with_their_length() {
    assert_eq!(SecretKey::new(&[b'x'; 21]).unwrap_err().to_string(), "password or key has 21 octets, IPMI 2.0 allows 20");
    assert_eq!(Username::new(&[b'x'; 17]).unwrap_err().to_string(), "user name has 17 octets, IPMI 2.0 allows 16");
}
