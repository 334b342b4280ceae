//! The UDP socket towards one BMC.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use tokio::net::UdpSocket;

/// Larger than any packet an IPMI payload of 255 octets or a SOL packet makes.
const BUFFER: usize = 1024;

/// Not connected, because SOL may use another port of the BMC; the sender's address is checked instead.
#[derive(Debug)]
pub(super) struct Link {
    socket: UdpSocket,
    bmc: SocketAddr,
    buffer: Box<[u8; BUFFER]>,
}

impl Link {
    pub(super) async fn open(bmc: SocketAddr) -> io::Result<Self> {
        let any: SocketAddr = match bmc {
            SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
            SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
        };
        Ok(Self { socket: UdpSocket::bind(any).await?, bmc, buffer: Box::new([0; BUFFER]) })
    }

    pub(super) async fn send(&self, datagram: &[u8]) -> io::Result<()> {
        self.send_to_port(datagram, self.bmc.port()).await
    }

    pub(super) async fn send_to_port(&self, datagram: &[u8], port: u16) -> io::Result<()> {
        let mut to = self.bmc;
        to.set_port(port);
        self.socket.send_to(datagram, to).await.map(|_| ())
    }

    /// The next datagram from the BMC and the port it came from. Cancel safe.
    pub(super) async fn recv(&mut self) -> io::Result<(&[u8], u16)> {
        loop {
            let (len, from) = self.socket.recv_from(self.buffer.as_mut_slice()).await?;
            if from.ip().to_canonical() == self.bmc.ip().to_canonical() {
                return Ok((self.buffer.get(..len).unwrap_or_default(), from.port()));
            }
        }
    }
}
