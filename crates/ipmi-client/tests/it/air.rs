//! A network inside the test: datagrams go from socket to socket at once, and no operating system is asked. With the clock
//! paused, time then moves only when everybody waits for it, so a day passes in seconds and always in the same way.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, Weak};
use std::task::{Context, Poll, Waker};

use bmc_sim::{Port, PortFactory};
use ipmi_client::{Network, Socket};
use tokio::io::ReadBuf;

#[derive(Debug, Default)]
struct Inbox {
    datagrams: VecDeque<(Vec<u8>, SocketAddr)>,
    waker: Option<Waker>,
}

#[derive(Debug, Default)]
struct Inner {
    inboxes: Mutex<HashMap<SocketAddr, Weak<Mutex<Inbox>>>>,
}

#[derive(Debug, Clone, Default)]
pub struct Air(Arc<Inner>);

/// One socket.
#[derive(Debug)]
struct Ear {
    air: Air,
    address: SocketAddr,
    inbox: Arc<Mutex<Inbox>>,
}

impl Air {
    /// For [`bmc_sim::MachineConfig::port`].
    pub fn ports(&self) -> PortFactory {
        let air = self.clone();
        PortFactory(Arc::new(move |address| Ok(Box::new(air.bind(address)?))))
    }

    fn bind(&self, mut address: SocketAddr) -> io::Result<Ear> {
        let mut inboxes = self.0.inboxes.lock().unwrap();
        inboxes.retain(|_, inbox| inbox.strong_count() > 0);
        while address.port() == 0 || inboxes.contains_key(&address) {
            address.set_port(if address.port() == 0 { 10_000 } else { address.port() + 1 });
        }
        let inbox = Arc::default();
        inboxes.insert(address, Arc::downgrade(&inbox));
        Ok(Ear { air: self.clone(), address, inbox })
    }
}

impl Network for Air {
    fn socket(&self, _bmc: SocketAddr) -> io::Result<Box<dyn Socket>> {
        Ok(Box::new(self.bind((Ipv4Addr::LOCALHOST, 0).into())?))
    }
}

impl Ear {
    /// What nobody listens for is lost.
    fn send(&self, datagram: &[u8], to: SocketAddr) -> io::Result<usize> {
        let inbox = self.air.0.inboxes.lock().unwrap().get(&to).and_then(Weak::upgrade);
        if let Some(inbox) = inbox {
            let mut inbox = inbox.lock().unwrap();
            inbox.datagrams.push_back((datagram.to_vec(), self.address));
            inbox.waker.take().into_iter().for_each(Waker::wake);
        }
        Ok(datagram.len())
    }
}

impl Socket for Ear {
    fn poll_recv_from(&self, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<SocketAddr>> {
        let mut inbox = self.inbox.lock().unwrap();
        let Some((datagram, from)) = inbox.datagrams.pop_front() else {
            inbox.waker = Some(context.waker().clone());
            return Poll::Pending;
        };
        buffer.put_slice(&datagram);
        Poll::Ready(Ok(from))
    }

    fn poll_send_to(&self, _context: &mut Context<'_>, datagram: &[u8], to: SocketAddr) -> Poll<io::Result<usize>> {
        Poll::Ready(self.send(datagram, to))
    }
}

impl Port for Ear {
    fn address(&self) -> io::Result<SocketAddr> {
        Ok(self.address)
    }

    fn poll_readable(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut inbox = self.inbox.lock().unwrap();
        if inbox.datagrams.is_empty() {
            inbox.waker = Some(context.waker().clone());
            return Poll::Pending;
        }
        Poll::Ready(Ok(()))
    }

    fn try_recv_from(&self, buffer: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        let (datagram, from) = self.inbox.lock().unwrap().datagrams.pop_front().ok_or(io::ErrorKind::WouldBlock)?;
        buffer[..datagram.len()].copy_from_slice(&datagram);
        Ok((datagram.len(), from))
    }

    fn try_send_to(&self, datagram: &[u8], to: SocketAddr) -> io::Result<usize> {
        self.send(datagram, to)
    }
}
