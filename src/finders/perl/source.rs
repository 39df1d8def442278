//! The modules that a Perl source uses, read without running it.
//!
//! Documentation, comments and everything after `__END__` are skipped. Only statements that begin with `use`, `no` or `require`
//! count, wherever they are; a trace covers whatever else Perl's grammar allows.

/// One module that a source loads.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Use {
    /// As Perl looks for it: `JSON/XS.pm`.
    pub path: String,
    /// Whether the source stops without it; what is tried in an `eval` is not certain.
    pub is_certain: bool,
}

/// All that a source loads.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Uses {
    /// By path.
    pub modules: Vec<Use>,
    /// Folders that it adds in front of `@INC`, absolute ones only.
    pub folders: Vec<String>,
    /// Whether it also loads modules by names that it works out.
    pub is_dynamic: bool,
}

/// Most modules of one source.
const MAX_USES: usize = 500;
/// Most lines that one statement may have.
const MAX_LINES: usize = 40;

/// Reads the uses of a source.
pub fn uses(source: &[u8]) -> Uses {
    let text = String::from_utf8_lossy(source);
    let mut uses = Uses::default();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if is_pod(line) {
            lines.by_ref().find(|line| line.starts_with("=cut"));
            continue;
        }
        if matches!(line.trim_end(), "__END__" | "__DATA__") || uses.modules.len() > MAX_USES {
            break;
        }
        let mut statement = without_comment(line).to_owned();
        if is_load(statement.trim_start()) {
            let more = lines.clone().take(MAX_LINES);
            for next in more.take_while(|line| !is_pod(line)) {
                if statement.contains(';') {
                    break;
                }
                statement.push(' ');
                statement.push_str(without_comment(next));
            }
        }
        let is_tried = statement.contains("eval");
        for part in statement.split([';', '{', '}']).map(str::trim) {
            read_part(part, !is_tried, &mut uses);
        }
    }
    uses.modules.sort_unstable();
    uses.modules.dedup();
    uses
}

/// The start of a piece of documentation.
fn is_pod(line: &str) -> bool {
    let mut chars = line.chars();
    chars.next() == Some('=') && chars.next().is_some_and(|c| c.is_ascii_alphabetic())
}

fn is_load(statement: &str) -> bool {
    ["use ", "no ", "require "]
        .iter()
        .any(|word| statement.starts_with(word))
}

/// A `#` at the start or behind a space starts a comment; one in a string cuts no module's name off.
fn without_comment(line: &str) -> &str {
    if line.trim_start().starts_with('#') {
        return "";
    }
    line.find(" #").map_or(line, |at| &line[..at])
}

fn read_part(part: &str, is_certain: bool, uses: &mut Uses) {
    let part = part.strip_prefix("eval").map_or(part, str::trim_start);
    let part = part.trim_start_matches(['"', '\'', '(']);
    let Some((word, rest)) = part.split_once(char::is_whitespace) else {
        return;
    };
    let rest = rest.trim();
    let end = rest.find(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | ':')));
    let (name, arguments) = rest.split_at(end.unwrap_or(rest.len()));
    match (word, name) {
        ("use", "lib") => {
            let folders = quoted(arguments).into_iter();
            uses.folders
                .extend(folders.filter(|path| path.starts_with('/')));
        }
        ("use", "parent" | "base" | "if" | "autouse" | "aliased") => {
            let names = quoted(arguments);
            let names = names.iter().filter(|name| is_module_name(name));
            for name in names.map(String::as_str).chain([name]) {
                push(uses, super::include::path(name), is_certain && word != "if");
            }
        }
        ("use" | "no" | "require", name) if is_module_name(name) => {
            push(uses, super::include::path(name), is_certain);
        }
        ("require", "") => match quoted(rest).first() {
            Some(path) if !path.contains('$') && rest.starts_with(['"', '\'']) => {
                push(uses, path.clone(), is_certain);
            }
            _ => uses.is_dynamic = true,
        },
        ("use", "") if rest.starts_with('$') => uses.is_dynamic = true,
        _ => {}
    }
}

fn push(uses: &mut Uses, path: String, is_certain: bool) {
    if path.len() < 200 && !path.starts_with('/') {
        uses.modules.push(Use { path, is_certain });
    }
}

/// A name that is no version and no keyword.
fn is_module_name(name: &str) -> bool {
    let is_version = name
        .strip_prefix('v')
        .is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_digit()));
    !is_version
        && name.starts_with(|c: char| c.is_alphabetic() || c == '_')
        && name
            .split("::")
            .all(|part| !part.is_empty() && part.chars().all(|c| c.is_alphanumeric() || c == '_'))
}

/// The words of strings and of `qw` lists.
fn quoted(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find(['"', '\'', 'q']) {
        let tail = &rest[at..];
        let is_list = tail.starts_with("qw");
        let open = if is_list {
            tail[2..].trim_start()
        } else {
            tail
        };
        let close = match open.chars().next() {
            Some('(') => ')',
            Some('[') => ']',
            Some('<') => '>',
            Some(quote @ ('"' | '\'' | '/' | '|')) => quote,
            _ => {
                rest = &tail[1..];
                continue;
            }
        };
        let inner = &open[1..];
        let end = inner.find(close).unwrap_or(inner.len());
        if is_list {
            found.extend(inner[..end].split_whitespace().map(str::to_owned));
        } else {
            found.push(inner[..end].to_owned());
        }
        rest = inner.get(end + 1..).unwrap_or_default();
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn modules_are_found_in_statements_and_not_in_documentation() {
        let source = "package X;\nuse 5.010;\nuse v5.36;\nuse strict;\nuse JSON::XS qw(encode); # use No::Such;\n\
            use parent -norequire, 'Own::Base';\nuse base qw(A::B\n  C);\n=pod\nuse Never;\n=cut\n\
            sub f { require Late; eval { require Tried::Hard; 1 } }\nrequire 'lib/old.pl';\n\
            use lib '/srv/perl', \"rel\";\nmy $m = shift; require $m;\n__END__\nuse Never::Again;\n";
        let uses = uses(source.as_bytes());
        let shown: Vec<String> = uses
            .modules
            .iter()
            .map(|one| format!("{}{}", one.path, if one.is_certain { "" } else { "?" }))
            .collect();
        assert_eq!(
            shown,
            [
                "A/B.pm",
                "C.pm",
                "JSON/XS.pm",
                "Late.pm?",
                "Own/Base.pm",
                "Tried/Hard.pm?",
                "base.pm",
                "lib/old.pl",
                "parent.pm",
                "strict.pm",
            ]
        );
        assert_eq!(uses.folders, ["/srv/perl"]);
        assert!(uses.is_dynamic);
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(text in "(use |require |qw|eval|=cut|é|'|\"|#|\n|[a-z:;(){}$]){0,40}") {
            let _ = uses(text.as_bytes());
        }
    }
}
