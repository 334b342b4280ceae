//! Figures as people read them. Decimal units: a network's MB is 10⁶ bytes.

/// In small letters, to be compared where they do not matter. The browser has Unicode's tables; Rust's would be 30 kB of every first load.
pub(crate) fn folded(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    #[cfg(target_arch = "wasm32")]
    let small = super::dom::small_letters(text);
    #[cfg(not(target_arch = "wasm32"))]
    let small = text.to_lowercase();
    small
}

/// `61.4 MB`
pub(crate) fn bytes(count: f64) -> String {
    const UNITS: [&str; 4] = ["kB", "MB", "GB", "TB"];
    if count < 1000.0 {
        return format!("{count:.0} B");
    }
    let mut value = count / 1000.0;
    let mut unit = UNITS[0];
    for larger in &UNITS[1..] {
        // 999.95 would be printed as 1000.0
        if value < 999.95 {
            break;
        }
        value /= 1000.0;
        unit = larger;
    }
    format!("{value:.1} {unit}")
}

/// `4.20 s`, `350 ms`, `2 min 5 s`
pub(crate) fn seconds(value: f64) -> String {
    if value < 0.9995 {
        format!("{:.0} ms", value * 1000.0)
    } else if value < 59.995 {
        format!("{value:.2} s")
    } else {
        let whole = value.round();
        format!("{:.0} min {:.0} s", (whole / 60.0).floor(), whole % 60.0)
    }
}

/// Time that something will still take, which nobody knows exactly: `12 s`, `3 min 20 s`.
pub(crate) fn left(seconds: f64) -> String {
    let whole = seconds.max(1.0).round();
    let (minutes, rest) = ((whole / 60.0).floor(), whole % 60.0);
    if minutes > 0.0 { format!("{minutes:.0} min {rest:.0} s") } else { format!("{rest:.0} s") }
}

/// `14.6 MB/s`; nothing for a time too short to divide by.
pub(crate) fn rate(count: f64, seconds: f64) -> Option<String> {
    (seconds > 1e-6 && count > 0.0).then(|| format!("{}/s", bytes(count / seconds)))
}

/// `1 machine`, `2 machines`
pub(crate) fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_change_their_unit_at_a_thousand() {
        assert_eq!(bytes(0.0), "0 B");
        assert_eq!(bytes(999.0), "999 B");
        assert_eq!(bytes(1000.0), "1.0 kB");
        assert_eq!(bytes(999_949.0), "999.9 kB");
        assert_eq!(bytes(999_999.0), "1.0 MB");
        assert_eq!(bytes(61_400_000.0), "61.4 MB");
        assert_eq!(bytes(5e15), "5000.0 TB");
    }

    #[test]
    fn what_is_left_is_told_in_whole_seconds() {
        for (seconds, told) in [(0.2, "1 s"), (11.6, "12 s"), (59.6, "1 min 0 s"), (200.0, "3 min 20 s")] {
            assert_eq!(left(seconds), told);
        }
    }

    #[test]
    fn times_are_as_exact_as_they_are_short() {
        assert_eq!(seconds(0.0), "0 ms");
        assert_eq!(seconds(0.35), "350 ms");
        assert_eq!(seconds(0.9999), "1.00 s");
        assert_eq!(seconds(4.2), "4.20 s");
        assert_eq!(seconds(59.999), "1 min 0 s");
        assert_eq!(seconds(125.2), "2 min 5 s");
    }

    #[test]
    fn no_rate_without_time() {
        assert_eq!(rate(1e6, 0.5).as_deref(), Some("2.0 MB/s"));
        assert_eq!(rate(1e6, 0.0), None);
        assert_eq!(rate(0.0, 1.0), None);
    }
}
