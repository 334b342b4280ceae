//! What a page does because something in the lab changed: soon, but not for every change.

use std::time::Duration;

use leptos::prelude::*;

use crate::ui::clock;

/// How long changes are gathered before something is asked for.
pub(super) const GATHER: Duration = Duration::from_millis(150);
/// The same is not asked for more often than this, in seconds.
const PAUSE: f64 = 2.0;

#[derive(Clone, Copy)]
pub(super) struct Seldom {
    due: StoredValue<bool>,
    last: StoredValue<f64>,
}

impl Seldom {
    /// Ends with the calling component.
    pub(super) fn new() -> Self {
        Self { due: StoredValue::new(false), last: StoredValue::new(0.0) }
    }

    /// Does it once for all calls until then.
    pub(super) fn run(self, action: impl FnOnce() + 'static) {
        if self.due.try_get_value().unwrap_or(true) {
            return;
        }
        self.due.set_value(true);
        let since = clock::precise() - self.last.get_value();
        let wait = Duration::from_secs_f64((PAUSE - since).clamp(0.0, PAUSE)).max(GATHER);
        set_timeout(
            move || {
                // a value that comes back: the page was left meanwhile
                if self.due.try_set_value(false).is_none() {
                    self.last.try_set_value(clock::precise());
                    action();
                }
            },
            wait,
        );
    }
}
