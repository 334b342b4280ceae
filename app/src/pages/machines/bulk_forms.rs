//! What is asked before something is done with many machines.

use std::collections::{BTreeMap, BTreeSet};

use leptos::prelude::*;

use super::{
    bulk::{Action, Bulk, Undo, in_portions},
    hindered::hindered,
    selection::{TickedMachines, others, without_netboot},
};
use crate::{
    api::{
        Api, ApiError, Arch, BulkAssignment, BulkOutcome, BulkPower, BulkProvision, BulkRelease, BulkTags, Id, PowerAction, Reason, Tag,
        User,
    },
    pages::machine::parse_tags,
    ui::{Choice, Curl, FieldState, FormEnd, Loading, Notice, SelectField, SubmitForm, TextField, format::counted, load},
};

/// Which machines, whose they are, and what it means.
#[component]
fn About(bulk: Bulk, action: Action) -> impl IntoView {
    let ticked = bulk.selection.ticked;
    let me = bulk.me.with_value(|me| me.username.clone());
    let api = bulk.api.get_value();
    let archs = (action == Action::Provision).then(|| load(async move { api.archs().await }));
    let bootable = move || archs.and_then(|archs| archs.with(|archs| archs.as_ref()?.as_deref().ok().map(with_bootloader)));
    view! {
        <p>{action.consequence()}</p>
        <p class="text-sm break-words opacity-80">
            {move || ticked.with(|ticked| some_of(&ticked.values().map(|machine| machine.name.as_str()).collect::<Vec<_>>()))}
        </p>
        {move || {
            ticked
                .with(|ticked| others(ticked, &me))
                .map(|text| view! { <Notice><span data-testid="bulk-others">{text}</span></Notice> })
        }}
        {move || {
            let bootable = bootable();
            ticked
                .with(|ticked| hindered(action, ticked, bootable.as_ref()))
                .map(|text| view! { <Notice><span data-testid="bulk-hindered">{text}</span></Notice> })
        }}
        {move || {
            (action == Action::Power(PowerAction::PxeReboot))
                .then(|| ticked.with(without_netboot))
                .flatten()
                .map(|text| view! { <Notice><span data-testid="bulk-netboot">{text}</span></Notice> })
        }}
    }
}

/// The first of the names.
fn some_of(names: &[&str]) -> String {
    let first = names.iter().take(8).copied().collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(8) {
        0 => first,
        rest => format!("{first} and {rest} more"),
    }
}

/// The subarchitectures that a machine can boot with.
fn with_bootloader(archs: &[Arch]) -> BTreeSet<i64> {
    let all = archs.iter().flat_map(|arch| &arch.subarchs);
    all.filter(|subarch| subarch.bootloader_id.is_some()).map(|subarch| subarch.id).collect()
}

#[component]
fn Buttons(
    bulk: Bulk,
    #[prop(into)] label: Signal<String>,
    #[prop(default = "btn-primary")] class: &'static str,
    /// For a script; of many machines the first portion.
    curl: Callback<(), Option<Curl>>,
) -> impl IntoView {
    view! {
        <FormEnd open=bulk.open submit=bulk.submit label class testid="bulk-confirm" curl/>
    }
}

/// The first that is refused, if one is.
fn refusal(outcomes: Vec<BulkOutcome>) -> Result<(), ApiError> {
    outcomes.into_iter().find_map(|outcome| outcome.error).map_or(Ok(()), Err)
}

async fn power(api: &Api, machines: Vec<Id>, state: PowerAction) -> Result<Vec<BulkOutcome>, ApiError> {
    in_portions(machines, async |machines| api.bulk_power(&BulkPower { machines, state }).await).await
}

async fn provision(api: &Api, machines: Vec<Id>) -> Result<Vec<BulkOutcome>, ApiError> {
    in_portions(machines, async |machines| api.bulk_provision(&BulkProvision { machines }).await).await
}

async fn assign(api: &Api, machines: Vec<Id>, user: &str, reason: Option<&Reason>) -> Result<Vec<BulkOutcome>, ApiError> {
    in_portions(machines, async |machines| {
        api.bulk_assign(&BulkAssignment { machines, user: user.to_owned(), reason: reason.cloned() }).await
    })
    .await
}

async fn release(api: &Api, machines: Vec<Id>, user: &str) -> Result<Vec<BulkOutcome>, ApiError> {
    in_portions(machines, async |machines| api.bulk_release(&BulkRelease { machines, user: user.to_owned() }).await).await
}

async fn relabel(api: &Api, machines: Vec<Id>, add: &[Tag], remove: &[Tag]) -> Result<Vec<BulkOutcome>, ApiError> {
    in_portions(machines, async |machines| api.bulk_tags(&BulkTags { machines, add: add.to_vec(), remove: remove.to_vec() }).await).await
}

fn ids(outcomes: &[&BulkOutcome]) -> Vec<Id> {
    outcomes.iter().map(|outcome| Id(outcome.machine)).collect()
}

/// Each gets the user back for the reason it had.
fn by_reason(outcomes: &[&BulkOutcome], ticked: &TickedMachines, user: &str) -> BTreeMap<String, Vec<Id>> {
    let mut groups = BTreeMap::<String, Vec<Id>>::new();
    for outcome in outcomes {
        let assignees = ticked.get(&outcome.machine).map(|machine| machine.assignees.as_slice()).unwrap_or_default();
        let reason = assignees.iter().find(|assignee| assignee.user == user).map(|assignee| assignee.reason.clone());
        groups.entry(reason.unwrap_or_default()).or_default().push(Id(outcome.machine));
    }
    groups
}

/// Of each only what was really added, to be removed, and what was really removed, to be added.
fn by_change(
    outcomes: &[&BulkOutcome],
    ticked: &TickedMachines,
    added: &[Tag],
    removed: &[Tag],
) -> BTreeMap<(Vec<String>, Vec<String>), Vec<Id>> {
    let mut groups = BTreeMap::<_, Vec<Id>>::new();
    for outcome in outcomes {
        let (Some(before), Some(after)) = (ticked.get(&outcome.machine), &outcome.tags) else { continue };
        let among = |tags: &[Tag], has: &[String], lacks: &[String]| {
            tags.iter().map(|tag| tag.as_str().to_owned()).filter(|tag| has.contains(tag) && !lacks.contains(tag)).collect::<Vec<_>>()
        };
        let change = (among(removed, &before.tags, after), among(added, after, &before.tags));
        if change != (Vec::new(), Vec::new()) {
            groups.entry(change).or_default().push(Id(outcome.machine));
        }
    }
    groups
}

fn undo_assign(api: Api, machines: Vec<Id>, user: String) -> Undo {
    Box::new(move || {
        let (api, machines, user) = (api.clone(), machines.clone(), user.clone());
        Box::pin(async move { refusal(release(&api, machines, &user).await?) })
    })
}

fn undo_release(api: Api, groups: BTreeMap<String, Vec<Id>>, user: String) -> Undo {
    Box::new(move || {
        let (api, groups, user) = (api.clone(), groups.clone(), user.clone());
        Box::pin(async move {
            let mut outcomes = Vec::new();
            for (reason, machines) in groups {
                outcomes.extend(assign(&api, machines, &user, Reason::parse(&reason).ok().as_ref()).await?);
            }
            refusal(outcomes)
        })
    })
}

fn undo_tags(api: Api, groups: BTreeMap<(Vec<String>, Vec<String>), Vec<Id>>) -> Undo {
    let parse = |tags: Vec<String>| tags.iter().filter_map(|tag| Tag::parse(tag).ok()).collect::<Vec<_>>();
    Box::new(move || {
        let (api, groups) = (api.clone(), groups.clone());
        Box::pin(async move {
            let mut outcomes = Vec::new();
            for ((add, remove), machines) in groups {
                outcomes.extend(relabel(&api, machines, &parse(add), &parse(remove)).await?);
            }
            refusal(outcomes)
        })
    })
}

#[component]
pub(super) fn Question(bulk: Bulk, action: Action) -> impl IntoView {
    let label = Signal::derive(move || format!("{}: {}", action.label(), counted(bulk.selection.count(), "machine", "machines")));
    let call = move |api: Api| async move {
        match action {
            Action::Power(state) => power(&api, bulk.ids(), state).await,
            _ => provision(&api, bulk.ids()).await,
        }
    };
    let curl = Callback::new(move |()| Curl::of(action.label(), async |api| call(api).await));
    let send = move |()| {
        bulk.run(action, call(bulk.api.get_value()), |_, _| None);
    };
    let class = if action == Action::Power(crate::api::PowerAction::On) { "btn-primary" } else { "btn-error" };
    view! {
        <SubmitForm submit=bulk.submit send>
            <About bulk action/>
            <Buttons bulk label class curl/>
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
    let input = move || {
        let (Some(user), Some(reason)) = (user.chosen("a user"), reason.parse_optional(Reason::parse)) else { return None };
        Some((user, reason))
    };
    let send = move |()| {
        let Some((user, reason)) = input() else { return };
        let (api, taker) = (bulk.api.get_value(), user.clone());
        let undo = move |done: &[&BulkOutcome], _: &TickedMachines| Some(undo_assign(bulk.api.get_value(), ids(done), taker));
        bulk.run(Action::Assign, async move { assign(&api, bulk.ids(), &user, reason.as_ref()).await }, undo);
    };
    let curl = Callback::new(move |()| {
        let (user, reason) = input()?;
        Curl::of("Assign", async |api| assign(&api, bulk.ids(), &user, reason.as_ref()).await)
    });
    view! {
        <SubmitForm submit=bulk.submit send>
            <SelectField id="bulk-user" label="User" field=user choices search=true/>
            <TextField id="bulk-reason" label="Reason" field=reason placeholder="What for?"/>
            <About bulk action=Action::Assign/>
            <Buttons bulk label="Assign" curl/>
        </SubmitForm>
    }
}

/// Who has which of them.
fn holders(ticked: &TickedMachines) -> BTreeMap<String, Vec<String>> {
    let mut all = BTreeMap::<String, Vec<String>>::new();
    for machine in ticked.values() {
        for assignee in &machine.assignees {
            all.entry(assignee.user.clone()).or_default().push(machine.name.clone());
        }
    }
    all
}

#[component]
pub(super) fn ReleaseForm(bulk: Bulk) -> impl IntoView {
    let (me, admin) = bulk.me.with_value(|me| (me.username.clone(), me.admin));
    let mut offered = bulk.selection.ticked.with_untracked(holders);
    // one's own may be given back by anybody, others' by administrators
    offered.retain(|user, _| admin || *user == me);
    let only = offered.keys().next().filter(|_| offered.len() == 1).cloned();
    let chosen = if offered.contains_key(&me) { me } else { only.unwrap_or_default() };
    let user = FieldState::new(chosen);
    let nobody = offered.is_empty();
    let choices: Vec<Choice> = offered
        .iter()
        .map(|(user, names)| Choice::new(user, format!("{user} ({})", counted(names.len(), "machine", "machines"))))
        .collect();
    let offered = StoredValue::new(offered);
    let names = move || user.value.with(|user| offered.with_value(|offered| offered.get(user).cloned()));
    Effect::new(move |_| {
        let all = bulk.selection.count();
        bulk.part.set(names().map(|names| names.len()).filter(|part| *part < all));
    });
    let send = move |()| {
        let Some(user) = user.chosen("a user") else { return };
        // of machines that the user does not have nothing is to be taken
        let machines = bulk.selection.held_by(&user);
        let (api, giver) = (bulk.api.get_value(), user.clone());
        let undo = move |done: &[&BulkOutcome], ticked: &TickedMachines| {
            // only administrators assign
            admin.then(|| undo_release(bulk.api.get_value(), by_reason(done, ticked, &giver), giver))
        };
        bulk.run(Action::Release, async move { release(&api, machines, &user).await }, undo);
    };
    let curl = Callback::new(move |()| {
        let user = user.chosen("a user")?;
        Curl::of("Release", async |api| release(&api, bulk.selection.held_by(&user), &user).await)
    });
    if nobody {
        return view! { <Notice tone="alert-info">{if admin { "Nobody has any of these machines." } else { "None of these machines is yours." }}</Notice> }
            .into_any();
    }
    view! {
        <SubmitForm submit=bulk.submit send>
            <SelectField id="bulk-user" label="Take them from" field=user choices search=true/>
            <p class="text-sm break-words opacity-80" data-testid="bulk-part">
                {move || names().map(|names| some_of(&names.iter().map(String::as_str).collect::<Vec<_>>()))}
            </p>
            <p>{Action::Release.consequence()}</p>
            <Buttons bulk label="Release" class="btn-error" curl/>
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
    let input = move || {
        let (Some(added), Some(removed)) = (add.parse(parse_tags), remove.parse(parse_tags)) else { return None };
        if added.is_empty() && removed.is_empty() {
            add.error.set(Some("Name a tag to add or to remove.".into()));
            return None;
        }
        Some((added, removed))
    };
    let send = move |()| {
        let Some((added, removed)) = input() else { return };
        let (api, change) = (bulk.api.get_value(), (added.clone(), removed.clone()));
        let undo = move |done: &[&BulkOutcome], ticked: &TickedMachines| {
            let groups = by_change(done, ticked, &change.0, &change.1);
            (!groups.is_empty()).then(|| undo_tags(bulk.api.get_value(), groups))
        };
        bulk.run(Action::Tag, async move { relabel(&api, bulk.ids(), &added, &removed).await }, undo);
    };
    let curl = Callback::new(move |()| {
        let (added, removed) = input()?;
        Curl::of("Save tags", async |api| relabel(&api, bulk.ids(), &added, &removed).await)
    });
    view! {
        <SubmitForm submit=bulk.submit send>
            <TextField id="bulk-add" label="Add" field=add help="Separated by commas." placeholder="10g, rack 4"/>
            <TextField id="bulk-remove" label="Remove" field=remove list="bulk-tags"/>
            <datalist id="bulk-tags">{present.into_iter().map(|tag| view! { <option value=tag></option> }).collect_view()}</datalist>
            <About bulk action=Action::Tag/>
            <Buttons bulk label="Save tags" curl/>
        </SubmitForm>
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{api::MachineAssignee, pages::machines::selection::Ticked};

    fn outcome(machine: i64, tags: &[&str]) -> BulkOutcome {
        let tags = Some(tags.iter().map(|tag| (*tag).to_owned()).collect());
        BulkOutcome { machine, status: 200, power: None, assignee: None, state: None, tags, error: None }
    }

    fn ticked(reason: &str, tags: &[&str]) -> Ticked {
        Ticked {
            name: "m".into(),
            assignees: vec![MachineAssignee { user: "ann".into(), reason: reason.into() }],
            tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
            ..Ticked::default()
        }
    }

    #[test]
    fn undoing_tags_touches_only_what_was_changed() {
        let known = TickedMachines::from([(1, ticked("", &["a", "x"])), (2, ticked("", &["b"])), (3, ticked("", &["a"]))]);
        // a added to all, x removed; 2 had no x, 3 had a already
        let outcomes = [outcome(1, &["a"]), outcome(2, &["a", "b"]), outcome(3, &["a"])];
        let tag = |text: &str| vec![Tag::parse(text).unwrap()];
        let groups = by_change(&outcomes.iter().collect::<Vec<_>>(), &known, &tag("a"), &tag("x"));
        let text = |tags: &[&str]| tags.iter().map(|tag| (*tag).to_owned()).collect::<Vec<_>>();
        let wanted = [((text(&[]), text(&["a"])), vec![Id(2)]), ((text(&["x"]), text(&[])), vec![Id(1)])];
        assert_eq!(groups, BTreeMap::from(wanted));
    }

    #[test]
    fn undoing_a_release_gives_each_its_reason_back() {
        let known = TickedMachines::from([(1, ticked("kernel", &[])), (2, ticked("", &[])), (3, ticked("kernel", &[]))]);
        // 2 failed
        let outcomes = [outcome(1, &[]), outcome(3, &[])];
        let groups = by_reason(&outcomes.iter().collect::<Vec<_>>(), &known, "ann");
        assert_eq!(groups, BTreeMap::from([("kernel".to_owned(), vec![Id(1), Id(3)])]));
    }
}
