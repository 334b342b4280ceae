//! The keyboard: keys for what one does all day, and the dialog that tells of them.

use leptos::{ev, prelude::*};
use leptos_router::{NavigateOptions, hooks::use_navigate};

use super::{
    row::{IP, MAC, Shared, is_commandable, target},
    search::SEARCH_ID,
};
use crate::ui::{Dialog, Toasts, copy_short, dom};

/// Single-character keys switched off (WCAG 2.1.4): speech input and restless hands press them unintentionally.
const STORED: &str = "single-keys";

const KEYS: [(&str, &str); 11] = [
    ("/", "Search"),
    ("j", "Next machine"),
    ("k", "Previous machine"),
    ("x", "Select the machine, or not"),
    ("Enter", "Open the machine"),
    ("p", "Power of the machine"),
    ("c", "Console of the machine"),
    ("m", "Copy the machine's MAC address"),
    ("i", "Copy the machine's IP address"),
    ("?", "This help"),
    ("Ctrl K or ⌘ K", "Go to any page or machine, from everywhere"),
];

/// Listens until the calling component goes. From an effect only.
pub(super) fn listen(shared: Shared, help: RwSignal<bool>) {
    let navigate = use_navigate();
    let toasts = expect_context::<Toasts>();
    let handle = window_event_listener(ev::keydown, move |event| {
        if event.default_prevented() || event.ctrl_key() || event.meta_key() || event.alt_key() || event.is_composing() {
            return;
        }
        let key = event.key();
        // Enter and Escape are no characters
        if !dom::keys_are_free() || key.chars().count() == 1 && dom::stored(STORED).is_some() {
            return;
        }
        let to = |path: String| navigate(&path, NavigateOptions::default());
        let current = shared.current.get_untracked().filter(|id| shared.listing.machine(*id).is_some());
        match (key.as_str(), current) {
            ("/", _) => drop(dom::focus_within(&format!("#{SEARCH_ID}"))),
            ("?", _) => help.set(true),
            ("j", _) => step(shared, 1),
            ("k", _) => step(shared, -1),
            ("x", Some(id)) => shared.selection.tick(shared.listing, id, !shared.selection.has(id), false),
            ("c", Some(id)) => {
                let Some(machine) = shared.listing.machine(id) else { return };
                match (is_commandable(&machine), machine.may_change) {
                    (true, _) => to(format!("/machines/{id}/console")),
                    (_, true) => toasts.warning(format!("{} has no BMC, and so no console.", machine.name)),
                    (_, false) => toasts.warning(format!("{} is not yours: its console is not for you.", machine.name)),
                }
            }
            ("m" | "i", Some(id)) => {
                let Some(machine) = shared.listing.machine(id) else { return };
                let lease = || machine.leases.first().map(|lease| lease.ipv4.as_str());
                let (text, what) = if key == "m" { (machine.macs.first().map(String::as_str), MAC) } else { (lease(), IP) };
                match text {
                    Some(text) => copy_short(toasts, text, &machine.name),
                    None => toasts.warning(format!("{} has no {what}.", machine.name)),
                }
            }
            ("p", Some(id)) => {
                let Some(machine) = shared.listing.machine(id) else { return };
                if let Some(button) = dom::focus_within(&format!("tr[data-id='{id}'] [data-testid=row-power]:not(:disabled)")) {
                    shared.menu.open(target(&machine, shared.live), &button);
                } else if !machine.may_change {
                    toasts.warning(format!("{} is not yours: its power is not for you.", machine.name));
                } else if machine.bmc_id.is_none() {
                    toasts.warning(format!("{} has no BMC, and so no power to switch.", machine.name));
                }
            }
            // a link or a button does what it does
            ("Enter", Some(id)) if dom::focus_is_idle() => to(format!("/machines/{id}")),
            _ => return,
        }
        event.prevent_default();
    });
    on_cleanup(move || handle.remove());
}

/// To the next row, or the one before; to the first when there was none.
fn step(shared: Shared, by: isize) {
    let ids = shared.listing.ids();
    let at = shared.current.get_untracked().and_then(|id| ids.iter().position(|own| *own == id));
    if let Some(id) = ids.get(next(at, by, ids.len())) {
        shared.current.set(Some(*id));
        dom::focus_within(&format!("tr[data-id='{id}'] [data-testid=open]"));
    }
}

fn next(at: Option<usize>, by: isize, count: usize) -> usize {
    at.map_or(0, |at| at.saturating_add_signed(by).min(count.saturating_sub(1)))
}

#[component]
pub(super) fn KeyHelp(open: RwSignal<bool>) -> impl IntoView {
    view! {
        <Dialog open title="Keyboard" testid="key-help">
            <table class="table-sm table">
                <caption class="sr-only">"Keys and what they do"</caption>
                <thead class="sr-only"><tr><th scope="col">"Key"</th><th scope="col">"What it does"</th></tr></thead>
                <tbody>
                    {KEYS
                        .map(|(key, what)| view! { <tr><td class="w-0 whitespace-nowrap"><kbd class="kbd kbd-sm">{key}</kbd></td><td>{what}</td></tr> })
                        .collect_view()}
                </tbody>
            </table>
            <label class="mt-3 flex cursor-pointer items-center gap-2 text-sm">
                <input
                    type="checkbox"
                    class="toggle toggle-sm toggle-primary"
                    data-testid="single-keys"
                    prop:checked=move || dom::stored(STORED).is_none()
                    on:change=move |event| if event_target_checked(&event) { dom::forget(STORED) } else { dom::store(STORED, "off") }
                />
                "Single-character keys"
            </label>
        </Dialog>
    }
}

#[cfg(test)]
mod tests {
    use super::next;

    #[test]
    fn steps_stay_on_the_page() {
        assert_eq!((next(None, 1, 5), next(None, -1, 5)), (0, 0));
        assert_eq!((next(Some(0), 1, 5), next(Some(4), 1, 5), next(Some(0), -1, 5)), (1, 4, 0));
        assert_eq!(next(Some(3), 1, 0), 0);
    }
}
