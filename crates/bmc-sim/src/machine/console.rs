//! A terminal on the machine's end of the serial line.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use tokio::time::timeout;

use super::serial::{Input, SerialLine};

/// What a person did at a prompt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Line {
    Text(String),
    /// Ctrl-C.
    Interrupt,
    /// Ctrl-D on an empty line.
    Eof,
    /// A break on the line.
    Break,
}

pub(crate) struct Console {
    line: Arc<SerialLine>,
    pending: VecDeque<u8>,
    after_return: bool,
}

/// Longest line a prompt takes; the rest is refused with a bell.
const LINE: usize = 1024;

impl Console {
    pub(crate) fn new(line: Arc<SerialLine>) -> Self {
        Self { line, pending: VecDeque::new(), after_return: false }
    }

    /// Prints text; every `\n` goes out as `\r\n`.
    pub(crate) async fn print(&self, text: &str) {
        print(&self.line, text).await;
    }

    async fn next(&mut self) -> Option<u8> {
        loop {
            if let Some(byte) = self.pending.pop_front() {
                // a terminal that sends CR LF means one end of line
                if byte == b'\n' && std::mem::take(&mut self.after_return) {
                    continue;
                }
                self.after_return = byte == b'\r';
                return Some(byte);
            }
            match self.line.read().await {
                Input::Bytes(bytes) => self.pending.extend(bytes),
                Input::Break => return None,
            }
        }
    }

    /// Waits for one key.
    pub(crate) async fn key(&mut self) -> u8 {
        loop {
            if let Some(byte) = self.next().await {
                return byte;
            }
        }
    }

    /// Waits for one key at most `limit`.
    pub(crate) async fn key_within(&mut self, limit: Duration) -> Option<u8> {
        timeout(limit, self.key()).await.ok()
    }

    /// Reads a line as a terminal in cooked mode does; `echo` off for passwords.
    pub(crate) async fn line(&mut self, echo: bool) -> Line {
        let mut text: Vec<u8> = Vec::new();
        loop {
            let Some(byte) = self.next().await else { return Line::Break };
            match byte {
                b'\r' | b'\n' => {
                    self.print("\n").await;
                    return Line::Text(String::from_utf8_lossy(&text).into_owned());
                }
                0x03 => {
                    self.print("^C\n").await;
                    return Line::Interrupt;
                }
                0x04 if text.is_empty() => {
                    self.print("\n").await;
                    return Line::Eof;
                }
                0x15 => {
                    let erased = std::mem::take(&mut text);
                    if echo {
                        self.line.write("\u{8} \u{8}".repeat(width(&erased)).as_bytes()).await;
                    }
                }
                0x08 | 0x7f => {
                    let before = width(&text);
                    while text.pop().is_some_and(|byte| byte & 0xc0 == 0x80) {}
                    if echo && width(&text) < before {
                        self.line.write(b"\x08 \x08").await;
                    }
                }
                byte if byte < b' ' => {}
                _ if text.len() >= LINE => self.line.write(b"\x07").await,
                byte => {
                    text.push(byte);
                    if echo {
                        self.line.write(&[byte]).await;
                    }
                }
            }
        }
    }
}

/// Prints on a line; every `\n` goes out as `\r\n`.
pub(crate) async fn print(line: &SerialLine, text: &str) {
    line.write(text.replace('\n', "\r\n").as_bytes()).await;
}

fn width(text: &[u8]) -> usize {
    text.iter().filter(|&&byte| byte & 0xc0 != 0x80).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn lines_are_edited_and_echoed() {
        let line = SerialLine::new(1024);
        let mut console = Console::new(Arc::clone(&line));
        line.type_in("helo\x7flo\r\nsecond\n\x04\x03".as_bytes());
        assert_eq!(console.line(true).await, Line::Text("hello".into()));
        assert_eq!(console.line(true).await, Line::Text("second".into()));
        assert_eq!(console.line(true).await, Line::Eof);
        assert_eq!(console.line(true).await, Line::Interrupt);
        assert_eq!(line.history(), b"helo\x08 \x08lo\r\nsecond\r\n\r\n^C\r\n");
        line.type_in(b"secret\r");
        assert_eq!(console.line(false).await, Line::Text("secret".into()));
        assert!(line.history().ends_with(b"^C\r\n\r\n"));
        line.send_break();
        assert_eq!(console.line(true).await, Line::Break);
    }
}
