//! `/dev/components`, in debug builds only: what pages are made of, in every state.

use leptos::prelude::*;

use super::{
    flags::Flags,
    power::{PowerBadge, StateBadge},
};
use crate::{
    api::{ApiError, Instant, MachineState, PowerState},
    live::Power,
    ui::{
        AddButton, Choice, Confirm, CopyButton, Curl, CurlMenu, Dialog, Donut, Editor, Empty, FieldState, FormEnd, Glyph, Icon, Loading,
        Notice, Overtaken, PageHead, Panel, RowButton, SearchBox, SelectField, Slice, Sort, SortHead, Submit, SubmitButton, SubmitErrors,
        SubmitForm, Switch, SwitchField, TextArea, TextField, Time, Title, Toasts, Unsaved, copyable,
    },
};

#[component]
pub(super) fn Components() -> impl IntoView {
    view! {
        <Title text="Components"/>
        <div class="flex flex-col gap-4 p-4">
            <PageHead title="Components">
                <button type="button" class="btn btn-sm">"Button"</button>
                <button type="button" class="btn btn-sm btn-primary">"Primary"</button>
                <button type="button" class="btn btn-sm btn-ghost">"Ghost"</button>
                <button type="button" class="btn btn-sm" disabled=true>"Disabled"</button>
            </PageHead>
            <Colours/>
            <Fields/>
            <Forms/>
            <Words/>
            <Data/>
            <Overlays/>
            <Icons/>
        </div>
    }
    .into_any()
}

#[component]
fn Colours() -> impl IntoView {
    let colours = [
        ("base-100", "bg-base-100"),
        ("base-200", "bg-base-200"),
        ("base-300", "bg-base-300"),
        ("primary", "bg-primary text-primary-content"),
        ("neutral", "bg-neutral text-neutral-content"),
        ("success", "bg-success text-success-content"),
        ("warning", "bg-warning text-warning-content"),
        ("error", "bg-error text-error-content"),
        ("info", "bg-info text-info-content"),
    ];
    view! {
        <Panel id="colours" title="Colours">
            <ul class="grid grid-cols-3 gap-2 sm:grid-cols-9">
                {colours.map(|(name, class)| view! { <li class=format!("rounded-box border-base-300 border p-3 text-xs {class}")>{name}</li> }).collect_view()}
            </ul>
        </Panel>
    }
}

#[component]
fn Fields() -> impl IntoView {
    let wrong = FieldState::new("52:54:00");
    wrong.error.set(Some("MAC 52:54:00 is not a valid MAC address".into()));
    let few = vec![Choice::new("1", "arm64"), Choice::new("2", "x86_64")];
    let at_once = RwSignal::new(true);
    let many: Vec<Choice> = (1..=20).map(|id| Choice::new(id, format!("vmlinuz-6.12.{id} – 2026-11-{id:02}, alice"))).collect();
    view! {
        <Panel id="fields" title="Fields">
            <div class="grid grid-cols-1 gap-4 sm:grid-cols-2 xl:grid-cols-3">
                <TextField id="dev-text" label="Text" field=FieldState::new("value") help="What it is for."/>
                <TextField id="dev-empty" label="Empty, in a fixed width" field=FieldState::new("") placeholder="10.0.0.0/24" mono=true/>
                <TextField id="dev-wrong" label="Refused" field=wrong mono=true/>
                <TextField id="dev-off" label="Disabled" field=FieldState::new("value") disabled=true/>
                <SelectField id="dev-select" label="Choice" field=FieldState::new("1") choices=few.clone() none="None"/>
                <SelectField id="dev-lost" label="Choice that is not offered any more" field=FieldState::new("7") choices=few/>
                <SelectField id="dev-search" label="Long choice" field=FieldState::new("3") choices=many search=true/>
                <SwitchField id="dev-on" label="On" checked=RwSignal::new(true) help="What it does."/>
                <Switch id="dev-switch" label="Does something at once" checked=at_once change=move |on| at_once.set(on)/>
                <SwitchField id="dev-switch-off" label="Off, disabled" checked=RwSignal::new(false) disabled=true/>
                <TextArea id="dev-area" label="Several lines" field=FieldState::new("one\ntwo")/>
                <SearchBox value=RwSignal::new(String::new()) label="Filter the list"/>
            </div>
            <div class="mt-4">
                <Editor id="dev-editor" label="Editor" value=RwSignal::new("# line one\n# line two\n".into())/>
            </div>
        </Panel>
    }
}

#[component]
fn Forms() -> impl IntoView {
    let (idle, refused, busy) = (Submit::new(), Submit::new(), Submit::new());
    refused.refuse(vec!["A machine with that name already exists".into(), "There is no such BMC".into()]);
    // never answered
    let wait = move |_| busy.run(std::future::pending::<Result<(), ApiError>>(), |()| ());
    view! {
        <Panel id="forms" title="Forms">
            <div class="flex flex-col gap-3">
                <div class="flex flex-wrap gap-2">
                    <SubmitButton submit=idle label="Save"/>
                    <SubmitButton submit=idle label="Save" disabled=true/>
                    <SubmitButton submit=idle label="Delete" class="btn-error"/>
                    <SubmitButton submit=busy label="Busy after a click beside"/>
                    <button type="button" class="btn btn-sm" on:click=wait>"Make it busy"</button>
                </div>
                <SubmitErrors submit=refused/>
                <Overtaken overtaken=true take=|()| ()/>
                <SubmitForm submit=idle send=|()| ()>
                    <FormEnd
                        open=RwSignal::new(true)
                        submit=idle
                        label="The end of a form"
                        curl=Callback::new(|()| Some(Curl::get("Read the machine", "/machine/7")))
                    />
                </SubmitForm>
            </div>
        </Panel>
    }
}

#[component]
fn Words() -> impl IntoView {
    let power = |state| Signal::derive(move || Power { state, error: None });
    view! {
        <Panel id="words" title="Words and marks" actions=|| view! { <AddButton label="Add" open=RwSignal::new(false)/> }>
            <div class="flex flex-col gap-3">
                <div class="flex flex-wrap items-center gap-2">
                    {[PowerState::On, PowerState::Off, PowerState::Unknown, PowerState::BmcError].map(|state| view! { <PowerBadge power=power(state)/> }).collect_view()}
                    {[MachineState::Unknown, MachineState::Provisioning, MachineState::Ready, MachineState::Error]
                        .map(|state| view! { <StateBadge state=Signal::derive(move || state)/> })
                        .collect_view()}
                    <Flags public=true known_good=true/>
                    <Flags public=false known_good=false/>
                    <span><code>"52:54:00:12:34:56"</code> <CopyButton text="52:54:00:12:34:56" what="MAC address"/></span>
                    <span class="font-mono text-xs leading-6 whitespace-pre" inner_html=copyable(["10.0.0.9", "10.0.0.10"].into_iter(), "IP address")></span>
                    <Time at=Instant("2026-11-22T11:08:02.123456Z".into())/>
                    <RowButton icon=Icon::Pencil label="Edit the row" action=|()| ()/>
                    <RowButton icon=Icon::Trash label="Delete the row" action=|()| ()/>
                </div>
                <Notice>"A sentence that wants attention."</Notice>
                <Notice tone="alert-info">"A sentence that explains."</Notice>
                <Notice tone="alert-error">"A sentence that says what is wrong."</Notice>
                <Loading/>
                <Empty title="Nothing here yet">"What to do about it."</Empty>
            </div>
        </Panel>
    }
}

#[component]
fn Data() -> impl IntoView {
    let sort = RwSignal::new(Sort { column: 0_u8, descending: false });
    let slice = |label, count, colour, word| Slice { label, count, colour, word, path: "/machines".into() };
    let slices = vec![
        slice("Ready", 7, "text-success", "dev-ready"),
        slice("Failed", 1, "text-error", "dev-error"),
        slice("No state", 4, "text-base-content/40", "dev-unknown"),
    ];
    view! {
        <Panel id="data" title="Data">
            <div class="grid grid-cols-1 gap-6 sm:grid-cols-2">
                <div class="overflow-x-auto">
                    <table class="table-sm table">
                        <caption class="sr-only">"A table that is sorted by its headings"</caption>
                        <thead>
                            <tr>
                                <SortHead label="Name" column=0 sort/>
                                <SortHead label="Size" column=1 sort/>
                            </tr>
                        </thead>
                        <tbody>
                            <tr class="hover:bg-base-200"><th scope="row">"linux"</th><td>"9.1 MB"</td></tr>
                            <tr class="hover:bg-base-200"><th scope="row">"initrd.gz"</th><td>"31 MB"</td></tr>
                        </tbody>
                    </table>
                </div>
                <Donut caption="Machines by state" slices=Signal::derive(move || slices.clone()) testid="dev-donut"/>
            </div>
        </Panel>
    }
}

#[component]
fn Overlays() -> impl IntoView {
    let toasts = expect_context::<Toasts>();
    let (dialog, confirm) = (RwSignal::new(false), RwSignal::new(false));
    let dirty = RwSignal::new(false);
    let undoable = move |_| toasts.undoable("Dismissed.", || std::future::ready(Ok::<_, ApiError>(())), |()| ());
    view! {
        <Panel id="overlays" title="Over the page">
            <div class="flex flex-wrap gap-2">
                <button type="button" class="btn btn-sm" on:click=move |_| dialog.set(true)>"Dialog"</button>
                <button type="button" class="btn btn-sm" on:click=move |_| confirm.set(true)>"Question"</button>
                <button type="button" class="btn btn-sm" on:click=move |_| toasts.ok("Saved.")>"Good news"</button>
                <button type="button" class="btn btn-sm" on:click=undoable>"Good news with a way back"</button>
                <button type="button" class="btn btn-sm" on:click=move |_| toasts.warning("One command at a time.")>"Warning"</button>
                <button type="button" class="btn btn-sm" on:click=move |_| toasts.error("Not saved: the server could not be reached.")>"Error"</button>
                <CurlMenu calls=vec![Curl::get("Read the machine", "/machine/7")]/>
            </div>
            <Switch
                id="dev-unsaved"
                label="Something is not saved"
                class="pt-3"
                checked=dirty
                change=move |on| dirty.set(on)
                help="Then whoever follows a link or goes back is asked first."
            />
            <Unsaved dirty/>
            <Dialog open=dialog title="Dialog"><p>"Its contents exist while it is open."</p></Dialog>
            <Confirm
                open=confirm
                title="Delete"
                text="Are you sure you want to delete it?"
                acknowledge=true
                submit=Submit::new()
                action=move |()| confirm.set(false)
            />
        </Panel>
    }
}

#[component]
fn Icons() -> impl IntoView {
    view! {
        <Panel id="icons" title="Icons">
            <ul class="grid grid-cols-4 gap-3 sm:grid-cols-8">
                {Icon::ALL
                    .map(|icon| view! { <li class="flex flex-col items-center gap-1 text-xs"><Glyph icon class="size-6"/>{format!("{icon:?}")}</li> })
                    .collect_view()}
            </ul>
        </Panel>
    }
}
