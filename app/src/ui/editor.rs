//! A plain text editor: monospaced, not wrapped, with line numbers beside it.

use leptos::{html, prelude::*};

use super::{
    dom,
    field::{Setter, keep_in_step, textarea_html},
};

#[component]
pub(crate) fn Editor(
    id: &'static str,
    label: &'static str,
    value: RwSignal<String>,
    #[prop(optional, into)] readonly: Signal<bool>,
) -> impl IntoView {
    let gutter = NodeRef::<html::Div>::new();
    let area = NodeRef::<html::Textarea>::new();
    // as the browser counts: a final line break begins one more line
    let lines = Memo::new(move |_| value.with(|text| text.matches('\n').count() + 1));
    let numbers = move || (1..=lines.get()).map(|line| line.to_string()).collect::<Vec<_>>().join("\n");
    keep_in_step(value, move || area.get().map(|area| (area.value(), Box::new(move |text: &str| area.set_value(text)) as Setter)));
    let initial = textarea_html(&value.get_untracked());
    let follow = move |_| {
        if let (Some(gutter), Some(area)) = (gutter.get_untracked(), area.get_untracked()) {
            dom::follow_scroll(&gutter, &area);
        }
    };
    view! {
        <div class="flex flex-col gap-1">
            <label class="text-sm font-medium" for=id>{label}</label>
            <div class="border-base-300 focus-within:outline-primary flex h-[60vh] min-h-64 overflow-hidden rounded border focus-within:outline-2">
                <div
                    node_ref=gutter
                    class="bg-base-200 overflow-hidden py-2 pr-2 pl-3 text-right font-mono text-xs leading-5 whitespace-pre opacity-80 select-none"
                    aria-hidden="true"
                >
                    // room below, so that the numbers can follow past the area's scroll bar
                    <div class="pb-8">{numbers}</div>
                </div>
                <textarea
                    node_ref=area
                    id=id
                    name=id
                    class="bg-base-100 min-w-0 flex-1 resize-none overflow-auto px-2 py-2 font-mono text-xs leading-5 outline-none"
                    wrap="off"
                    spellcheck="false"
                    autocomplete="off"
                    autocapitalize="off"
                    readonly=move || readonly.get()
                    on:input=move |event| value.set(event_target_value(&event))
                    on:scroll=follow
                    inner_html=initial
                ></textarea>
            </div>
        </div>
    }
}
