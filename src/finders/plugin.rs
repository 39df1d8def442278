//! Plug-ins that a configuration file names: name services and PAM modules.

use super::Scan;
use super::boot::{Look, login};
use crate::job::Cancelled;
use crate::model::Evidence;

/// The C library opens the services that `/etc/nsswitch.conf` names, and those it falls back to.
pub fn name_service(scan: &mut Scan<'_>) -> Result<(), Cancelled> {
    scan.check()?;
    let mut guest = Look::new(scan.facts.inventory, scan.source);
    let services = login::name_services(&mut guest);
    let tree = scan.tree();
    for file in tree.ids().filter(|&file| tree.name(file) == b"libc.so.6") {
        scan.check()?;
        let because = scan.because(file, Evidence::Convention);
        for &node in &services {
            scan.found.need(because, node, b"/etc/nsswitch.conf");
        }
    }
    Ok(())
}

/// A service's file in `/etc/pam.d` names modules, those of the stacks that it includes too.
pub fn pam(scan: &mut Scan<'_>) -> Result<(), Cancelled> {
    for file in scan.in_folders(&[b"/etc/pam.d", b"/usr/lib/pam.d"], b"") {
        scan.check()?;
        let Ok(service) = std::str::from_utf8(scan.tree().name(file)) else {
            continue;
        };
        let because = scan.because(file, Evidence::Read);
        let mut guest = Look::new(scan.facts.inventory, scan.source);
        for node in login::pam(&mut guest, &[service]) {
            scan.found.need(because, node, service.as_bytes());
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
