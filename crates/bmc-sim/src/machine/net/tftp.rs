//! A TFTP client that behaves like the ones in boot ROMs and loaders (RFC 1350, 2347, 2348, 2349, 7440).

use std::{net::SocketAddr, time::Duration};

use tokio::{net::UdpSocket, time::timeout};

use super::{FetchError, Fetched, Net, Sink};

/// Which options a loader sends. Absent ones are not mentioned in the request.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options {
    /// RFC 2348.
    pub blksize: Option<u16>,
    /// RFC 2349: ask how big the file is.
    pub tsize: bool,
    /// RFC 7440.
    pub windowsize: Option<u16>,
    /// Stop with an error packet as soon as the size is known, as OVMF does on its first request.
    pub size_only: bool,
}

impl Options {
    /// iPXE's ROM loading the network boot program.
    pub const IPXE: Self = Self { blksize: Some(1432), tsize: true, windowsize: None, size_only: false };
    /// PXELINUX.
    pub const PXELINUX: Self = Self { blksize: Some(1408), tsize: true, windowsize: None, size_only: false };
    /// OVMF loading the network boot program.
    pub const OVMF: Self = Self { blksize: Some(1468), tsize: true, windowsize: Some(4), size_only: false };
    /// OVMF asking for the size of the network boot program first.
    pub const OVMF_SIZE: Self = Self { size_only: true, ..Self::OVMF };
    /// GRUB.
    pub const GRUB: Self = Self { blksize: Some(1024), tsize: true, windowsize: None, size_only: false };
}

const RRQ: u16 = 1;
const DATA: u16 = 3;
const ACK: u16 = 4;
const ERROR: u16 = 5;
const OACK: u16 = 6;

/// Times a request or an acknowledgement is sent before giving up.
const ATTEMPTS: u32 = 5;

pub(super) async fn get(net: &Net, name: &str, options: &Options, keep: usize) -> Result<Fetched, FetchError> {
    let mut transfer = Transfer::start(net, name, options).await?;
    let result = transfer.run(options, keep).await;
    if let Err(error) = &result {
        transfer.abort(error).await;
    }
    result
}

struct Transfer {
    socket: UdpSocket,
    server: SocketAddr,
    /// The server's transfer port, once it has answered.
    peer: Option<SocketAddr>,
    patience: Duration,
    request: Vec<u8>,
    buffer: Vec<u8>,
}

/// What the server grants; RFC 1350's values when it sends no OACK.
struct Granted {
    blksize: usize,
    windowsize: u16,
    tsize: Option<u64>,
}

enum Packet {
    Data(u16, usize),
    Oack(Vec<(String, String)>),
}

impl Transfer {
    async fn start(net: &Net, name: &str, options: &Options) -> Result<Self, FetchError> {
        let socket = UdpSocket::bind((net.source, 0)).await?;
        let buffer = vec![0; usize::from(options.blksize.unwrap_or(512).max(512)) + 4];
        Ok(Self { socket, server: net.tftp, peer: None, patience: net.patience, request: request(name, options), buffer })
    }

    async fn run(&mut self, options: &Options, keep: usize) -> Result<Fetched, FetchError> {
        let mut sink = Sink::new(keep);
        let mut granted = Granted { blksize: 512, windowsize: 1, tsize: None };
        let mut last_sent = self.request.clone();
        let mut expected: u16 = 1;
        let mut unacknowledged: u16 = 0;
        let mut gap_reported = false;
        self.send(&last_sent).await?;
        loop {
            match self.receive(&mut last_sent).await? {
                Packet::Oack(list) => {
                    if expected != 1 || unacknowledged != 0 || sink.bytes != 0 {
                        continue;
                    }
                    granted = grant(options, &list)?;
                    if options.size_only {
                        let size = granted.tsize;
                        self.send(&error_packet(8, "User aborted the transfer")).await?;
                        return Ok(sink.done(size));
                    }
                    last_sent = ack(0);
                    self.send(&last_sent).await?;
                }
                Packet::Data(block, len) => {
                    if options.size_only {
                        // a server without options: there is no size to learn
                        self.send(&error_packet(0, "User aborted the transfer")).await?;
                        return Ok(sink.done(None));
                    }
                    if len > granted.blksize {
                        return Err(FetchError::Protocol(format!("block of {len} bytes, {} agreed", granted.blksize)));
                    }
                    if block != expected {
                        // Behind: a duplicate, not acknowledged again (sorcerer's apprentice) unless our own
                        // acknowledgement was lost, which the time-out repairs. Ahead: one of the window was lost.
                        if block.wrapping_sub(expected) < granted.windowsize && !gap_reported {
                            gap_reported = true;
                            unacknowledged = 0;
                            last_sent = ack(expected.wrapping_sub(1));
                            self.send(&last_sent).await?;
                        }
                        continue;
                    }
                    sink.take(&self.buffer[4..4 + len]);
                    expected = expected.wrapping_add(1);
                    gap_reported = false;
                    unacknowledged += 1;
                    let last = len < granted.blksize;
                    if last || unacknowledged >= granted.windowsize {
                        unacknowledged = 0;
                        last_sent = ack(block);
                        self.send(&last_sent).await?;
                    }
                    if last {
                        return Ok(sink.done(granted.tsize));
                    }
                }
            }
        }
    }

    async fn send(&self, packet: &[u8]) -> Result<(), FetchError> {
        self.socket.send_to(packet, self.peer.unwrap_or(self.server)).await?;
        Ok(())
    }

    /// The next packet of this transfer; repeats what was sent last while nothing comes.
    async fn receive(&mut self, last_sent: &mut Vec<u8>) -> Result<Packet, FetchError> {
        let mut patience = self.patience;
        for _ in 0..ATTEMPTS {
            let deadline = tokio::time::Instant::now() + patience;
            loop {
                let Ok(received) = tokio::time::timeout_at(deadline, self.socket.recv_from(&mut self.buffer)).await else { break };
                let (len, from) = match received {
                    Ok(received) => received,
                    // nobody listens on that port: the kernel passes the ICMP answer on, a ROM just waits
                    Err(error) if error.kind() == std::io::ErrorKind::ConnectionRefused => {
                        tokio::time::sleep_until(deadline).await;
                        break;
                    }
                    Err(error) => return Err(error.into()),
                };
                match self.peer {
                    None if from.ip() == self.server.ip() => self.peer = Some(from),
                    Some(peer) if peer == from => {}
                    _ => {
                        // RFC 1350: a stranger is told so, the transfer goes on
                        let _ = self.socket.send_to(&error_packet(5, "Unknown transfer ID"), from).await;
                        continue;
                    }
                }
                return self.parse(len);
            }
            patience = (patience * 2).min(Duration::from_secs(8));
            let repeat = last_sent.as_slice();
            self.send(repeat).await?;
        }
        Err(FetchError::Timeout)
    }

    fn parse(&self, len: usize) -> Result<Packet, FetchError> {
        let packet = &self.buffer[..len];
        let malformed = || FetchError::Protocol("malformed packet".into());
        let (head, rest) = packet.split_at_checked(2).ok_or_else(malformed)?;
        match u16::from_be_bytes([head[0], head[1]]) {
            DATA => {
                let (block, data) = rest.split_at_checked(2).ok_or_else(malformed)?;
                Ok(Packet::Data(u16::from_be_bytes([block[0], block[1]]), data.len()))
            }
            OACK => {
                let mut words = rest.split(|&b| b == 0).map(|word| String::from_utf8_lossy(word).to_lowercase());
                let mut list = Vec::new();
                while let (Some(name), Some(value)) = (words.next(), words.next()) {
                    list.push((name, value));
                }
                Ok(Packet::Oack(list))
            }
            ERROR => {
                let (code, message) = rest.split_at_checked(2).ok_or_else(malformed)?;
                let message = message.split(|&b| b == 0).next().unwrap_or_default();
                let message = String::from_utf8_lossy(message).into_owned();
                Err(FetchError::Tftp { code: u16::from_be_bytes([code[0], code[1]]), message })
            }
            other => Err(FetchError::Protocol(format!("unexpected opcode {other}"))),
        }
    }

    /// Tells the server that the transfer ends, unless it said so itself.
    async fn abort(&self, error: &FetchError) {
        if self.peer.is_some() && !matches!(error, FetchError::Tftp { .. }) {
            let _ = timeout(self.patience, self.send(&error_packet(0, "transfer ended"))).await;
        }
    }
}

fn request(name: &str, options: &Options) -> Vec<u8> {
    let mut packet = RRQ.to_be_bytes().to_vec();
    let mut word = |text: &str| {
        packet.extend_from_slice(text.as_bytes());
        packet.push(0);
    };
    word(name);
    word("octet");
    if options.tsize {
        word("tsize");
        word("0");
    }
    if let Some(blksize) = options.blksize {
        word("blksize");
        word(&blksize.to_string());
    }
    if let Some(windowsize) = options.windowsize {
        word("windowsize");
        word(&windowsize.to_string());
    }
    packet
}

fn grant(asked: &Options, list: &[(String, String)]) -> Result<Granted, FetchError> {
    let mut granted = Granted { blksize: 512, windowsize: 1, tsize: None };
    for (name, value) in list {
        let refused = || FetchError::Protocol(format!("server answers option {name}={value}"));
        match name.as_str() {
            "blksize" => {
                let value: u16 = value.parse().map_err(|_| refused())?;
                let most = asked.blksize.ok_or_else(refused)?;
                granted.blksize = usize::from(Some(value).filter(|v| (8..=most).contains(v)).ok_or_else(refused)?);
            }
            "windowsize" => {
                let value: u16 = value.parse().map_err(|_| refused())?;
                let most = asked.windowsize.ok_or_else(refused)?;
                granted.windowsize = Some(value).filter(|v| (1..=most).contains(v)).ok_or_else(refused)?;
            }
            "tsize" if asked.tsize => granted.tsize = Some(value.parse().map_err(|_| refused())?),
            _ => return Err(refused()),
        }
    }
    Ok(granted)
}

fn ack(block: u16) -> Vec<u8> {
    [ACK.to_be_bytes(), block.to_be_bytes()].concat()
}

fn error_packet(code: u16, message: &str) -> Vec<u8> {
    [&ERROR.to_be_bytes()[..], &code.to_be_bytes(), message.as_bytes(), &[0]].concat()
}
