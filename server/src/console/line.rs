//! The serial line of one machine: connects, reconnects, logs, and hands bytes both ways.

use std::{io, path::Path, sync::Arc, time::Duration};

use app::api::Line;
use tokio::{
    fs::{self, File},
    io::AsyncWriteExt,
    sync::mpsc,
    time::sleep,
};
use tokio_util::sync::CancellationToken;

use super::broker::{Lines, Shared};
use crate::bmc::{Bmc, BmcError, Console, ConsoleEvent, ConsoleInput, ConsoleReader};

const FIRST_RETRY: Duration = Duration::from_secs(1);
const LAST_RETRY: Duration = Duration::from_secs(30);
/// How often it is looked whether anybody still needs the line.
const LOOK: Duration = Duration::from_secs(1);
/// How often it is looked whether the BMC is still the machine's: another server on the same database tells nothing.
const LOOK_AGAIN: Duration = Duration::from_secs(30);
/// A log that reaches this is kept once as `.1.log` and begun anew.
const LOG_LIMIT: u64 = 64 * 1024 * 1024;

/// Keeps the line connected until nobody needs it.
pub(super) async fn run(shared: &Shared, lines: &dyn Lines, typed: &mut mpsc::Receiver<ConsoleInput>, cancel: &CancellationToken) {
    let mut retry = FIRST_RETRY;
    loop {
        let take_over = shared.take_over_wanted();
        shared.set_line(Line::Connecting, None);
        let opened = tokio::select! {
            () = cancel.cancelled() => return,
            opened = open(shared, lines, take_over) => opened,
        };
        match opened {
            Ok((bmc, console)) => {
                retry = FIRST_RETRY;
                shared.set_line(Line::Connected, None);
                match carry(shared, console, replaced(shared, lines, &bmc), typed, cancel).await {
                    Some(reason) => shared.set_line(Line::Failed, Some(reason)),
                    None => return,
                }
            }
            Err(error @ BmcError::ConsoleBusy(_)) => shared.set_line(Line::Busy, Some(error.to_string())),
            Err(error) => shared.set_line(Line::Failed, Some(error.to_string())),
        }
        // typed into nothing: it must not arrive at whatever runs there later
        while typed.try_recv().is_ok() {}
        let pause = sleep(retry);
        tokio::pin!(pause);
        loop {
            if shared.unwanted() {
                return;
            }
            tokio::select! {
                () = cancel.cancelled() => return,
                () = &mut pause => break,
                () = shared.wake.notified() => break,
                () = shared.rewired.notified() => break,
                () = sleep(LOOK) => {}
            }
        }
        retry = (retry * 2).min(LAST_RETRY);
    }
}

async fn open(shared: &Shared, lines: &dyn Lines, take_over: bool) -> Result<(Arc<dyn Bmc>, Console), BmcError> {
    let bmc = lines.bmc(shared.machine).await?;
    let console = bmc.open_console(take_over).await?;
    Ok((bmc, console))
}

/// Resolves when the machine has another BMC than this, or none, or it is reached in another way; in words.
async fn replaced(shared: &Shared, lines: &dyn Lines, bmc: &Arc<dyn Bmc>) -> String {
    loop {
        tokio::select! {
            () = shared.rewired.notified() => {}
            () = sleep(LOOK_AGAIN) => {}
        }
        match lines.bmc(shared.machine).await {
            Ok(now) if !Arc::ptr_eq(&now, bmc) => return "the settings of the machine's BMC have changed".into(),
            Err(error @ BmcError::NotAsked(_)) => return error.to_string(),
            // not found out
            Ok(_) | Err(_) => {}
        }
    }
}

/// Runs an open console until something says why it is to end. Returns why it ended, or None when nobody needs it any more.
async fn carry(
    shared: &Shared,
    console: Console,
    end: impl Future<Output = String>,
    typed: &mut mpsc::Receiver<ConsoleInput>,
    cancel: &CancellationToken,
) -> Option<String> {
    let Console { mut reader, mut writer } = console;
    let mut log = Log::open(shared).await;
    // Both directions run side by side: a BMC that takes no input must not hold up its output.
    let input = async {
        while let Some(input) = typed.recv().await {
            if let Err(error) = writer.write(input).await {
                return error.to_string();
            }
        }
        "the console is closed".to_owned()
    };
    let output = read(shared, reader.as_mut(), &mut log);
    let unwanted = async {
        loop {
            sleep(LOOK).await;
            if shared.unwanted() {
                return;
            }
        }
    };
    let reason = tokio::select! {
        reason = output => Some(reason),
        reason = input => Some(reason),
        reason = end => Some(reason),
        () = unwanted => None,
        () = cancel.cancelled() => None,
    };
    log.close().await;
    reason
}

async fn read(shared: &Shared, reader: &mut dyn ConsoleReader, log: &mut Log) -> String {
    loop {
        match reader.next().await {
            ConsoleEvent::Output(bytes) => {
                shared.push(&bytes);
                if let Err(error) = log.write(&bytes).await {
                    tracing::error!(machine = shared.machine, %error, "the console's log cannot be written");
                    shared.notice(&format!("the console's log cannot be written: {error}"));
                    log.give_up();
                }
            }
            ConsoleEvent::Notice(text) => shared.notice(&text),
            ConsoleEvent::Closed(reason) => return reason,
        }
    }
}

/// A console's log on disk.
struct Log {
    file: Option<File>,
    path: std::path::PathBuf,
    length: u64,
}

impl Log {
    async fn open(shared: &Shared) -> Self {
        let path = shared.settings.log_dir.join(format!("{}.log", shared.machine));
        match Self::append(&shared.settings.log_dir, &path).await {
            Ok((file, length)) => Self { file: Some(file), path, length },
            Err(error) => {
                tracing::error!(machine = shared.machine, path = %path.display(), %error, "the console's log cannot be opened");
                shared.notice(&format!("the console's log cannot be opened: {error}"));
                Self { file: None, path, length: 0 }
            }
        }
    }

    async fn append(dir: &Path, path: &Path) -> io::Result<(File, u64)> {
        fs::create_dir_all(dir).await?;
        let file = File::options().create(true).append(true).open(path).await?;
        let length = file.metadata().await?.len();
        Ok((file, length))
    }

    async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let Some(file) = &mut self.file else { return Ok(()) };
        file.write_all(bytes).await?;
        file.flush().await?;
        self.length += bytes.len() as u64;
        if self.length >= LOG_LIMIT {
            fs::rename(&self.path, self.path.with_extension("1.log")).await?;
            *file = File::options().create(true).append(true).open(&self.path).await?;
            self.length = 0;
        }
        Ok(())
    }

    fn give_up(&mut self) {
        self.file = None;
    }

    async fn close(mut self) {
        if let Some(mut file) = self.file.take() {
            // every write was flushed; nothing is lost if this fails
            let _ = file.flush().await;
        }
    }
}
