//! What is asked before something is done with many machines.

use std::collections::BTreeSet;

use leptos::prelude::*;

use super::{
    bulk::{Action, Bulk},
    selection::others,
};
use crate::{
    api::{BulkAssignment, BulkRelease, BulkTags, Reason, User},
    pages::machine::parse_tags,
    ui::{Choice, FieldState, FormEnd, Loading, Notice, SelectField, SubmitForm, TextField, format::counted, load},
};

/// Which machines, whose they are, and what it means.
#[component]
fn About(bulk: Bulk, action: Action) -> impl IntoView {
    let ticked = bulk.selection.ticked;
    let me = bulk.me.with_value(|me| me.username.clone());
    view! {
        <p>{action.consequence()}</p>
        <p class="text-sm break-words opacity-80">
            {move || {
                ticked.with(|ticked| {
                    let names = ticked.values().take(8).map(|machine| machine.name.as_str()).collect::<Vec<_>>().join(", ");
                    match ticked.len().saturating_sub(8) {
                        0 => names,
                        rest => format!("{names} and {rest} more"),
                    }
                })
            }}
        </p>
        {move || {
            ticked
                .with(|ticked| others(ticked, &me))
                .map(|text| view! { <Notice><span data-testid="bulk-others">{text}</span></Notice> })
        }}
    }
}

#[component]
fn Buttons(bulk: Bulk, #[prop(into)] label: Signal<String>, #[prop(default = "btn-primary")] class: &'static str) -> impl IntoView {
    view! {
        <FormEnd open=bulk.open submit=bulk.submit label class testid="bulk-confirm"/>
    }
}

#[component]
pub(super) fn Question(bulk: Bulk, action: Action) -> impl IntoView {
    let label = Signal::derive(move || format!("{}: {}", action.label(), counted(bulk.selection.count(), "machine", "machines")));
    let send = move |()| {
        bulk.command(action);
    };
    let class = if action == Action::Power(crate::api::PowerAction::On) { "btn-primary" } else { "btn-error" };
    view! {
        <SubmitForm submit=bulk.submit send>
            <About bulk action/>
            <Buttons bulk label class/>
        </SubmitForm>
    }
}

#[component]
pub(super) fn AssignForm(bulk: Bulk) -> impl IntoView {
    let api = bulk.api.get_value();
    let users = load(async move { api.users().await });
    move || match users.get() {
        None => view! { <Loading/> }.into_any(),
        Some(Err(error)) => view! { <Notice tone="alert-error">{error.text()}</Notice> }.into_any(),
        Some(Ok(users)) => view! { <AssignFields bulk users/> }.into_any(),
    }
}

#[component]
fn AssignFields(bulk: Bulk, users: Vec<User>) -> impl IntoView {
    let choices: Vec<Choice> = users.iter().map(|user| Choice::new(&user.username, &user.username)).collect();
    let user = FieldState::new("");
    let reason = FieldState::new("");
    let send = move |()| {
        let (Some(user), Some(reason)) = (user.chosen("a user"), reason.parse_optional(Reason::parse)) else { return };
        let wanted = BulkAssignment { machines: bulk.ids(), user, reason };
        let api = bulk.api.get_value();
        bulk.run(Action::Assign, async move { api.bulk_assign(&wanted).await });
    };
    view! {
        <SubmitForm submit=bulk.submit send>
            <SelectField id="bulk-user" label="User" field=user choices search=true/>
            <TextField id="bulk-reason" label="Reason" field=reason placeholder="What for?"/>
            <About bulk action=Action::Assign/>
            <Buttons bulk label="Assign"/>
        </SubmitForm>
    }
}

#[component]
pub(super) fn ReleaseForm(bulk: Bulk) -> impl IntoView {
    let (me, admin) = bulk.me.with_value(|me| (me.username.clone(), me.admin));
    let holders: BTreeSet<String> =
        bulk.selection.ticked.with_untracked(|ticked| ticked.values().flat_map(|machine| machine.assignees.clone()).collect());
    // one's own may be given back by anybody, others' by administrators
    let offered: Vec<String> = holders.into_iter().filter(|user| admin || *user == me).collect();
    let chosen = if offered.contains(&me) { me } else { offered.first().filter(|_| offered.len() == 1).cloned().unwrap_or_default() };
    let user = FieldState::new(chosen);
    let nobody = offered.is_empty();
    let choices: Vec<Choice> = offered.into_iter().map(|user| Choice::new(&user, &user)).collect();
    let send = move |()| {
        let Some(user) = user.chosen("a user") else { return };
        // of machines that the user does not have nothing is to be taken
        let machines = bulk.selection.held_by(&user);
        let wanted = BulkRelease { machines, user };
        let api = bulk.api.get_value();
        bulk.run(Action::Release, async move { api.bulk_release(&wanted).await });
    };
    if nobody {
        return view! { <Notice tone="alert-info">{if admin { "Nobody has any of these machines." } else { "None of these machines is yours." }}</Notice> }
            .into_any();
    }
    view! {
        <SubmitForm submit=bulk.submit send>
            <SelectField id="bulk-user" label="Take them from" field=user choices search=true/>
            <p>{Action::Release.consequence()}</p>
            <Buttons bulk label="Release" class="btn-error"/>
        </SubmitForm>
    }
    .into_any()
}

#[component]
pub(super) fn TagForm(bulk: Bulk) -> impl IntoView {
    let add = FieldState::new("");
    let remove = FieldState::new("");
    let present: BTreeSet<String> =
        bulk.selection.ticked.with_untracked(|ticked| ticked.values().flat_map(|machine| machine.tags.clone()).collect());
    let send = move |()| {
        let (Some(added), Some(removed)) = (add.parse(parse_tags), remove.parse(parse_tags)) else { return };
        if added.is_empty() && removed.is_empty() {
            add.error.set(Some("Name a tag to add or to remove.".into()));
            return;
        }
        let wanted = BulkTags { machines: bulk.ids(), add: added, remove: removed };
        let api = bulk.api.get_value();
        bulk.run(Action::Tag, async move { api.bulk_tags(&wanted).await });
    };
    view! {
        <SubmitForm submit=bulk.submit send>
            <TextField id="bulk-add" label="Add" field=add help="Separated by commas." placeholder="10g, rack 4"/>
            <TextField id="bulk-remove" label="Remove" field=remove list="bulk-tags"/>
            <datalist id="bulk-tags">{present.into_iter().map(|tag| view! { <option value=tag></option> }).collect_view()}</datalist>
            <About bulk action=Action::Tag/>
            <Buttons bulk label="Save tags"/>
        </SubmitForm>
    }
}
