//! The sockets: one that hears requests and knows which of the machine's addresses they were sent to, and one for each
//! transfer, bound to that address.

use std::io::{self, IoSliceMut};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::os::fd::AsRawFd;

use nix::sys::socket::{self as sys, ControlMessageOwned, MsgFlags, SockaddrStorage, sockopt};
use rustix::net::sockopt::{Ipv4PathMtuDiscovery, Ipv6PathMtuDiscovery, set_ip_mtu_discover, set_ipv6_mtu_discover};
use rustix::net::{RecvFlags, SendFlags};
use tokio::io::Interest;
use tokio::net::UdpSocket;

/// Requests of a rack that is switched on at once wait here while earlier ones are taken.
const LISTEN_BUFFER: usize = 1 << 20;

/// Most packets the kernel takes in one segmented send (`UDP_MAX_SEGMENTS` of Linux before 6.9), and most bytes.
const MAX_SEGMENTS: usize = 64;
const MAX_SEGMENTED: usize = 65_000;

/// Largest packet that is worth it: what fits Ethernet. On loopback the kernel rounds the memory of each segment up to a power
/// of two, and larger ones would fill the client's receive buffer to twice their size.
const MAX_SEGMENT: usize = 1500;

/// The socket on the well-known port.
#[derive(Debug)]
pub(crate) struct Listener {
    socket: UdpSocket,
    local: SocketAddr,
    control: Vec<u8>,
}

/// Where a request came from and to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Arrival {
    pub(crate) len: usize,
    pub(crate) peer: SocketAddr,
    pub(crate) local: Option<IpAddr>,
    /// Sent to everybody; RFC 1123 §4.2.3.5 has a server pass it over.
    pub(crate) broadcast: bool,
}

impl Listener {
    pub(crate) fn bind(addr: SocketAddr) -> io::Result<Self> {
        let socket = std::net::UdpSocket::bind(addr)?;
        socket.set_nonblocking(true)?;
        // Best effort: the system's limit may be lower, and then that is what there is.
        let _ = sys::setsockopt(&socket, sockopt::RcvBuf, &LISTEN_BUFFER);
        match addr {
            SocketAddr::V4(_) => sys::setsockopt(&socket, sockopt::Ipv4PacketInfo, &true)?,
            SocketAddr::V6(_) => sys::setsockopt(&socket, sockopt::Ipv6RecvPacketInfo, &true)?,
        }
        let local = socket.local_addr()?;
        let control = nix::cmsg_space!(nix::libc::in_pktinfo, nix::libc::in6_pktinfo);
        Ok(Self { socket: UdpSocket::from_std(socket)?, local, control })
    }

    pub(crate) fn local_addr(&self) -> SocketAddr {
        self.local
    }

    /// Waits for the next datagram. Safe to be dropped while waiting.
    pub(crate) async fn recv(&mut self, buf: &mut [u8]) -> io::Result<Arrival> {
        let Self { socket, control, .. } = self;
        socket.async_io(Interest::READABLE, || receive(socket, buf, control)).await
    }
}

fn receive(socket: &UdpSocket, buf: &mut [u8], control: &mut [u8]) -> io::Result<Arrival> {
    let mut parts = [IoSliceMut::new(buf)];
    let message = sys::recvmsg::<SockaddrStorage>(socket.as_raw_fd(), &mut parts, Some(control), MsgFlags::empty())?;
    let peer = message.address.as_ref().and_then(to_std).ok_or_else(|| io::Error::other("a datagram without a sender"))?;
    let (mut local, mut broadcast) = (None, false);
    for item in message.cmsgs()? {
        match item {
            ControlMessageOwned::Ipv4PacketInfo(info) => {
                // `spec_dst` is an address of this machine even if the packet was sent to all machines
                let [spec, dst] = [info.ipi_spec_dst, info.ipi_addr].map(|addr| Ipv4Addr::from(u32::from_be(addr.s_addr)));
                broadcast = spec != dst;
                local = Some(IpAddr::V4(spec));
            }
            ControlMessageOwned::Ipv6PacketInfo(info) => {
                let dst = Ipv6Addr::from(info.ipi6_addr.s6_addr).to_canonical();
                broadcast = dst.is_multicast() || dst == IpAddr::V4(Ipv4Addr::BROADCAST);
                local = Some(dst);
            }
            _ => {}
        }
    }
    Ok(Arrival { len: message.bytes, peer: canonical(peer), local: local.filter(|ip| !ip.is_unspecified()), broadcast })
}

fn to_std(addr: &SockaddrStorage) -> Option<SocketAddr> {
    if let Some(v4) = addr.as_sockaddr_in() {
        return Some(SocketAddrV4::from(*v4).into());
    }
    addr.as_sockaddr_in6().map(|v6| SocketAddrV6::from(*v6).into())
}

/// An IPv4 client of a dual-stack socket is an IPv4 client.
fn canonical(addr: SocketAddr) -> SocketAddr {
    match addr {
        SocketAddr::V6(v6) => match v6.ip().to_ipv4_mapped() {
            Some(v4) => SocketAddr::from((v4, v6.port())),
            None => addr,
        },
        SocketAddr::V4(_) => addr,
    }
}

/// A socket with a port of its own for one client: the server's transfer identifier (RFC 1350 §4).
#[derive(Debug)]
pub(crate) struct TransferSocket {
    socket: UdpSocket,
    peer: SocketAddr,
    segmenting: Segmenting,
}

/// Whether the kernel cuts a window into packets by itself (UDP_SEGMENT, "GSO"), which makes one system call of up to 64.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Segmenting {
    Untried,
    /// In packets of this many bytes.
    On(usize),
    Off,
}

impl TransferSocket {
    /// Binds to `local`, the address the client knows this server by.
    pub(crate) fn bind(local: Option<IpAddr>, peer: SocketAddr) -> io::Result<Self> {
        let bind: SocketAddr = match (local, peer) {
            (Some(IpAddr::V4(ip)), SocketAddr::V4(_)) => (ip, 0).into(),
            // a link-local address only means something together with its interface
            (Some(IpAddr::V6(ip)), SocketAddr::V6(peer)) => {
                let scope = if ip.is_unicast_link_local() { peer.scope_id() } else { 0 };
                SocketAddrV6::new(ip, 0, 0, scope).into()
            }
            (_, SocketAddr::V4(_)) => (Ipv4Addr::UNSPECIFIED, 0).into(),
            (_, SocketAddr::V6(_)) => (Ipv6Addr::UNSPECIFIED, 0).into(),
        };
        let socket = std::net::UdpSocket::bind(bind)?;
        socket.set_nonblocking(true)?;
        // Loaders do not expect to be asked for smaller packets by ICMP: a block too large for the path is fragmented.
        // Best effort, the default works on most networks.
        let _ = match peer {
            SocketAddr::V4(_) => set_ip_mtu_discover(&socket, Ipv4PathMtuDiscovery::DONT),
            SocketAddr::V6(_) => set_ipv6_mtu_discover(&socket, Ipv6PathMtuDiscovery::DONT),
        };
        Ok(Self { socket: UdpSocket::from_std(socket)?, peer, segmenting: Segmenting::Untried })
    }

    /// Sends `packets`, which lie one behind the other, `stride` bytes each, the last one possibly shorter.
    pub(crate) async fn send_packets(&mut self, packets: &[u8], stride: usize) -> io::Result<()> {
        if packets.len() <= stride {
            return self.send(packets).await;
        }
        if self.segmenting == Segmenting::Untried {
            let set = stride <= MAX_SEGMENT
                && i32::try_from(stride).is_ok_and(|size| sys::setsockopt(&self.socket, sockopt::UdpGsoSegment, &size).is_ok());
            self.segmenting = if set { Segmenting::On(stride) } else { Segmenting::Off };
        }
        let mut rest = packets;
        if let Segmenting::On(size) = self.segmenting {
            let batch = (MAX_SEGMENTED / size).min(MAX_SEGMENTS) * size;
            while !rest.is_empty() {
                let (now, later) = rest.split_at(rest.len().min(batch));
                match self.send(now).await {
                    Ok(()) => rest = later,
                    // blocks larger than the interface's packets, or an interface that cannot: by hand from now on
                    Err(_) => {
                        let _ = sys::setsockopt(&self.socket, sockopt::UdpGsoSegment, &0);
                        self.segmenting = Segmenting::Off;
                        break;
                    }
                }
            }
        }
        for packet in rest.chunks(stride) {
            self.send(packet).await?;
        }
        Ok(())
    }

    /// Sends one packet to the client.
    pub(crate) async fn send(&self, packet: &[u8]) -> io::Result<()> {
        // Straight to the kernel: tokio would first wait to be told that a fresh socket can be written to.
        match self.send_now(packet, self.peer) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                self.socket.async_io(Interest::WRITABLE, || self.send_now(packet, self.peer)).await
            }
            result => result,
        }
    }

    /// Sends one packet to `to`, if it goes out at once.
    pub(crate) fn send_aside(&self, packet: &[u8], to: SocketAddr) {
        // An error for a client that is refused, or for a stranger: nothing depends on it.
        let _ = self.send_now(packet, to);
    }

    fn send_now(&self, packet: &[u8], to: SocketAddr) -> io::Result<()> {
        loop {
            match rustix::net::sendto(&self.socket, packet, SendFlags::DONTWAIT, &to) {
                Ok(_) => return Ok(()),
                // The interface's queue is full: one more packet the network has lost.
                Err(rustix::io::Errno::NOBUFS) => return Ok(()),
                Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// What has arrived already, asking the kernel each time: tokio only learns of it when this task sleeps.
    pub(crate) fn try_recv(&self, buf: &mut [u8]) -> io::Result<Option<(usize, SocketAddr)>> {
        match rustix::net::recvfrom(&self.socket, buf, RecvFlags::DONTWAIT) {
            Ok((len, _, from)) => Ok(from.and_then(|from| SocketAddr::try_from(from).ok()).map(|from| (len, from))),
            Err(rustix::io::Errno::AGAIN | rustix::io::Errno::INTR) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Waits for the next packet, whoever sent it. Safe to be dropped while waiting.
    pub(crate) async fn recv(&self, buf: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        self.socket.recv_from(buf).await
    }
}
