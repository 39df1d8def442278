//! Maintainer scripts: what `dpkg` calls when a package that stays is configured, upgraded or removed.
//!
//! A guess, always: most of it stands in branches that never run again. So it keeps a program in a package that stays in
//! part, and brings no package back.

use super::{MAX_SCRIPT, lexer, program};
use crate::finders::Scan;
use crate::job::Cancelled;
use crate::model::{Evidence, FileId, Inventory, PackageId};

/// What the scripts' names end with.
const KINDS: [&[u8]; 4] = [b".preinst", b".postinst", b".prerm", b".postrm"];

/// The row function.
pub fn find(scan: &mut Scan<'_>) -> Result<(), Cancelled> {
    let (tree, inventory) = (scan.tree(), scan.facts.inventory);
    let scripts: Vec<(FileId, PackageId)> = scan
        .in_folders(&[b"/var/lib/dpkg/info"], b"")
        .into_iter()
        .filter_map(|file| Some((file, package(inventory, tree.name(file))?)))
        .collect();
    for (done, &(file, package)) in scripts.iter().enumerate() {
        scan.report("reading maintainer scripts", done, scripts.len());
        let text = scan.read(file, MAX_SCRIPT)?;
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

/// The package of `libc6:amd64.postinst`.
fn package(inventory: &Inventory, name: &[u8]) -> Option<PackageId> {
    let stem = KINDS.iter().find_map(|kind| name.strip_suffix(*kind))?;
    inventory.find_package(std::str::from_utf8(stem).ok()?)
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
