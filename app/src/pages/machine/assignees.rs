//! Who has the machine, and why.

use leptos::prelude::*;

use super::Context;
use crate::pages::records::rows;
use crate::{
    api::{Api, Assignee, AssigneeChange, NewAssignee, Reason, User},
    ui::{
        AddButton, Choice, Confirm, Curl, Dialog, FieldState, FormEnd, Icon, Loading, Notice, Opened, Panel, RowButton, SelectField,
        Submit, SubmitErrors, SubmitForm, TextField, Time, Toasts, dom, load, opened,
    },
};

#[component]
pub(super) fn Assignees(context: Context) -> impl IntoView {
    let toasts = expect_context::<Toasts>();
    let adding = RwSignal::new(false);
    let changing = RwSignal::new(None::<Assignee>);
    let change_open = RwSignal::new(false);
    let removing = RwSignal::new(None::<Assignee>);
    let remove_open = RwSignal::new(false);
    let submit = Submit::new();
    let own = context.username;
    let is_own = move |assignee: &Assignee| own.with_value(|own| *own == assignee.user);
    let remove = move |()| {
        let Some(assignee) = removing.get_untracked() else { return };
        let given_back = is_own(&assignee);
        let api = context.api.get_value();
        let again = NewAssignee { user: assignee.user.clone(), reason: Reason::parse(&assignee.reason).ok() };
        submit.run(async move { api.delete_assignee(context.id, assignee.id).await }, move |()| {
            remove_open.set(false);
            context.reload();
            let said = if given_back {
                "You have given the machine back.".to_owned()
            } else {
                format!("{} no longer has the machine.", assignee.user)
            };
            // the message outlives the page
            let api = context.api.get_value();
            let admin = context.admin;
            let name = context.machine.with_untracked(|machine| machine.name.clone());
            let inverse = move || {
                let (api, again, name) = (api.clone(), again.clone(), name.clone());
                async move {
                    // only administrators assign; others can have it again while it is free
                    if admin {
                        api.add_assignee(context.id, &again).await.map(drop)
                    } else {
                        api.reserve_named(&name, again.reason).await.map(drop)
                    }
                }
            };
            toasts.undoable(said, inverse, move |()| context.reload());
        });
    };
    let reserving = Submit::new();
    // the button goes when the list says so: its opposite gets the focus
    let reserved_now = RwSignal::new(false);
    Effect::new(move |_| {
        if reserved_now.get() && context.assignees.with(|list| list.iter().any(is_own)) {
            reserved_now.set(false);
            request_animation_frame(|| drop(dom::focus_within("#assignees [aria-label='Give back']")));
        }
    });
    let reserve = move |_| {
        if reserving.busy().get_untracked() {
            return;
        }
        let api = context.api.get_value();
        let name = context.machine.with_untracked(|machine| machine.name.clone());
        let said = format!("{name} is yours.");
        reserving.run(async move { api.reserve_named(&name, None).await }, move |_| {
            context.reload();
            reserved_now.set(true);
            toasts.ok(said);
        });
    };
    let remove_curl = Callback::new(move |()| {
        let assignee = removing.get_untracked()?;
        Curl::of("Remove", async |api| api.delete_assignee(context.id, assignee.id).await)
    });
    let row = move |assignee: Memo<Assignee>| {
        // one's own assignment can be given back without an administrator
        let given_back = assignee.with_untracked(is_own);
        let may = context.admin || given_back;
        let named = move |what: &'static str| Signal::derive(move || assignee.with(|assignee| format!("{what} {}", assignee.user)));
        view! {
            <tr>
                <th scope="row" class="font-medium">{move || assignee.with(|assignee| assignee.user.clone())}</th>
                <td class="wrap-anywhere">
                    {move || assignee.with(|assignee| if assignee.reason.is_empty() { "–".to_owned() } else { assignee.reason.clone() })}
                </td>
                <td class="text-xs whitespace-nowrap"><Time at=assignee.with_untracked(|assignee| assignee.since.clone())/></td>
                <td class="w-0 text-right whitespace-nowrap">
                    {may.then(|| view! {
                        <RowButton
                            icon=Icon::Pencil
                            label=named("Edit reason of")
                            action=move |()| {
                                changing.set(Some(assignee.get_untracked()));
                                change_open.set(true);
                            }
                        />
                        <RowButton
                            icon=Icon::Trash
                            label=if given_back { Signal::stored("Give back".to_owned()) } else { named("Remove") }
                            action=move |()| {
                                removing.set(Some(assignee.get_untracked()));
                                remove_open.set(true);
                            }
                        />
                    })}
                </td>
            </tr>
        }
        .into_any()
    };
    view! {
        <Panel
            id="assignees"
            title="Assignees"
            actions=move || context.admin.then(|| view! { <AddButton label="Assign a user" open=adding testid="add-assignee"/> })
        >
            <div class="overflow-x-auto">
                <table class="table-sm table" data-testid="assignees">
                    <caption class="sr-only">"Users who have the machine"</caption>
                    <thead>
                        <tr>
                            <th scope="col">"User"</th>
                            <th scope="col">"Reason"</th>
                            <th scope="col">"Since"</th>
                            <th scope="col"><span class="sr-only">"Actions"</span></th>
                        </tr>
                    </thead>
                    <tbody>{rows(move || context.assignees.get(), |assignee| assignee.id, row)}</tbody>
                </table>
            </div>
            <Show when=move || context.assignees.with(Vec::is_empty)>
                <div class="flex flex-wrap items-center justify-center gap-3 py-3 text-sm">
                    <span class="opacity-80">"Nobody has this machine."</span>
                    <button
                        type="button"
                        class="btn btn-sm"
                        data-testid="reserve-this"
                        aria-disabled=move || reserving.busy().get().then_some("true")
                        on:click=reserve
                    >
                        "Reserve it"
                    </button>
                </div>
                <SubmitErrors submit=reserving/>
            </Show>
            {context.admin.then(|| view! {
                <Dialog open=adding title="Assign a user" testid="assignee-dialog">
                    <New open=adding context/>
                </Dialog>
            })}
            <Dialog open=change_open title="Edit reason">
                {move || changing.get().map(|own| opened(own, move |own| view! { <Change open=change_open context own/> }.into_any()))}
            </Dialog>
            <Confirm
                open=remove_open
                title=Signal::derive(move || if removing.with(|own| own.as_ref().is_some_and(is_own)) { "Give back" } else { "Remove assignee" }.to_owned())
                text=Signal::derive(move || match removing.get() {
                    Some(assignee) if is_own(&assignee) && context.admin => "Give the machine back?".to_owned(),
                    Some(assignee) if is_own(&assignee) => {
                        "Give the machine back? You can then no longer change it or open its console.".to_owned()
                    }
                    Some(Assignee { user, .. }) => {
                        format!("Take the machine from {user}? They can then no longer change it or open its console.")
                    }
                    None => String::new(),
                })
                verb=Signal::derive(move || if removing.with(|own| own.as_ref().is_some_and(is_own)) { "Give back" } else { "Remove" }.to_owned())
                submit
                action=remove
                curl=remove_curl
            />
        </Panel>
    }
}

#[component]
fn New(open: RwSignal<bool>, context: Context) -> impl IntoView {
    let api = context.api.get_value();
    let users = load(async move { api.users().await });
    move || match users.get() {
        None => view! { <Loading/> }.into_any(),
        Some(Err(error)) => view! { <Notice tone="alert-error">{error.text()}</Notice> }.into_any(),
        Some(Ok(users)) => view! { <NewFields open context users/> }.into_any(),
    }
}

#[component]
fn NewFields(open: RwSignal<bool>, context: Context, users: Vec<User>) -> impl IntoView {
    let toasts = expect_context::<Toasts>();
    let taken: Vec<String> = context.assignees.with_untracked(|list| list.iter().map(|own| own.user.clone()).collect());
    let mut names: Vec<String> = users.into_iter().map(|user| user.username).filter(|name| !taken.contains(name)).collect();
    names.sort_by(|a, b| crate::ui::natural(a, b));
    let choices: Vec<Choice> = names.iter().map(|name| Choice::new(name, name)).collect();
    let user = FieldState::new("");
    let reason = FieldState::new("");
    let submit = Submit::new();
    let input = move || {
        let (Some(user), Some(reason)) = (user.chosen("a user"), reason.parse_optional(Reason::parse)) else { return None };
        Some(NewAssignee { user, reason })
    };
    let curl = Callback::new(move |()| input().and_then(|new| Curl::of("Assign", async |api| api.add_assignee(context.id, &new).await)));
    let send = move |()| {
        let Some(new) = input() else { return };
        let api = context.api.get_value();
        submit.run(async move { api.add_assignee(context.id, &new).await }, move |assignee| {
            open.set(false);
            context.reload();
            let id = assignee.id;
            let api = context.api.get_value();
            let inverse = move || {
                let api = api.clone();
                async move { api.delete_assignee(context.id, id).await }
            };
            toasts.undoable(format!("{} has the machine now.", assignee.user), inverse, move |()| context.reload());
        });
    };
    view! {
        <SubmitForm submit send>
            <SelectField id="assignee-user" label="User" field=user choices search=true/>
            <TextField id="assignee-reason" label="Reason" field=reason placeholder="What for?"/>
            <FormEnd open submit label="Assign" curl/>
        </SubmitForm>
    }
}

#[component]
fn Change(open: RwSignal<bool>, context: Context, own: Opened<Assignee>) -> impl IntoView {
    let toasts = expect_context::<Toasts>();
    let reason = FieldState::new(own.known().reason);
    let submit = Submit::new();
    let input = move || reason.parse(Reason::parse).map(|reason| AssigneeChange { reason: Some(reason) });
    let call = move |api: Api, change: AssigneeChange| async move { api.edit_assignee(context.id, &own.known(), &change).await };
    let curl = Callback::new(move |()| input().and_then(|change| Curl::of("Save", async |api| call(api, change).await)));
    let send = move |()| {
        let Some(change) = input() else { return };
        let back = AssigneeChange { reason: Reason::parse(&own.known().reason).ok() };
        submit.save(call(context.api.get_value(), change), move |answer| {
            if let Some(made) = own.saved(answer) {
                open.set(false);
                context.reload();
                let said = format!("Reason of {} saved.", made.user);
                // the message outlives the page
                let api = context.api.get_value();
                let inverse = move || {
                    let (api, made, back) = (api.clone(), made.clone(), back.clone());
                    async move { api.edit_assignee(context.id, &made, &back).await?.saved() }
                };
                toasts.undoable(said, inverse, move |_| context.reload());
            }
        });
    };
    view! {
        <SubmitForm submit send>
            <TextField id="change-reason" label="Reason" field=reason/>
            {own.notice()}
            <FormEnd open submit label="Save" curl/>
        </SubmitForm>
    }
}
