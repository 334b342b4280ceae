//! Where datagrams come from and go to: UDP, or whatever a test puts in its place.

use std::fmt;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::task::{Context, Poll};

use tokio::io::ReadBuf;
use tokio::net::UdpSocket;

/// Makes the sockets of clients.
pub trait Network: fmt::Debug + Send + Sync {
    /// A new socket that can reach a BMC. Called in the client's runtime.
    ///
    /// # Errors
    /// No socket can be had.
    fn socket(&self, bmc: SocketAddr) -> io::Result<Box<dyn Socket>>;
}

/// A datagram socket, used by one task.
pub trait Socket: fmt::Debug + Send + Sync {
    /// As [`UdpSocket::poll_recv_from`].
    ///
    /// # Errors
    /// Passing ones, which concern something sent earlier.
    fn poll_recv_from(&self, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<SocketAddr>>;

    /// As [`UdpSocket::poll_send_to`].
    ///
    /// # Errors
    /// The datagram was not sent.
    fn poll_send_to(&self, context: &mut Context<'_>, datagram: &[u8], to: SocketAddr) -> Poll<io::Result<usize>>;
}

/// The operating system's UDP.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Udp;

impl Network for Udp {
    fn socket(&self, bmc: SocketAddr) -> io::Result<Box<dyn Socket>> {
        let any: SocketAddr = match bmc {
            SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
            SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
        };
        let socket = std::net::UdpSocket::bind(any)?;
        socket.set_nonblocking(true)?;
        Ok(Box::new(UdpSocket::from_std(socket)?))
    }
}

impl Socket for UdpSocket {
    fn poll_recv_from(&self, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<SocketAddr>> {
        self.poll_recv_from(context, buffer)
    }

    fn poll_send_to(&self, context: &mut Context<'_>, datagram: &[u8], to: SocketAddr) -> Poll<io::Result<usize>> {
        self.poll_send_to(context, datagram, to)
    }
}
