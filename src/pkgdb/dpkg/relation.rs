//! Relations between packages: `a (>= 1) | b:any, c [amd64] <!nocheck>`.

use crate::model::{Clause, Relation, VersionBound};

/// How many clauses and alternatives a field may have together, and its most bytes; more is no package.
const MAX_RELATIONS: usize = 20_000;
const MAX_FIELD: usize = 1 << 20;

/// Whether a relation field is more than any package has.
pub fn is_too_long(value: &[u8]) -> bool {
    let parts = || value.iter().filter(|byte| matches!(byte, b',' | b'|'));
    value.len() > MAX_FIELD || parts().count() >= MAX_RELATIONS
}

/// Reads a relation field. Clauses that hold no name are left out; architecture lists and build profiles, which an
/// installed package should not have any more, are tolerated and ignored.
pub fn parse(value: &[u8]) -> Vec<Clause> {
    let text = String::from_utf8_lossy(value);
    text.split(',')
        .map(|clause| clause.split('|').filter_map(relation).collect::<Clause>())
        .filter(|clause| !clause.is_empty())
        .collect()
}

/// Reads one alternative.
fn relation(text: &str) -> Option<Relation> {
    let text = text.trim();
    let end = text
        .find(|c: char| c.is_whitespace() || matches!(c, '(' | '[' | '<'))
        .unwrap_or(text.len());
    let (full, rest) = text.split_at(end);
    let (name, arch) = full
        .split_once(':')
        .map_or((full, None), |(name, arch)| (name, Some(arch.to_owned())));
    (!name.is_empty()).then(|| Relation {
        name: name.to_owned(),
        arch,
        bound: bound(rest),
    })
}

fn bound(rest: &str) -> Option<VersionBound> {
    let inside = rest.split_once('(')?.1.split(')').next()?.trim();
    let end = inside
        .find(|c| !matches!(c, '<' | '=' | '>'))
        .unwrap_or(inside.len());
    let (operator, version) = inside.split_at(end);
    Some(VersionBound {
        operator: if operator.is_empty() { "=" } else { operator }.to_owned(),
        version: version.trim().to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::package::clause_text;
    use proptest::prelude::*;

    #[test]
    fn relations_survive_a_round_trip() {
        for (written, expected) in [
            ("libc6 (>= 2.36)", "libc6 (>= 2.36)"),
            ("a|b:any( <<2 ) | c", "a | b:any (<< 2) | c"),
            ("gcc [amd64 i386] <!nocheck>, ,make", "gcc, make"),
            ("x (1.0)", "x (= 1.0)"),
            ("libc6\n (>= 2),\n perl", "libc6 (>= 2), perl"),
        ] {
            let clauses: Vec<String> = parse(written.as_bytes())
                .iter()
                .map(|clause| clause_text(clause))
                .collect();
            assert_eq!(clauses.join(", "), expected);
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
            let _ = parse(&bytes);
        }
    }
}
