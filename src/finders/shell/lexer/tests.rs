//! Shell texts and the words in them that stand where a command stands.

use super::*;
use proptest::prelude::*;

fn named(text: &str) -> String {
    let words: Vec<String> = commands(text.as_bytes())
        .iter()
        .map(|word| String::from_utf8_lossy(word).into_owned())
        .collect();
    words.join(" ")
}

#[test]
fn words_in_command_position_are_found() {
    for (text, expected) in [
        (
            "#!/bin/sh -e\n# grep\nsed -n p x | sort; awk '{ print cut }' && tr a b &\n",
            "awk sed sort tr",
        ),
        (
            "if grep -q x y; then mv a b; elif ! cmp a b\nthen :; else rm x; fi",
            "cmp grep mv rm",
        ),
        (
            "for f in cat dog; do stat $f; done; while read x; do od; done",
            "od stat",
        ),
        (
            "A=1 B=/usr/bin/x make all\nC=$(date +%s)\nD=`uname -r`",
            "/usr/bin/x date make uname",
        ),
        (
            "case $1 in\n start|stop) cp a b;;\n \"re load\") ln ;;\n *) [ -x /bin/y ] && dd ;;\nesac\ntac",
            "cp dd ln tac",
        ),
        ("case x in (a) cut;; esac; wc", "cut wc"),
        ("x=$(case $y in a) cut;; b) nl;; esac); wc", "cut nl wc"),
        (
            "helper() { tee x; }\nfunction other { paste; }\nhelper; other",
            "paste tee",
        ),
        (
            "cat <<EOF >x\nnot $(this) rm\nEOF\nls <<-'E O'\n\tmv\n\tE O\ntop",
            "cat ls top",
        ),
        (
            "exec sudo nice -n 5 chroot /x\n. /lib/init/vars.sh\nenv A=1 tar; copy_exec /bin/y /z",
            "/bin/y /lib/init/vars.sh chroot copy_exec env nice sudo tar",
        ),
        (
            "\"mount\" -o $opts; $cmd x; ${cmd:-umount} y; e''cho; l\\s",
            "ls mount",
        ),
        (
            "echo \"$(head -1 \"$(tail x)\") `sum \\`cksum\\``\" ${A:-$(md5sum)}",
            "head md5sum sum tail",
        ),
        (
            "(cd /x && pax); { touch y; }; ((i++)); x=$((1 + $(expr 2)))",
            "expr pax touch",
        ),
        (
            "[[ $a == b && -x rm ]] && id || who; a=(ps kill -9)\nx 2>/dev/null >&2 <in &>out; y <(z)",
            "id who x y z",
        ),
        ("a\\\n b; printf '%s' '\nrm -rf\n' \"\nrm\n\"", "a"),
        ("./configure && ../x && bin/y && /sbin/z", "/sbin/z"),
    ] {
        assert_eq!(named(text), expected, "{text}");
    }
}

#[test]
fn endless_nesting_and_open_quotes_end() {
    for text in [
        "$(",
        "`",
        "\"$(",
        "${",
        "((",
        "(",
        "case x in ",
        "<<E\n",
        "'",
        "\\",
        "[[ ",
        "a(",
        "x=(",
    ] {
        commands(text.repeat(20_000).as_bytes());
    }
}

proptest! {
    #[test]
    fn any_bytes_end(text in "[a-c $(){}'\"`\\\\;|&<>\n#=\\[\\]!*-]{0,200}") {
        for word in commands(text.as_bytes()) {
            prop_assert!(!word.is_empty());
        }
    }
}
