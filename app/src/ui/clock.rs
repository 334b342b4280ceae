//! The time of day, on either side.

use crate::api::Instant;

/// Seconds of a day.
const DAY: i64 = 86_400;

/// Seconds since 1970, UTC.
#[cfg(target_arch = "wasm32")]
pub(crate) fn now() -> i64 {
    (js_sys::Date::now() / 1000.0) as i64
}

/// Seconds since 1970, UTC.
#[cfg(not(target_arch = "wasm32"))]
pub(crate) fn now() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

/// Seconds with their fractions, for how long something takes.
#[cfg(target_arch = "wasm32")]
pub(crate) fn precise() -> f64 {
    js_sys::Date::now() / 1000.0
}

/// Seconds with their fractions, for how long something takes.
#[cfg(not(target_arch = "wasm32"))]
pub(crate) fn precise() -> f64 {
    now() as f64
}

/// That second as the API writes times, so that the two compare as texts.
pub(crate) fn instant(seconds: i64) -> Instant {
    let (days, second) = (seconds.div_euclid(DAY), seconds.rem_euclid(DAY));
    // Howard Hinnant, "chrono-compatible low-level date algorithms": years begin with March, eras have 400 of them
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    Instant(format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.000000Z"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_become_the_text_that_the_api_writes() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00.000000Z"),
            (951_782_400, "2000-02-29T00:00:00.000000Z"),
            (1_795_345_682, "2026-11-22T11:08:02.000000Z"),
            (1_798_761_599, "2026-12-31T23:59:59.000000Z"),
            (4_107_542_400, "2100-03-01T00:00:00.000000Z"),
        ] {
            assert_eq!(instant(seconds).0, text);
        }
        assert!(now() > 1_700_000_000);
    }
}
