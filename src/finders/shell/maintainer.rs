//! Maintainer scripts: what the package manager calls when a package that stays is configured, upgraded or removed.
//!
//! A guess, always: most of it stands in branches that never run again. So it keeps a program in a package that stays in
//! part, and brings no package back.

use super::{MAX_SCRIPT, lexer, program};
use crate::finders::Scan;
use crate::finders::scan::MAX_RECORD;
use crate::job::Cancelled;
use crate::model::Evidence;
use crate::pkgdb::{self, Script, ScriptText};

/// The row function.
pub fn find(scan: &mut Scan<'_>) -> Result<(), Cancelled> {
    let (tree, inventory) = (scan.tree(), scan.facts.inventory);
    let mut fetch = |file, most: u64| {
        let most = usize::try_from(most).map_or(MAX_RECORD, |most| most.min(MAX_RECORD));
        scan.read(file, most).ok()
    };
    let scripts = pkgdb::of(inventory).scripts(inventory, &mut fetch);
    let count = scripts.len();
    for (done, Script { package, text }) in scripts.into_iter().enumerate() {
        scan.report("reading maintainer scripts", done, count);
        scan.check()?;
        let text = match text {
            ScriptText::File(file) => scan.read(file, MAX_SCRIPT)?,
            ScriptText::Here(text) => text,
        };
        let because = scan.because(package, Evidence::Guessed);
        for word in lexer::commands(&text) {
            if let Some(end) = program(tree, &word)
                && inventory.owner(end.file) != Some(package)
            {
                scan.found.chain(because, &end, &word);
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::finders::fixture::Fixture;

    #[test]
    fn packages_may_call_what_their_maintainer_scripts_name() {
        let mut guest = Fixture::new(&[
            (
                "/var/lib/dpkg/info/ssh.postinst",
                "#!/bin/sh\nset -e\n. /usr/share/debconf/confmodule\nif true; then adduser --quiet sshd; own; fi\n",
            ),
            ("/var/lib/dpkg/info/ssh.list", "adduser"),
            ("/var/lib/dpkg/info/gone.postinst", "adduser"),
            ("/usr/share/debconf/confmodule", ""),
            ("/usr/sbin/adduser", ""),
            ("/usr/bin/own", ""),
        ]);
        guest.own("ssh", &[], &["/usr/bin/own"]);
        assert_eq!(
            guest.run("maintainer-script"),
            [
                "ssh -> /usr/sbin/adduser",
                "ssh -> /usr/share/debconf/confmodule"
            ]
        );
    }
}
