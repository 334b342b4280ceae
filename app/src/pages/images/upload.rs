//! Uploading: streamed by the browser, shown while it runs, and checkable afterwards by its sum.

use futures_util::future::{AbortHandle, Aborted, abortable};
use leptos::{html, prelude::*, task::spawn_local};
use send_wrapper::SendWrapper;

use super::edit::{arch_choices, type_choices};
use crate::{
    api::{Api, Arch, Description, Image, ImageType, NewImage, Upload},
    ui::{
        CopyButton, Curl, CurlButton, FieldState, Glyph, Icon, Notice, SelectField, SwitchField, TextField, Unsaved, dom,
        format::{bytes, left, rate},
    },
};

const EMPTY: &str = "The file is empty";

#[derive(Clone)]
enum Step {
    Choosing,
    Sending { sent: f64, total: f64, started: f64 },
    Done(Image),
}

#[component]
pub(super) fn UploadPanel(open: RwSignal<bool>, archs: RwSignal<Vec<Arch>>, #[prop(into)] done: Callback<Image>) -> impl IntoView {
    let api = expect_context::<Api>();
    let input = NodeRef::<html::Input>::new();
    let form = NodeRef::<html::Form>::new();
    let chosen = RwSignal::new(None::<(String, f64)>);
    let file_error = RwSignal::new(None::<String>);
    let kind = FieldState::new(ImageType::Kernel.word());
    let arch = FieldState::new("");
    // also one that is made while the panel is open
    Effect::new(move |_| {
        let first = archs.with(|archs| archs.first().map(|arch| arch.name.clone()));
        if let Some(first) = first.filter(|_| arch.value.with_untracked(String::is_empty)) {
            arch.reset(first);
        }
    });
    let description = FieldState::new("");
    let public = RwSignal::new(false);
    let known_good = RwSignal::new(false);
    let errors = RwSignal::new(Vec::<String>::new());
    let step = RwSignal::new(Step::Choosing);
    let abort = StoredValue::new(None::<AbortHandle>);
    let cancel = move || {
        if let Some(abort) = abort.try_update_value(Option::take).flatten() {
            abort.abort();
        }
    };
    // leaving the page ends the upload; the server then keeps nothing of it
    on_cleanup(cancel);
    let begun = Signal::derive(move || match *step.read() {
        Step::Choosing => chosen.with(Option::is_some) || description.value.with(|text| !text.is_empty()),
        Step::Sending { .. } => true,
        Step::Done(_) => false,
    });
    let unsaved = Signal::derive(move || match *step.read() {
        Step::Sending { .. } => "The upload is not finished: leaving this page cancels it, and nothing of it is kept.",
        // for the moment until the question has closed
        Step::Done(_) => "The image is uploaded.",
        Step::Choosing => "The image is not uploaded yet: what you have chosen and typed would be lost.",
    });

    let file = move || input.get_untracked().and_then(|input| input.files()).and_then(|files| files.get(0));
    let choose = move |_| {
        let picked = file().map(|file| (file.name(), file.size()));
        if let Some((name, _)) = &picked
            && let Some(guess) = guess_type(name)
        {
            kind.reset(guess.word());
        }
        file_error.set(picked.as_ref().filter(|(_, size)| *size == 0.0).map(|_| EMPTY.to_owned()));
        chosen.set(picked);
    };
    let wanted = move || {
        let picked = file();
        let fault = match &picked {
            None => Some("Choose a file"),
            Some(file) if file.size() == 0.0 => Some(EMPTY),
            Some(_) => None,
        };
        file_error.set(fault.map(str::to_owned));
        let parsed = (
            picked.filter(|_| fault.is_none()),
            kind.parse(ImageType::parse),
            arch.chosen("an architecture"),
            description.parse(Description::parse),
        );
        let (Some(file), Some(file_type), Some(arch), Some(description)) = parsed else { return None };
        let new = NewImage {
            file_type,
            arch,
            description: Some(description),
            known_good: known_good.get_untracked(),
            public: public.get_untracked(),
        };
        Some((new, file))
    };
    let curl = Callback::new(move |()| {
        let (new, file) = wanted()?;
        let upload = Upload(SendWrapper::new(file));
        Curl::of("Upload", async |api| api.upload_image(&new, upload, Box::new(|_, _| ())).await)
    });
    let send = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        errors.set(Vec::new());
        let Some((new, file)) = wanted() else {
            // when the fields have been drawn with what is wrong with them
            request_animation_frame(move || {
                if let Some(form) = form.try_get_untracked().flatten() {
                    dom::focus_refused(&form);
                }
            });
            return;
        };
        let started = js_sys::Date::now();
        step.set(Step::Sending { sent: 0.0, total: file.size(), started });
        let api = api.clone();
        let progress = move |sent, total| {
            step.try_set(Step::Sending { sent, total, started });
        };
        let upload = Upload(SendWrapper::new(file));
        let (call, handle) = abortable(async move { api.upload_image(&new, upload, Box::new(progress)).await });
        abort.set_value(Some(handle));
        spawn_local(async move {
            let result = call.await;
            // the user may have left meanwhile
            if step.try_set(Step::Choosing).is_some() {
                return;
            }
            match result {
                Ok(Ok(image)) => {
                    step.set(Step::Done(image.clone()));
                    done.run(image);
                    return focus("[data-testid=upload-another]");
                }
                Ok(Err(error)) => errors.set(if error.errors.is_empty() { vec![error.text()] } else { error.errors }),
                Err(Aborted) => errors.set(vec!["Cancelled. The server has kept nothing of it.".into()]),
            }
            focus("[data-testid=upload-send]");
        });
    };
    let sending = Signal::derive(move || matches!(*step.read(), Step::Sending { .. }));
    let another = move |_| {
        if let Some(input) = input.get_untracked() {
            input.set_value("");
        }
        chosen.set(None);
        step.set(Step::Choosing);
        focus("#upload-file");
    };
    let arch_list = Signal::derive(move || archs.with(|archs| arch_choices(archs)));
    view! {
        <section class="rounded-box border-base-300 bg-base-200 mb-4 border p-4" aria-labelledby="upload-heading" data-testid="upload-panel">
            <Unsaved dirty=begun text=unsaved/>
            <div class="mb-3 flex items-center justify-between">
                <h2 id="upload-heading" class="font-semibold">"Upload an image"</h2>
                <button type="button" class="btn btn-ghost btn-sm btn-square" aria-label="Close" disabled=move || sending.get() on:click=move |_| open.set(false)>
                    <Glyph icon=Icon::Close/>
                </button>
            </div>
            <form node_ref=form class="flex flex-col gap-3" class:hidden=move || matches!(*step.read(), Step::Done(_)) on:submit=send>
                <Show when=move || archs.with(Vec::is_empty)>
                    <Notice>"There is no architecture yet. "<a class="link" href="/archs">"Add one first"</a>"."</Notice>
                </Show>
                <div class="grid grid-cols-1 gap-3 md:grid-cols-2 xl:grid-cols-4">
                    <div class="flex flex-col gap-1">
                        <label class="text-sm font-medium" for="upload-file">"File"</label>
                        <input
                            node_ref=input
                            id="upload-file"
                            type="file"
                            class="file-input file-input-sm w-full"
                            on:change=choose
                            disabled=move || sending.get()
                            aria-describedby="upload-file-note"
                            aria-invalid=move || file_error.with(Option::is_some).then_some("true")
                        />
                        <span id="upload-file-note" class="text-xs" aria-live="polite">
                            {move || match (file_error.get(), chosen.get()) {
                                (Some(error), _) => view! { <span class="text-error font-medium" data-testid="field-error">{error}</span> }.into_any(),
                                (None, Some((_, size))) => view! { <span class="opacity-80">{bytes(size)}</span> }.into_any(),
                                (None, None) => ().into_any(),
                            }}
                        </span>
                    </div>
                    <SelectField id="upload-type" label="Type" field=kind choices=type_choices() disabled=sending/>
                    <SelectField id="upload-arch" label="Architecture" field=arch choices=arch_list disabled=sending/>
                    <TextField id="upload-description" label="Description" field=description placeholder="Debian 13 installer" disabled=sending/>
                </div>
                <div class="flex flex-wrap gap-6">
                    <SwitchField id="upload-public" label="Public" checked=public help="Everybody may use it." disabled=sending/>
                    <SwitchField id="upload-good" label="Known good" checked=known_good help="A mark for others: this one works." disabled=sending/>
                </div>
                <div role="alert" class="empty:hidden" data-testid="upload-errors">
                    {move || {
                        errors
                            .get()
                            .into_iter()
                            .map(|text| view! { <p class="alert alert-error alert-soft py-2">{text}</p> })
                            .collect_view()
                    }}
                </div>
                {move || match step.get() {
                    Step::Sending { sent, total, started } => {
                        view! { <Sending sent total started/> }.into_any()
                    }
                    _ => ().into_any(),
                }}
                <div class="flex gap-2">
                    <button type="submit" class="btn btn-sm btn-primary" disabled=move || sending.get() data-testid="upload-send">
                        <Glyph icon=Icon::Upload/>
                        "Upload"
                    </button>
                    <Show when=move || sending.get()>
                        <button type="button" class="btn btn-sm" on:click=move |_| cancel() data-testid="upload-cancel">"Cancel upload"</button>
                    </Show>
                    <CurlButton call=curl/>
                </div>
            </form>
            <div role="status">
                {move || match step.get() {
                    Step::Done(image) => view! { <Uploaded image another/> }.into_any(),
                    _ => ().into_any(),
                }}
            </div>
        </section>
    }
}

/// Once it is drawn, to something of the panel: what had the focus has gone, or can be used no more. Not if the user has gone elsewhere.
fn focus(selector: &'static str) {
    request_animation_frame(move || {
        if dom::focus_is_idle() {
            dom::focus_within(selector);
        }
    });
}

#[component]
fn Sending(sent: f64, total: f64, started: f64) -> impl IntoView {
    let percent = if total > 0.0 { (sent / total * 100.0).min(100.0) } else { 0.0 };
    let elapsed = (js_sys::Date::now() - started) / 1000.0;
    let speed = rate(sent, elapsed).map(|rate| format!(", {rate}")).unwrap_or_default();
    // too early to tell in the first second
    let rest = if sent > 0.0 && sent < total && elapsed > 1.0 {
        format!(", {} left", left((total - sent) * elapsed / sent))
    } else {
        String::new()
    };
    let words = if sent >= total && total > 0.0 {
        "Sent. The server is finishing…".to_owned()
    } else {
        format!("{} of {} ({percent:.0} %{speed}{rest})", bytes(sent), bytes(total))
    };
    view! {
        <div class="flex flex-col gap-1">
            <progress
                class="progress progress-primary w-full"
                max="100"
                value=format!("{percent:.1}")
                aria-label="Upload"
                data-testid="upload-progress"
            ></progress>
            <span class="text-xs">{words}</span>
        </div>
    }
}

#[component]
fn Uploaded(image: Image, another: impl Fn(leptos::ev::MouseEvent) + 'static) -> impl IntoView {
    view! {
        <div class="flex flex-col gap-2" data-testid="upload-done">
            <p class="flex items-center gap-2 font-medium">
                <Glyph icon=Icon::Check class="size-5 text-success"/>
                {format!("{} uploaded: {}", image.filename, bytes(image.size as f64))}
            </p>
            <p class="text-sm">
                "SHA-256 " <code class="text-xs break-all" data-testid="upload-sha256">{image.sha256.clone()}</code>
                <CopyButton text=image.sha256.clone() what="SHA-256"/>
            </p>
            <p class="text-sm opacity-80">"Served as " <code class="text-xs break-all">{image.name}</code></p>
            <div>
                <button type="button" class="btn btn-sm" on:click=another data-testid="upload-another">"Upload another"</button>
            </div>
        </div>
    }
}

/// What a file's name says it is.
fn guess_type(name: &str) -> Option<ImageType> {
    let name = name.to_ascii_lowercase();
    let any = |words: &[&str]| words.iter().any(|word| name.contains(word));
    if any(&["initrd", "initramfs", "uinitrd"]) {
        Some(ImageType::Initrd)
    } else if any(&["grub", "pxelinux", "shim", ".efi", "ipxe"]) {
        Some(ImageType::Bootloader)
    } else if any(&["vmlinu", "linux", "kernel", "bzimage"]) || name == "image" {
        Some(ImageType::Kernel)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_suggests_the_type() {
        for (name, kind) in [
            ("initrd.gz", Some(ImageType::Initrd)),
            ("vmlinuz-6.12", Some(ImageType::Kernel)),
            ("linux", Some(ImageType::Kernel)),
            ("Image", Some(ImageType::Kernel)),
            ("pxelinux.0", Some(ImageType::Bootloader)),
            ("grubnetx64.efi.signed", Some(ImageType::Bootloader)),
            ("data.bin", None),
        ] {
            assert_eq!(guess_type(name), kind, "{name}");
        }
    }
}
