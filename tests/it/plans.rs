//! What a plan must be: closed, explained, undoable, the same every time.

use crate::picture::draw;
use guestslim::model::{Bytes, FileId, Node, PackageId};
use guestslim::plan::hardware::HypervisorId;
use guestslim::plan::{Level, Reason, RuleId, Selector, Severity, Wish};
use guestslim::session::{Edit, Intent, Session};
use proptest::prelude::*;
use std::fmt::Write as _;
use std::sync::Arc;

const GUEST: &str = "
    libc!
    kernel: libc
    curl: ssl libc
    ssl: libc
    git: perl ssl
    perl: libc
    gcc-12: libc
    boot: kernel
    /boot/vmlinuz 500 @kernel
    /usr/bin/curl 30 @curl > /usr/lib/libssl.so.3
    /usr/lib/libssl.so.3 90 @ssl > /usr/lib/libc.so.6
    /usr/lib/libc.so.6 200 @libc
    /usr/share/doc/curl/README 7 @curl
    /usr/bin/git 300 @git
    /usr/bin/perl 400 @perl
    /usr/lib/perl/strict.pm 20 @perl
    /usr/lib/perl/strict.cache 3
    /usr/include/stdio.h 40 @libc
    /usr/bin/gcc 900 @gcc-12
    /etc/alternatives/fetch ~ /usr/bin/curl
    /etc/alternatives/vcs ~ /usr/bin/git
    /opt/tool 11 > /usr/bin/perl ? /usr/bin/git
    /var/log/messages 60
";

fn session(picture: &str) -> Session {
    Session::new(Arc::new(draw(picture)), Intent::default())
}

fn keep(name: &str, level: Level) -> Edit {
    Edit::Mark(Selector::Package(name.to_owned()), Wish::Keep(level))
}

fn drop_path(path: &str) -> Edit {
    Edit::Mark(Selector::Path(path.to_owned()), Wish::Drop)
}

fn kept_packages(session: &Session) -> Vec<String> {
    let inventory = session.inventory();
    let kept = inventory
        .package_ids()
        .filter(|&id| session.plan().keeps_package(id));
    kept.map(|id| inventory.package_label(id)).collect()
}

fn keeps(session: &Session, path: &str) -> bool {
    session.plan().keeps_file(
        session
            .inventory()
            .tree
            .lookup(path.as_bytes())
            .expect("a file of the picture"),
    )
}

fn why(session: &Session, name: &str) -> Vec<String> {
    let node = match name.strip_prefix('/') {
        Some(_) => Node::File(
            session
                .inventory()
                .tree
                .lookup(name.as_bytes())
                .expect("a file"),
        ),
        None => Node::Package(session.inventory().find_package(name).expect("a package")),
    };
    session
        .why(node)
        .into_iter()
        .map(|link| link.text)
        .collect()
}

#[test]
fn without_marks_the_boot_set_and_the_scientists_own_files_stay() {
    let session = session(GUEST);
    assert_eq!(kept_packages(&session), ["kernel", "libc", "perl"]);
    assert!(keeps(&session, "/opt/tool") && !keeps(&session, "/var/log/messages"));
    assert!(!keeps(&session, "/etc/alternatives/vcs") && !keeps(&session, "/usr/include/stdio.h"));
}

#[test]
fn dropping_what_needed_a_package_lets_the_package_and_its_leavings_go() {
    let mut session = session(GUEST);
    assert!(session.apply(drop_path("/opt/tool")));
    assert_eq!(kept_packages(&session), ["kernel", "libc"]);
    assert!(
        !keeps(&session, "/usr/lib/perl/strict.cache"),
        "a leaving of perl"
    );
    assert!(session.undo());
    assert!(keeps(&session, "/usr/lib/perl/strict.cache"));
}

#[test]
fn a_guess_of_what_a_suspended_rule_brings_back_is_followed() {
    let mut session = session(
        "
    libc!
    app: libc
    tool: libc
    gcc-12: libc
    kernel: libc
    boot: kernel
    /usr/bin/app 10 @app > /usr/bin/used
    /usr/include/app.h 5 @app ? /usr/bin/named
    /usr/bin/used 3 @tool
    /usr/bin/named 3 @tool
    /usr/bin/unnamed 3 @tool
    /usr/bin/gcc 900 @gcc-12
    ",
    );
    session.apply(keep("app", Level::Trimmed));
    session.apply(keep("tool", Level::NeededOnly));
    assert!(!keeps(&session, "/usr/include/app.h") && !keeps(&session, "/usr/bin/named"));
    session.apply(keep("gcc-12", Level::Trimmed));
    assert!(keeps(&session, "/usr/include/app.h") && keeps(&session, "/usr/bin/named"));
    assert!(!keeps(&session, "/usr/bin/unnamed"));
}

#[test]
fn a_chain_of_reasons_ends_in_a_mark() {
    let mut session = session(GUEST);
    session.apply(keep("curl", Level::Trimmed));
    insta::assert_snapshot!(why(&session, "/usr/lib/libssl.so.3").join("\n"), @r"
    /usr/lib/libssl.so.3 stays: part of ssl (declared)
    ssl stays: curl depends on ssl (declared)
    curl stays: package curl is marked keep
    ");
    assert!(
        !keeps(&session, "/usr/share/doc/curl/README")
            && keeps(&session, "/etc/alternatives/fetch")
    );
    session.apply(keep("curl", Level::Whole));
    assert!(keeps(&session, "/usr/share/doc/curl/README"));
}

#[test]
fn needed_only_keeps_the_record_of_what_is_declared_and_the_files_that_are_read() {
    let mut session = session(GUEST);
    session.apply(drop_path("/opt/tool"));
    session.apply(keep("curl", Level::Trimmed));
    session.apply(keep("git", Level::Trimmed));
    session.apply(Edit::NeededLevel(Level::NeededOnly));
    let level = |name: &str| {
        session.plan().packages[session.inventory().find_package(name).unwrap().index()].level
    };
    assert_eq!(
        level("perl"),
        Some(Level::Hollowed),
        "git declares it and reads nothing of it"
    );
    assert_eq!(
        level("ssl"),
        Some(Level::NeededOnly),
        "curl loads a library of it"
    );
    assert!(keeps(&session, "/usr/lib/libssl.so.3") && !keeps(&session, "/usr/bin/perl"));
}

#[test]
fn a_hollowed_package_keeps_the_files_that_something_needs_and_says_so() {
    let mut session = session(GUEST);
    session.apply(keep("perl", Level::Hollowed));
    assert!(keeps(&session, "/usr/bin/perl") && !keeps(&session, "/usr/lib/perl/strict.pm"));
    let finding = session.plan().findings.first().expect("a finding");
    assert_eq!(
        finding.message,
        "perl cannot be hollowed whole: files that stay need files of it"
    );
    session.apply(drop_path("/opt/tool"));
    assert!(!keeps(&session, "/usr/bin/perl"));
}

#[test]
fn a_mark_under_which_a_package_loses_its_programs_is_a_note() {
    let mut session = session(GUEST);
    session.apply(Edit::Mark(
        Selector::Package("{curl,gcc-12,perl,ssl}".to_owned()),
        Wish::Keep(Level::NeededOnly),
    ));
    assert!(keeps(&session, "/usr/bin/perl") && !keeps(&session, "/usr/bin/gcc"));
    let about = |session: &Session| -> Vec<String> {
        let findings = session.plan().findings.iter();
        let of_programs = findings.filter(|finding| finding.message.contains("program"));
        of_programs.map(|finding| finding.message.clone()).collect()
    };
    assert_eq!(
        about(&session),
        [
            "package {curl,gcc-12,perl,ssl} marks curl (and 1 more) needed only, and none of their programs stays"
        ]
    );
    session.apply(keep("curl", Level::Trimmed));
    session.apply(keep("gcc-12", Level::Trimmed));
    assert_eq!(about(&session), [""; 0]);
}

#[test]
fn a_guess_brings_no_package_back_and_a_note_says_what_goes() {
    let mut session = session(GUEST);
    assert!(!keeps(&session, "/usr/bin/git"));
    let notes = |session: &Session| -> Vec<String> {
        let findings = session.plan().findings.iter();
        findings.map(|finding| finding.message.clone()).collect()
    };
    let note = "/opt/tool names /usr/bin/git of git, which goes".to_owned();
    assert!(notes(&session).contains(&note));
    session.apply(keep("git", Level::NeededOnly));
    assert!(
        keeps(&session, "/usr/bin/git"),
        "the file of a package that is cut to what is needed"
    );
    assert_eq!(
        why(&session, "/usr/bin/git"),
        [
            "/usr/bin/git stays: /opt/tool depends on /usr/bin/git (guessed from a name)",
            "/opt/tool stays: no package owns it, so it is yours until you mark it drop"
        ]
    );
    session.apply(keep("git", Level::Hollowed));
    let note = "/opt/tool names /usr/bin/git of git, which stays without it".to_owned();
    assert!(!keeps(&session, "/usr/bin/git") && notes(&session).contains(&note));
}

#[test]
fn a_need_wins_over_a_drop_mark_and_a_finding_says_so() {
    let mut session = session(GUEST);
    session.apply(keep("curl", Level::Trimmed));
    session.apply(Edit::Mark(Selector::Package("s*l".to_owned()), Wish::Drop));
    session.apply(drop_path("/usr/lib/libc.so.6"));
    assert!(
        kept_packages(&session).contains(&"ssl".to_owned())
            && keeps(&session, "/usr/lib/libc.so.6")
    );
    let messages: Vec<&str> = session
        .plan()
        .findings
        .iter()
        .map(|finding| finding.message.as_str())
        .collect();
    assert!(
        messages
            .contains(&"package s*l is marked drop, but ssl stays: something that stays needs it"),
        "{messages:?}"
    );
    assert!(
        messages
            .iter()
            .any(|m| m
                .starts_with("path /usr/lib/libc.so.6 is marked drop, but 1 of its files stay"))
    );
}

#[test]
fn headers_stay_while_a_compiler_stays() {
    let mut session = session(GUEST);
    session.apply(keep("gcc-12", Level::Trimmed));
    assert!(keeps(&session, "/usr/include/stdio.h"));
}

#[test]
fn retained_sizes_count_what_nothing_else_needs() {
    let mut session = session(GUEST);
    session.apply(keep("curl", Level::Trimmed));
    session.apply(keep("git", Level::Trimmed));
    let retained = |name: &str| {
        session.plan().retained[session.inventory().find_package(name).unwrap().index()]
    };
    assert_eq!(
        retained("curl"),
        Bytes::from_kib(30),
        "ssl is shared with git"
    );
    assert_eq!(
        retained("git"),
        Bytes::from_kib(300),
        "perl is shared with /opt/tool"
    );
    assert_eq!(retained("gcc-12"), Bytes::ZERO);
}

#[test]
fn a_mark_that_matches_nothing_is_a_warning() {
    let mut session = session(GUEST);
    session.apply(keep("nosuch*", Level::Trimmed));
    let finding = &session.plan().findings[0];
    assert_eq!(finding.severity, Severity::Warning);
    assert_eq!(
        finding.message,
        "the mark on package nosuch* matches nothing in this guest"
    );
}

#[test]
fn a_mark_without_effect_is_a_warning() {
    let mut session = session(&format!("{GUEST}\n/srv/empty/"));
    session.apply(drop_path("/opt/tool"));
    session.apply(keep("git", Level::Whole));
    let whole = Selector::Package("g*".to_owned());
    session.apply(Edit::Mark(whole, Wish::Keep(Level::Trimmed)));
    session.apply(drop_path("/opt"));
    let empty = Selector::Path("/srv".to_owned());
    session.apply(Edit::Mark(empty, Wish::Keep(Level::Whole)));
    let messages: Vec<&str> = session
        .plan()
        .findings
        .iter()
        .map(|finding| finding.message.as_str())
        .collect();
    let expected = [
        "the mark on path /opt/tool drops nothing: later marks decide about all that it selects",
        "the mark on package git keeps nothing: later marks decide about all that it selects",
        "the mark on path /srv keeps nothing: there is no file in what it selects",
        "no kernel was found that a boot entry loads",
    ];
    assert_eq!(messages, expected);
}

#[test]
fn the_plan_does_not_depend_on_the_order_of_the_picture() {
    let mut lines: Vec<&str> = GUEST.lines().collect();
    let plan = session(&lines.join("\n")).plan().clone();
    lines.reverse();
    assert_eq!(&plan, session(&lines.join("\n")).plan());
}

/// A guest of ten packages with one file each, unowned files on top, and needs between all of them.
fn arbitrary_guest() -> impl Strategy<Value = String> {
    let depends = proptest::collection::vec((0..10usize, 0..10usize), 0..25);
    let needs = proptest::collection::vec((0..14usize, 0..10usize), 0..25);
    let guesses = proptest::collection::vec((0..14usize, 0..10usize), 0..10);
    (depends, needs, guesses).prop_map(|(depends, needs, guesses)| {
        let mut text = String::from("boot: p0\n");
        for at in 0..10 {
            let others: Vec<String> = depends
                .iter()
                .filter(|edge| edge.0 == at)
                .map(|edge| format!("p{}", edge.1))
                .collect();
            writeln!(text, "p{at}: {}", others.join(" ")).expect("a String takes every write");
        }
        for at in 0..14 {
            let named = |pairs: &[(usize, usize)]| {
                let named = pairs.iter().filter(|pair| pair.0 == at);
                named
                    .map(|pair| format!("/usr/lib/f{}", pair.1))
                    .collect::<Vec<String>>()
                    .join(" ")
            };
            let (folder, owner) = if at < 10 {
                ("/usr/lib", format!("@p{at}"))
            } else {
                ("/opt", String::new())
            };
            writeln!(
                text,
                "{folder}/f{at} {} {owner} > {} ? {}",
                at + 1,
                named(&needs),
                named(&guesses)
            )
            .expect("a String takes every write");
        }
        text
    })
}

fn arbitrary_edit() -> impl Strategy<Value = Edit> {
    let wish = prop_oneof![
        Just(Wish::Drop),
        proptest::sample::select(&Level::ALL[..]).prop_map(Wish::Keep),
    ];
    let selector = prop_oneof![
        (0..10usize).prop_map(|at| Selector::Package(format!("p{at}"))),
        (0..10usize).prop_map(|at| Selector::Path(format!("/usr/lib/f{at}"))),
        (10..14usize).prop_map(|at| Selector::Path(format!("/opt/f{at}"))),
    ];
    prop_oneof![
        5 => (selector.clone(), wish).prop_map(|(selector, wish)| Edit::Mark(selector, wish)),
        1 => selector.prop_map(Edit::Unmark),
        1 => (0..5u8, any::<bool>()).prop_map(|(rule, is_on)| Edit::Rule(RuleId(rule), is_on)),
        1 => proptest::sample::select(&Level::ALL[..]).prop_map(Edit::NeededLevel),
    ]
}

/// Nothing kept needs something dropped: the promise that the whole program rests on. A guess counts where some of the
/// package stays anyway.
fn assert_closed(session: &Session) {
    let (plan, inventory) = (session.plan(), session.inventory());
    for need in session.loaded().graph.needs() {
        let from_stays = match need.from {
            Node::Package(id) => plan.packages[id.index()].level,
            Node::File(file) => plan.keeps_file(file).then_some(Level::NeededOnly),
        };
        let to_stays = match need.to {
            Node::Package(id) => plan.keeps_package(id),
            Node::File(file) => plan.keeps_file(file),
        };
        let has_files = |node| match node {
            Node::File(file) => inventory
                .owner(file)
                .is_some_and(|id| plan.packages[id.index()].level > Some(Level::Hollowed)),
            Node::Package(_) => false,
        };
        let is_marked = |node| match node {
            Node::File(file) => matches!(plan.reasons[file.index()], Reason::Mark(_)),
            Node::Package(_) => false,
        };
        let must = need.evidence.is_firm() || (has_files(need.to) && !is_marked(need.to));
        assert!(from_stays.is_none() || to_stays || !must, "{need:?}");
    }
    for file in inventory
        .tree
        .ids()
        .filter(|&file| plan.keeps_file(file) && !inventory.tree.is_directory(file))
    {
        let owner = inventory.owner(file);
        assert!(
            owner.is_none_or(|owner| plan.packages[owner.index()].level >= Some(Level::NeededOnly))
        );
    }
}

/// Every chain ends, and visits nothing twice.
fn assert_explained(session: &Session) {
    let inventory = session.inventory();
    let packages = (0..inventory.packages.len() as u32).map(|at| Node::Package(PackageId(at)));
    let files = (0..inventory.tree.len() as u32).map(|at| Node::File(FileId(at)));
    for node in packages.chain(files) {
        let mut seen: Vec<Node> = session
            .why(node)
            .into_iter()
            .map(|link| link.node)
            .collect();
        let length = seen.len();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), length, "a chain in circles");
    }
}

proptest! {
    #[test]
    fn a_guess_never_changes_which_packages_stay(guest in arbitrary_guest(), marks in proptest::collection::vec(0..10usize, 0..3)) {
        let firm: Vec<&str> = guest
            .lines()
            .map(|line| line.split('?').next().expect("a first part"))
            .collect();
        let (mut with, mut without) = (session(&guest), session(&firm.join("\n")));
        for at in marks {
            with.apply(keep(&format!("p{at}"), Level::Trimmed));
            without.apply(keep(&format!("p{at}"), Level::Trimmed));
        }
        prop_assert_eq!(kept_packages(&with), kept_packages(&without));
        prop_assert_eq!(&with.plan().kept, &without.plan().kept);
    }

    #[test]
    fn any_plan_is_closed_explained_and_repeatable(
        guest in arbitrary_guest(),
        edits in proptest::collection::vec(arbitrary_edit(), 0..8),
    ) {
        let mut session = session(&guest);
        for edit in edits {
            session.apply(edit);
            assert_closed(&session);
            assert_explained(&session);
        }
        let again = Session::new(Arc::new(draw(&guest)), session.intent().clone());
        prop_assert_eq!(session.plan(), again.plan());
    }

    #[test]
    fn undo_leads_back_and_redo_forth(
        guest in arbitrary_guest(),
        edits in proptest::collection::vec(arbitrary_edit(), 1..8),
    ) {
        let mut session = session(&guest);
        let mut states = vec![(session.intent().clone(), session.plan().clone())];
        for edit in edits {
            if session.apply(edit) {
                states.push((session.intent().clone(), session.plan().clone()));
            }
        }
        for (intent, plan) in states.iter().rev().skip(1) {
            prop_assert!(session.undo());
            prop_assert_eq!((session.intent(), session.plan()), (intent, plan));
        }
        prop_assert!(!session.undo());
        for (intent, plan) in states.iter().skip(1) {
            prop_assert!(session.redo());
            prop_assert_eq!((session.intent(), session.plan()), (intent, plan));
        }
    }

    #[test]
    fn a_further_keep_mark_never_removes_a_file(guest in arbitrary_guest(), at in 0..10usize, path in 0..10usize) {
        let mut session = session(&guest);
        let before = session.plan().kept.clone();
        session.apply(keep(&format!("p{at}"), Level::Whole));
        prop_assert!(before.is_subset(&session.plan().kept));
        let between = session.plan().kept.clone();
        let selector = Selector::Path(format!("/usr/lib/f{path}"));
        session.apply(Edit::Mark(selector, Wish::Keep(Level::Trimmed)));
        prop_assert!(between.is_subset(&session.plan().kept));
    }
}

#[test]
fn drivers_go_only_when_hypervisors_are_declared_and_a_mark_brings_them_back() {
    const KERNEL: &str = "
        kernel
        boot: kernel
        /lib/modules/6.1/modules.dep 1 @kernel
        /lib/modules/6.1/kernel/drivers/net/ethernet/mlx5_core.ko 500 @kernel
        /lib/modules/6.1/kernel/drivers/net/ethernet/e1000.ko 30 @kernel > /lib/modules/6.1/kernel/drivers/net/phy/used.ko
        /lib/modules/6.1/kernel/drivers/net/phy/used.ko 5 @kernel
        /lib/modules/6.1/kernel/fs/ext4.ko 40 @kernel
    ";
    let module = |name: &str| format!("/lib/modules/6.1/kernel/{name}.ko");
    let stays = |session: &Session| {
        [
            "drivers/net/ethernet/mlx5_core",
            "drivers/net/ethernet/e1000",
            "drivers/net/phy/used",
            "fs/ext4",
        ]
        .map(|name| keeps(session, &module(name)))
    };
    let id = |name: &str| HypervisorId::find(name).expect("the table has it");
    let mut session = session(KERNEL);
    assert_eq!(stays(&session), [true; 4]);
    session.apply(Edit::Hypervisor(id("kvm"), true));
    assert_eq!(stays(&session), [false, true, true, true]);
    let driver = module("drivers/net/ethernet/mlx5_core");
    let file = session
        .inventory()
        .tree
        .lookup(driver.as_bytes())
        .expect("it is there");
    let last = session.why(Node::File(file)).pop().expect("a reason");
    assert!(
        last.text.contains("hardware that is not declared"),
        "{}",
        last.text
    );
    session.apply(Edit::Hypervisor(id("hyperv"), true));
    assert_eq!(stays(&session), [true; 4]);
    session.apply(Edit::Hypervisor(id("hyperv"), false));
    session.apply(Edit::Mark(Selector::Path(driver), Wish::Keep(Level::Whole)));
    assert_eq!(stays(&session), [true; 4]);
}

#[test]
fn a_kernel_marked_needed_only_keeps_the_modules_that_a_trace_or_a_hypervisor_names() {
    let mut session = session(
        "kernel
        boot: kernel
        /boot/vmlinuz 500 @kernel
        /lib/modules/6.1/modules.dep 1 @kernel
        /lib/modules/6.1/kernel/fs/ext4.ko 40 @kernel > /lib/modules/6.1/kernel/fs/jbd2.ko
        /lib/modules/6.1/kernel/fs/jbd2.ko 9 @kernel
        /lib/modules/6.1/kernel/fs/xfs.ko 90 @kernel
        /lib/modules/6.1/kernel/drivers/net/ethernet/e1000.ko 30 @kernel",
    );
    let stays = |session: &Session| {
        ["fs/ext4", "fs/jbd2", "fs/xfs", "drivers/net/ethernet/e1000"]
            .map(|name| keeps(session, &format!("/lib/modules/6.1/kernel/{name}.ko")))
    };
    session.apply(keep("kernel", Level::NeededOnly));
    assert_eq!(stays(&session), [true; 4], "there is no trace");
    session.apply(Edit::Replace(Intent {
        trace: vec!["/lib/modules/6.1/kernel/fs/ext4.ko".into()],
        hypervisors: vec![HypervisorId::find("kvm").expect("the table has it")],
        ..session.intent().clone()
    }));
    assert_eq!(stays(&session), [true, true, false, true]);
    assert!(keeps(&session, "/boot/vmlinuz"));
    session.apply(keep("*", Level::NeededOnly));
    session.apply(Edit::Unmark(Selector::Package("kernel".to_owned())));
    session.apply(keep("kernel", Level::Trimmed));
    assert_eq!(stays(&session), [true; 4], "the last mark about it counts");
}

#[test]
fn traces_unite_and_what_none_of_them_touched_is_counted() {
    let mut session = session(
        "boot: kernel\nkernel:\n/boot/vmlinuz 500 @kernel\ncurl:\n/usr/bin/curl 30 @curl\n/opt/tool 11",
    );
    let paths = |paths: &[&str]| paths.iter().map(|&path| path.to_owned()).collect();
    let first = session.learn(&paths(&["/boot/vmlinuz", "/usr/bin/curl"]));
    assert_eq!((first.added, first.paths), (2, 2));
    assert!(first.after > first.before && keeps(&session, "/usr/bin/curl"));
    let second = session.learn(&paths(&["/usr/bin/curl", "/opt/tool", "/made/by/the/run"]));
    assert_eq!((second.added, second.paths), (2, 4));
    assert!(first.never_read > Bytes::ZERO);
    assert_eq!(second.never_read, Bytes::ZERO);
    session.undo();
    assert_eq!(session.never_read(), first.never_read);
}

#[test]
fn headers_of_the_scientist_s_own_stay_while_a_compiler_stays() {
    let mut session = session(
        "gcc-12
        /usr/bin/gcc 900 @gcc-12
        /usr/local/include/solver.h 5
        /opt/x/lib/libx.a 70",
    );
    let rule = RuleId::find("own-development").expect("the table has it");
    session.apply(Edit::Rule(rule, true));
    let stays = |session: &Session| {
        ["/usr/local/include/solver.h", "/opt/x/lib/libx.a"].map(|path| keeps(session, path))
    };
    assert_eq!(stays(&session), [false; 2]);
    session.apply(keep("gcc-12", Level::Trimmed));
    assert_eq!(stays(&session), [true; 2]);
}
