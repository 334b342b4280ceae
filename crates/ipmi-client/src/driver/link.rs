//! The socket towards one BMC.

use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::task::ready;

use tokio::io::ReadBuf;

use crate::metrics::{Event, Metrics};
use crate::network::{Network, Socket};

/// Larger than any packet an IPMI payload of 255 octets or a SOL packet makes.
const BUFFER: usize = 1024;

/// Not connected, because SOL may use another port of the BMC; the sender's address is checked instead.
#[derive(Debug)]
pub(super) struct Link {
    socket: Box<dyn Socket>,
    bmc: SocketAddr,
    buffer: Box<[u8; BUFFER]>,
    metrics: Arc<Metrics>,
}

impl Link {
    pub(super) fn open(network: &dyn Network, bmc: SocketAddr, metrics: Arc<Metrics>) -> io::Result<Self> {
        Ok(Self { socket: network.socket(bmc)?, bmc, buffer: Box::new([0; BUFFER]), metrics })
    }

    pub(super) fn count(&self, event: Event) {
        self.metrics.count(event);
    }

    pub(super) async fn send(&self, datagram: &[u8]) -> io::Result<()> {
        self.send_to_port(datagram, self.bmc.port()).await
    }

    pub(super) async fn send_to_port(&self, datagram: &[u8], port: u16) -> io::Result<()> {
        let mut to = self.bmc;
        to.set_port(port);
        poll_fn(|context| self.socket.poll_send_to(context, datagram, to)).await.map(|_| ())
    }

    /// The next datagram from the BMC and the port it came from. Cancel safe.
    pub(super) async fn recv(&mut self) -> io::Result<(&[u8], u16)> {
        let Self { socket, bmc, buffer, .. } = self;
        let (len, port) = poll_fn(|context| {
            loop {
                let mut space = ReadBuf::new(buffer.as_mut_slice());
                let from = ready!(socket.poll_recv_from(context, &mut space))?;
                if from.ip().to_canonical() == bmc.ip().to_canonical() {
                    return std::task::Poll::Ready(io::Result::Ok((space.filled().len(), from.port())));
                }
            }
        })
        .await?;
        Ok((buffer.get(..len).unwrap_or_default(), port))
    }
}
