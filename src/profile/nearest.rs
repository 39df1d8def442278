//! Finds the names nearest to a mistyped one.

/// How many characters of a name are compared.
const MAX_CHARS: usize = 64;

/// Up to three of `names` that differ from `word` in few letters, nearest first, then in the order given.
pub fn nearest<'a>(word: &str, names: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let word: Vec<char> = word.to_lowercase().chars().take(MAX_CHARS).collect();
    let limit = (word.len() / 3).max(1);
    let mut near: Vec<(usize, &str)> = names
        .into_iter()
        .filter_map(|name| {
            let distance = distance(&word, name);
            (distance <= limit).then_some((distance, name))
        })
        .collect();
    near.sort_by_key(|&(distance, _)| distance);
    near.truncate(3);
    near.into_iter().map(|(_, name)| name).collect()
}

/// Letters to insert, remove, replace or swap with their neighbour (optimal string alignment).
fn distance(word: &[char], name: &str) -> usize {
    let name: Vec<char> = name.to_lowercase().chars().take(MAX_CHARS).collect();
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=name.len()).collect();
    for (row, &from) in word.iter().enumerate() {
        let mut next = vec![row + 1];
        for (column, &to) in name.iter().enumerate() {
            let replaced = last[column] + usize::from(from != to);
            let mut best = replaced.min(last[column + 1] + 1).min(next[column] + 1);
            let is_swap = row > 0 && column > 0 && from == name[column - 1] && to == word[row - 1];
            if is_swap {
                best = best.min(before[column - 1] + 1);
            }
            next.push(best);
        }
        before = std::mem::replace(&mut last, next);
    }
    last[name.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_comes_first_and_strangers_do_not_come() {
        let names = ["marks", "made_on", "rules", "checks"];
        assert_eq!(nearest("mraks", names), ["marks"]);
        assert_eq!(nearest("check", names), ["checks"]);
        assert_eq!(nearest("zzzzzz", names), [""; 0]);
        assert_eq!(nearest("", names), [""; 0]);
        assert_eq!(
            nearest(
                "libblas4",
                ["libblas3", "liblapack3", "libblas-dev", "libblas5"]
            ),
            ["libblas3", "libblas5"]
        );
    }
}
