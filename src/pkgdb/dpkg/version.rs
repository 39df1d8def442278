//! Debian versions: `epoch:upstream-revision`, compared as deb-version(7) says.

use crate::model::VersionBound;
use std::cmp::Ordering;

/// Compares two versions.
pub fn compare(a: &str, b: &str) -> Ordering {
    let (a, b) = (split(a), split(b));
    number(a.0)
        .cmp(&number(b.0))
        .then_with(|| compare_part(a.1, b.1))
        .then_with(|| compare_part(a.2, b.2))
}

/// Whether `version` is within `bound`. An operator that dpkg does not know is never satisfied.
pub fn satisfies(version: &str, bound: &VersionBound) -> bool {
    let order = compare(version, &bound.version);
    match bound.operator.as_str() {
        "<<" => order.is_lt(),
        "<=" | "<" => order.is_le(),
        "=" => order.is_eq(),
        ">=" | ">" => order.is_ge(),
        ">>" => order.is_gt(),
        _ => false,
    }
}

fn split(version: &str) -> (&str, &str, &str) {
    let version = version.trim();
    let (epoch, rest) = version.split_once(':').unwrap_or(("0", version));
    let (upstream, revision) = rest.rsplit_once('-').unwrap_or((rest, "0"));
    (epoch, upstream, revision)
}

/// A number of any length as something that compares: its length without leading zeros, then its digits.
fn number(digits: &str) -> (usize, &str) {
    let digits = digits.trim_start_matches('0');
    (digits.len(), digits)
}

fn compare_part(mut a: &str, mut b: &str) -> Ordering {
    while !a.is_empty() || !b.is_empty() {
        let (text_a, rest_a) = take(a, |c| !c.is_ascii_digit());
        let (text_b, rest_b) = take(b, |c| !c.is_ascii_digit());
        let (digits_a, left_a) = take(rest_a, |c| c.is_ascii_digit());
        let (digits_b, left_b) = take(rest_b, |c| c.is_ascii_digit());
        let order =
            compare_text(text_a, text_b).then_with(|| number(digits_a).cmp(&number(digits_b)));
        if order.is_ne() {
            return order;
        }
        (a, b) = (left_a, left_b);
    }
    Ordering::Equal
}

fn take(text: &str, belongs: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(|c| !belongs(c)).unwrap_or(text.len()))
}

/// `~` sorts before the end, the end before letters, letters before everything else.
fn compare_text(a: &str, b: &str) -> Ordering {
    let weight = |byte: Option<u8>| match byte {
        Some(b'~') => -1,
        None => 0,
        Some(byte) if byte.is_ascii_alphabetic() => i32::from(byte),
        Some(byte) => i32::from(byte) + 256,
    };
    let mut left = a.bytes();
    let mut right = b.bytes();
    loop {
        let (x, y) = (left.next(), right.next());
        let order = weight(x).cmp(&weight(y));
        if order.is_ne() || (x.is_none() && y.is_none()) {
            return order;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn versions_compare_as_dpkg_compares_them() {
        for (smaller, greater) in [
            ("1.0~rc1", "1.0"),
            ("1.0~~", "1.0~"),
            ("1.0~~a", "1.0~"),
            ("1.0", "1.0+b1"),
            ("1.0", "1.0a"),
            ("1.0a", "1.0+"),
            ("1.9", "1.10"),
            ("9", "1:1"),
            ("1.2-1", "1.2-1.1"),
            ("1.2-1~bpo12+1", "1.2-1"),
            ("1-1", "1.0-0"),
            ("2.36-9", "2.36-9+deb12u1"),
            ("0.99999999999999999999998", "0.99999999999999999999999"),
            ("1.0-1", "1.0.0-1"),
        ] {
            assert_eq!(
                compare(smaller, greater),
                Ordering::Less,
                "{smaller} {greater}"
            );
            assert_eq!(
                compare(greater, smaller),
                Ordering::Greater,
                "{greater} {smaller}"
            );
        }
        for (a, b) in [
            ("1.0", "1.0-0"),
            ("0:1", "1"),
            ("1.01", "1.1"),
            ("1.", "1.0"),
        ] {
            assert_eq!(compare(a, b), Ordering::Equal, "{a} {b}");
        }
    }

    #[test]
    fn bounds_are_checked_by_operator() {
        for (version, operator, bound, expected) in [
            ("2.0", ">=", "2.0", true),
            ("2.0", ">>", "2.0", false),
            ("2.0~rc", "<<", "2.0", true),
            ("2.0", "=", "2.0-0", true),
            ("2.0", "!", "2.0", false),
        ] {
            let bound = VersionBound {
                operator: operator.into(),
                version: bound.into(),
            };
            assert_eq!(satisfies(version, &bound), expected, "{version} {bound:?}");
        }
    }

    proptest! {
        #[test]
        fn the_order_is_total(a in "[0-9a-z~+.:-]{0,8}", b in "[0-9a-z~+.:-]{0,8}", c in "\\PC{0,6}") {
            prop_assert_eq!(compare(&a, &b), compare(&b, &a).reverse());
            prop_assert_eq!(compare(&a, &a), Ordering::Equal);
            let _ = compare(&a, &c);
        }
    }
}
