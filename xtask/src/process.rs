//! Child processes: run, read, watch.

use anyhow::{Context, Result, bail};
use std::{
    io::{BufRead, BufReader, IsTerminal, Read, Write},
    process::{Command, Stdio},
    thread,
    time::Instant,
};

/// Runs to the end with our own standard streams; an exit status other than 0 is an error.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("cannot start {}", shown(command)))?;
    if !status.success() {
        bail!("{}: {status}", shown(command));
    }
    Ok(())
}

/// Runs to the end and returns what it printed on standard output.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let output = command.stdin(Stdio::null()).output().with_context(|| format!("cannot start {}", shown(command)))?;
    if !output.status.success() {
        bail!("{}: {}\n{}", shown(command), output.status, String::from_utf8_lossy(&output.stderr));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Whether it starts and ends with status 0; prints nothing.
pub(crate) fn succeeds(command: &mut Command) -> bool {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}

/// Runs while printing all it prints, and returns whether it succeeded, with its lines freed of colours.
pub(crate) fn watch(command: &mut Command) -> Result<(bool, Vec<String>)> {
    if std::io::stderr().is_terminal() {
        command.env("CARGO_TERM_COLOR", "always");
    }
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start {}", shown(command)))?;
    let out = child.stdout.take().map(|stream| thread::spawn(|| echo(stream, std::io::stdout())));
    let err = child.stderr.take().map(|stream| thread::spawn(|| echo(stream, std::io::stderr())));
    let mut lines = Vec::new();
    for reader in [out, err].into_iter().flatten() {
        lines.extend(reader.join().unwrap_or_default());
    }
    Ok((child.wait()?.success(), lines))
}

/// Prints how many seconds a step took, whatever its result, and names the step in its error.
pub(crate) fn timed<T>(name: &str, step: impl FnOnce() -> Result<T>) -> Result<T> {
    let start = Instant::now();
    let result = step();
    eprintln!("{name:>13} {:6.1} s", start.elapsed().as_secs_f32());
    result.with_context(|| name.to_owned())
}

fn echo(stream: impl Read, mut to: impl Write) -> Vec<String> {
    let mut lines = Vec::new();
    let mut reader = BufReader::new(stream);
    let mut line = Vec::new();
    while reader.read_until(b'\n', &mut line).is_ok_and(|n| n > 0) {
        // A closed terminal must not stop the child: it would block on a full pipe.
        let _ = to.write_all(&line).and_then(|()| to.flush());
        lines.push(without_colours(&String::from_utf8_lossy(&line)));
        line.clear();
    }
    lines
}

fn without_colours(line: &str) -> String {
    let mut plain = String::with_capacity(line.len());
    let mut characters = line.trim_end().chars();
    while let Some(character) = characters.next() {
        if character == '\u{1b}' {
            // ESC [ parameters letter
            characters.by_ref().find(char::is_ascii_alphabetic);
        } else {
            plain.push(character);
        }
    }
    plain
}

fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_removed() {
        assert_eq!(without_colours("\u{1b}[32;1m     Summary\u{1b}[0m [ 1s] 3 tests run\n"), "     Summary [ 1s] 3 tests run");
    }

    #[test]
    fn a_failing_child_is_an_error_that_names_the_command() {
        let error = run(Command::new("false").arg("why")).expect_err("false fails");
        assert!(error.to_string().starts_with("false why: exit status: 1"), "{error}");
    }

    #[test]
    fn watching_returns_both_streams() {
        let (success, lines) = watch(Command::new("sh").args(["-c", "echo one; echo two >&2; exit 3"])).expect("sh starts");
        assert!(!success);
        assert_eq!(lines, ["one", "two"]);
    }
}
