//! Times in the user's own time zone.
//!
//! Only the browser knows it. It tells the server in a cookie, so that both draw the same; until it has, times are UTC.

use std::slice::SliceIndex;

use leptos::prelude::*;

use super::{dom, keep, kept};
use crate::api::Instant;

const COOKIE: &str = "zone";
const UTC: &str = "UTC";

/// A name of the IANA database. Reading it is followed.
#[derive(Clone, Copy)]
pub(crate) struct Zone(RwSignal<String>);

impl Zone {
    pub(crate) fn provide() {
        let zone = RwSignal::new(kept(COOKIE).unwrap_or_else(|| UTC.to_owned()));
        Effect::new(move |_| {
            let own = dom::time_zone();
            if zone.with_untracked(|zone| *zone != own) {
                keep(COOKIE, &own);
                zone.set(own);
            }
        });
        provide_context(Self(zone));
    }

    pub(crate) fn name(self) -> String {
        self.0.get()
    }

    /// `2026-11-22 12:08:02`
    pub(crate) fn seconds(self, at: &Instant) -> String {
        self.0.with(|zone| seconds(zone, at))
    }

    /// `12:08:02`
    pub(crate) fn clock(self, at: &Instant) -> String {
        part(&self.seconds(at), 11..)
    }

    /// `2026-11-22`
    pub(crate) fn day(self, at: &Instant) -> String {
        part(&self.seconds(at), ..10)
    }
}

fn seconds(zone: &str, at: &Instant) -> String {
    let local = if zone == UTC { None } else { local(zone, at) };
    local.unwrap_or_else(|| at.seconds())
}

/// Of a text that is no time, all of it.
fn part(text: &str, range: impl SliceIndex<str, Output = str>) -> String {
    text.get(range).unwrap_or(text).to_owned()
}

/// None: there is no such zone, or the text is no time.
#[cfg(target_arch = "wasm32")]
fn local(zone: &str, at: &Instant) -> Option<String> {
    dom::local_time(&at.0, zone)
}

#[cfg(not(target_arch = "wasm32"))]
fn local(zone: &str, at: &Instant) -> Option<String> {
    let at: jiff::Timestamp = at.0.parse().ok()?;
    let zone = jiff::tz::TimeZone::get(zone).ok()?;
    Some(at.to_zoned(zone).strftime("%Y-%m-%d %H:%M:%S").to_string())
}

/// A moment: in the user's time zone, and exactly, in UTC, on hover.
#[component]
pub(crate) fn Time(
    #[prop(into)] at: Instant,
    #[prop(optional)] class: &'static str,
    /// Without the year.
    #[prop(optional)]
    short: bool,
    /// The time of day only.
    #[prop(optional)]
    clock: bool,
) -> impl IntoView {
    let zone = expect_context::<Zone>();
    let (datetime, title) = (at.0.clone(), at.exact());
    let text = move || {
        let text = zone.seconds(&at);
        match () {
            () if clock => part(&text, 11..),
            () if short => part(&text, 5..),
            () => text,
        }
    };
    view! { <time class=class datetime=datetime title=title>{text}</time> }.into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_told_as_the_users_clock_showed_it() {
        let at = Instant("2026-11-22T23:08:02.123456Z".into());
        for (zone, text) in [
            ("UTC", "2026-11-22 23:08:02"),
            ("Europe/Berlin", "2026-11-23 00:08:02"),
            ("America/Argentina/Buenos_Aires", "2026-11-22 20:08:02"),
            ("Asia/Kolkata", "2026-11-23 04:38:02"),
        ] {
            assert_eq!(seconds(zone, &at), text, "{zone}");
        }
        // summer
        assert_eq!(seconds("Europe/Berlin", &Instant("2026-07-01T10:00:00Z".into())), "2026-07-01 12:00:00");
        assert_eq!(at.exact(), "2026-11-22 23:08:02.123456 UTC");
    }

    #[test]
    fn what_the_cookie_says_may_be_anything() {
        let at = Instant("2026-11-22T23:08:02.123456Z".into());
        for zone in ["", "Atlantis/Capital", "../../etc/passwd", "/etc/localtime"] {
            assert_eq!(seconds(zone, &at), "2026-11-22 23:08:02", "{zone}");
        }
        assert_eq!(seconds("Europe/Berlin", &Instant("soon".into())), "soon");
    }

    #[test]
    fn parts_of_a_time() {
        Owner::new().with(|| {
            Zone::provide();
            let zone = expect_context::<Zone>();
            let at = Instant("2026-11-22T23:08:02.123456Z".into());
            assert_eq!((zone.clock(&at).as_str(), zone.day(&at).as_str()), ("23:08:02", "2026-11-22"));
            // no times; and characters of several bytes, which no part may cut
            for (text, clock, day) in [("", "", ""), ("x", "x", "x"), ("ääääääääääääääää", "ääääääääääääääää", "äääää")]
            {
                let none = Instant(text.into());
                assert_eq!((zone.clock(&none).as_str(), zone.day(&none).as_str()), (clock, day));
            }
        });
    }
}
