//! Real code for two GPU architectures, in an environment that pip made.

use crate::built;
use guestslim::job::Job;
use guestslim::model::FileId;
use guestslim::session::{Edit, Intent, Session};
use std::sync::Arc;

const KERNELS: &str = "/opt/science/lib/python3.11/site-packages/aiter_meta/hsa";

#[test]
fn code_for_one_gpu_goes_out_of_a_distribution_and_the_rest_of_it_stays() {
    let mut session = Session::new(Arc::new(built::folder("runtimes")), Intent::default());
    let offers = session.offers(&Job::quiet()).expect("nobody cancels");
    let gpus = offers.list.iter();
    let gpus: Vec<_> = gpus
        .filter(|offer| offer.suggestion.kind == "gpu")
        .collect();
    let subjects: Vec<&str> = gpus
        .iter()
        .map(|offer| &*offer.suggestion.subject)
        .collect();
    assert_eq!(
        subjects,
        ["drop GPU code for gfx942", "drop GPU code for gfx950"]
    );
    let accepted = gpus[0].suggestion.on(session.inventory(), session.intent());
    session.apply(Edit::Replace(accepted));
    let tree = &session.inventory().tree;
    let kept = |folder: &str, is_code: bool| {
        let files = tree.subtree(built::file(tree, &format!("{KERNELS}/{folder}")));
        let files = files.map(FileId).filter(|&file| !tree.is_directory(file));
        let files = files.filter(|&file| tree.name(file).ends_with(b"o") == is_code);
        let (kept, gone): (Vec<_>, Vec<_>) =
            files.partition(|&file| session.plan().keeps_file(file));
        (kept.len(), gone.len())
    };
    // `.co` and `.hsaco` are code, `.csv` and `.py` are tables and what made them.
    assert_eq!(kept("gfx942", true), (0, gpus[0].files as usize));
    assert_eq!(kept("gfx950", true), (gpus[1].files as usize, 0));
    assert!(kept("gfx942", false).0 > 0 && kept("gfx942", false).1 == 0);
    let said: Vec<&str> = session
        .plan()
        .findings
        .iter()
        .map(|finding| &*finding.message)
        .filter(|message| message.contains("gfx942"))
        .collect();
    assert_eq!(said, Vec::<&str>::new());
}
