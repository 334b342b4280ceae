//! A running server: what it listens on, its jobs, and its end.

use std::{
    future::Future,
    net::SocketAddr,
    os::{
        linux::net::SocketAddrExt,
        unix::{ffi::OsStrExt, net::UnixDatagram},
    },
    sync::Arc,
    time::Duration,
};

use anyhow::{Context, Result, anyhow};
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
    task::JoinSet,
    time::{MissedTickBehavior, interval, timeout},
};
use tokio_util::sync::CancellationToken;

use crate::{
    bmc,
    config::Config,
    http,
    lab::{
        Lab, accounts, images, power, provision,
        retention::{self, Forgotten},
    },
    netboot::TftpSource,
};

/// Requests and transfers that go on this long after the server was told to end are cut off.
const DRAIN: Duration = Duration::from_secs(10);

/// How often expired sessions and keys, and what is too old to be kept, are deleted.
const SWEEP_INTERVAL: Duration = Duration::from_secs(600);

/// A server with everything open and its jobs running. Answers once [`Server::run`] is awaited.
pub struct Server {
    lab: Lab,
    address: SocketAddr,
    tftp: Option<SocketAddr>,
    first_password: Option<String>,
    jobs: JoinSet<(&'static str, Result<()>)>,
}

impl Server {
    /// Opens the store, brings its schema up to date, makes the first admin, listens, and starts the jobs.
    ///
    /// # Errors
    /// Whatever of that failed, with what it concerns.
    pub async fn start(mut config: Config) -> Result<Self> {
        let listener = TcpListener::bind(config.listen).await.with_context(|| format!("cannot listen on {}", config.listen))?;
        // a port 0 is known only now, and addresses handed out are made from it
        let address = listener.local_addr()?;
        config.listen = address;

        let shutdown = CancellationToken::new();
        let lab = Lab::open(config, shutdown.clone()).await.context("cannot open the server's data")?;
        lab.store.migrate().await.context("cannot bring the database up to date")?;
        let first_password = accounts::first_admin(&lab).await.context("cannot make the first admin")?;
        let swept = images::sweep(&lab).await.context("cannot tidy the image files")?;
        if swept.kept > 0 {
            tracing::warn!(files = swept.kept, "image files that no image names are kept: is this the right database?");
        } else if swept.unfinished + swept.removed > 0 {
            tracing::info!(unfinished = swept.unfinished, orphans = swept.removed, "removed what was left of uploads");
        }

        provision::resume(&lab).await.context("cannot go on logging the consoles of installs")?;

        let mut server = Self { lab: lab.clone(), address, tftp: None, first_password, jobs: JoinSet::new() };
        server.start_tftp().await?;
        let router = http::router(&lab).context("public_url")?;
        let patience = lab.config.http.patience;
        server.spawn("http", async move {
            http::serve(listener, router, patience, shutdown).await;
            Ok(())
        });
        let ipmi = &lab.config.ipmi;
        let poller = bmc::poll(lab.fleet.clone(), power::Machines(lab.clone()), ipmi.poll_interval, ipmi.concurrency, lab.shutdown.clone());
        server.spawn("poller", async {
            poller.await;
            Ok(())
        });
        server.spawn("sweeper", sweep(lab));
        Ok(server)
    }

    async fn start_tftp(&mut self) -> Result<()> {
        let config = &self.lab.config.tftp;
        let Some(address) = config.listen else { return Ok(()) };
        let source = Arc::new(TftpSource::new(self.lab.netboot.clone()));
        match tftp::Server::bind(address, tftp::Config::default(), source).await {
            Ok(server) => {
                tracing::info!(address = %server.local_addr(), "TFTP");
                self.tftp = Some(server.local_addr());
                let url = self.lab.config.netboot_url();
                if self.lab.config.netboot.url.is_none() && !server.local_addr().ip().is_loopback() {
                    tracing::warn!(
                        url,
                        "machines are told to fetch preseeds from here: if that is not where they reach this server, set netboot.url"
                    );
                }
                let stop = self.lab.shutdown.clone();
                self.spawn("tftp", async move {
                    server.run(stop).await;
                    Ok(())
                });
                Ok(())
            }
            // port 69 is not everybody's: somebody who only looks around needs no TFTP
            Err(error) if !config.explicit => {
                tracing::warn!(%address, %error, "no TFTP: machines cannot boot from here. Set tftp.listen, or \"off\"");
                Ok(())
            }
            Err(error) => Err(error).with_context(|| format!("cannot listen for TFTP on {address}")),
        }
    }

    #[must_use]
    pub fn lab(&self) -> &Lab {
        &self.lab
    }

    /// Where HTTP is answered.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where TFTP is answered, if it is.
    #[must_use]
    pub fn tftp_address(&self) -> Option<SocketAddr> {
        self.tftp
    }

    /// Adds a job. It is to end when `lab().shutdown` is cancelled; if it ends before, or panics, so does the server.
    pub fn spawn(&mut self, name: &'static str, job: impl Future<Output = Result<()>> + Send + 'static) {
        self.jobs.spawn(async move { (name, job.await) });
    }

    /// Prints the address and, the very first time, the admin's password; answers until told to end.
    ///
    /// # Errors
    /// When a job failed, or did not end in time.
    pub async fn run(mut self) -> Result<()> {
        println!("{}", self.lab.config.public_url());
        if let Some(password) = self.first_password.take() {
            // this once: it is stored nowhere but as a hash
            println!("admin password: {password}");
        }
        tracing::info!(address = %self.address, database = self.lab.store.engine(), version = env!("CARGO_PKG_VERSION"), "ready");
        notify("READY=1");

        let failure = tokio::select! {
            signal = told_to_end() => {
                tracing::info!(signal = signal?, "ending");
                None
            }
            Some(ended) = self.jobs.join_next() => Some(early_end(ended)),
        };
        notify("STOPPING=1");
        self.lab.shutdown.cancel();
        let jobs = &mut self.jobs;
        let drained = timeout(DRAIN, async {
            while let Some(ended) = jobs.join_next().await {
                if let Err(error) = ended.map_err(anyhow::Error::from).and_then(|(name, result)| result.context(name)) {
                    tracing::error!(error = format!("{error:#}"), "a job failed while ending");
                }
            }
            self.lab.consoles.closed().await;
        })
        .await;
        if drained.is_err() {
            tracing::warn!(seconds = DRAIN.as_secs(), "cut off what was still going on");
        }
        if timeout(Duration::from_secs(2), self.lab.store.close()).await.is_err() {
            tracing::warn!("the database was still in use");
        }
        failure.map_or(Ok(()), Err)
    }
}

/// Why a job's end is the server's end.
fn early_end(ended: Result<(&'static str, Result<()>), tokio::task::JoinError>) -> anyhow::Error {
    match ended {
        Ok((name, Ok(()))) => anyhow!("the job {name} ended by itself"),
        Ok((name, Err(error))) => error.context(format!("the job {name} failed")),
        Err(error) => anyhow::Error::from(error).context("a job panicked"),
    }
}

async fn told_to_end() -> Result<&'static str> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(tokio::select! {
        _ = terminate.recv() => "SIGTERM",
        _ = interrupt.recv() => "SIGINT",
    })
}

async fn sweep(lab: Lab) -> Result<()> {
    let mut ticks = interval(SWEEP_INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = lab.shutdown.cancelled() => return Ok(()),
            _ = ticks.tick() => {}
        }
        if let Err(error) = accounts::sweep(&lab).await {
            tracing::warn!(%error, "expired sessions were not deleted");
        }
        match retention::sweep(&lab).await {
            Ok(forgotten) if forgotten != Forgotten::default() => {
                let Forgotten { events, leases, discovered } = forgotten;
                tracing::info!(events, leases, discovered, "forgot what was old");
            }
            Ok(_) => {}
            Err(error) => tracing::warn!(%error, "old events and leases were not deleted"),
        }
    }
}

/// Tells systemd, if it started us with `Type=notify` (sd_notify(3)).
fn notify(state: &str) {
    let Some(path) = std::env::var_os("NOTIFY_SOCKET") else { return };
    let send = || {
        let address = match path.as_bytes().strip_prefix(b"@") {
            Some(name) => std::os::unix::net::SocketAddr::from_abstract_name(name)?,
            None => std::os::unix::net::SocketAddr::from_pathname(&path)?,
        };
        UnixDatagram::unbound()?.send_to_addr(state.as_bytes(), &address)
    };
    if let Err(error) = send() {
        tracing::warn!(%error, state, "the service manager was not told");
    }
}
