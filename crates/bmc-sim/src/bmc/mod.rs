//! A BMC: RMCP+ over one UDP socket, in front of a chassis.

use std::{
    future::poll_fn,
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use ipmi_wire::{
    CipherSuite, Privilege,
    session::{KeyTooLong, SecretKey},
};
use tokio::{
    net::UdpSocket,
    sync::Notify,
    time::{Instant, sleep_until},
};

use crate::{
    faults::{Datagram, Direction, Faults, Wire},
    port::{Port, PortFactory},
};
use core::{Core, Fixed};
use users::Users;

mod bridge;
mod characters;
mod commands;
mod core;
mod node;
mod sol;
mod users;

pub use self::core::Counters;
pub use bridge::BridgeAnswers;
pub(crate) use node::{Behind, Node};
pub use node::{BusAddress, CartridgeAddress};
pub use users::User;

/// Channel number of the LAN interface.
const CHANNEL: u8 = 1;

/// How a BMC is set up.
#[derive(Debug, Clone)]
pub(crate) struct BmcConfig {
    /// Where it listens; port 0 takes a free one.
    pub(crate) address: SocketAddr,
    /// Who may log in.
    pub(crate) users: Vec<User>,
    /// The BMC's own key for two-key log-in (K_g).
    pub(crate) kg: Option<String>,
    /// Cipher suites offered.
    pub(crate) suites: Vec<CipherSuite>,
    /// System GUID.
    pub(crate) guid: [u8; 16],
    /// Sessions at a time; more are refused.
    pub(crate) max_sessions: usize,
    /// Idle time after which a session is forgotten.
    pub(crate) session_timeout: Duration,
    /// How long a restart makes it deaf.
    pub(crate) restart: Duration,
    /// Faults from the start.
    pub(crate) faults: Faults,
    /// For the dice of the faults.
    pub(crate) seed: u64,
    /// How answers of cartridges come back.
    pub(crate) bridge_answers: BridgeAnswers,
    /// Where the socket comes from if not from the operating system.
    pub(crate) port: Option<PortFactory>,
}

/// A session as somebody at the BMC sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionInfo {
    /// The BMC's id.
    pub id: u32,
    /// The console's id.
    pub console_id: u32,
    /// Who logged in.
    pub user: String,
    /// The present level.
    pub privilege: Privilege,
    /// Whether it holds SOL, of the BMC's machine or of a cartridge.
    pub sol: bool,
}

/// A running BMC, as tests and the lab see it from inside.
#[derive(Clone)]
pub(crate) struct Bmc {
    core: Arc<Mutex<Core>>,
    wake: Arc<Notify>,
    address: SocketAddr,
}

impl Bmc {
    /// Binds the socket; the future is the BMC and is to be run until the lab ends.
    ///
    /// The first node is the BMC's own, the others are cartridges.
    pub(crate) async fn start(
        config: BmcConfig,
        nodes: Vec<Node>,
    ) -> Result<(Self, impl Future<Output = ()> + Send + 'static), StartError> {
        let failed = |error| StartError::Bind(config.address, error);
        let socket = match &config.port {
            Some(factory) => factory.0(config.address).map_err(failed)?,
            None => Box::new(UdpSocket::bind(config.address).await.map_err(failed)?),
        };
        let address = socket.address().map_err(failed)?;
        let fixed = Fixed {
            users: Users::new(&config.users)?,
            kg: config.kg.map(|kg| SecretKey::new(kg.as_bytes())).transpose()?,
            suites: config.suites.into(),
            guid: config.guid,
            max_sessions: config.max_sessions,
            session_timeout: config.session_timeout,
            restart: config.restart,
            port: address.port(),
            bridge_answers: config.bridge_answers,
        };
        let wake = Arc::new(Notify::new());
        let core = Arc::new(Mutex::new(Core::new(fixed, nodes, config.faults, config.seed, Arc::clone(&wake))));
        let task = Task { socket, core: Arc::clone(&core), wake: Arc::clone(&wake), wire: Wire::new(config.seed) };
        Ok((Self { core, wake, address }, task.run()))
    }

    fn lock(&self) -> MutexGuard<'_, Core> {
        lock(&self.core)
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn faults(&self) -> Faults {
        self.lock().faults.clone()
    }

    pub(crate) fn set_faults(&self, faults: Faults) {
        self.lock().faults = faults;
        self.wake.notify_one();
    }

    pub(crate) fn restart(&self) {
        self.lock().restart(Instant::now());
        self.wake.notify_one();
    }

    pub(crate) fn forget_sessions(&self) {
        self.lock().forget_sessions();
        self.wake.notify_one();
    }

    pub(crate) fn deactivate_sol(&self, node: usize) -> bool {
        let was_active = self.lock().deactivate_sol(node, Instant::now());
        self.wake.notify_one();
        was_active
    }

    pub(crate) fn set_sensor(&self, node: usize, name: &str, value: f64) -> bool {
        let mut core = self.lock();
        let Some(node) = core.nodes.get_mut(node) else { return false };
        let Some(crossed) = node.sensors.set(name, value) else { return false };
        crossed.into_iter().for_each(|event| node.events.add(event));
        true
    }

    pub(crate) fn counters(&self) -> Counters {
        self.lock().counters
    }

    pub(crate) fn sessions(&self) -> Vec<SessionInfo> {
        let core = self.lock();
        let holders: Vec<u32> = core.nodes.iter().filter_map(|node| node.sol.as_ref()).map(|sol| sol.session).collect();
        let info = |(id, session): (&u32, &core::Session)| SessionInfo {
            id: *id,
            console_id: session.console_id,
            user: session.user.clone(),
            privilege: session.level,
            sol: holders.contains(id),
        };
        core.sessions.iter().map(info).collect()
    }
}

/// Why a BMC could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Its address is taken or not ours.
    #[error("cannot listen on {0}: {1}")]
    Bind(SocketAddr, #[source] io::Error),
    /// A name or password does not fit IPMI.
    #[error(transparent)]
    User(#[from] KeyTooLong),
}

struct Task {
    socket: Box<dyn Port>,
    core: Arc<Mutex<Core>>,
    wake: Arc<Notify>,
    wire: Wire,
}

/// Datagrams taken from the socket before others have their turn.
const BURST: usize = 64;
/// Larger than any packet of the protocol; what is longer is cut and then refused.
const DATAGRAM: usize = 2048;

impl Task {
    async fn run(mut self) {
        loop {
            let deadline = [lock(&self.core).deadline(), self.wire.deadline()].into_iter().flatten().min();
            tokio::select! {
                readable = poll_fn(|context| self.socket.poll_readable(context)) => {
                    if readable.is_err() {
                        return;
                    }
                }
                () = sleep_until(deadline.unwrap_or_else(Instant::now)), if deadline.is_some() => {}
                // faults were changed, or the machine at the other end of a console has printed or read
                () = self.wake.notified() => {}
            }
            self.turn();
        }
    }

    /// Everything that can be done without waiting.
    fn turn(&mut self) {
        // on the stack of this call only: an idle BMC holds no buffer
        let mut buffer = [0; DATAGRAM];
        let core = Arc::clone(&self.core);
        let mut core = lock(&core);
        let now = Instant::now();
        for _ in 0..BURST {
            // an error is the network's answer to something sent earlier (ICMP unreachable) or "nothing there"
            match self.socket.try_recv_from(&mut buffer) {
                Ok((len, peer)) => {
                    let arrived = Datagram { direction: Direction::In, peer, bytes: buffer[..len].to_vec() };
                    let arrived = self.wire.send(&core.faults, now, arrived);
                    self.deliver(&mut core, arrived, now);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(_) => {}
            }
        }
        while let Some(datagram) = self.wire.due(now) {
            self.deliver(&mut core, Some(datagram), now);
        }
        core.tick(now);
        self.flush(&mut core, now);
    }

    fn deliver(&mut self, core: &mut Core, datagram: Option<Datagram>, now: Instant) {
        match datagram {
            Some(Datagram { direction: Direction::In, peer, bytes }) => {
                core.receive(&bytes, peer, now);
                self.flush(core, now);
            }
            Some(Datagram { direction: Direction::Out, peer, bytes }) => {
                // a full socket buffer is one more way to lose a datagram
                let _ = self.socket.try_send_to(&bytes, peer);
            }
            None => {}
        }
    }

    fn flush(&mut self, core: &mut Core, now: Instant) {
        for (bytes, peer) in core.take_output() {
            let datagram = Datagram { direction: Direction::Out, peer, bytes };
            if let Some(Datagram { peer, bytes, .. }) = self.wire.send(&core.faults, now, datagram) {
                let _ = self.socket.try_send_to(&bytes, peer);
            }
        }
    }
}

fn lock(core: &Mutex<Core>) -> MutexGuard<'_, Core> {
    core.lock().unwrap_or_else(PoisonError::into_inner)
}
