//! Plug-ins that a configuration file names: name services and PAM modules.

use super::boot::{Look, login};
use super::{Because, Facts, Found, Source};
use crate::job::{Cancelled, Job};
use crate::model::{Evidence, FileKind, Node};

/// The C library opens the services that `/etc/nsswitch.conf` names, and those it falls back to.
pub fn name_service(
    finder: u8,
    facts: &Facts<'_>,
    source: &mut dyn Source,
    found: &mut Found,
    job: &Job,
) -> Result<(), Cancelled> {
    job.check()?;
    let mut guest = Look::new(facts.inventory, source);
    let services = login::name_services(&mut guest);
    let tree = &facts.inventory.tree;
    for file in tree.ids().filter(|&file| tree.name(file) == b"libc.so.6") {
        let because = Because {
            finder,
            from: Node::File(file),
            evidence: Evidence::Convention,
        };
        for &node in &services {
            found.need(because, node, b"/etc/nsswitch.conf");
        }
    }
    Ok(())
}

/// A service's file in `/etc/pam.d` names modules, those of the stacks that it includes too.
pub fn pam(
    finder: u8,
    facts: &Facts<'_>,
    source: &mut dyn Source,
    found: &mut Found,
    job: &Job,
) -> Result<(), Cancelled> {
    let tree = &facts.inventory.tree;
    let mut guest = Look::new(facts.inventory, source);
    for folder in [&b"/etc/pam.d"[..], b"/usr/lib/pam.d"] {
        let Some(folder) = tree.resolve(folder) else {
            continue;
        };
        for &file in tree.children(folder.file) {
            job.check()?;
            let Ok(service) = std::str::from_utf8(tree.name(file)) else {
                continue;
            };
            if tree.kind(file) != FileKind::Regular {
                continue;
            }
            let because = Because {
                finder,
                from: Node::File(file),
                evidence: Evidence::Read,
            };
            for node in login::pam(&mut guest, &[service]) {
                found.need(because, node, service.as_bytes());
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::finders::fixture::Fixture;

    #[test]
    fn the_c_library_needs_the_services_that_are_named() {
        let mut guest = Fixture::new(&[
            ("/usr/lib/x86_64-linux-gnu/libc.so.6", ""),
            ("/usr/lib/x86_64-linux-gnu/libnss_sss.so.2", ""),
            ("/usr/lib/x86_64-linux-gnu/libnss_nis.so.2", ""),
            (
                "/etc/nsswitch.conf",
                "passwd: files [NOTFOUND=return] sss\n",
            ),
        ]);
        let from = "/usr/lib/x86_64-linux-gnu/libc.so.6";
        assert_eq!(
            guest.run("name-service"),
            [format!(
                "{from} -> /usr/lib/x86_64-linux-gnu/libnss_sss.so.2"
            )]
        );
    }

    #[test]
    fn a_pam_stack_needs_the_modules_of_what_it_includes() {
        let mut guest = Fixture::new(&[
            ("/usr/lib/x86_64-linux-gnu/security/pam_unix.so", ""),
            ("/usr/lib/x86_64-linux-gnu/security/pam_env.so", ""),
            ("/usr/lib/x86_64-linux-gnu/security/pam_other.so", ""),
            (
                "/etc/pam.d/sshd",
                "@include common-auth\nsession required pam_env.so readenv=1\n",
            ),
            (
                "/etc/pam.d/common-auth",
                "auth [success=1 default=ignore] pam_unix.so nullok\n@include sshd\n",
            ),
        ]);
        let needs = guest.run("pam");
        let module =
            |name: &str| format!("/etc/pam.d/sshd -> /usr/lib/x86_64-linux-gnu/security/{name}");
        assert!(needs.contains(&module("pam_unix.so")) && needs.contains(&module("pam_env.so")));
        assert!(!needs.contains(&module("pam_other.so")));
    }
}
