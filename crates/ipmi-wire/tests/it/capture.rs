//! Replays a captured exchange: one datagram a line in hexadecimal, `>` to the BMC, `<` from it.

use ipmi_wire::session::{
    ConsoleHandshake, ConsoleParams, Datagram, Established, OpenSessionRequest, Packet, PayloadType, Rakp1, SecretKey, Setup, Step,
};
use ipmi_wire::{CipherSuite, Privilege};

pub struct Capture(Vec<(bool, Vec<u8>)>);

impl Capture {
    pub fn read(text: &str) -> Self {
        let line = |line: &str| {
            let (direction, hex) = line.split_once(' ').unwrap();
            let octets = (0..hex.len() / 2).map(|i| u8::from_str_radix(&hex[2 * i..2 * i + 2], 16).unwrap()).collect();
            (direction == ">", octets)
        };
        Self(text.lines().map(line).collect())
    }

    pub fn to_bmc(&self) -> impl Iterator<Item = &[u8]> {
        self.0.iter().filter(|(to_bmc, _)| *to_bmc).map(|(_, datagram)| datagram.as_slice())
    }

    pub fn of_bmc(&self) -> impl Iterator<Item = &[u8]> {
        self.0.iter().filter(|(to_bmc, _)| !to_bmc).map(|(_, datagram)| datagram.as_slice())
    }

    /// The datagram that carries this payload type.
    pub fn setup(&self, wanted: PayloadType) -> &[u8] {
        let is = |datagram: &[u8]| matches!(packet(datagram), Some(p) if p.payload_type == wanted);
        self.0.iter().map(|(_, datagram)| datagram.as_slice()).find(|datagram| is(datagram)).unwrap()
    }

    pub fn open_request(&self) -> OpenSessionRequest {
        let Setup::OpenRequest(m) = read_setup(self.setup(PayloadType::OpenSessionRequest)) else { unreachable!() };
        m
    }

    pub fn rakp1(&self) -> Rakp1 {
        let Setup::Rakp1(m) = read_setup(self.setup(PayloadType::Rakp1)) else { unreachable!() };
        m
    }

    /// A console with the random numbers of the captured one.
    pub fn console(&self, password: &[u8]) -> ConsoleHandshake {
        let (open, rakp1) = (self.open_request(), self.rakp1());
        ConsoleHandshake::new(ConsoleParams {
            username: rakp1.username,
            password: SecretKey::new(password).unwrap(),
            kg: None,
            privilege: rakp1.privilege.unwrap_or(Privilege::Administrator),
            open_privilege: open.privilege,
            name_only: rakp1.name_only,
            rakp3_without_lookup: false,
            suite: CipherSuite::from_algorithms(open.algorithms).unwrap(),
            session_id: open.console_id,
            random: rakp1.random,
            tag: open.tag,
        })
    }

    /// Runs our console against the captured answers.
    pub fn established(&self, password: &[u8]) -> Established {
        let mut console = self.console(password);
        for kind in [PayloadType::OpenSessionResponse, PayloadType::Rakp2, PayloadType::Rakp4] {
            match console.handle(&read_setup(self.setup(kind))).unwrap() {
                Step::Established(established) => return *established,
                Step::Send => {}
                Step::Ignored => panic!("{kind:?} ignored"),
            }
        }
        panic!("no session");
    }

    /// The packets inside the session, one direction.
    pub fn protected<'a>(datagrams: impl Iterator<Item = &'a [u8]>) -> Vec<Packet<'a>> {
        datagrams.filter_map(packet).filter(|p| p.authenticated).collect()
    }
}

pub fn packet(datagram: &[u8]) -> Option<Packet<'_>> {
    match Datagram::decode(datagram).unwrap() {
        Datagram::V20(packet) => Some(packet),
        _ => None,
    }
}

pub fn read_setup(datagram: &[u8]) -> Setup<'_> {
    let packet = packet(datagram).unwrap();
    Setup::decode(packet.payload_type, packet.plain().unwrap()).unwrap()
}
