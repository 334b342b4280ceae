//! Names in the order in which people count.
#![forbid(unsafe_code)]

use std::cmp::Ordering;

/// `d03-2` stands before `d03-10`, and case matters only between names that are otherwise equal.
#[must_use]
pub fn compare(left: &str, right: &str) -> Ordering {
    let (mut a, mut b) = (left, right);
    loop {
        let (x, y) = match (a.chars().next(), b.chars().next()) {
            (None, None) => return left.cmp(right),
            (None, Some(_)) => return Ordering::Less,
            (Some(_), None) => return Ordering::Greater,
            (Some(x), Some(y)) => (x, y),
        };
        let order = if x.is_ascii_digit() && y.is_ascii_digit() {
            let (n, after_n) = number(a);
            let (m, after_m) = number(b);
            (a, b) = (after_n, after_m);
            // the longer number is the greater one, however long they are
            n.len().cmp(&m.len()).then_with(|| n.cmp(m))
        } else {
            (a, b) = (&a[x.len_utf8()..], &b[y.len_utf8()..]);
            if x.is_ascii() && y.is_ascii() {
                x.to_ascii_lowercase().cmp(&y.to_ascii_lowercase())
            } else {
                x.to_lowercase().cmp(y.to_lowercase())
            }
        };
        if order != Ordering::Equal {
            return order;
        }
    }
}

/// The digits a text begins with, without leading zeros, and what follows them.
fn number(text: &str) -> (&str, &str) {
    let end = text.bytes().take_while(u8::is_ascii_digit).count();
    let (digits, rest) = text.split_at(end);
    (digits.trim_start_matches('0'), rest)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_sort_as_people_count() {
        let mut names = ["d03-10", "D03-2", "d03-1", "d3-1", "alpha", "d03"];
        names.sort_by(|a, b| compare(a, b));
        assert_eq!(names, ["alpha", "d03", "d03-1", "d3-1", "D03-2", "d03-10"]);
        assert_eq!(compare("a", "a"), Ordering::Equal);
        assert_eq!(compare("Ärger-2", "ärger-10"), Ordering::Less);
    }

    proptest! {
        #[test]
        fn it_is_a_total_order(a in "[aAb019é]{0,6}", b in "[aAb019é]{0,6}", c in "[aAb019é]{0,6}") {
            prop_assert_eq!(compare(&a, &b), compare(&b, &a).reverse());
            prop_assert_eq!(compare(&a, &b) == Ordering::Equal, a == b);
            if compare(&a, &b).is_le() && compare(&b, &c).is_le() {
                prop_assert!(compare(&a, &c).is_le());
            }
        }
    }
}
