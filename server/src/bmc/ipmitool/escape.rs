//! Keeps `ipmitool sol activate` from understanding what is meant for the machine.

/// Begins a command to `ipmitool` when it stands at the beginning of a line.
const ESCAPE: u8 = b'~';

/// What `ipmitool` thinks of the input so far.
#[derive(Debug)]
pub(super) struct Escape {
    line_begins: bool,
}

impl Default for Escape {
    fn default() -> Self {
        Self { line_begins: true }
    }
}

impl Escape {
    /// The input so written that exactly `input` reaches the machine.
    pub(super) fn literal(&mut self, input: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(input.len());
        for &byte in input {
            if self.line_begins && byte == ESCAPE {
                // `~~` is one of them, after which the line still begins, as `ipmitool` sees it
                out.push(ESCAPE);
            } else {
                self.line_begins = byte == b'\r' || byte == b'\n';
            }
            out.push(byte);
        }
        out
    }

    /// What sends a break; None in the middle of a line, where there is no way to.
    pub(super) fn send_break(&self) -> Option<&'static [u8]> {
        self.line_begins.then_some(b"~B")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// `ipmitool`'s own rule (lib/ipmi_sol.c, processSolUserInput): None when it takes something for a command.
    fn understood(input: &[u8]) -> Option<Vec<u8>> {
        let (mut pending, mut last_was_cr, mut sent) = (false, true, Vec::new());
        for &byte in input {
            if std::mem::take(&mut pending) {
                if byte != ESCAPE {
                    return None;
                }
                sent.push(byte);
            } else if last_was_cr && byte == ESCAPE {
                pending = true;
            } else {
                sent.push(byte);
                last_was_cr = byte == b'\r' || byte == b'\n';
            }
        }
        (!pending).then_some(sent)
    }

    proptest! {
        #[test]
        fn every_byte_reaches_the_machine_and_none_is_a_command(
            parts in prop::collection::vec(prop::collection::vec(prop::sample::select(b"~.B?\r\nax".to_vec()), 0..8), 0..6)
        ) {
            let mut escape = Escape::default();
            let written: Vec<u8> = parts.iter().flat_map(|part| escape.literal(part)).collect();
            prop_assert_eq!(understood(&written), Some(parts.concat()));
        }
    }

    #[test]
    fn a_break_is_sent_where_a_line_begins() {
        let mut escape = Escape::default();
        assert_eq!(escape.send_break(), Some(b"~B".as_slice()));
        escape.literal(b"ls");
        assert_eq!(escape.send_break(), None);
        escape.literal(b"\r");
        assert!(escape.send_break().is_some());
    }
}
