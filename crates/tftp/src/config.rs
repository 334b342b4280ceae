use std::time::Duration;

/// Limits of a [`Server`](crate::Server). The defaults suit a lab of some hundred machines.
#[derive(Debug, Clone)]
pub struct Config {
    /// Largest block granted, in bytes; 65464 at most. Default 65464: a client knows best what it can take.
    pub max_blksize: u16,
    /// Most blocks in a window (RFC 7440). Default 64.
    pub max_windowsize: u16,
    /// Most bytes of a client's receive buffer that a window may take up, as Linux counts them; the window granted is made
    /// smaller where the blocks are large. Default 200 KiB, what a socket there has by default: a packet beyond it is lost
    /// and costs a timeout.
    pub max_window_bytes: usize,
    /// Transfers at a time. Default 256; each holds at most 300 KiB and two file descriptors.
    pub max_transfers: usize,
    /// Transfers, running and waiting, of one client address. Default 64.
    pub max_transfers_per_ip: usize,
    /// Requests that wait for one of the running transfers to end; more are told that the server is busy. Default 256.
    pub max_queued: usize,
    /// How long a request waits before it is told the same. Default 5 s: most loaders have not given up by then.
    pub queue_wait: Duration,
    /// How long [`FileSource::open`](crate::FileSource::open) may take. Default 30 s.
    pub open_timeout: Duration,
    /// Silence after which a packet is sent again, unless the client asks for another time. Default 1 s. It doubles with
    /// each further time.
    pub timeout: Duration,
    /// Longest `timeout` a client is granted (RFC 2349). Default 60 s.
    pub max_timeout: Duration,
    /// Longest time between two retransmissions, where the client did not ask for longer. Default 8 s.
    pub max_backoff: Duration,
    /// Retransmissions without progress before a client counts as dead. Default 5: 31 s with the defaults above.
    pub max_retries: u32,
    /// Longest file name, in bytes. Default 1024.
    pub max_path: usize,
    /// How long running transfers may go on after the server is told to stop. Default 10 s.
    pub drain: Duration,
    /// How long to look for a client's answer before sleeping until it comes. See the README for what it costs and brings.
    pub busy_poll: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            max_blksize: crate::packet::MAX_BLKSIZE,
            max_windowsize: 64,
            max_window_bytes: 200 * 1024,
            max_transfers: 256,
            max_transfers_per_ip: 64,
            max_queued: 256,
            queue_wait: Duration::from_secs(5),
            open_timeout: Duration::from_secs(30),
            timeout: Duration::from_secs(1),
            max_timeout: Duration::from_secs(60),
            max_backoff: Duration::from_secs(8),
            max_retries: 5,
            max_path: 1024,
            drain: Duration::from_secs(10),
            busy_poll: Duration::from_micros(50),
        }
    }
}
