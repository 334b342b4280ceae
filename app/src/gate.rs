//! A session that ends while a page is open: its calls wait here until somebody has logged in again, and nothing that was
//! typed is lost.

use std::{
    future::poll_fn,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Poll, Waker},
};

use leptos::prelude::*;

/// Shared by what carries calls and by the page that asks for the password.
#[derive(Clone, Default)]
pub struct SessionGate(Arc<Inner>);

#[derive(Default)]
struct Inner {
    state: Mutex<State>,
    /// Whether the page is to ask.
    asking: ArcRwSignal<bool>,
    /// Whether the user closed the question without logging in.
    put_off: ArcRwSignal<bool>,
    /// How often somebody has logged in on this page.
    logins: ArcRwSignal<u32>,
    /// Whether the user is logging out, and so leaving the page.
    leaving: ArcRwSignal<bool>,
}

#[derive(Default)]
struct State {
    /// Somebody was logged in on this page.
    armed: bool,
    put_off: bool,
    /// How often it was answered, and what the last answer was.
    round: u64,
    logged_in: bool,
    waiting: Vec<Waker>,
    /// Of those who wait until somebody logs in, however often the question is put off.
    patient: Vec<Waker>,
    /// Of those who wait until it is known that the user stays.
    held: Vec<Waker>,
}

impl SessionGate {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on a refused call is the end of a session, not the lack of one.
    pub(crate) fn arm(&self) {
        self.state().armed = true;
    }

    /// Waits until somebody has logged in, and answers whether they did. `wanted`: the user asked for this call, so that the
    /// question comes again though it was put off.
    pub async fn pass(&self, wanted: bool) -> bool {
        // refused because the user has just logged out: nothing to ask about
        self.staying().await;
        let round = {
            let mut state = self.state();
            if !state.armed || state.put_off && !wanted {
                return false;
            }
            state.put_off = false;
            state.round
        };
        self.0.put_off.set(false);
        self.0.asking.set(true);
        poll_fn(|context| {
            let mut state = self.state();
            if state.round != round {
                return Poll::Ready(state.logged_in);
            }
            state.waiting.push(context.waker().clone());
            Poll::Pending
        })
        .await
    }

    /// The user logs out. Until they have left, what the page asks for by itself waits: it would be refused.
    pub(crate) fn leave(&self) {
        self.0.leaving.set(true);
    }

    /// They stay: logging out was refused.
    pub(crate) fn stay(&self) {
        self.0.leaving.set(false);
        let held = std::mem::take(&mut self.state().held);
        held.into_iter().for_each(Waker::wake);
    }

    pub(crate) fn leaving(&self) -> ArcRwSignal<bool> {
        self.0.leaving.clone()
    }

    /// Waits while the user is logging out, and for ever when they have.
    pub async fn staying(&self) {
        poll_fn(|context| {
            let mut state = self.state();
            if !self.0.leaving.get_untracked() {
                return Poll::Ready(());
            }
            state.held.push(context.waker().clone());
            Poll::Pending
        })
        .await;
    }

    /// Waits until somebody logs in, whenever that is; asks nobody.
    pub async fn logged_in(&self) {
        let before = self.0.logins.get_untracked();
        poll_fn(|context| {
            let mut state = self.state();
            if self.0.logins.get_untracked() != before {
                return Poll::Ready(());
            }
            state.patient.push(context.waker().clone());
            Poll::Pending
        })
        .await;
    }

    /// The user has pressed something: whatever its call reads first may ask again though the question was put off.
    pub(crate) fn ask_again(&self) {
        self.state().put_off = false;
    }

    /// Somebody has logged in, or closed the question. Without effect when nobody waits.
    pub(crate) fn settle(&self, logged_in: bool) {
        let mut state = self.state();
        // a question that the user opened has no call that waits
        if state.waiting.is_empty() && !logged_in {
            return;
        }
        state.round += 1;
        state.logged_in = logged_in;
        state.put_off = !logged_in;
        let mut waiting = std::mem::take(&mut state.waiting);
        if logged_in {
            waiting.append(&mut state.patient);
        }
        drop(state);
        self.0.put_off.set(!logged_in);
        if logged_in {
            self.0.logins.update(|logins| *logins += 1);
        }
        waiting.into_iter().for_each(Waker::wake);
    }

    /// Somebody has logged in elsewhere in this browser, so that nobody need be asked here any more.
    pub(crate) fn opened_elsewhere(&self) {
        if self.is_closed() {
            self.settle(true);
            self.0.asking.set(false);
        }
    }

    /// Whether the session is known to have ended.
    pub(crate) fn is_closed(&self) -> bool {
        self.0.asking.get_untracked() || self.0.put_off.get_untracked()
    }

    pub(crate) fn logins(&self) -> ArcRwSignal<u32> {
        self.0.logins.clone()
    }

    pub(crate) fn asking(&self) -> ArcRwSignal<bool> {
        self.0.asking.clone()
    }

    pub(crate) fn put_off(&self) -> ArcRwSignal<bool> {
        self.0.put_off.clone()
    }
}

#[cfg(test)]
mod tests {
    use futures_util::{FutureExt, future::join};

    use super::*;

    /// `pass` until it waits, then `settle`.
    fn asked(gate: &SessionGate, wanted: bool, answer: bool) -> bool {
        let mut pass = Box::pin(gate.pass(wanted));
        assert_eq!(pass.as_mut().now_or_never(), None, "it did not ask");
        assert!(gate.asking().get_untracked());
        gate.settle(answer);
        gate.asking().set(false);
        pass.now_or_never().expect("answered")
    }

    #[test]
    fn who_never_was_logged_in_is_not_asked() {
        assert_eq!(SessionGate::default().pass(true).now_or_never(), Some(false));
    }

    #[test]
    fn all_calls_that_wait_go_on_after_one_log_in() {
        let gate = SessionGate::default();
        gate.arm();
        let mut both = Box::pin(join(gate.pass(false), gate.pass(true)));
        assert_eq!(both.as_mut().now_or_never(), None);
        gate.settle(true);
        assert_eq!(both.now_or_never(), Some((true, true)));
        assert!(asked(&gate, false, true), "the next session ends as well");
    }

    #[test]
    fn who_waits_for_a_login_is_not_sent_on_by_less() {
        let gate = SessionGate::default();
        gate.arm();
        let mut login = Box::pin(gate.logged_in());
        assert_eq!(login.as_mut().now_or_never(), None);
        assert!(!asked(&gate, false, false));
        assert_eq!(login.as_mut().now_or_never(), None, "the question was put off");
        gate.opened_elsewhere();
        assert_eq!(login.now_or_never(), Some(()));
        assert!(!gate.put_off().get_untracked());
        assert_eq!(gate.logins().get_untracked(), 1);
        gate.opened_elsewhere();
        assert_eq!(gate.logins().get_untracked(), 1, "nobody was asked");
    }

    #[test]
    fn who_logs_out_is_asked_only_when_they_stay_after_all() {
        let gate = SessionGate::default();
        gate.arm();
        gate.leave();
        let (mut refused, mut unsent) = (Box::pin(gate.pass(true)), Box::pin(gate.staying()));
        assert_eq!((refused.as_mut().now_or_never(), unsent.as_mut().now_or_never()), (None, None));
        assert!(!gate.asking().get_untracked());
        gate.stay();
        assert_eq!((refused.as_mut().now_or_never(), unsent.as_mut().now_or_never()), (None, Some(())));
        assert!(gate.asking().get_untracked());
        gate.settle(true);
        assert_eq!(refused.now_or_never(), Some(true));
    }

    #[test]
    fn a_question_that_was_put_off_comes_again_for_what_the_user_does_only() {
        let gate = SessionGate::default();
        gate.arm();
        assert!(!asked(&gate, false, false));
        assert!(gate.put_off().get_untracked());
        assert_eq!(gate.pass(false).now_or_never(), Some(false), "not for what the page does by itself");
        assert!(!asked(&gate, true, false));
        assert_eq!(gate.pass(false).now_or_never(), Some(false));
        // a button whose call reads before it writes
        gate.ask_again();
        assert!(gate.put_off().get_untracked(), "still said, until somebody has logged in");
        assert!(asked(&gate, false, true));
        assert!(!gate.put_off().get_untracked());
    }
}
