//! One menu of power commands for all rows: hundreds of closed ones would be most of the page.

use leptos::{html, prelude::*};

use crate::{
    api::PowerAction,
    pages::power::{Commander, POWER_MENU, command, icon},
    ui::{Glyph, dom},
};

/// The machine whose menu is open.
#[derive(Clone)]
pub(super) struct Target {
    pub(super) id: i64,
    pub(super) name: String,
    pub(super) netboot: bool,
}

#[derive(Clone, Copy)]
pub(super) struct PowerMenu {
    node: NodeRef<html::Div>,
    target: RwSignal<Option<Target>>,
    pub(super) commander: Commander,
}

impl PowerMenu {
    pub(super) fn new() -> Self {
        Self { node: NodeRef::new(), target: RwSignal::new(None), commander: Commander::new() }
    }

    pub(super) fn open(self, target: Target, button: &web_sys::Element) {
        self.target.set(Some(target));
        if let Some(menu) = self.node.get_untracked() {
            dom::open_menu(&menu, button);
        }
    }

    fn choose(self, action: PowerAction) {
        if let Some(menu) = self.node.get_untracked() {
            dom::close_menu(&menu);
        }
        if let Some(Target { id, name, .. }) = self.target.get_untracked() {
            self.commander.send(id, name, action);
        }
    }

    pub(super) fn view(self) -> AnyView {
        let target = self.target;
        view! {
            <div
                node_ref=self.node
                popover="auto"
                role="group"
                aria-label="Power"
                class="rounded-box border-base-300 bg-base-100 text-base-content fixed inset-auto m-0 w-max min-w-44 max-w-60 border p-1 shadow-lg"
                data-testid="power-menu"
            >
                <p class="px-2 py-1 text-xs font-semibold opacity-80">{move || target.get().map(|target| target.name)}</p>
                {POWER_MENU
                    .iter()
                    .map(|&action| {
                        let (label, title) = command(action);
                        view! {
                            <button
                                type="button"
                                class="btn btn-ghost btn-sm w-full justify-start font-normal"
                                title=title
                                data-testid=format!("power-{}", action.word())
                                on:click=move |_| self.choose(action)
                            >
                                <Glyph icon=icon(action)/>
                                {label}
                            </button>
                        }
                    })
                    .collect_view()}
                <Show when=move || target.with(|target| target.as_ref().is_some_and(|target| !target.netboot))>
                    <p class="text-warning px-2 py-1 text-xs">"Netboot is off: after a PXE boot the machine is told to boot from its disk."</p>
                </Show>
            </div>
        }
        .into_any()
    }
}
