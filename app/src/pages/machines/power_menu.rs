//! One menu of power commands for all rows: hundreds of closed ones would be most of the page.

use leptos::{html, prelude::*};

use crate::{
    api::{PowerAction, PowerState},
    pages::power::{Commander, Order, POWER_MENU, command, icon, pointless},
    ui::{Glyph, dom},
};

/// The machine whose menu is open.
#[derive(Clone)]
pub(super) struct Target {
    pub(super) id: i64,
    pub(super) name: String,
    pub(super) netboot: bool,
    pub(super) power: PowerState,
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
        let (menu, button) = (self.node.get_untracked(), button.clone());
        // when it shows this machine: what is not offered must not be given the focus
        request_animation_frame(move || {
            if let Some(menu) = menu {
                dom::open_menu(&menu, &button);
            }
        });
    }

    fn choose(self, action: PowerAction) {
        if let Some(menu) = self.node.get_untracked() {
            dom::close_menu(&menu);
        }
        if let Some(Target { id, name, netboot, .. }) = self.target.get_untracked() {
            self.commander.press(Order { machine: id, name, netboot, action });
        }
    }

    /// As menus are walked. Escape and a press elsewhere close it by themselves, and give the focus back.
    fn key(self, event: &leptos::ev::KeyboardEvent) {
        let Some(menu) = self.node.get_untracked() else { return };
        match event.key().as_str() {
            key @ ("ArrowDown" | "ArrowUp" | "Home" | "End") => {
                event.prevent_default();
                dom::step_in_menu(&menu, key);
            }
            // on from the button that opened it
            "Tab" => dom::close_menu(&menu),
            _ => {}
        }
    }

    pub(super) fn view(self) -> AnyView {
        let target = self.target;
        view! {
            <div
                node_ref=self.node
                popover="auto"
                class="rounded-box border-base-300 bg-base-100 text-base-content fixed inset-auto m-0 w-max min-w-44 max-w-60 border p-1 shadow-lg"
                data-testid="power-menu"
            >
                <p id="power-menu-of" class="px-2 py-1 text-xs font-semibold break-all opacity-80">{move || target.get().map(|target| target.name)}</p>
                <div role="menu" aria-label="Power" aria-describedby="power-menu-of" on:keydown=move |event| self.key(&event)>
                    {POWER_MENU
                        .iter()
                        .map(|&action| {
                            let (label, title) = command(action);
                            view! {
                                <button
                                    type="button"
                                    role="menuitem"
                                    tabindex="-1"
                                    disabled=move || target.with(|target| target.as_ref().is_some_and(|target| pointless(action, target.power)))
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
                </div>
            </div>
            {self.commander.question()}
        }
        .into_any()
    }
}
