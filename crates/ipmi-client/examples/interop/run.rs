//! Foreign programs: run to their end, or used on a terminal.

use std::process::{Output, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, ChildStdin, Command};
use tokio::sync::watch;
use tokio::time::timeout;

/// Nothing here takes so long, even on a busy machine.
pub const LIMIT: Duration = Duration::from_secs(40);

/// Why a cell fails.
pub type Checked = Result<(), String>;

/// What a program said on both streams, and whether it succeeded.
#[derive(Debug)]
pub struct Said {
    pub success: bool,
    pub text: String,
}

impl Said {
    pub fn must_contain(&self, text: &str) -> Checked {
        if self.success && self.text.contains(text) { Ok(()) } else { Err(format!("{text:?} is not in {self:?}")) }
    }

    pub fn must_succeed(&self) -> Checked {
        if self.success { Ok(()) } else { Err(format!("{self:?}")) }
    }

    /// Fails, and says so in these words.
    pub fn must_refuse(&self, words: &str) -> Checked {
        if self.text.contains(words) { Ok(()) } else { Err(format!("no {words:?} in {self:?}")) }
    }
}

pub async fn run(program: &str, arguments: &[&str]) -> Result<Said, String> {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).kill_on_drop(true);
    let output = timeout(LIMIT, command.output()).await.map_err(|_| format!("{program} {arguments:?} does not end"))?;
    let Output { status, stdout, stderr } = output.map_err(|error| format!("{program}: {error}"))?;
    let text = format!("{}{}", String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
    Ok(Said { success: status.success(), text })
}

/// A program on a terminal of its own, which util-linux' `script` makes. Ends with the value.
pub struct Terminal {
    child: Child,
    keyboard: ChildStdin,
    screen: Arc<Mutex<Vec<u8>>>,
    changed: watch::Receiver<()>,
}

impl Terminal {
    pub fn start(program: &str, arguments: &[&str]) -> Result<Self, String> {
        let line = std::iter::once(program).chain(arguments.iter().copied()).map(|word| format!("'{word}'")).collect::<Vec<_>>().join(" ");
        // -E never: an echo of the keyboard by script itself would pass for one from the machine
        let mut command = Command::new("script");
        command.args(["-q", "-f", "-e", "-E", "never", "-c", &format!("exec {line}"), "/dev/null"]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true);
        let mut child = command.spawn().map_err(|error| format!("script: {error}"))?;
        let (Some(keyboard), Some(mut stdout)) = (child.stdin.take(), child.stdout.take()) else { return Err("no pipes".into()) };
        let screen = Arc::new(Mutex::new(Vec::new()));
        let (sender, changed) = watch::channel(());
        let filled = Arc::clone(&screen);
        tokio::spawn(async move {
            let mut buffer = [0; 8192];
            while let Ok(len @ 1..) = stdout.read(&mut buffer).await {
                filled.lock().unwrap().extend_from_slice(&buffer[..len]);
                sender.send_replace(());
            }
        });
        Ok(Self { child, keyboard, screen, changed })
    }

    fn screen(&self) -> String {
        String::from_utf8_lossy(&self.screen.lock().unwrap()).into_owned()
    }

    pub async fn send(&mut self, keys: &str) -> Checked {
        let sent = async {
            self.keyboard.write_all(keys.as_bytes()).await?;
            self.keyboard.flush().await
        };
        sent.await.map_err(|error| format!("typing: {error}; the screen:\n{}", self.screen()))
    }

    /// Waits until the text stands on the screen.
    pub async fn expect(&mut self, text: &str) -> Checked {
        let wait = async {
            while !self.screen().contains(text) {
                if self.changed.changed().await.is_err() {
                    // the program has ended; what it wrote last is on the screen
                    return self.screen().contains(text);
                }
            }
            true
        };
        if timeout(LIMIT, wait).await.unwrap_or(false) { Ok(()) } else { Err(format!("{text:?} is not on the screen:\n{}", self.screen())) }
    }

    /// Waits for the program's end: by itself, it closes its session.
    pub async fn end(mut self) -> Checked {
        let ended = timeout(LIMIT, self.child.wait()).await;
        if matches!(ended, Ok(Ok(_))) { Ok(()) } else { Err(format!("it does not end; the screen:\n{}", self.screen())) }
    }
}
