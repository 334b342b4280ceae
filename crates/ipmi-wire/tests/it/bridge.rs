//! Fact 8: bridging as `ipmitool` puts it on the wire.

use ipmi_wire::bridge::{Answer, Forward, Hop, Route, SEND_MESSAGE, unwrap_answer};
use ipmi_wire::command::{Command, GetChassisStatus};
use ipmi_wire::ipmb::{Message, REMOTE_CONSOLE, Response, RqSeq};
use ipmi_wire::{CompletionCode, NetFn};

use crate::capture::Capture;

const SINGLE: &str = include_str!("../vectors/single-bridge-suite3.txt");
const DOUBLE: &str = include_str!("../vectors/double-bridge-suite3.txt");
const SINGLE_ROUTE: Route = Route::Single(Hop { channel: 0, address: 0x30 });
const DOUBLE_ROUTE: Route = Route::Double { transit: Hop { channel: 0, address: 0x82 }, target: Hop { channel: 7, address: 0x72 } };

/// Every Send Message `ipmitool` sent equals what we make of the request inside it.
fn frames_equal(text: &str, route: Route) {
    let capture = Capture::read(text);
    let keys = capture.established(b"secret").keys;
    let mut seen = Vec::new();
    for packet in Capture::protected(capture.to_bmc()) {
        let payload = packet.open(&keys).unwrap();
        let Message::Request(outer) = Message::decode(&payload).unwrap() else { panic!() };
        if (outer.net_fn, outer.cmd) != (NetFn::APP, SEND_MESSAGE) {
            continue;
        }
        let mut innermost = outer;
        while (innermost.net_fn, innermost.cmd) == (NetFn::APP, SEND_MESSAGE) {
            let forward = Forward::decode(innermost.data).unwrap();
            assert!(forward.tracked);
            innermost = forward.request;
        }
        assert_eq!(route.wrap(innermost.net_fn, innermost.rs_lun, innermost.cmd, innermost.seq, innermost.data), payload);
        seen.push((innermost.net_fn, innermost.cmd));
    }
    assert!(seen.contains(&(NetFn::CHASSIS, GetChassisStatus::CMD)), "{seen:?}");
}

#[test]
fn single_bridge_frames_equal_ipmitools() {
    frames_equal(SINGLE, SINGLE_ROUTE);
}

#[test]
fn double_bridge_frames_equal_ipmitools() {
    frames_equal(DOUBLE, DOUBLE_ROUTE);
}

#[test]
fn the_innermost_requester_is_the_console_for_one_hop_and_the_bmc_for_two() {
    for (route, requester) in [(SINGLE_ROUTE, REMOTE_CONSOLE), (DOUBLE_ROUTE, 0x20)] {
        let frame = route.wrap(NetFn::CHASSIS, 0, 1, RqSeq::new(5), &[]);
        let Message::Request(mut request) = Message::decode(&frame).unwrap() else { panic!() };
        for _ in 0..route.depth() {
            request = Forward::decode(request.data).unwrap().request;
        }
        assert_eq!((request.net_fn, request.cmd, request.rq_addr), (NetFn::CHASSIS, 1, requester));
    }
}

fn response<'a>(net_fn: NetFn, cmd: u8, completion: CompletionCode, data: &'a [u8]) -> Response<'a> {
    let net_fn = net_fn.response();
    Response { rq_addr: 0x81, rq_lun: 0, net_fn, rs_addr: 0x20, rs_lun: 0, seq: RqSeq::new(9), cmd, completion, data }
}

#[test]
fn answers_come_embedded_at_any_depth_or_separately() {
    let ack = response(NetFn::APP, SEND_MESSAGE, CompletionCode::OK, &[]);
    assert_eq!(unwrap_answer(ack).unwrap(), Answer::Acknowledged);

    let answer = response(NetFn::CHASSIS, 1, CompletionCode::OK, &[1, 0, 0]);
    assert_eq!(unwrap_answer(answer).unwrap(), Answer::Final(answer));

    let mut inner = Vec::new();
    answer.encode(&mut inner);
    let once = response(NetFn::APP, SEND_MESSAGE, CompletionCode::OK, &inner);
    assert_eq!(unwrap_answer(once).unwrap(), Answer::Final(answer));

    let mut middle = Vec::new();
    once.encode(&mut middle);
    let twice = response(NetFn::APP, SEND_MESSAGE, CompletionCode::OK, &middle);
    assert_eq!(unwrap_answer(twice).unwrap(), Answer::Final(answer));

    let refused = response(NetFn::APP, SEND_MESSAGE, CompletionCode(0x83), &[]);
    assert_eq!(unwrap_answer(refused).unwrap(), Answer::HopFailed(CompletionCode(0x83)));

    let mut broken = inner.clone();
    broken[2] ^= 1;
    unwrap_answer(response(NetFn::APP, SEND_MESSAGE, CompletionCode::OK, &broken)).unwrap_err();
}
