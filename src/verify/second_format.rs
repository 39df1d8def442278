//! A package format that has nothing in common with dpkg goes the whole way: load, needs, plan, export's steps, audit.

use super::Verdict;
use super::running::package_manager;
use crate::export::{ExportOptions, Step, StepKind, steps};
use crate::guest::{OpenOptions, open};
use crate::job::Job;
use crate::load::{Loaded, load};
use crate::model::{Node, Unmet};
use crate::plan::{Inputs, Level, Plan, ResolvedMark, RuleSet, Wish, decide};
use crate::vm::Outcome;
use crate::vm::wire::End;
use std::fs;

const RECORDS: &str = "\
package app 3 x86
needs editor or /usr/bin/none
needs /usr/bin/sh
needs nowhere
script helper --quiet
+ /usr/bin/app
+ /usr/pages/app.txt
+ /usr/share/app/table
package ledger 1 x86
+ /usr/bin/ledger
package shell 2 x86
+ /usr/bin/sh
package tool 9 x86
+ /usr/bin/helper
package vi 10 x86
offers editor
+ /usr/bin/vi
package void 1 x86
+ /usr/bin/void
";

const FILES: [&str; 11] = [
    "/usr/bin/app",
    "/usr/pages/app.txt",
    "/usr/share/app/table",
    "/usr/bin/ledger",
    "/usr/bin/sh",
    "/usr/bin/helper",
    "/usr/bin/vi",
    "/usr/bin/void",
    "/var/cache/ledger/app-3",
    "/var/cache/other/x",
    "/etc/hosts",
];

fn guest() -> Loaded {
    let folder = tempfile::tempdir().expect("a folder");
    let put = |path: &str, text: &str| {
        let path = folder.path().join(&path[1..]);
        fs::create_dir_all(path.parent().expect("a parent")).expect("folders");
        fs::write(path, text).expect("a file");
    };
    for path in FILES {
        put(path, "x");
    }
    put("/var/lib/ledger/packages", RECORDS);
    let job = Job::quiet();
    let mut guest = open(folder.path(), &OpenOptions::default(), &job).expect("it opens");
    let mut loaded = load(guest.as_mut(), &job).expect("it loads");
    "qcow2".clone_into(&mut loaded.inventory.origin.format);
    loaded
}

fn plan(loaded: &Loaded) -> Plan {
    let inventory = &loaded.inventory;
    let app = inventory.find_package("app").expect("app is installed");
    let table = inventory.tree.lookup(b"/usr/share/app/table");
    let mark = |node: Node, wish| ResolvedMark {
        wish,
        nodes: vec![node],
        parts: Vec::new(),
        label: String::new(),
    };
    let marks = [
        mark(app.into(), Wish::Keep(Level::Trimmed)),
        mark(table.expect("a file").into(), Wish::Drop),
    ];
    decide(&Inputs {
        inventory,
        graph: &loaded.graph,
        facets: &loaded.facets,
        unmet: &loaded.unmet,
        marks: &marks,
        rules: RuleSet::default(),
        needed_level: Level::Trimmed,
        trace: &[],
        hypervisors: &[],
    })
}

#[test]
fn it_is_loaded_with_its_own_requirements_and_roles() {
    let loaded = guest();
    let inventory = &loaded.inventory;
    assert_eq!(inventory.package_format, "ledger");
    assert_eq!(inventory.packages.len(), 6);
    let name = |node: Node| match node {
        Node::Package(id) => inventory.package(id).name.clone(),
        Node::File(file) => String::from_utf8(inventory.tree.path(file)).expect("ascii"),
    };
    let needs: Vec<String> = (loaded.graph.needs().iter())
        .map(|need| {
            let finder = need.finder.row().id;
            format!("{} {finder} {}", name(need.from), name(need.to))
        })
        .collect();
    for wanted in [
        "app depends vi",
        "app depends /usr/bin/sh",
        "app maintainer-script /usr/bin/helper",
    ] {
        assert!(needs.iter().any(|need| need == wanted), "{needs:?}");
    }
    let unmet = |unmet: &Unmet| String::from_utf8_lossy(&unmet.what).into_owned();
    let unmet: Vec<String> = loaded.unmet.iter().map(unmet).collect();
    assert_eq!(unmet, ["nowhere"]);
    let roots = inventory.boot.roots.iter();
    let roots: Vec<String> = roots.map(|root| name(root.node)).collect();
    assert!(roots.contains(&"ledger".to_owned()), "{roots:?}");
}

#[test]
fn it_is_planned_and_exported_in_its_own_words() {
    let loaded = guest();
    let plan = plan(&loaded);
    let stays = |path: &str| {
        let file = loaded.inventory.tree.lookup(path.as_bytes());
        plan.keeps_file(file.expect("a file of the guest"))
    };
    let gone: Vec<&str> = FILES.into_iter().filter(|path| !stays(path)).collect();
    assert_eq!(
        gone,
        [
            "/usr/pages/app.txt",
            "/usr/share/app/table",
            "/usr/bin/helper",
            "/usr/bin/void",
            "/var/cache/ledger/app-3",
        ]
    );
    let options = ExportOptions {
        output: "slim.qcow2".into(),
        ..ExportOptions::default()
    };
    let steps = steps(&loaded, &plan, &options).expect("steps");
    let written = |step: Step| match step.kind {
        StepKind::Write(texts) => Some(texts),
        _ => None,
    };
    let texts: Vec<(String, String)> = (steps.into_iter().filter_map(written).flatten())
        .map(|text| (text.path, text.content))
        .map(|(path, text)| [path, text].map(|bytes| String::from_utf8(bytes).expect("text")))
        .map(|[path, text]| (path, text))
        .collect();
    let find = |path: &str| &texts.iter().find(|text| text.0 == path).expect("written").1;
    assert_eq!(
        find("/var/lib/ledger/packages"),
        "package app 3 x86\nneeds editor or /usr/bin/none\nneeds /usr/bin/sh\nneeds nowhere\n\
         script helper --quiet\n+ /usr/bin/app\n- /usr/pages/app.txt\n- /usr/share/app/table\n\
         package ledger 1 x86\n+ /usr/bin/ledger\npackage shell 2 x86\n+ /usr/bin/sh\n\
         package vi 10 x86\noffers editor\n+ /usr/bin/vi\n"
    );
    assert_eq!(
        find("/var/lib/ledger/packages.never"),
        "never pages\nnever /usr/pages/app.txt\nnever /usr/share/app/table\n"
    );
    let removed = find("/var/lib/guestslim/removed.json");
    assert!(removed.contains("\"pages\"") && removed.contains("\"void\""));
}

#[test]
fn it_is_asked_in_its_own_words_whether_all_is_well() {
    let inventory = guest().inventory;
    let said = |stdout: &str| Outcome {
        end: Some(End::Code(0)),
        stdout: stdout.as_bytes().to_vec(),
        ..Outcome::default()
    };
    let (well, unwell) = (said(""), said("3 files are missing\n"));
    let verdict = |after, before| package_manager(after, before, &inventory).verdict;
    let pass = |text: &str| Verdict::Pass(text.to_owned());
    assert_eq!(verdict(&well, None), pass("ledger balance: no complaint"));
    assert_eq!(
        verdict(&unwell, Some(&unwell)),
        pass("ledger balance: the same complaints as in the source")
    );
    assert!(matches!(verdict(&unwell, Some(&well)), Verdict::Fail(_)));
}
