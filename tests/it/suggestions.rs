//! What could still go: each suggestion saves what it says, and a class that is accepted stays accepted.

use crate::picture::draw;
use guestslim::graph::Graph;
use guestslim::job::{Cancel, Job};
use guestslim::model::{Bytes, Evidence, FinderId, Need, Node};
use guestslim::plan::{Level, Risk, Selector, Wish};
use guestslim::profile::Profile;
use guestslim::session::{Edit, Intent, Offers, Session};
use std::fmt::Write as _;
use std::sync::Arc;

const GUEST: &str = "
    libc!
    kernel: libc tools
    tools: libc
    plot: fit python
    fit: gcc-12 blas
    blas: libc
    python: libc
    gcc-12: cpp libc
    cpp: libc
    boot: kernel
    /boot/vmlinuz-6.1 500 @kernel
    /boot/initrd.img-5.10 700
    /usr/sbin/mkinitramfs 300 @tools
    /lib/modules/5.10/ext4.ko 80
    /usr/lib/libc.so.6 200 @libc
    /usr/lib/libblas.so 90 @blas
    /usr/lib/fit.so 60 @fit > /usr/lib/libblas.so
    /usr/bin/plot 100 @plot > /usr/bin/python /usr/lib/fit.so
    /usr/bin/python 400 @python
    /usr/libexec/gcc 900 @gcc-12 > /usr/bin/cpp
    /usr/bin/cpp 300 @cpp
    /usr/lib/python3/dist-packages/plot/tests/big.py 70 @plot
    /opt/solver/bin/run 1500
    /opt/tools/bin/used 1200
    /opt/tools/old/data 4000
    /usr/local/bin/wrapper 2 > /opt/tools/bin/used
    /home/ada/results/run1 3000
    /home/ada/env/pyvenv.cfg 1
    /home/ada/env/lib/a.py 2000
    /home/ada/.local/share/Trash/files/x 90
";

fn session() -> Session {
    session_of(GUEST)
}

fn session_of(guest: &str) -> Session {
    let mut loaded = draw(guest);
    "6.1".clone_into(&mut loaded.inventory.boot.kernel_version);
    let mut session = Session::new(Arc::new(loaded), Intent::default());
    let plot = Selector::Package("plot".to_owned());
    session.apply(Edit::Mark(plot, Wish::Keep(Level::Trimmed)));
    session
}

fn offers(session: &Session) -> Offers {
    session.offers(&Job::quiet()).expect("nobody cancels")
}

fn table(offers: &Offers) -> String {
    let mut text = String::new();
    for offer in &offers.list {
        let suggestion = &offer.suggestion;
        writeln!(
            text,
            "{} {}: {}, {} ({})",
            suggestion.risk.word(),
            suggestion.kind,
            suggestion.subject,
            offer.saves,
            suggestion.evidence
        )
        .expect("a String takes every write");
    }
    text
}

#[test]
fn what_nothing_needs_is_suggested_by_risk_and_size() {
    let offers = offers(&session());
    insta::assert_snapshot!(table(&offers), @r"
    safe rule: switch on trash, 92.16 kB (takes 1 file: what was thrown away in home folders)
    low kernel: drop kernel 5.10, 798.72 kB (the default boot entry loads another one (2 files))
    low rule: switch on test-suites, 71.68 kB (takes 1 file: test suites inside Python packages)
    ask tree: drop /opt/tools/old, 4.10 MB (yours; nothing outside of it needs a file of it (1 file))
    ask tree: drop /home/ada/results, 3.07 MB (yours; nothing outside of it needs a file of it (1 file))
    ask tree: drop /home/ada/env, 2.05 MB (a Python environment; nothing outside of it needs a file of it (2 files))
    ask tree: drop /opt/solver, 1.54 MB (yours; nothing outside of it needs a file of it (1 file))
    ask hollow: hollow gcc-12, 1.23 MB (fit declares it; no kept file needs a file of it (1 file))
    ");
    assert_eq!(offers.classes[0], Bytes::from_kib(90));
    assert!(offers.classes.is_sorted());
}

#[test]
fn every_offer_saves_what_it_says() {
    let mut session = session();
    for offer in offers(&session).list {
        let before = session.plan().after;
        let accepted = offer.suggestion.on(session.inventory(), session.intent());
        assert!(session.apply(Edit::Replace(accepted)));
        let after = session.plan().after;
        assert_eq!(
            (
                before.allocated - after.allocated,
                before.files - after.files
            ),
            (offer.saves, offer.files),
            "{}",
            offer.suggestion.subject
        );
        assert!(session.undo());
    }
}

#[test]
fn a_class_that_is_accepted_says_what_it_took_and_leaves_nothing_of_itself() {
    for (at, class) in Risk::ALL.into_iter().enumerate() {
        let mut session = session();
        let before = session.plan().after.allocated;
        let promised = offers(&session).classes[at];
        session.apply(Edit::Accept(Some(class)));
        assert_eq!(before - session.plan().after.allocated, promised);
        let left = offers(&session).list;
        assert!(
            left.iter().all(|offer| offer.suggestion.risk > class),
            "{}",
            table(&offers(&session))
        );
        assert!(
            session
                .plan()
                .accepted
                .iter()
                .all(|taken| taken.risk <= class)
        );
        assert!(session.undo() && session.plan().accepted.is_empty());
    }
}

#[test]
fn a_mark_wins_over_a_class_that_is_accepted() {
    let mut session = session();
    session.apply(Edit::Accept(Some(Risk::Ask)));
    let keeps = |session: &Session| {
        let file = session.inventory().tree.lookup(b"/home/ada/results/run1");
        session.plan().keeps_file(file.expect("a file"))
    };
    assert!(!keeps(&session));
    let results = Selector::Path("/home/ada/results".to_owned());
    session.apply(Edit::Mark(results, Wish::Keep(Level::Whole)));
    assert!(keeps(&session));
}

#[test]
fn a_profile_accepts_a_class_in_one_line_and_the_plan_says_why() {
    let text = "(version: 1, name: \"x\", marks: [keep(package(\"plot\"), trimmed)], \
                rules: {\"byte-code\": off}, accept: ask)";
    let profile = Profile::parse(text).expect("a profile");
    let session = Session::new(Arc::new(draw(GUEST)), profile.intent());
    let gcc = session.inventory().find_package("gcc-12").expect("gcc");
    let why = session.why(guestslim::model::Node::Package(gcc));
    assert_eq!(
        why[0].text,
        "gcc-12 stays hollowed: suggestion hollow gcc-12 is accepted"
    );
    let again = Profile::parse(&profile.to_ron()).expect("what is written can be read");
    assert_eq!(again.intent(), profile.intent());
    let rule = guestslim::plan::RuleId::find("byte-code").expect("a rule");
    assert!(!again.intent().rules.contains(rule), "off was said");
}

#[test]
fn weighing_stops_when_it_is_cancelled() {
    let cancel = Cancel::default();
    cancel.cancel();
    let job = Job::quiet().with_cancel(cancel);
    assert!(session().offers(&job).is_err());
}

#[test]
fn what_owns_a_program_is_hollowed_only_where_a_trace_saw_that_nobody_calls_it() {
    let mut session = session_of(&GUEST.replace("/usr/libexec/gcc", "/usr/bin/gcc"));
    let gcc = |session: &Session| {
        let list = offers(session).list.into_iter();
        let mut found = list.filter(|offer| offer.suggestion.subject == "hollow gcc-12");
        found.next().map(|offer| offer.suggestion.risk)
    };
    assert_eq!(gcc(&session), None);
    session.apply(Edit::Replace(Intent {
        trace: vec!["/usr/bin/plot".to_owned()],
        ..session.intent().clone()
    }));
    assert_eq!(gcc(&session), Some(Risk::Low));
}

const MACHINE: &str = "
    kernel
    boot: kernel
    /boot/vmlinuz 500 @kernel
    /lib/modules/6.1/modules.dep 1 @kernel
    /lib/modules/6.1/kernel/drivers/net/ethernet/e1000.ko 90 @kernel
    /lib/modules/6.1/kernel/drivers/net/wireless/ath.ko 900 @kernel
    /lib/modules/6.1/kernel/fs/ext4.ko 40 @kernel
    /lib/firmware/ath.bin 76 @kernel
";

#[test]
fn drivers_of_real_hardware_may_go_where_nobody_said_what_the_guest_runs_on() {
    let mut session = Session::new(Arc::new(draw(MACHINE)), Intent::default());
    let line = |session: &Session| table(&offers(session));
    assert_eq!(
        line(&session),
        "ask hardware: run on virtual machines only, 999.42 kB (drivers and firmware that no known hypervisor's guests need (2 files))\n"
    );
    session.apply(Edit::Accept(Some(Risk::Ask)));
    let keeps = |session: &Session, path: &str| {
        let file = session.inventory().tree.lookup(path.as_bytes());
        session.plan().keeps_file(file.expect("it is there"))
    };
    let folder = "/lib/modules/6.1/kernel/drivers/net";
    assert!(!keeps(&session, &format!("{folder}/wireless/ath.ko")));
    assert!(keeps(&session, &format!("{folder}/ethernet/e1000.ko")));
    assert_eq!(session.plan().accepted.len(), 1);
    assert_eq!(line(&session), "");
    session.undo();
    let trace = |path: &str| Intent {
        trace: vec![path.to_owned()],
        ..Intent::default()
    };
    session.apply(Edit::Replace(trace("/boot/vmlinuz")));
    let said = line(&session);
    assert!(
        said.starts_with("low hardware") && said.contains("the trace read none of it"),
        "{said}"
    );
    session.apply(Edit::Replace(trace(&format!("{folder}/wireless/ath.ko"))));
    assert!(
        line(&session).starts_with("ask hardware"),
        "{}",
        line(&session)
    );
}

const GPUS: &str = "
    blas
    whole
    /opt/rocm/rocblas/library/TensileLibrary_lazy_gfx906.dat 20
    /opt/rocm/rocblas/library/Kernels.so-000-gfx906-xnack-.hsaco 90
    /opt/rocm/rocblas/library/TensileLibrary_lazy_gfx90a.dat 30
    /opt/both/a_gfx906.co 70
    /opt/both/b_gfx90a_gfx906.co 70
    /usr/lib/blas/gfx906/fwd/a.co 400 @blas
    /usr/lib/blas/gfx906/fwd/notes.txt 1 @blas
    /usr/lib/blas/gfx90a/a.co 500 @blas
    /usr/lib/k/kernels_sm80.cubin 100 @blas
    /usr/lib/w/gfx906/b.co 800 @whole
    /usr/lib/libblas.so 5 @blas > /usr/lib/blas/gfx90a/a.co
";

fn gpus(trace: &[&str]) -> Session {
    let intent = Intent {
        trace: trace.iter().map(|&path| path.to_owned()).collect(),
        ..Intent::default()
    };
    let mut session = Session::new(Arc::new(draw(GPUS)), intent);
    for (package, level) in [("blas", Level::Trimmed), ("whole", Level::Whole)] {
        let selector = Selector::Package(package.to_owned());
        session.apply(Edit::Mark(selector, Wish::Keep(level)));
    }
    session
}

fn gpu_table(session: &Session) -> String {
    let mut offers = offers(session);
    offers.list.retain(|offer| offer.suggestion.kind == "gpu");
    table(&offers)
}

#[test]
fn gpu_code_is_suggested_by_architecture_as_a_few_globs() {
    // What another architecture runs, too, and a whole package are left alone; what a file names saves nothing.
    let mut session = gpus(&[]);
    insta::assert_snapshot!(gpu_table(&session), @r"
    ask gpu: drop GPU code for gfx906, 522.24 kB (only GPUs of this architecture run it (3 files))
    ask gpu: drop GPU code for sm_80, 102.40 kB (only GPUs of this architecture run it (1 file))
    ask gpu: drop GPU code for gfx90a, 30.72 kB (only GPUs of this architecture run it (2 files))
    ");
    let offer = offers(&session).list.into_iter();
    let mut offer = offer.filter(|offer| offer.suggestion.subject.ends_with("gfx906"));
    let accepted = offer.next().expect("it is offered").suggestion;
    let accepted = accepted.on(session.inventory(), session.intent());
    session.apply(Edit::Replace(accepted));
    let drops = session.intent().marks.iter();
    let drops: Vec<String> = drops
        .filter(|mark| mark.wish == Wish::Drop)
        .map(|mark| mark.selector.to_string())
        .collect();
    assert_eq!(
        drops,
        [
            "path /opt/rocm/rocblas/library/*gfx906[!0-9a-z]*",
            "path /usr/lib/blas/gfx906/**/*.co",
        ]
    );
    assert!(!gpu_table(&session).contains("gfx906"));
}

#[test]
fn a_trace_that_read_code_for_one_gpu_makes_the_others_a_low_risk() {
    let other = gpus(&["/usr/lib/libblas.so"]);
    assert_eq!(gpu_table(&other), gpu_table(&gpus(&[])));
    insta::assert_snapshot!(gpu_table(&gpus(&["/usr/lib/blas/gfx90a/a.co"])), @r"
    low gpu: drop GPU code for gfx906, 522.24 kB (only GPUs of this architecture run it; the trace read code for gfx90a only (3 files))
    low gpu: drop GPU code for sm_80, 102.40 kB (only GPUs of this architecture run it; the trace read code for gfx90a only (1 file))
    ");
}

#[test]
fn a_mark_on_code_for_one_gpu_wins_over_a_convention_and_a_mark_on_its_folder_does_not() {
    let (code, table) = ("/opt/k/hsa/gfx942/a.co", "/opt/k/hsa/gfx942/a.csv");
    let picture = format!("{code} 90\n{table} 1\n/opt/k/__init__.py 1");
    for evidence in [Evidence::Component, Evidence::Convention, Evidence::Read] {
        let mut loaded = draw(&picture);
        let at = |path: &str| loaded.inventory.tree.lookup(path.as_bytes());
        let at = |path: &str| Node::File(at(path).expect("it is there"));
        let need = Need {
            from: at("/opt/k/__init__.py"),
            to: at("/opt/k/hsa"),
            finder: FinderId(0),
            evidence,
            what: [].into(),
        };
        loaded.graph = Graph::build(&loaded.inventory, vec![need]);
        let loaded = Arc::new(loaded);
        let stays = |mark: &str, path: &str| {
            let mut session = Session::new(Arc::clone(&loaded), Intent::default());
            let selector = Selector::Path(mark.to_owned());
            session.apply(Edit::Mark(selector, Wish::Drop));
            let file = session.inventory().tree.lookup(path.as_bytes());
            session.plan().keeps_file(file.expect("it is there"))
        };
        assert!(stays("/opt/k/hsa", code), "{evidence:?}");
        assert!(stays("/opt/k/hsa/gfx942/*", table), "{evidence:?}");
        assert_eq!(
            stays("/opt/k/hsa/gfx942/*", code),
            evidence == Evidence::Read
        );
    }
}
