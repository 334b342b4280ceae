//! Serves the files of a folder: `cargo run -p tftp --example serve -- DIR ADDR`.
//!
//! Prints the address it listens on, then one line for each request. Ctrl-C ends it.

use std::net::SocketAddr;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tftp::{Config, Content, Event, FileSource, OpenError, Request, Server};
use tokio_util::sync::CancellationToken;

struct Folder {
    /// Canonical, so that what links lead to can be compared with it.
    root: PathBuf,
}

impl Folder {
    fn find(&self, asked: &str) -> Result<(std::fs::File, u64), OpenError> {
        // `/a/b` and `a/b` are the same to a loader; nothing may climb
        let relative: PathBuf = Path::new(asked).components().filter(|part| !matches!(part, Component::RootDir)).collect();
        if !relative.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir)) {
            return Err(OpenError::Denied("outside of the served folder".to_owned()));
        }
        let not_found = |_| OpenError::NotFound(format!("no such file: {asked}"));
        let path = self.root.join(relative).canonicalize().map_err(not_found)?;
        if !path.starts_with(&self.root) {
            return Err(OpenError::Denied("outside of the served folder".to_owned()));
        }
        let file = std::fs::File::open(path).map_err(not_found)?;
        let meta = file.metadata().map_err(|error| OpenError::Other(error.to_string()))?;
        if !meta.is_file() {
            return Err(OpenError::Denied("not a file".to_owned()));
        }
        Ok((file, meta.len()))
    }
}

#[async_trait::async_trait]
impl FileSource for Folder {
    async fn open(&self, request: &Request) -> Result<Content, OpenError> {
        // a local folder answers faster than a thread could be asked
        let (file, len) = self.find(&request.path)?;
        Ok(Content::File { file, len })
    }

    fn event(&self, event: &Event) {
        match event {
            Event::Finished { peer, path, bytes, elapsed, blksize, windowsize, retransmits } => println!(
                "{peer} {path}: {bytes} bytes in {:.3} s, blksize {blksize}, windowsize {windowsize}, {retransmits} sent again",
                elapsed.as_secs_f64()
            ),
            Event::Failed { peer, path, bytes, reason, .. } => println!("{peer} {path}: failed after {bytes} bytes: {reason}"),
            Event::Refused { peer, path, message, .. } => println!("{peer} {path:?}: refused: {message}"),
            Event::Started { .. } => {}
        }
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    tracing_subscriber::fmt().with_env_filter(tracing_subscriber::EnvFilter::from_default_env()).with_writer(std::io::stderr).init();
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [dir, addr] = args.as_slice() else { return Err("usage: serve DIR ADDR".into()) };
    let addr: SocketAddr = addr.parse()?;
    let mut config = Config::default();
    if let Ok(micros) = std::env::var("TFTP_BUSY_POLL_US") {
        config.busy_poll = Duration::from_micros(micros.parse()?);
    }
    let source = Arc::new(Folder { root: Path::new(dir).canonicalize()? });
    let server = Server::bind(addr, config, source).await?;
    println!("listening on {}", server.local_addr());
    let stop = CancellationToken::new();
    let ctrl_c = stop.clone();
    tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            ctrl_c.cancel();
        }
    });
    server.run(stop).await;
    Ok(())
}
