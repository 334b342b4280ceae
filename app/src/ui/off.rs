//! Buttons that cannot be pressed just now.

use leptos::prelude::*;

/// `disabled` takes the focus away, and with it the place of those who work by the keyboard. So it is not set of a button that has the
/// focus, nor of one that is only busy: these say `aria-disabled`, and their presses are to be ignored.
#[derive(Clone, Copy)]
pub(crate) struct Off {
    busy: Signal<bool>,
    disabled: Signal<bool>,
    focused: RwSignal<bool>,
}

impl Off {
    pub(crate) fn new(busy: Signal<bool>, disabled: Signal<bool>) -> Self {
        Self { busy, disabled, focused: RwSignal::new(false) }
    }

    /// For `on:focus` and `on:blur`, the last of which may come when the button has gone.
    pub(crate) fn focus(self, has: bool) {
        self.focused.try_set(has);
    }

    /// The attribute `disabled`.
    pub(crate) fn hard(self) -> bool {
        self.disabled.get() && !self.focused.get()
    }

    /// The attribute `aria-disabled`.
    pub(crate) fn soft(self) -> Option<&'static str> {
        (!self.hard() && (self.busy.get() || self.disabled.get())).then_some("true")
    }

    /// Whether a press is to be ignored.
    pub(crate) fn is(self) -> bool {
        self.busy.get_untracked() || self.disabled.get_untracked()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_the_focus_or_is_busy_is_not_disabled_but_says_that_it_is_off() {
        Owner::new().with(|| {
            let (busy, disabled) = (RwSignal::new(false), RwSignal::new(false));
            let off = Off::new(busy.into(), disabled.into());
            let all = || (off.hard(), off.soft(), off.is());
            assert_eq!(all(), (false, None, false));
            busy.set(true);
            assert_eq!(all(), (false, Some("true"), true));
            busy.set(false);
            disabled.set(true);
            assert_eq!(all(), (true, None, true));
            off.focus(true);
            assert_eq!(all(), (false, Some("true"), true));
        });
    }
}
