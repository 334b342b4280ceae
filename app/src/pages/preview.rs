//! What a machine would be sent as its preseed, before it asks.

use leptos::prelude::*;

use crate::{
    api::{Api, Diagnostic, PreseedPreview, PreviewRequest, Severity},
    ui::{CopyButton, Glyph, Icon, Loading, Notice, load},
};

/// The contents of a dialog: asked for when it opens, so it shows what is true then.
#[component]
pub(super) fn Preview(machine: i64, wanted: PreviewRequest) -> impl IntoView {
    let api = expect_context::<Api>();
    let loaded = load(async move { api.preview_preseed(machine, &wanted).await });
    move || match loaded.get() {
        None => view! { <Loading/> }.into_any(),
        Some(Err(error)) => {
            view! { <Notice tone="alert-error"><span data-testid="preview-error">{error.text()}</span></Notice> }.into_any()
        }
        Some(Ok(preview)) => view! { <Shown preview/> }.into_any(),
    }
}

#[component]
fn Shown(preview: PreseedPreview) -> impl IntoView {
    let PreseedPreview { text, diagnostics } = preview;
    let text = match text {
        None => view! { <Notice tone="alert-error">"It cannot be rendered: the machine would get nothing."</Notice> }.into_any(),
        Some(text) => view! {
            <div class="flex items-center justify-between gap-2 text-sm">
                <span>{crate::ui::format::counted(text.lines().count(), "line", "lines")}</span>
                <CopyButton text=text.clone() what="rendered preseed"/>
            </div>
            <pre
                class="bg-base-200 rounded-box max-h-[60vh] overflow-auto p-3 text-xs"
                tabindex="0"
                role="region"
                aria-label="Rendered preseed"
                data-testid="preview-text"
            >
                {text}
            </pre>
        }
        .into_any(),
    };
    view! {
        <div class="flex flex-col gap-3">
            <ul class="flex flex-col gap-1 text-sm empty:hidden" data-testid="preview-diagnostics">
                {diagnostics.into_iter().map(|told| view! { <Told told/> }).collect_view()}
            </ul>
            {text}
        </div>
    }
}

/// A fault, with its line.
#[component]
pub(super) fn Told(told: Diagnostic) -> impl IntoView {
    let Diagnostic { line, severity, message } = told;
    let fatal = severity == Severity::Error;
    let place = if line == 0 { String::new() } else { format!("Line {line}: ") };
    view! {
        <li class="flex items-start gap-2" data-fatal=fatal.to_string()>
            <Glyph icon=Icon::Warning class=if fatal { "size-4 mt-0.5 text-error" } else { "size-4 mt-0.5 text-warning" }/>
            <span class="break-words">{place}{message}</span>
        </li>
    }
}
