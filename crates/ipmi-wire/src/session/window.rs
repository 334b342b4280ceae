//! Session sequence numbers (spec 6.12.12–6.12.13).

/// Numbers for packets we send: 1, 2, … and never 0, which is reserved for packets outside a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct OutgoingSequence(u32);

impl OutgoingSequence {
    /// The number for the next packet.
    pub fn advance(&mut self) -> u32 {
        self.0 = match self.0.wrapping_add(1) {
            0 => 1,
            n => n,
        };
        self.0
    }
}

/// Recognizes packets that were already seen among the last 32.
///
/// The specification also bounds how far ahead a number may be (15). That bound defends unauthenticated sessions and
/// would end an authenticated one for good after a burst of loss, so any number ahead is taken: it carries a valid
/// authentication code, or it never got here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ReplayWindow {
    highest: u32,
    /// Bit n: `highest - n` was seen.
    seen: u32,
}

impl ReplayWindow {
    /// Packets behind the newest that are still told apart.
    pub const SIZE: u32 = 32;

    /// Whether the number is fresh; remembers it when it is. Call only after the packet was authenticated.
    pub fn accept(&mut self, sequence: u32) -> bool {
        if sequence == 0 {
            return false;
        }
        let ahead = sequence.wrapping_sub(self.highest);
        if ahead != 0 && ahead < 1 << 31 {
            self.seen = self.seen.checked_shl(ahead).unwrap_or(0) | 1;
            self.highest = sequence;
            return true;
        }
        let behind = self.highest.wrapping_sub(sequence);
        let Some(bit) = 1u32.checked_shl(behind) else {
            return false;
        };
        let fresh = self.seen & bit == 0;
        self.seen |= bit;
        fresh
    }

    /// The highest number accepted so far; 0 before the first.
    #[must_use]
    pub fn highest(&self) -> u32 {
        self.highest
    }
}
