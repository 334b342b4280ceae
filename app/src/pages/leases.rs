//! Addresses that DHCP gave out.

use leptos::prelude::*;

use super::{
    follow::follow_list,
    records::{loaded, rows},
};
use crate::{
    api::{self, Api, ApiError, Lease, Me},
    ui::{Address, Columns, CopyButton, Empty, PageHead, SearchBox, Sort, SortHead, Time, format::counted, matches, natural},
};

/// Rows drawn; the filter finds the others.
const ROWS: usize = 200;

#[component]
pub(super) fn Leases() -> impl IntoView {
    loaded("Leases", load, |me, leases| view! { <List me leases/> }.into_any())
}

async fn load(api: Api) -> Result<Vec<Lease>, ApiError> {
    api.leases().await
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Column {
    Address,
    Mac,
    Machine,
    Seen,
}

impl Columns for Column {
    const WORDS: &'static [(Self, &'static str)] =
        &[(Self::Address, "address"), (Self::Mac, "mac"), (Self::Machine, "machine"), (Self::Seen, "seen")];
}

fn found(lease: &Lease, query: &str) -> bool {
    matches(&format!("{}\n{}\n{}", lease.ipv4, lease.mac, lease.machine.as_deref().unwrap_or("unknown")), query)
}

fn sorted(mut leases: Vec<Lease>, sort: Sort<Column>) -> Vec<Lease> {
    leases.sort_by(|a, b| {
        let order = match sort.column {
            Column::Address => natural(&a.ipv4, &b.ipv4),
            Column::Mac => a.mac.cmp(&b.mac),
            // those of no machine last
            Column::Machine => match (&a.machine, &b.machine) {
                (Some(a), Some(b)) => natural(a, b),
                (a, b) => b.is_some().cmp(&a.is_some()),
            },
            Column::Seen => a.last_seen_date.cmp(&b.last_seen_date),
        };
        sort.apply(order).then_with(|| natural(&a.ipv4, &b.ipv4))
    });
    leases
}

#[component]
fn List(me: Me, leases: Vec<Lease>) -> impl IntoView {
    let admin = me.admin;
    let leases = RwSignal::new(leases);
    follow_list(&[api::List::Lease], load, move |list| drop(leases.try_set(list)));
    let total = Memo::new(move |_| leases.with(Vec::len));
    let address = Address::new();
    let filter = address.keeps::<String>("q");
    // what is new is what one looks for
    let sort = address.keeps_sort(Sort { column: Column::Seen, descending: true });
    let shown = Memo::new(move |_| {
        let query = filter.get();
        let fitting = leases.with(|leases| leases.iter().filter(|lease| found(lease, &query)).cloned().collect());
        sorted(fitting, sort.get())
    });
    let row = move |own: Memo<Lease>| {
        let mac = own.with_untracked(|lease| lease.mac.clone());
        let key = mac.clone();
        let machine = Memo::new(move |_| own.with(|lease| lease.machine_id.zip(lease.machine.clone())));
        let address = Memo::new(move |_| own.with(|lease| lease.ipv4.clone()));
        let seen = Memo::new(move |_| own.with(|lease| lease.last_seen_date.clone()));
        let time = move || view! { <Time at=seen.get()/> };
        let copied_mac = move || view! { {mac.clone()}" "<CopyButton text=mac.clone() what="MAC address"/> };
        view! {
            <tr class="hover:bg-base-200" data-lease=key>
                <th scope="row" class="font-mono text-xs font-medium whitespace-nowrap">
                    {address} " " {move || view! { <CopyButton text=address.get() what="address"/> }}
                    // what has no column of its own on a telephone
                    <span class="block font-normal md:hidden">{copied_mac()}</span>
                    <span class="block font-sans font-normal opacity-80 md:hidden">{time}</span>
                </th>
                <td class="font-mono text-xs whitespace-nowrap max-md:hidden">{copied_mac()}</td>
                <td class="wrap-anywhere">
                    {move || match machine.get() {
                        Some((id, name)) => {
                            view! { <a class="link link-hover text-primary" href=format!("/machines/{id}")>{name}</a> }.into_any()
                        }
                        None => view! { <span class="opacity-80">"unknown"</span> }.into_any(),
                    }}
                </td>
                <td class="text-xs whitespace-nowrap max-md:hidden">{time}</td>
            </tr>
        }
        .into_any()
    };
    view! {
        <PageHead title="Leases">
            <SearchBox value=filter label="Filter leases by address, MAC or machine"/>
        </PageHead>
        <Show
            // who looks for something is told that it is not there
            when=move || { total.get() > 0 || !filter.read().trim().is_empty() }
            fallback=move || view! {
                <Empty title="No leases yet">
                    {if admin {
                        "They are told by a DHCP server: by Kea with the original's hook library, which reports every lease to /dhcp/ipv4/lease."
                    } else {
                        "The DHCP server has not told of an address of any machine."
                    }}
                </Empty>
            }
        >
            <p class="mb-2 text-sm opacity-80" role="status" data-testid="lease-count">
                {move || {
                    let (shown, total) = (shown.with(Vec::len), total.get());
                    if shown == total { counted(total, "lease", "leases") } else { format!("{shown} of {}", counted(total, "lease", "leases")) }
                }}
            </p>
            <div class="rounded-box border-base-300 overflow-x-auto border">
                <table class="table-sm table" data-testid="leases">
                    <caption class="sr-only">"Leases"</caption>
                    <thead class="bg-base-200">
                        <tr>
                            <SortHead label="Address" column=Column::Address sort/>
                            <SortHead label="MAC" column=Column::Mac sort class="max-md:hidden"/>
                            <SortHead label="Machine" column=Column::Machine sort/>
                            <SortHead label="Last told" column=Column::Seen sort class="max-md:hidden"/>
                        </tr>
                    </thead>
                    <tbody>{rows(move || shown.get().into_iter().take(ROWS).collect(), |lease| lease.mac.clone(), row)}</tbody>
                </table>
            </div>
            <Show when=move || shown.with(Vec::is_empty)>
                <Empty title="No lease matches">
                    <button type="button" class="link" on:click=move |_| filter.set(String::new())>"Show all"</button>
                </Empty>
            </Show>
            <Show when=move || { shown.with(Vec::len) > ROWS }>
                <p class="mt-2 text-sm opacity-80">{format!("The first {ROWS}. The filter finds the others.")}</p>
            </Show>
        </Show>
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::Instant;

    fn lease(ipv4: &str, machine: Option<&str>, seen: &str) -> Lease {
        Lease {
            mac: format!("52:54:00:00:00:{}", &ipv4[ipv4.len() - 2..]),
            ipv4: ipv4.into(),
            last_seen_date: Instant(seen.into()),
            machine_id: machine.map(|_| 1),
            machine: machine.map(str::to_owned),
        }
    }

    #[test]
    fn leases_sort_by_number_time_and_name() {
        let list = || {
            vec![
                lease("10.0.0.10", None, "2026-11-22"),
                lease("10.0.0.09", Some("d05-1"), "2026-11-20"),
                lease("10.0.0.11", Some("d05-0"), "2026-11-21"),
            ]
        };
        let by = |column| sorted(list(), Sort::by(column)).into_iter().map(|lease| lease.ipv4).collect::<Vec<_>>();
        assert_eq!(by(Column::Address), ["10.0.0.09", "10.0.0.10", "10.0.0.11"]);
        assert_eq!(by(Column::Seen), ["10.0.0.09", "10.0.0.11", "10.0.0.10"]);
        assert_eq!(by(Column::Machine), ["10.0.0.11", "10.0.0.09", "10.0.0.10"]);
    }

    #[test]
    fn the_filter_reads_address_mac_and_machine() {
        let lease = lease("10.0.0.10", None, "2026-11-22");
        for query in ["0.10", "52:54", "unknown"] {
            assert!(found(&lease, query), "{query}");
        }
        assert!(!found(&lease, "d05"));
    }
}
