//! R's finders on a small guest.

use crate::finders::fixture::Fixture;

const HOME: &str = "/usr/lib/R";

fn guest() -> Vec<(&'static str, &'static str)> {
    vec![
        ("/usr/bin/R -> ../lib/R/bin/R", ""),
        ("/usr/bin/Rscript", ""),
        ("/usr/bin/sed", ""),
        ("/usr/lib/R/bin/R", "#!/bin/sh\n"),
        ("/usr/lib/R/bin/exec/R", ""),
        ("/usr/lib/R/lib/libR.so", ""),
        ("/usr/lib/R/etc/Renviron -> /etc/R/Renviron", ""),
        ("/etc/R/Renviron", ""),
        (
            "/usr/lib/R/library/base/DESCRIPTION",
            "Package: base\nPriority: base\n",
        ),
        ("/usr/lib/R/library/base/Meta/package.rds", ""),
        (
            "/usr/lib/R/library/stats/DESCRIPTION",
            "Package: stats\nPriority: base\nImports: utils,\n grDevices\n",
        ),
        ("/usr/lib/R/library/stats/Meta/package.rds", ""),
        ("/usr/lib/R/library/stats/libs/stats.so", ""),
        (
            "/usr/local/lib/R/site-library/MASS/DESCRIPTION",
            "Package: MASS\nVersion: 7.3\nDepends: R (>= 4.0), stats (>= 1)\nDescription: x\n stats, y\nLinkingTo: Rcpp\n",
        ),
        ("/usr/local/lib/R/site-library/MASS/Meta/package.rds", ""),
        (
            "/home/me/fit.R",
            "library(MASS)\nlibrary(gone)\nif (require(alsogone)) 1\n",
        ),
    ]
}

#[test]
fn r_needs_its_base_packages_its_configuration_and_its_helpers() {
    let needs = Fixture::new(&guest()).run("r-home");
    for (from, to) in [
        ("/usr/lib/R/lib/libR.so", "/usr/lib/R/library/stats"),
        ("/usr/lib/R/lib/libR.so", "/usr/lib/R/etc"),
        ("/usr/bin/Rscript", "/usr/lib/R/bin/R"),
        ("/usr/lib/R/bin/R", "/usr/lib/R/bin/exec/R"),
        ("/usr/lib/R/bin/R", "/usr/bin/sed"),
    ] {
        assert!(
            needs.contains(&format!("{from} -> {to}")),
            "{to}: {needs:?}"
        );
    }
    assert!(!needs.iter().any(|need| need.contains("MASS")));
}

#[test]
fn a_package_is_one_unit_and_needs_what_it_declares() {
    let needs = Fixture::new(&guest()).run("r-package");
    let mass = "/usr/local/lib/R/site-library/MASS";
    for need in [
        format!("{mass}/DESCRIPTION -> {mass}"),
        format!("{mass}/DESCRIPTION -> {HOME}/library/stats/DESCRIPTION"),
        format!("{mass}/DESCRIPTION -> {HOME}/bin/R"),
        format!("{mass}/DESCRIPTION -> ! Rcpp"),
        format!("{mass}/Meta/package.rds -> {mass}/DESCRIPTION"),
        format!("{HOME}/library/stats/libs/stats.so -> {HOME}/library/stats/DESCRIPTION"),
        format!("{HOME}/library/stats/DESCRIPTION -> ! grDevices"),
    ] {
        assert!(needs.contains(&need), "{need}: {needs:?}");
    }
}

#[test]
fn a_script_needs_the_packages_that_it_loads() {
    let needs = Fixture::new(&guest()).run("r-script");
    assert_eq!(
        needs,
        [
            "/home/me/fit.R -> ! gone",
            "/home/me/fit.R -> /usr/local/lib/R/site-library/MASS/DESCRIPTION",
        ]
    );
}
