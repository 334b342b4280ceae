//! What a BMC listens on: a UDP socket, or whatever a test puts in its place.

use std::{
    fmt, io,
    net::SocketAddr,
    sync::Arc,
    task::{Context, Poll},
};

use tokio::net::UdpSocket;

/// A datagram socket, used by one task.
pub trait Port: Send + Sync + 'static {
    /// Where it listens.
    ///
    /// # Errors
    /// The socket is not bound.
    fn address(&self) -> io::Result<SocketAddr>;

    /// Ready when [`Port::try_recv_from`] should be tried.
    ///
    /// # Errors
    /// Nothing will ever arrive again.
    fn poll_readable(&self, context: &mut Context<'_>) -> Poll<io::Result<()>>;

    /// The next datagram and who sent it.
    ///
    /// # Errors
    /// `WouldBlock` when there is none; others are passing.
    fn try_recv_from(&self, buffer: &mut [u8]) -> io::Result<(usize, SocketAddr)>;

    /// Sends a datagram.
    ///
    /// # Errors
    /// It was not sent.
    fn try_send_to(&self, datagram: &[u8], to: SocketAddr) -> io::Result<usize>;
}

impl Port for UdpSocket {
    fn address(&self) -> io::Result<SocketAddr> {
        self.local_addr()
    }

    fn poll_readable(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_recv_ready(context)
    }

    fn try_recv_from(&self, buffer: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        self.try_recv_from(buffer)
    }

    fn try_send_to(&self, datagram: &[u8], to: SocketAddr) -> io::Result<usize> {
        self.try_send_to(datagram, to)
    }
}

/// Makes what a BMC listens on, given its address, in place of a UDP socket: for simulations in simulated time.
#[derive(Clone)]
pub struct PortFactory(pub Arc<dyn Fn(SocketAddr) -> io::Result<Box<dyn Port>> + Send + Sync>);

impl fmt::Debug for PortFactory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PortFactory")
    }
}
