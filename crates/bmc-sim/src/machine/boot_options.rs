//! System boot options (IPMI 2.0 §28.12–28.13, table 28-14): what the BMC keeps for the firmware's next boot.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use ipmi_wire::command::BootFlags;
use tokio::time::Instant;

const VALID: u8 = 0x80;
const PERSISTENT: u8 = 0x40;

/// Why a Set or Get System Boot Options command is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParameterError {
    /// Completion code 0x80.
    NotSupported,
    /// Completion code 0x81: "set in progress" while it is already.
    SetInProgress,
    /// Completion code 0xC7.
    Length,
}

#[derive(Debug)]
struct State {
    set_in_progress: u8,
    service_partition: [u8; 2],
    /// Parameter 3, "boot flag valid bit clearing": a set bit keeps the flags in that case.
    keep_valid: u8,
    acknowledge: [u8; 2],
    /// Parameter 5 as it was written, reserved bits and all.
    flags: [u8; 5],
    initiator: [u8; 9],
    /// Parameters whose "invalid/locked" bit software has set.
    invalid: u128,
    /// When flags that no chassis control command followed stop being valid.
    expires: Option<Instant>,
}

/// The BMC's copy of the boot options; the firmware reads and consumes them.
#[derive(Debug)]
pub struct BootOptions {
    state: Mutex<State>,
    lifetime: Option<Duration>,
}

/// Bit 3 of parameter 3: "don't clear valid bit if a chassis control command is not received within 60 seconds".
const KEEP_ON_TIMEOUT: u8 = 0x08;

impl BootOptions {
    /// `lifetime` is how long flags stay valid when no chassis control command follows them (IPMI: 60 s); `None` for ever.
    #[must_use]
    pub fn new(lifetime: Option<Duration>) -> Self {
        let state = State {
            set_in_progress: 0,
            service_partition: [0; 2],
            keep_valid: 0,
            acknowledge: [0; 2],
            flags: [0; 5],
            initiator: [0; 9],
            invalid: 0,
            expires: None,
        };
        Self { state: Mutex::new(state), lifetime }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.expires.is_some_and(|at| at <= Instant::now()) {
            state.expires = None;
            state.flags[0] &= !VALID;
        }
        state
    }

    /// The boot flags as they are now.
    #[must_use]
    pub fn flags(&self) -> BootFlags {
        BootFlags::from_bytes(self.lock().flags)
    }

    /// Sets one parameter. `selector` is the request's first byte (bit 7: mark parameter invalid), `data` the rest.
    ///
    /// # Errors
    /// The completion code's meaning; nothing is changed then.
    pub fn set(&self, selector: u8, data: &[u8]) -> Result<(), ParameterError> {
        let parameter = selector & 0x7f;
        let mut state = self.lock();
        if data.is_empty() && selector & 0x80 != 0 {
            state.invalid |= 1 << parameter;
            return Ok(());
        }
        match (parameter, data) {
            (0, &[value]) => {
                if value & 3 == 1 && state.set_in_progress == 1 {
                    return Err(ParameterError::SetInProgress);
                }
                // "commit write" (2) takes effect at once here: nothing is held back
                state.set_in_progress = if value & 3 == 1 { 1 } else { 0 };
            }
            (1, &[value]) => state.service_partition[0] = value,
            (2, &[value]) => state.service_partition[1] = value,
            (3, &[value]) => {
                state.keep_valid = value & 0x1f;
                if value & KEEP_ON_TIMEOUT != 0 {
                    state.expires = None;
                }
            }
            // write mask, then data: only the masked bits change
            (4, &[mask, value]) => {
                state.acknowledge = [0, (state.acknowledge[1] & !mask) | (value & mask)];
            }
            (5, data) if (1..=5).contains(&data.len()) => {
                let mut flags = [0; 5];
                flags[..data.len()].copy_from_slice(data);
                state.flags = flags;
                let lasts = flags[0] & VALID == 0 || flags[0] & PERSISTENT != 0 || state.keep_valid & KEEP_ON_TIMEOUT != 0;
                state.expires = if lasts { None } else { self.lifetime.map(|lifetime| Instant::now() + lifetime) };
            }
            (6, data) if data.len() == 9 => state.initiator.copy_from_slice(data),
            (0..=6, _) => return Err(ParameterError::Length),
            _ => return Err(ParameterError::NotSupported),
        }
        state.invalid &= !(1 << parameter);
        if selector & 0x80 != 0 {
            state.invalid |= 1 << parameter;
        }
        Ok(())
    }

    /// The answer of Get System Boot Options after the completion code: version, parameter (with its invalid bit), data.
    ///
    /// # Errors
    /// When the parameter is not supported.
    pub fn get(&self, parameter: u8) -> Result<Vec<u8>, ParameterError> {
        let parameter = parameter & 0x7f;
        let state = self.lock();
        let data: &[u8] = match parameter {
            0 => &[state.set_in_progress],
            1 => &[state.service_partition[0]],
            2 => &[state.service_partition[1]],
            3 => &[state.keep_valid],
            4 => &state.acknowledge,
            5 => &state.flags,
            6 => &state.initiator,
            _ => return Err(ParameterError::NotSupported),
        };
        let invalid = if state.invalid & (1 << parameter) != 0 { 0x80 } else { 0 };
        Ok([&[1, parameter | invalid], data].concat())
    }

    /// A chassis control command came: the countdown of the flags starts anew.
    pub fn chassis_control_seen(&self) {
        let mut state = self.lock();
        if state.expires.is_some() {
            state.expires = self.lifetime.map(|lifetime| Instant::now() + lifetime);
        }
    }

    /// The firmware boots: it takes the flags, and unless they are persistent they are no longer valid afterwards.
    /// `None` when no valid flags are set.
    pub fn take(&self) -> Option<BootFlags> {
        let mut state = self.lock();
        let taken = BootFlags::from_bytes(state.flags);
        if !taken.valid || state.invalid & (1 << 5) != 0 {
            return None;
        }
        state.expires = None;
        if !taken.persistent {
            state.flags = [0; 5];
        }
        Some(taken)
    }
}

#[cfg(test)]
mod tests {
    use ipmi_wire::command::BootDevice;

    use super::*;

    fn options() -> BootOptions {
        BootOptions::new(Some(Duration::from_secs(60)))
    }

    #[test]
    fn flags_are_kept_whole_and_used_once() {
        let options = options();
        options.set(5, &[0xa0, 0x04, 0x11, 0x22, 0x33]).unwrap();
        assert_eq!(options.get(5).unwrap(), [1, 5, 0xa0, 0x04, 0x11, 0x22, 0x33]);
        let taken = options.take().unwrap();
        assert!(taken.efi && !taken.persistent);
        assert_eq!(taken.device, BootDevice::Pxe);
        assert_eq!(options.take(), None);
        assert_eq!(options.get(5).unwrap(), [1, 5, 0, 0, 0, 0, 0]);
    }

    #[test]
    fn persistent_flags_stay() {
        let options = options();
        options.set(5, &[0xc0, 0x18, 0, 0, 0]).unwrap();
        for _ in 0..3 {
            assert_eq!(options.take().map(|flags| flags.device), Some(BootDevice::Bios));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn flags_no_command_follows_expire_after_a_minute() {
        let options = options();
        options.set(5, &[0x80, 0x04, 0, 0, 0]).unwrap();
        tokio::time::advance(Duration::from_secs(59)).await;
        options.chassis_control_seen();
        tokio::time::advance(Duration::from_secs(59)).await;
        assert!(options.flags().valid);
        tokio::time::advance(Duration::from_secs(2)).await;
        assert!(!options.flags().valid);
        assert_eq!(options.flags().device, BootDevice::Pxe, "only the valid bit is cleared");
        options.set(3, &[KEEP_ON_TIMEOUT]).unwrap();
        options.set(5, &[0x80, 0x04, 0, 0, 0]).unwrap();
        tokio::time::advance(Duration::from_secs(3600)).await;
        assert!(options.flags().valid);
    }

    #[test]
    fn a_second_writer_is_told_so() {
        let options = options();
        options.set(0, &[1]).unwrap();
        assert_eq!(options.set(0, &[1]), Err(ParameterError::SetInProgress));
        options.set(0, &[0]).unwrap();
        options.set(0, &[1]).unwrap();
        assert_eq!(options.set(4, &[1]), Err(ParameterError::Length));
        assert_eq!(options.set(99, &[1]), Err(ParameterError::NotSupported));
        assert_eq!(options.get(99), Err(ParameterError::NotSupported));
    }
}
