//! A server to test, and a client that does exactly what a test tells it.

use std::collections::HashMap;
use std::io::Write;
use std::net::{IpAddr, SocketAddr};
use std::process::Output;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tftp::{Config, Content, Event, FileSource, OpenError, Request, Server};
use tokio::net::UdpSocket;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

/// Longer than anything here takes on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// Bytes that differ wherever a block could be mistaken for another.
pub(crate) fn pattern(len: usize) -> Vec<u8> {
    (0..len as u64).map(|n| (n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40) as u8).collect()
}

/// Serves `bytes/N` and `file/N` (N bytes of [`pattern`], from memory or a file) and the special names of `open`; remembers
/// what was asked for and what became of it.
#[derive(Default)]
pub(crate) struct Library {
    asked: Mutex<Vec<Request>>,
    events: Mutex<Vec<Event>>,
}

#[async_trait::async_trait]
impl FileSource for Library {
    async fn open(&self, request: &Request) -> Result<Content, OpenError> {
        self.asked.lock().unwrap().push(request.clone());
        let (kind, rest) = request.path.split_once('/').unwrap_or((&request.path, ""));
        match (kind, rest.parse::<usize>()) {
            ("bytes", Ok(len)) => Ok(Content::Bytes(pattern(len).into())),
            ("file", Ok(len)) => Ok(Content::File { file: file_of(len), len: len as u64 }),
            ("shrunken", Ok(len)) => Ok(Content::File { file: file_of(len / 2), len: len as u64 }),
            ("slow", Ok(millis)) => {
                tokio::time::sleep(Duration::from_millis(millis as u64)).await;
                Ok(Content::Bytes(pattern(100).into()))
            }
            ("denied", _) => Err(OpenError::Denied("not for you".into())),
            ("broken", _) => Err(OpenError::Other("the store is broken".into())),
            ("panic", _) => panic!("a source that panics"),
            _ => Err(OpenError::NotFound(format!("there is no {}", request.path))),
        }
    }

    fn event(&self, event: &Event) {
        self.events.lock().unwrap().push(event.clone());
    }
}

fn file_of(len: usize) -> std::fs::File {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(&pattern(len)).unwrap();
    file
}

/// A running server; ends when dropped.
pub(crate) struct Lab {
    pub(crate) addr: SocketAddr,
    pub(crate) stop: CancellationToken,
    pub(crate) task: JoinHandle<()>,
    library: Arc<Library>,
}

impl Lab {
    pub(crate) async fn start() -> Self {
        Self::with("127.0.0.1:0", Config::default()).await
    }

    pub(crate) async fn with(addr: &str, config: Config) -> Self {
        let library = Arc::new(Library::default());
        let server = Server::bind(addr.parse().unwrap(), config, Arc::clone(&library) as Arc<dyn FileSource>).await.unwrap();
        let (addr, stop) = (server.local_addr(), CancellationToken::new());
        let task = tokio::spawn(server.run(stop.clone()));
        Self { addr, stop, task, library }
    }

    pub(crate) fn asked(&self) -> Vec<Request> {
        self.library.asked.lock().unwrap().clone()
    }

    pub(crate) fn paths(&self) -> Vec<String> {
        self.asked().into_iter().map(|request| request.path).collect()
    }

    pub(crate) fn events(&self) -> Vec<Event> {
        self.library.events.lock().unwrap().clone()
    }

    pub(crate) fn started(&self) -> usize {
        self.events().iter().filter(|event| matches!(event, Event::Started { .. })).count()
    }

    /// Waits for an event for which `pick` gives something.
    pub(crate) async fn event<T>(&self, pick: impl Fn(&Event) -> Option<T>) -> T {
        let start = Instant::now();
        loop {
            if let Some(found) = self.events().iter().find_map(&pick) {
                return found;
            }
            assert!(start.elapsed() < PATIENCE, "not seen; events: {:#?}", self.events());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// Runs a program of Debian package `package` to its end.
pub(crate) async fn run_tool(package: &str, program: &str, args: &[&str]) -> Output {
    let command = tokio::process::Command::new(program).args(args).kill_on_drop(true).stdin(std::process::Stdio::null()).output();
    match timeout(PATIENCE * 3, command).await {
        Ok(Ok(output)) => output,
        Ok(Err(error)) => panic!("cannot run {program} ({error}): these tests need the Debian package {package}"),
        Err(_) => panic!("{program} {args:?} does not end"),
    }
}

/// A packet from the server, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Packet {
    Data { block: u16, data: Vec<u8> },
    Error { code: u16, message: String },
    Oack(HashMap<String, String>),
}

impl Packet {
    fn parse(bytes: &[u8]) -> Self {
        let number = u16::from_be_bytes([bytes[2], bytes[3]]);
        let strings = |bytes: &[u8]| -> Vec<String> {
            assert_eq!(bytes.last(), Some(&0), "terminated");
            bytes[..bytes.len() - 1].split(|&byte| byte == 0).map(|part| String::from_utf8(part.to_vec()).unwrap()).collect()
        };
        match bytes[..2] {
            [0, 3] => Self::Data { block: number, data: bytes[4..].to_vec() },
            [0, 5] => Self::Error { code: number, message: strings(&bytes[4..]).concat() },
            [0, 6] => Self::Oack(strings(&bytes[2..]).chunks(2).map(|pair| (pair[0].clone(), pair[1].clone())).collect()),
            _ => panic!("what is {bytes:?}?"),
        }
    }
}

pub(crate) fn read_request(path: &str, options: &[(&str, &str)]) -> Vec<u8> {
    let mut packet = vec![0, 1];
    for field in [path, "octet"].into_iter().chain(options.iter().flat_map(|&(name, value)| [name, value])) {
        packet.extend(field.bytes());
        packet.push(0);
    }
    packet
}

pub(crate) fn ack(block: u16) -> Vec<u8> {
    [[0, 4], block.to_be_bytes()].concat()
}

/// A client made by hand.
pub(crate) struct Client {
    pub(crate) socket: UdpSocket,
}

impl Client {
    pub(crate) async fn new() -> Self {
        Self::at("127.0.0.1".parse().unwrap()).await
    }

    pub(crate) async fn at(ip: IpAddr) -> Self {
        Self { socket: UdpSocket::bind((ip, 0)).await.unwrap() }
    }

    pub(crate) async fn send(&self, packet: &[u8], to: SocketAddr) {
        self.socket.send_to(packet, to).await.unwrap();
    }

    /// The next packet and who sent it.
    pub(crate) async fn recv(&self) -> (Packet, SocketAddr) {
        self.recv_within(PATIENCE).await.expect("an answer")
    }

    pub(crate) async fn recv_within(&self, patience: Duration) -> Option<(Packet, SocketAddr)> {
        let mut buf = vec![0; 70_000];
        let (len, from) = timeout(patience, self.socket.recv_from(&mut buf)).await.ok()?.unwrap();
        Some((Packet::parse(&buf[..len]), from))
    }

    /// Asserts that the answer is an error, and gives it.
    pub(crate) async fn refusal(&self) -> (u16, String) {
        match self.recv().await.0 {
            Packet::Error { code, message } => (code, message),
            other => panic!("expected an error, got {other:?}"),
        }
    }

    /// Asserts that the next packet is this block, and gives who sent it.
    pub(crate) async fn expect_block(&self, number: u16) -> (Vec<u8>, SocketAddr) {
        match self.recv().await {
            (Packet::Data { block, data }, from) if block == number => (data, from),
            other => panic!("expected block {number}, got {other:?}"),
        }
    }

    /// Fetches in lock step without options.
    pub(crate) async fn fetch(&self, path: &str, server: SocketAddr) -> Vec<u8> {
        self.send(&read_request(path, &[]), server).await;
        self.fetch_on(1).await
    }

    /// Takes blocks from `block` on to the end.
    pub(crate) async fn fetch_on(&self, mut block: u16) -> Vec<u8> {
        let mut all = Vec::new();
        loop {
            let (data, from) = self.expect_block(block).await;
            all.extend_from_slice(&data);
            self.send(&ack(block), from).await;
            block = block.wrapping_add(1);
            if data.len() < 512 {
                return all;
            }
        }
    }
}
