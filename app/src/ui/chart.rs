//! Small charts, drawn here. What they show stands beside them as a table: the drawing is for the eye only.

use leptos::prelude::*;

/// A part of a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Slice {
    pub(crate) label: &'static str,
    pub(crate) count: usize,
    /// Classes that give it its colour: `text-…`, for the drawing takes the text's.
    pub(crate) colour: &'static str,
    /// For tests.
    pub(crate) word: &'static str,
    /// Where what it is made of is listed.
    pub(crate) path: String,
}

/// Where each slice begins and how long it is, in hundredths of the ring.
fn arcs(slices: &[Slice]) -> Vec<(f64, f64)> {
    let total: usize = slices.iter().map(|slice| slice.count).sum();
    let mut begin = 0.0;
    slices
        .iter()
        .map(|slice| {
            let length = if total == 0 { 0.0 } else { slice.count as f64 * 100.0 / total as f64 };
            let arc = (begin, length);
            begin += length;
            arc
        })
        .collect()
}

/// `38 %`; a little is not nothing, and not quite all is not all.
fn share(count: usize, total: usize) -> String {
    if count == 0 || total == 0 {
        return "0 %".into();
    }
    let percent = count as f64 * 100.0 / total as f64;
    match () {
        () if percent < 1.0 => "<1 %".into(),
        () if percent > 99.0 && count < total => ">99 %".into(),
        () => format!("{} %", percent.round()),
    }
}

/// A ring of slices with their number in its middle, and the table.
#[component]
pub(crate) fn Donut(
    /// What the table is of.
    caption: &'static str,
    slices: Signal<Vec<Slice>>,
    testid: &'static str,
) -> impl IntoView {
    let total = move || slices.with(|slices| slices.iter().map(|slice| slice.count).sum::<usize>());
    view! {
        <div class="flex flex-wrap items-center gap-x-6 gap-y-3" data-testid=testid>
            <svg viewBox="0 0 40 40" class="size-28 shrink-0" aria-hidden="true">
                // a circumference of 100
                <circle cx="20" cy="20" r="15.9155" fill="none" stroke-width="5" class="text-base-300" stroke="currentColor"></circle>
                {move || {
                    let slices = slices.get();
                    arcs(&slices)
                        .into_iter()
                        .zip(slices)
                        .filter(|(_, slice)| slice.count > 0)
                        .map(|((begin, length), slice)| {
                            view! {
                                <circle
                                    cx="20"
                                    cy="20"
                                    r="15.9155"
                                    fill="none"
                                    stroke="currentColor"
                                    stroke-width="5"
                                    class=slice.colour
                                    stroke-dasharray=format!("{length:.3} {:.3}", 100.0 - length)
                                    // from the top, clockwise
                                    stroke-dashoffset=format!("{:.3}", 25.0 - begin)
                                ></circle>
                            }
                        })
                        .collect_view()
                }}
                <text x="20" y="20" text-anchor="middle" dominant-baseline="central" fill="currentColor" font-size="9" font-weight="600">{total}</text>
            </svg>
            <table class="table-xs table w-auto min-w-44 flex-1">
                <caption class="sr-only">{caption}</caption>
                <thead class="sr-only">
                    <tr>
                        <th scope="col">"Kind"</th>
                        <th scope="col">"Machines"</th>
                        <th scope="col">"Share"</th>
                    </tr>
                </thead>
                <tbody>
                    {move || {
                        let total = total();
                        slices
                            .get()
                            .into_iter()
                            .map(|Slice { label, count, colour, word, path }| {
                                view! {
                                    <tr data-slice=word>
                                        <th scope="row" class="font-normal whitespace-nowrap">
                                            <svg viewBox="0 0 10 10" class=format!("mr-2 inline size-2.5 {colour}") aria-hidden="true">
                                                <rect width="10" height="10" rx="2" fill="currentColor"></rect>
                                            </svg>
                                            <a class="link link-hover" href=path>{label}</a>
                                        </th>
                                        <td class="text-right font-semibold" data-count=count.to_string()>{count}</td>
                                        <td class="w-14 text-right whitespace-nowrap opacity-80">{share(count, total)}</td>
                                    </tr>
                                }
                            })
                            .collect_view()
                    }}
                </tbody>
            </table>
        </div>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slice(count: usize) -> Slice {
        Slice { label: "", count, colour: "", word: "", path: String::new() }
    }

    #[test]
    fn slices_fill_the_ring_one_behind_the_other() {
        assert_eq!(arcs(&[slice(1), slice(0), slice(3)]), [(0.0, 25.0), (25.0, 0.0), (25.0, 75.0)]);
        assert_eq!(arcs(&[slice(0)]), [(0.0, 0.0)]);
    }

    #[test]
    fn a_share_is_rounded_but_never_to_none_or_all() {
        assert_eq!(share(3, 8), "38 %");
        assert_eq!(share(1, 425), "<1 %");
        assert_eq!(share(424, 425), ">99 %");
        assert_eq!((share(1, 100), share(99, 100)), ("1 %".into(), "99 %".into()));
        assert_eq!(share(4, 4), "100 %");
        assert_eq!(share(0, 4), "0 %");
        assert_eq!(share(0, 0), "0 %");
    }
}
