//! The bundled profiles: well-formed, stable when written again, and with checks.

use guestslim::profile::Profile;
use std::fs;
use std::path::Path;

#[test]
fn bundled_profiles_are_read_and_written_without_loss() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("profiles");
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).expect("the bundled profiles") {
        let path = entry.expect("readable").path();
        let profile = Profile::read(&path).expect("it is read");
        let again = Profile::parse(&profile.to_ron()).expect("what is written is read");
        assert_eq!(again, profile);
        assert_eq!(again.to_ron(), profile.to_ron());
        assert!(profile.comment.starts_with("// ") && !profile.checks.is_empty());
        let stem = path
            .file_stem()
            .expect("a name")
            .to_string_lossy()
            .into_owned();
        assert_eq!(profile.name, stem);
        names.push(stem);
    }
    names.sort();
    assert_eq!(names, ["numeric-python", "r-node", "ssh-floor"]);
}
