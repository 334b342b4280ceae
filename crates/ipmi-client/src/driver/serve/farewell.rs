//! The end of a session: who is told what, and a polite goodbye.

use ipmi_wire::bridge::Route;
use ipmi_wire::command::{CloseSession, Command, DeactivatePayload, GetDeviceId};
use tokio::time::Instant;

use super::requests::PROBE_ATTEMPTS;
use super::{End, Serving};
use crate::driver::session::ask;
use crate::driver::sol::Console;
use crate::driver::{Call, Waiter};
use crate::error::{Error, ErrorKind, Stage};
use crate::sol::CloseReason;

impl Serving<'_> {
    /// Settles what is under way when serving ends.
    pub(super) async fn ended(&mut self, end: End) -> End {
        let lost = self.error(ErrorKind::NoAnswer {
            stage: Stage::Command(GetDeviceId::NAME),
            attempts: PROBE_ATTEMPTS,
            waited: self.last_heard.elapsed(),
            outcome_unknown: false,
        });
        let is_lost = matches!(end, End::Lost);
        for f in std::mem::take(&mut self.in_flight) {
            let (tries, waited) = (f.patience.attempts(), f.request.born.elapsed());
            if is_lost && f.request.call.repeatable && matches!(f.request.waiter, Waiter::Caller(_)) {
                // Goes out again in the next session, within its own time.
                self.queue.push_front(f.request);
            } else if is_lost {
                let kind = f.request.call.no_answer(tries, waited);
                f.request.waiter.fail(Error { attempt: tries, ..self.error(kind) });
            } else {
                f.request.waiter.fail(self.error(ErrorKind::Closed));
            }
        }
        let console = self.console.take();
        if is_lost {
            if let Some(mut console) = console {
                console.close(CloseReason::Lost(lost));
            }
            self.queue.retain(|request| !matches!(request.waiter, Waiter::Nobody | Waiter::Probe | Waiter::Console));
            return end;
        }
        if !matches!(end, End::Idle) {
            let closed = self.error(ErrorKind::Closed);
            self.queue.drain(..).for_each(|request| request.waiter.fail(closed.clone()));
        }
        self.say_goodbye(console).await;
        end
    }

    /// Deactivates the console and closes the session, without insisting.
    async fn say_goodbye(&mut self, console: Option<Console>) {
        let retry = self.target.timeouts.retry;
        let mut goodbyes = Vec::new();
        if let Some(mut console) = console {
            console.close(CloseReason::Local);
            goodbyes.push(Call::internal(console.options.route, &DeactivatePayload::sol(console.options.instance)));
        }
        goodbyes.push(Call::internal(Route::Direct, &CloseSession { session_id: self.live.bmc_id() }));
        for call in goodbyes {
            let seq = self.next_seq;
            self.next_seq = seq.next();
            let deadline = Instant::now() + retry * 2;
            let request = (call.net_fn, call.cmd, call.data.as_slice());
            if let Err(error) = ask(&mut self.link, &mut self.live, Stage::Command(call.name), request, seq, retry, deadline).await {
                tracing::debug!(bmc = %self.target.addr, %error, "closing the session");
            }
        }
    }
}
