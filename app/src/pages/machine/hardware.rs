//! What the BMC tells of the machine's hardware. Asked for when it is opened: a BMC takes its time to tell.

use leptos::{prelude::*, task::spawn_local};

use super::Context;
use crate::{
    api::{ApiError, Fru, Instant, SelEntry, Sensor, SensorState},
    ui::{CopyButton, Loading, Notice, Panel},
};

#[component]
pub(super) fn Hardware(context: Context) -> impl IntoView {
    // who may not command the machine may not ask its BMC either
    let there = Memo::new(move |_| context.refusal().is_none());
    let (api, id) = (context.api, context.id);
    let sensors = move || {
        let api = api.get_value();
        async move { api.sensors(id).await }
    };
    let fru = move || {
        let api = api.get_value();
        async move { api.fru(id).await }
    };
    let sel = move || {
        let api = api.get_value();
        async move { api.sel(id).await }
    };
    view! {
        <Show when=move || there.get()>
            <Panel id="hardware" title="Hardware" actions=|| view! { <span class="text-xs opacity-80">"as the BMC tells it"</span> }>
                {part("Sensors", "sensors", sensors, |list| view! { <Sensors list/> }.into_any())}
                {part("Inventory", "fru", fru, |fru| view! { <Inventory fru/> }.into_any())}
                {part("Event log of the BMC", "sel", sel, |list| view! { <Log list/> }.into_any())}
            </Panel>
        </Show>
    }
}

/// A part that is closed at first and asks when it is opened.
fn part<T, F>(
    title: &'static str,
    testid: &'static str,
    ask: impl Fn() -> F + Copy + Send + Sync + 'static,
    draw: fn(T) -> AnyView,
) -> impl IntoView
where
    T: Clone + Send + Sync + 'static,
    F: Future<Output = Result<T, ApiError>> + 'static,
{
    let answer = RwSignal::new(None::<Result<T, ApiError>>);
    let busy = RwSignal::new(false);
    let read = move || {
        if busy.get_untracked() {
            return;
        }
        busy.set(true);
        let asked = ask();
        spawn_local(async move {
            let result = asked.await;
            busy.try_set(false);
            drop(answer.try_set(Some(result)));
        });
    };
    let opened = move |event: leptos::ev::Event| {
        if event_target::<web_sys::Element>(&event).has_attribute("open") && answer.with_untracked(Option::is_none) {
            read();
        }
    };
    view! {
        <details class="border-base-300 border-b py-2 last:border-b-0" data-testid=testid on:toggle=opened>
            <summary class="cursor-pointer font-medium">{title}</summary>
            <div class="flex flex-col gap-2 pt-2">
                {move || match answer.get() {
                    None if busy.get() => view! { <Loading/> }.into_any(),
                    None => ().into_any(),
                    Some(Ok(read)) => draw(read),
                    Some(Err(error)) => view! { <Notice tone="alert-error">{error.text()}</Notice> }.into_any(),
                }}
                <div>
                    // not disabled meanwhile: the focus would be lost
                    <button
                        type="button"
                        class="btn btn-xs"
                        class=("btn-disabled", move || busy.get())
                        aria-disabled=move || busy.get().then_some("true")
                        on:click=move |_| read()
                    >
                        {move || if answer.with(Option::is_some) { "Read again" } else { "Read" }}
                    </button>
                </div>
            </div>
        </details>
    }
}

/// A number as exact as it is worth: `42`, `3.28`, `0.5`.
fn number(value: f64) -> String {
    let text = format!("{value:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn reading(sensor: &Sensor) -> String {
    match sensor.reading {
        Some(value) if sensor.unit.is_empty() => number(value),
        Some(value) => format!("{} {}", number(value), sensor.unit),
        None if sensor.conditions.is_empty() => "–".into(),
        None => sensor.conditions.join(", "),
    }
}

fn state_look(state: SensorState) -> (&'static str, &'static str) {
    match state {
        SensorState::Ok => ("OK", "badge-success badge-soft"),
        SensorState::Warning => ("Warning", "badge-warning badge-outline"),
        SensorState::Critical => ("Critical", "badge-error badge-outline"),
        SensorState::Fatal => ("Fatal", "badge-error"),
        SensorState::Unavailable => ("No reading", "badge-ghost"),
    }
}

#[component]
fn Sensors(list: Vec<Sensor>) -> impl IntoView {
    let rows = list
        .into_iter()
        .map(|sensor| {
            let (word, look) = state_look(sensor.state);
            let limits = &sensor.thresholds;
            let limit = |value: Option<f64>| value.map_or_else(|| "–".into(), number);
            let limits = [limits.lower_critical, limits.lower_warning, limits.upper_warning, limits.upper_critical].map(limit);
            view! {
                <tr data-sensor=sensor.name.clone()>
                    <th scope="row" class="font-medium whitespace-nowrap" title=sensor.kind.clone()>{sensor.name.clone()}</th>
                    <td class="whitespace-nowrap">{reading(&sensor)}</td>
                    <td><span class=format!("badge badge-sm whitespace-nowrap {look}") data-state=sensor.state.word()>{word}</span></td>
                    {limits.map(|limit| view! { <td class="text-right">{limit}</td> }).collect_view()}
                </tr>
            }
        })
        .collect_view();
    view! {
        // focusable, so that it can be scrolled with the keyboard
        <div class="overflow-x-auto" tabindex="0" role="region" aria-label="Sensors">
            <table class="table-sm table">
                <caption class="sr-only">"Sensors"</caption>
                <thead>
                    <tr>
                        <th scope="col">"Sensor"</th>
                        <th scope="col">"Reading"</th>
                        <th scope="col">"State"</th>
                        <th scope="col" class="text-right">"Low critical"</th>
                        <th scope="col" class="text-right">"Low warning"</th>
                        <th scope="col" class="text-right">"High warning"</th>
                        <th scope="col" class="text-right">"High critical"</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
    }
}

/// The fields of an inventory that are filled in: area, name, value.
fn fields(fru: Fru) -> Vec<(&'static str, Vec<(&'static str, String)>)> {
    let extra = |list: Vec<String>| list.into_iter().map(|value| ("Extra", value));
    let date = |at: Option<Instant>| at.map(|at| at.day()).unwrap_or_default();
    let mut areas = Vec::new();
    if let Some(own) = fru.board {
        let named = vec![
            ("Manufacturer", own.manufacturer),
            ("Name", own.name),
            ("Serial number", own.serial),
            ("Part number", own.part_number),
            ("Manufactured", date(own.manufactured)),
        ];
        areas.push(("Board", named.into_iter().chain(extra(own.extra)).collect::<Vec<_>>()));
    }
    if let Some(own) = fru.product {
        let named = vec![
            ("Manufacturer", own.manufacturer),
            ("Name", own.name),
            ("Version", own.version),
            ("Serial number", own.serial),
            ("Part number", own.part_number),
            ("Asset tag", own.asset_tag),
        ];
        areas.push(("Product", named.into_iter().chain(extra(own.extra)).collect()));
    }
    if let Some(own) = fru.chassis {
        let named = vec![("Type", own.kind), ("Serial number", own.serial), ("Part number", own.part_number)];
        areas.push(("Chassis", named.into_iter().chain(extra(own.extra)).collect()));
    }
    for (_, fields) in &mut areas {
        fields.retain(|(_, value)| !value.is_empty());
    }
    areas.retain(|(_, fields)| !fields.is_empty());
    areas
}

#[component]
fn Inventory(fru: Fru) -> impl IntoView {
    let damaged = fru.damaged.join(", ");
    let areas = fields(fru);
    if areas.is_empty() && damaged.is_empty() {
        return view! { <p class="text-sm opacity-80">"The maker filled nothing in."</p> }.into_any();
    }
    let damaged = (!damaged.is_empty()).then(|| view! { <Notice>{format!("Not whole, as its checksum says: {damaged}.")}</Notice> });
    let areas = areas
        .into_iter()
        .map(|(area, fields)| {
            let rows = fields
                .into_iter()
                .map(|(name, value)| {
                    view! {
                        <tr data-field=name>
                            <th scope="row" class="w-40 font-normal opacity-80">{name}</th>
                            <td class="break-all">{value.clone()}" "<CopyButton text=value what=name/></td>
                        </tr>
                    }
                })
                .collect_view();
            view! {
                <table class="table-sm table" data-area=area>
                    <caption class="text-left text-sm font-medium">{area}</caption>
                    <tbody>{rows}</tbody>
                </table>
            }
        })
        .collect_view();
    view! { {damaged}{areas} }.into_any()
}

#[component]
fn Log(list: Vec<SelEntry>) -> impl IntoView {
    if list.is_empty() {
        return view! { <p class="text-sm opacity-80">"The log is empty."</p> }.into_any();
    }
    let rows = list
        .into_iter()
        .map(|entry| {
            let time = entry.time.map_or_else(|| "–".into(), |at| at.seconds());
            view! {
                <tr>
                    <td class="font-mono text-xs whitespace-nowrap">{time}</td>
                    <th scope="row" class="font-medium">{entry.sensor}</th>
                    <td>{if entry.asserted { entry.event } else { format!("{} (ended)", entry.event) }}</td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <div class="max-h-96 overflow-auto" tabindex="0" role="region" aria-label="Event log of the BMC">
            <table class="table-sm table">
                <caption class="sr-only">"Event log of the BMC, newest first"</caption>
                <thead>
                    <tr>
                        <th scope="col">"Time (BMC's clock, UTC)"</th>
                        <th scope="col">"Sensor"</th>
                        <th scope="col">"Event"</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::{FruBoard, Thresholds};

    fn sensor(value: Option<f64>, unit: &str, conditions: &[&str]) -> Sensor {
        Sensor {
            number: 1,
            name: "Inlet".into(),
            kind: "Temperature".into(),
            reading: value,
            unit: unit.into(),
            state: SensorState::Ok,
            conditions: conditions.iter().map(|&text| text.into()).collect(),
            thresholds: Thresholds::default(),
        }
    }

    #[test]
    fn a_reading_is_a_number_with_its_unit_or_what_holds() {
        assert_eq!(reading(&sensor(Some(42.0), "°C", &[])), "42 °C");
        assert_eq!(reading(&sensor(Some(3.2802), "V", &[])), "3.28 V");
        assert_eq!(reading(&sensor(Some(-0.5), "", &[])), "-0.5");
        assert_eq!(reading(&sensor(Some(1200.0), "RPM", &[])), "1200 RPM");
        assert_eq!(reading(&sensor(None, "", &["Presence detected", "Failure detected"])), "Presence detected, Failure detected");
        assert_eq!(reading(&sensor(None, "V", &[])), "–");
    }

    #[test]
    fn what_the_maker_left_empty_is_not_shown() {
        let board =
            FruBoard { manufacturer: "Acme".into(), serial: "S-1".into(), extra: vec!["x".into(), String::new()], ..FruBoard::default() };
        let fru = Fru { board: Some(board), product: Some(crate::api::FruProduct::default()), ..Fru::default() };
        let shown = fields(fru);
        assert_eq!(shown.len(), 1);
        let named = |name, value: &str| (name, value.to_owned());
        assert_eq!(shown[0], ("Board", vec![named("Manufacturer", "Acme"), named("Serial number", "S-1"), named("Extra", "x")]));
    }
}
