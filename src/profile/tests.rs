//! Profiles are read strictly, written deterministically, and compared with other guests.

use super::*;
use crate::model::{Entry, FileKind, Os, Package, TreeBuilder};
use crate::plan::hardware::HypervisorId;
use crate::plan::{Level, Mark, RuleId, Selector, Wish};
use proptest::prelude::*;
use std::fmt::Write as _;

const FULL: &str = r#"// For the grid.
// Second line.

(
    version: 1,
    name: "numeric",
    description: "python3-scipy",
    made_on: (os: "debian", version: "12", arch: "amd64", date: "2026-01-02", size: 4096, packages: {"numpy": "1:1.24"}),
    marks: [
        keep(package("python3-scipy")), // a note
        keep(package("r-base-core"), needed_only),
        keep(module("python:scipy.linalg"), trimmed),
        drop(path("/opt/old/**")),
        keep(feature("ssh")),
    ],
    rules: { "documentation": off },
    needed_level: whole,
    hypervisors: ["vmware", "kvm", "kvm"],
    initramfs: rebuilt,
    trace: ["/usr/bin/python3", "/a\\x1b"],
    checks: [(command: "python3 -c 'import scipy'"), (command: "false", exit: 1, stdout: contains("x"))],
    output: (format: raw, compression: none, way: repack, slack: 512),
)
"#;

fn mark(selector: Selector, wish: Wish) -> Mark {
    Mark { selector, wish }
}

fn package(name: &str) -> Selector {
    Selector::Package(name.into())
}

#[test]
fn every_field_is_read() {
    let profile = Profile::parse(FULL).unwrap();
    assert_eq!(profile.comment, "// For the grid.\n// Second line.");
    assert_eq!(
        (profile.name.as_str(), profile.description.as_str()),
        ("numeric", "python3-scipy")
    );
    let made_on = profile.made_on.clone().unwrap();
    assert_eq!((made_on.os.as_str(), made_on.size), ("debian", 4096));
    assert_eq!(made_on.packages["numpy"], "1:1.24");
    let module = Selector::Module {
        language: "python".into(),
        name: "scipy.linalg".into(),
    };
    assert_eq!(
        profile.intent.marks,
        [
            mark(package("python3-scipy"), Wish::Keep(Level::Whole)),
            mark(package("r-base-core"), Wish::Keep(Level::NeededOnly)),
            mark(module, Wish::Keep(Level::Trimmed)),
            mark(Selector::Path("/opt/old/**".into()), Wish::Drop),
            mark(Selector::Feature("ssh".into()), Wish::Keep(Level::Whole)),
        ]
    );
    let documentation = RuleId::find("documentation").unwrap();
    assert!(!profile.intent.rules.contains(documentation));
    assert_eq!(profile.intent.needed_level, Level::Whole);
    let hypervisors = ["kvm", "vmware"].map(|id| HypervisorId::find(id).unwrap());
    assert_eq!(profile.intent.hypervisors, hypervisors);
    assert!(profile.intent.rebuilds_initramfs);
    assert_eq!(profile.intent.trace, ["/a\\x1b", "/usr/bin/python3"]);
    assert_eq!(profile.checks[1].stdout, Some(Expect::Contains("x".into())));
    assert_eq!(profile.output.format, ImageFormat::Raw);
    assert_eq!(profile.output.way, Way::Repack);
    assert_eq!(profile.output.slack, Some(512));
}

#[test]
fn a_profile_needs_only_a_version_and_a_name() {
    let profile = Profile::parse("(version: 1, name: \"\")").unwrap();
    assert_eq!(profile, Profile::default());
    let windows = "\u{feff}(\r\n  version: 1,\r\n  name: \"\",\r\n)\r\n";
    assert_eq!(Profile::parse(windows).unwrap(), Profile::default());
}

#[test]
fn the_written_file_is_pleasant_to_read() {
    insta::assert_snapshot!(Profile::parse(FULL).unwrap().to_ron());
}

#[test]
fn what_is_not_understood_is_shown_with_its_place_and_a_hint() {
    let deep = format!("(version: 1, name: \"x\", marks: {}", "[".repeat(10_000));
    let deep_marks = format!(
        "(version: 1, name: \"x\", marks: {}",
        "[keep(".repeat(10_000)
    );
    let deep_newer = format!("(version: 1, novel: {}", "[".repeat(10_000));
    let whole = [
        "",
        "hello",
        "(name: \"x\")",
        "(version: 2, name: \"x\", novel: [1, (a: 2)])",
        "(\n  version: 0)",
        "(version: 1.5, name: \"x\")",
        "(version: 1, name: 3)",
        "(version: 1, name: \"x\", name: \"y\")",
        "(version: 1, name: \"x\")\nrest",
        "(version: 1, name: \"x",
        &deep,
        &deep_marks,
        &deep_newer,
    ];
    let fields = [
        "mraks: []",
        "colour: 3",
        "\u{202e}x: 3",
        "marks: [keep(package(\"a[\"))]",
        "marks: [keep(package(\"/bin/sh\"))]",
        "marks: [drop(path(\"opt\"))]",
        "marks: [drop(path(\"/opt/../etc\"))]",
        "marks: [drop(path(\"\"))]",
        "marks: [drop(path(\"/a\\u{1b}\"))]",
        "marks: [keep(pakage(\"a\"))]",
        "marks: [kep(package(\"a\"))]",
        "marks: [keep(package(\"a\"), hole)]",
        "rules: {\"documentatoin\": on}",
        "rules: {\"logs\": on, \"logs\": off}",
        "hypervisors: [\"kmv\"]",
        "initramfs: small",
        "checks: [(comand: \"x\")]",
        "checks: [(command: \"x\", exit: 256)]",
        "output: (format: qcow3)",
    ];
    let mut table = String::new();
    for text in whole {
        let shown = text.escape_debug().to_string();
        writeln!(
            table,
            "{shown:.50}
    {}",
            place(text)
        )
        .unwrap();
    }
    for field in fields {
        let text = format!("(\n    version: 1, name: \"x\",\n    {field},\n)");
        writeln!(table, "{}\n    {}", field.escape_debug(), place(&text)).unwrap();
    }
    insta::assert_snapshot!(table);
}

/// `line:column message | hint`, or nothing when the text is fine.
fn place(text: &str) -> String {
    match Profile::parse(text) {
        Err(ProfileError::Syntax {
            line,
            column,
            message,
            hint,
            ..
        }) => {
            format!("{line}:{column} {message} | {hint}")
        }
        Err(other) => other.to_string(),
        Ok(_) => String::new(),
    }
}

#[test]
fn files_that_are_no_profiles_are_refused_before_they_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let message = |path: &Path| Profile::read(path).unwrap_err().to_string();
    assert!(message(folder.path()).ends_with("is no regular file"));
    assert!(message(Path::new("/dev/zero")).ends_with("is no regular file"));
    let path = folder.path().join("p.ron");
    assert!(message(&path).contains("No such file"));
    std::fs::write(&path, vec![b' '; MAX_LEN as usize + 1]).unwrap();
    assert!(message(&path).contains("longer than 4 MiB"));
    std::fs::write(&path, b"(\n  name: \"\xff").unwrap();
    assert!(message(&path).ends_with("p.ron, line 2, column 10: not UTF-8 text"));
}

fn guest(packages: &[(&str, &str)], size: u64) -> Inventory {
    let mut builder = TreeBuilder::default();
    let mut entry = Entry::new(FileKind::Regular);
    entry.allocated = size;
    builder.add_path(b"/opt/tool", entry);
    let (tree, _) = builder.finish();
    let packages = packages
        .iter()
        .map(|&(name, version)| Package {
            name: name.into(),
            version: version.into(),
            ..Package::default()
        })
        .collect();
    let os = Os {
        id: "debian".into(),
        version: "12".into(),
        arch: "amd64".into(),
        ..Os::default()
    };
    inventory(tree, packages, os)
}

fn inventory(tree: crate::model::FileTree, packages: Vec<Package>, os: Os) -> Inventory {
    Inventory {
        owners: vec![u32::MAX; tree.len()],
        follows: vec![None; tree.len()],
        tree,
        packages,
        os,
        ..empty()
    }
}

fn empty() -> Inventory {
    Inventory {
        origin: crate::model::inventory::Origin::default(),
        os: Os::default(),
        mounts: Vec::new(),
        package_format: "dpkg",
        tree: TreeBuilder::default().finish().0,
        packages: Vec::new(),
        owners: Vec::new(),
        follows: Vec::new(),
        texts: std::collections::BTreeMap::new(),
        components: crate::model::Components::default(),
        boot: crate::model::BootChain::default(),
        warnings: Vec::new(),
    }
}

#[test]
fn the_same_guest_does_not_drift_and_a_changed_one_does() {
    let before = guest(
        &[("apt", "2.6"), ("numpy", "1.24"), ("old", "1")],
        1_000_000,
    );
    let mut intent = Intent::default();
    for name in ["numpy", "old", "r-*"] {
        intent
            .marks
            .push(mark(package(name), Wish::Keep(Level::Whole)));
    }
    intent
        .marks
        .push(mark(Selector::Path("/opt/tool".into()), Wish::Drop));
    let profile = Profile::from_intent("x", &intent, &before);
    let messages = |inventory: &Inventory| -> Vec<String> {
        drift(&profile, inventory)
            .into_iter()
            .map(|drift| drift.message)
            .collect()
    };
    assert_eq!(
        messages(&before),
        ["package r-* matches nothing in this guest"]
    );
    let mut after = guest(
        &[("apt", "2.6"), ("fresh", "3"), ("numpy", "1.26")],
        2_000_000,
    );
    after.os.version = "13".into();
    after.os.arch = "arm64".into();
    assert_eq!(
        messages(&after),
        [
            "package old matches nothing in this guest",
            "package r-* matches nothing in this guest",
            "the operating system was debian 12, it is debian 13",
            "the architecture was amd64, it is arm64",
            "old 1 is gone",
            "fresh 3 is new",
            "numpy was 1.24, is 1.26",
            "the guest's files grew by 1 MB, from 1 MB to 2 MB",
        ]
    );
}

fn any_mark() -> impl Strategy<Value = Mark> {
    let level = proptest::sample::select(&Level::ALL[..]);
    let wish = prop_oneof![Just(Wish::Drop), level.prop_map(Wish::Keep)];
    let selector = prop_oneof![
        "[a-z*?\\\\\"' é]{1,9}".prop_map(Selector::Package),
        "/[a-z*?\\\\\"'\u{202e} ]{0,9}".prop_map(Selector::Path),
        ("python|r|perl@/a[ b]", "[a-z:.*]{1,9}")
            .prop_map(|(language, name)| Selector::Module { language, name }),
        "\\PC{1,9}".prop_map(Selector::Feature),
    ];
    (selector, wish).prop_map(|(selector, wish)| Mark { selector, wish })
}

proptest! {
    #[test]
    fn what_is_written_is_read_again(
        name in any::<String>(),
        description in any::<String>(),
        marks in proptest::collection::vec(any_mark(), 0..6),
        rules in any::<u32>(),
        seen in proptest::collection::btree_map(any::<String>(), any::<String>(), 0..9),
        command in any::<String>(),
    ) {
        let mut profile = Profile { name, description, ..Profile::default() };
        profile.intent.marks = marks;
        for id in RuleId::all() {
            profile.intent.rules = profile.intent.rules.with(id, rules >> id.0 & 1 == 1);
        }
        profile.made_on = Some(MadeOn { packages: seen, ..MadeOn::default() });
        profile.checks = vec![Check { command, exit: 3, stdout: Some(Expect::Exact("\n".into())) }];
        let text = profile.to_ron();
        prop_assert_eq!(Profile::parse(&text).map_err(|error| error.to_string()), Ok(profile));
    }

    #[test]
    fn no_text_makes_the_reader_fail_badly(text in "[(){}\\[\\]:,\"a-z1 /*#!\n]{0,64}") {
        let _ = Profile::parse(&text);
        let _ = Profile::parse(&format!("(version: 1, {text}"));
    }
}
