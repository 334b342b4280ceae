//! `ipmitool sol activate` as a console.
//!
//! Its standard output is a terminal, because into a pipe it would keep the words by which one knows that the session stands
//! until the machine says something. Its input is a pipe: when that is closed, it ends the session as it should.

use std::{
    io,
    os::fd::{AsFd, OwnedFd},
    process::Stdio,
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use rustix::{
    fs::{Mode, OFlags},
    pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt},
    termios::{OptionalActions, tcgetattr, tcsetattr},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, unix::AsyncFd},
    process::{Child, ChildStderr, ChildStdin},
    sync::{mpsc, oneshot},
    time::timeout,
};

use super::{Ipmitool, escape::Escape};
use crate::bmc::{BmcError, Console, ConsoleEvent, ConsoleInput, ConsoleReader, ConsoleWriter};

/// A session is open or refused after that long.
const OPENING: Duration = Duration::from_secs(30);
/// How long it may take to end the session before it is killed.
const ENDING: Duration = Duration::from_secs(5);
/// What it says when the session stands, up to the end of the line.
const OPEN: &[u8] = b"[SOL Session operational.";
/// Inputs on their way.
const INPUTS: usize = 16;

pub(super) async fn open(tool: &Ipmitool) -> Result<Console, BmcError> {
    let words = ["sol", "activate"];
    let no_terminal = |error: io::Error| BmcError::NotAsked(tool.told(&words, &format!("no terminal for it: {error}")));
    let (mut screen, theirs) = Screen::open().map_err(no_terminal)?;
    let mut command = tool.command(&words);
    command.stdin(Stdio::piped()).stdout(theirs);
    let mut child = command.spawn().map_err(|error| tool.not_started(&error))?;
    // the command holds their end of the terminal, which must be closed for its end to be seen
    drop(command);
    let (Some(stdin), Some(mut stderr)) = (child.stdin.take(), child.stderr.take()) else {
        return Err(BmcError::NotAsked(tool.told(&words, "its pipes are missing")));
    };
    match timeout(OPENING, begun(&mut screen)).await {
        Ok(Ok(rest)) => Ok(attach(child, screen, stdin, stderr, rest)),
        Ok(Err(said)) => {
            let complaint = said + &complaint(&mut stderr).await;
            Err(refusal(tool, &words, &complaint).await)
        }
        Err(_) => Err(BmcError::Unreachable(tool.told(&words, &format!("no session after {} s", OPENING.as_secs())))),
    }
}

/// Reads until the session stands; answers what came after that. An error is what was said instead.
async fn begun(screen: &mut Screen) -> Result<Bytes, String> {
    let mut said = Vec::new();
    loop {
        if let Some(start) = said.windows(OPEN.len()).position(|window| window == OPEN)
            && let Some(end) = said[start..].iter().position(|byte| *byte == b'\n')
        {
            let rest = &said[start + end + 1..];
            return Ok(Bytes::copy_from_slice(rest.strip_prefix(b"\r").unwrap_or(rest)));
        }
        match screen.read().await {
            Ok(bytes) if !bytes.is_empty() => said.extend_from_slice(&bytes),
            _ => return Err(String::from_utf8_lossy(&said).into_owned()),
        }
    }
}

async fn complaint(stderr: &mut ChildStderr) -> String {
    let mut text = Vec::new();
    // what could be read is told
    let _ = timeout(ENDING, stderr.read_to_end(&mut text)).await;
    String::from_utf8_lossy(&text).into_owned()
}

async fn refusal(tool: &Ipmitool, words: &[&str], complaint: &str) -> BmcError {
    if complaint.contains("already active") {
        return BmcError::ConsoleBusy(tool.name.clone());
    }
    let failure = tool.failure(words, complaint);
    // it does not say here why there is no session; another command does
    if matches!(failure, BmcError::Refused(_))
        && let Err(why) = tool.must(&["chassis", "power", "status"]).await
    {
        return why;
    }
    failure
}

fn attach(child: Child, screen: Screen, stdin: ChildStdin, stderr: ChildStderr, first: Bytes) -> Console {
    let (inputs, typed) = mpsc::channel(INPUTS);
    let (notices, told) = mpsc::channel(INPUTS);
    tokio::spawn(keep(child, stdin, typed, notices));
    let first = Some(first).filter(|first| !first.is_empty());
    Console { reader: Box::new(Reader { screen, stderr, first, told }), writer: Box::new(Writer(inputs)) }
}

/// What is typed, and who is told when `ipmitool` has taken it.
type Typed = (ConsoleInput, oneshot::Sender<Result<(), BmcError>>);

/// Feeds `ipmitool` until one half of the console is dropped, then sees to its end.
async fn keep(mut child: Child, mut stdin: ChildStdin, mut typed: mpsc::Receiver<Typed>, notices: mpsc::Sender<&'static str>) {
    let mut escape = Escape::default();
    loop {
        let (input, done) = tokio::select! {
            () = notices.closed() => break,
            input = typed.recv() => match input {
                Some(input) => input,
                None => break,
            },
        };
        let written = match &input {
            ConsoleInput::Bytes(bytes) => stdin.write_all(&escape.literal(bytes)).await.map_err(|_| ended()),
            ConsoleInput::Break => match escape.send_break() {
                Some(sequence) => stdin.write_all(sequence).await.map_err(|_| ended()),
                None => {
                    // an error would end the console; who has no room for a notice has had enough of them
                    let _ = notices.try_send("ipmitool can send a break only where a line begins: press Enter, then try again");
                    Ok(())
                }
            },
        };
        // who typed may be gone
        let _ = done.send(written);
    }
    drop(stdin);
    if timeout(ENDING, child.wait()).await.is_err() {
        // it is reaped when the child is dropped
        let _ = child.start_kill();
    }
}

fn ended() -> BmcError {
    BmcError::Failed("the serial session has ended".into())
}

struct Reader {
    screen: Screen,
    stderr: ChildStderr,
    /// Came together with the words that the session stands.
    first: Option<Bytes>,
    told: mpsc::Receiver<&'static str>,
}

#[async_trait]
impl ConsoleReader for Reader {
    async fn next(&mut self) -> ConsoleEvent {
        if let Some(first) = self.first.take() {
            return ConsoleEvent::Output(first);
        }
        let read = tokio::select! {
            read = self.screen.read() => read,
            Some(notice) = self.told.recv() => return ConsoleEvent::Notice(notice.into()),
        };
        match read {
            Ok(bytes) if !bytes.is_empty() => ConsoleEvent::Output(bytes),
            _ => {
                let said = super::essence(&complaint(&mut self.stderr).await);
                ConsoleEvent::Closed(format!("ipmitool has ended: {said}"))
            }
        }
    }
}

struct Writer(mpsc::Sender<Typed>);

#[async_trait]
impl ConsoleWriter for Writer {
    async fn write(&mut self, input: ConsoleInput) -> Result<(), BmcError> {
        let (done, written) = oneshot::channel();
        self.0.send((input, done)).await.map_err(|_| ended())?;
        written.await.unwrap_or_else(|_| Err(ended()))
    }
}

/// Our end of a terminal that changes nothing of what is written to it.
struct Screen(AsyncFd<OwnedFd>);

impl Screen {
    /// With the end for the program.
    fn open() -> io::Result<(Self, Stdio)> {
        let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
        grantpt(&ours)?;
        unlockpt(&ours)?;
        let name = ptsname(&ours, Vec::new())?;
        let theirs = rustix::fs::open(&name, OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC, Mode::empty())?;
        let mut settings = tcgetattr(theirs.as_fd())?;
        settings.make_raw();
        tcsetattr(theirs.as_fd(), OptionalActions::Now, &settings)?;
        rustix::io::ioctl_fionbio(&ours, true)?;
        #[expect(deprecated, reason = "unsound only for types that lie about the descriptor they hold; its successor is unsafe")]
        let ours = AsyncFd::new(ours)?;
        Ok((Self(ours), Stdio::from(theirs)))
    }

    /// Nothing: the program has closed it. Cancelling loses nothing.
    async fn read(&mut self) -> io::Result<Bytes> {
        loop {
            let mut ready = self.0.readable().await?;
            let mut buffer = [0; 4096];
            match ready.try_io(|screen| rustix::io::read(screen.get_ref(), &mut buffer[..]).map_err(io::Error::from)) {
                Ok(Ok(count)) => return Ok(Bytes::copy_from_slice(&buffer[..count])),
                // Linux says this instead of the end, once nobody has the other end open
                Ok(Err(error)) if error.raw_os_error() == Some(rustix::io::Errno::IO.raw_os_error()) => return Ok(Bytes::new()),
                Ok(Err(error)) if error.kind() == io::ErrorKind::Interrupted => {}
                Ok(Err(error)) => return Err(error),
                // another wake-up's data
                Err(_) => {}
            }
        }
    }
}
