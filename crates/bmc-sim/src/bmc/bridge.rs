//! Bridging: Send Message to the controllers behind a BMC (IPMI 2.0 §6.13, §22.7), once or through a transit controller.

use ipmi_wire::{
    CompletionCode, DecodeError, NetFn,
    bridge::{Forward, Hop, Route, SEND_MESSAGE},
    command::{Command, GetDeviceId},
    ipmb::{REMOTE_CONSOLE, Request},
};
use serde::Deserialize;
use tokio::time::Instant;

use super::{core::Core, node::Node};
use crate::faults::Mute;

/// How the answer of a bridged request comes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BridgeAnswers {
    /// An empty acknowledgement for every Send Message, then the answer as a message of its own: HP's Moonshot.
    #[default]
    Separate,
    /// Inside the answer to the last Send Message; one before it is acknowledged by itself. `ipmitool` reads no deeper.
    Embedded,
    /// Inside each other: the answer in the transit controller's, that in the BMC's.
    Nested,
}

/// The most hops a request may take: IPMI knows no more.
const MOST_HOPS: usize = 2;
/// Send Message: nobody took the message at that address (IPMI 2.0 table 22-10, "NAK on write").
const NAK_ON_WRITE: CompletionCode = CompletionCode(0x83);

/// Who executes a bridged request.
enum Reached {
    Node(usize),
    /// A controller that only passes messages on.
    Transit,
}

/// Whether a request is to be passed on.
pub(super) fn is_send_message(request: &Request<'_>) -> bool {
    (request.net_fn, request.cmd) == (NetFn::APP, SEND_MESSAGE)
}

impl Core {
    /// Passes a request on. Answers the messages that go back, in order.
    pub(super) fn bridge(&mut self, session: u32, outer: &Request<'_>, now: Instant) -> Vec<Vec<u8>> {
        // the Send Message requests on the way, the BMC's own first
        let mut hops = vec![*outer];
        let mut path: Vec<Hop> = Vec::new();
        let mut tracked = true;
        let mut request = *outer;
        let refused = loop {
            let forward = match Forward::decode(request.data) {
                Ok(forward) => forward,
                Err(DecodeError::Truncated { .. }) => break Some(CompletionCode::BAD_LENGTH),
                Err(_) => break Some(CompletionCode::INVALID_FIELD),
            };
            path.push(Hop { channel: forward.channel, address: forward.request.rs_addr });
            if let Err(refused) = self.passes(&path) {
                break Some(refused);
            }
            tracked &= forward.tracked;
            request = forward.request;
            if !is_send_message(&request) {
                break None;
            }
            if hops.len() == MOST_HOPS {
                break Some(CompletionCode::INVALID_FIELD);
            }
            hops.push(request);
        };
        let last = match refused {
            Some(code) => {
                let last = hops.pop().map(|hop| (hop, code, Vec::new()));
                return self.back(BridgeAnswers::Separate, &hops, last);
            }
            None => {
                let (code, data) = match self.reached(&path) {
                    Some(Reached::Node(node)) => self.execute(Some(session), node, &request, now),
                    Some(Reached::Transit) => self.transit(session, &request, now),
                    None => (NAK_ON_WRITE, Vec::new()),
                };
                let muted = self.faults.mutes(Mute::Command { net_fn: request.net_fn, cmd: request.cmd });
                (tracked && !muted).then_some((request, code, data))
            }
        };
        self.back(self.fixed.bridge_answers, &hops, last)
    }

    /// Whether the last hop of a path leads to anybody.
    fn passes(&self, path: &[Hop]) -> Result<(), CompletionCode> {
        let leads = |matches: &dyn Fn(&[Hop]) -> bool| self.nodes.iter().any(|node| matches(&steps(node)));
        if leads(&|steps| steps.starts_with(path)) {
            return Ok(());
        }
        let Some((last, before)) = path.split_last() else { return Ok(()) };
        let has_bus = leads(&|steps| steps.starts_with(before) && steps.get(before.len()).is_some_and(|hop| hop.channel == last.channel));
        Err(if has_bus { NAK_ON_WRITE } else { CompletionCode::INVALID_FIELD })
    }

    fn reached(&self, path: &[Hop]) -> Option<Reached> {
        let node = self.nodes.iter().position(|node| steps(node) == path).map(Reached::Node);
        node.or_else(|| self.nodes.iter().any(|node| steps(node).starts_with(path)).then_some(Reached::Transit))
    }

    /// A transit controller says who it is and knows no other command.
    fn transit(&mut self, session: u32, request: &Request<'_>, now: Instant) -> (CompletionCode, Vec<u8>) {
        if (request.net_fn, request.cmd) == (GetDeviceId::NET_FN, GetDeviceId::CMD) {
            self.execute(Some(session), 0, request, now)
        } else {
            (CompletionCode::INVALID_COMMAND, Vec::new())
        }
    }

    /// The messages that answer: `last` is whoever executed or refused, `hops` those that passed it on.
    fn back(&self, answers: BridgeAnswers, hops: &[Request<'_>], last: Option<(Request<'_>, CompletionCode, Vec<u8>)>) -> Vec<Vec<u8>> {
        let frame = |request: &Request<'_>, code: CompletionCode, data: &[u8]| {
            let mut out = Vec::with_capacity(data.len() + 8);
            request.respond(code, if code.is_ok() { data } else { &[] }).encode(&mut out);
            out
        };
        let to_console = |request: Request<'_>, code, data: &[u8]| frame(&Request { rq_addr: REMOTE_CONSOLE, ..request }, code, data);
        // every acknowledgement answers the message the console sent: it knows no other
        let acknowledged = |count| hops.first().into_iter().cycle().take(count).map(|outer| frame(outer, CompletionCode::OK, &[]));
        match (answers, hops) {
            (BridgeAnswers::Embedded, [before @ .., hop]) => {
                let mut messages: Vec<_> = acknowledged(before.len()).collect();
                let inner = last.map(|(request, code, data)| frame(&request, code, &data));
                messages.push(to_console(*hop, CompletionCode::OK, &inner.unwrap_or_default()));
                messages
            }
            (BridgeAnswers::Nested, [_, ..]) => {
                let inner = last.map(|(request, code, data)| frame(&request, code, &data)).unwrap_or_default();
                vec![hops.iter().rev().fold(inner, |inner, hop| frame(hop, CompletionCode::OK, &inner))]
            }
            (BridgeAnswers::Separate, _) | (_, []) => {
                let answer = last.map(|(request, code, data)| to_console(request, code, &data));
                acknowledged(hops.len()).chain(answer).collect()
            }
        }
    }
}

/// The hops to a node.
fn steps(node: &Node) -> Vec<Hop> {
    match node.route {
        Route::Direct => Vec::new(),
        Route::Single(target) => vec![target],
        Route::Double { transit, target } => vec![transit, target],
    }
}
