//! What consoles have written to disk, for reading: the file that is written now, and the one before it.

use std::{
    io,
    path::{Path, PathBuf},
    time::SystemTime,
};

use bytes::Bytes;
use futures_util::{Stream, TryStreamExt, stream};
use tokio::{
    fs::File,
    io::{AsyncReadExt, AsyncSeekExt},
};
use tokio_util::io::ReaderStream;

/// Bytes at the end of a log in which its last lines are looked for: a thousand of a usual width.
const TAIL: u64 = 128 * 1024;
const ESC: u8 = 0x1b;

/// The end of a console's log, as text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tail {
    pub lines: Vec<String>,
    /// When the last byte was written.
    pub written: Option<SystemTime>,
}

fn current(folder: &Path, machine: i64) -> PathBuf {
    folder.join(format!("{machine}.log"))
}

/// A file, None when there is none.
async fn open(path: &Path) -> io::Result<Option<File>> {
    match File::open(path).await {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Everything that is kept of a machine's console, oldest first, as it is at this moment; nothing when nothing was logged.
///
/// # Errors
/// Files that are there and cannot be read.
pub async fn whole(folder: &Path, machine: i64) -> io::Result<impl Stream<Item = io::Result<Bytes>> + use<>> {
    let path = current(folder, machine);
    let mut parts = Vec::new();
    for path in [path.with_extension("1.log"), path] {
        if let Some(file) = open(&path).await? {
            // what is written while somebody downloads is not part of it: a busy console has no end
            let length = file.metadata().await?.len();
            parts.push(Ok::<_, io::Error>(ReaderStream::new(file.take(length))));
        }
    }
    Ok(stream::iter(parts).try_flatten())
}

/// The last lines of a machine's console.
///
/// # Errors
/// Files that are there and cannot be read.
pub async fn tail(folder: &Path, machine: i64, lines: usize) -> io::Result<Tail> {
    let (bytes, written) = end(folder, machine, TAIL).await?;
    Ok(Tail { lines: last_lines(&bytes, lines), written })
}

/// The end of what a machine's console wrote, at most so many bytes, to be shown on a terminal. It is cut where a line or a control
/// sequence begins, and a terminal is not asked anything: its answers would be typed into the machine.
///
/// # Errors
/// Files that are there and cannot be read.
pub(super) async fn recall(folder: &Path, machine: i64, most: u64) -> io::Result<Vec<u8>> {
    let (bytes, _) = end(folder, machine, most).await?;
    Ok(without_questions(&bytes))
}

/// The last bytes from a whole line on, and when the last of them was written.
async fn end(folder: &Path, machine: i64, most: u64) -> io::Result<(Vec<u8>, Option<SystemTime>)> {
    let path = current(folder, machine);
    let mut bytes = Vec::new();
    let mut written = None;
    for path in [path.clone(), path.with_extension("1.log")] {
        let Some(mut file) = open(&path).await? else { continue };
        let about = file.metadata().await?;
        written = written.or(about.modified().ok());
        let room = most.saturating_sub(bytes.len() as u64);
        let start = about.len().saturating_sub(room);
        file.seek(io::SeekFrom::Start(start)).await?;
        let mut before = Vec::new();
        file.take(room).read_to_end(&mut before).await?;
        if start > 0 {
            before.drain(..beginning(&before));
        }
        before.append(&mut bytes);
        bytes = before;
        if start > 0 {
            break;
        }
    }
    Ok((bytes, written))
}

/// Where something whole begins in what is most likely cut within a line: what draws on the whole screen writes no lines at all.
fn beginning(bytes: &[u8]) -> usize {
    let line = bytes.iter().position(|byte| *byte == b'\n').map(|at| at + 1);
    line.or_else(|| bytes.iter().position(|byte| *byte == ESC)).unwrap_or(0)
}

/// Without what a terminal answers to: where its cursor is (DSR), what it is (DA), which modes it is in (DECRQM).
fn without_questions(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some(at) = rest.windows(2).position(|two| two == [ESC, b'[']) {
        let (before, sequence) = rest.split_at(at);
        out.extend_from_slice(before);
        // parameters and intermediates, then one final byte
        let length = sequence[2..].iter().position(|byte| !(b' '..=b'?').contains(byte)).map_or(sequence.len(), |last| last + 3);
        let (sequence, after) = sequence.split_at(length);
        if !matches!(sequence, [.., b'n' | b'c'] | [.., b'$', b'p']) {
            out.extend_from_slice(sequence);
        }
        rest = after;
    }
    out.extend_from_slice(rest);
    out
}

/// The last lines as they stood on a screen that knows no more than carriage return and backspace; empty ones at the end
/// are left out.
fn last_lines(bytes: &[u8], most: usize) -> Vec<String> {
    let text = plain(&String::from_utf8_lossy(bytes));
    let mut lines: Vec<String> = text.split('\n').map(overwritten).collect();
    while lines.last().is_some_and(String::is_empty) {
        lines.pop();
    }
    lines.split_off(lines.len().saturating_sub(most))
}

/// Without the terminal's control sequences (ECMA-48: CSI, and the strings of OSC, DCS, SOS, PM and APC).
fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        if c != '\u{1b}' {
            if !c.is_control() || matches!(c, '\n' | '\r' | '\t' | '\u{8}') {
                out.push(c);
            }
            continue;
        }
        match rest.next() {
            // parameters and intermediates, then one final byte
            Some('[') => while rest.next().is_some_and(|c| !('@'..='~').contains(&c)) {},
            Some(']' | 'P' | 'X' | '^' | '_') => {
                while let Some(c) = rest.next() {
                    if c == '\u{7}' {
                        break;
                    }
                    if c == '\u{1b}' {
                        rest.next_if_eq(&'\\');
                        break;
                    }
                }
            }
            // ESC ( B and the like: a character set
            Some(' '..='/') => drop(rest.next()),
            _ => {}
        }
    }
    out
}

/// What a line looks like when it was written over, as progress bars do.
fn overwritten(line: &str) -> String {
    let mut cells: Vec<char> = Vec::new();
    let mut at = 0_usize;
    for c in line.chars() {
        match c {
            '\r' => at = 0,
            '\u{8}' => at = at.saturating_sub(1),
            c => {
                if let Some(cell) = cells.get_mut(at) {
                    *cell = c;
                } else {
                    cells.push(c);
                }
                at += 1;
            }
        }
    }
    cells.into_iter().collect::<String>().trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_lines_are_what_one_would_read_on_the_screen() {
        let log = b"\x1b[2J\x1b[1;1HGRUB\r\nLoading  10%\rLoading 100%\r\n\x1b[0;1;32m[  OK  ]\x1b[0m Started\x1b]0;title\x07 ssh\r\n\x1b(Blogin: roo\x08\x08\x08\x1b[K\r\n\r\n";
        assert_eq!(last_lines(log, 3), ["Loading 100%", "[  OK  ] Started ssh", "login: roo"]);
        assert_eq!(last_lines(log, 1), ["login: roo"]);
        assert_eq!(last_lines(b"", 5), [""; 0]);
        // the end of a sequence that is still to come
        assert_eq!(last_lines(b"a\x1b[", 5), ["a"]);
    }

    #[tokio::test]
    async fn a_log_that_was_begun_anew_is_read_on_in_the_one_before_it() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(tail(folder.path(), 7, 10).await.unwrap(), Tail::default());
        let read = async || whole(folder.path(), 7).await.unwrap().try_collect::<Vec<_>>().await.unwrap().concat();
        assert_eq!(read().await, b"");
        std::fs::write(folder.path().join("7.1.log"), "one\ntwo\nthr").unwrap();
        std::fs::write(folder.path().join("7.log"), "ee\nfour\n").unwrap();
        let end = tail(folder.path(), 7, 3).await.unwrap();
        assert_eq!(end.lines, ["two", "three", "four"]);
        assert!(end.written.is_some());
        assert_eq!(read().await, b"one\ntwo\nthree\nfour\n");
    }

    #[tokio::test]
    async fn what_is_recalled_begins_with_something_whole_and_asks_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let recalled = async |most| String::from_utf8(recall(folder.path(), 7, most).await.unwrap()).unwrap();
        assert_eq!(recalled(100).await, "");
        std::fs::write(folder.path().join("7.1.log"), "one\r\ntwo\r\nthr").unwrap();
        std::fs::write(folder.path().join("7.log"), "ee\r\n\x1b[1mfour\x1b[0m\x1b[6n\x1b[?2026$p\x1b[>c\x1b[2J five\x1b[").unwrap();
        let end = "ee\r\n\x1b[1mfour\x1b[0m\x1b[2J five\x1b[";
        assert_eq!(recalled(1000).await, format!("one\r\ntwo\r\nthr{end}"));
        // from the middle of the first line on
        let all = std::fs::metadata(folder.path().join("7.log")).unwrap().len() + 13;
        assert_eq!(recalled(all - 1).await, format!("two\r\nthr{end}"));
        // a screen drawn without lines
        std::fs::write(folder.path().join("7.log"), "\x1b[1;1Hah\x1b[2;1Hbe").unwrap();
        assert_eq!(recalled(14).await, "\x1b[2;1Hbe");
        assert_eq!(recalled(3).await, "Hbe");
    }

    #[tokio::test]
    async fn a_long_log_is_not_read_from_its_start() {
        let folder = tempfile::tempdir().unwrap();
        let lines: Vec<String> = (0..100_000).map(|n| format!("line {n}")).collect();
        std::fs::write(folder.path().join("7.log"), lines.join("\n")).unwrap();
        let end = tail(folder.path(), 7, usize::MAX).await.unwrap();
        assert_eq!(end.lines.last().unwrap(), "line 99999");
        assert!(end.lines.len() < 50_000, "{} lines", end.lines.len());
        assert!(end.lines[0].starts_with("line "), "cut within a line: {}", end.lines[0]);
    }
}
