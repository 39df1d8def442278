//! Perl's finder on a small guest.

use crate::finders::fixture::Fixture;

const LIB: &str = "/usr/lib/x/perl/5.36.0";

#[test]
fn modules_are_followed_through_the_search_path_with_their_compiled_halves() {
    let needs = Fixture::new(&[
        (
            "/usr/bin/tool",
            "#!/usr/bin/perl -w\nuse POSIX;\nuse Own;\nuse strict;\n",
        ),
        ("/usr/lib/x/perl-base/strict.pm", ""),
        ("/usr/lib/x/perl/5.36 -> 5.36.0", ""),
        ("/usr/lib/x/perl/5.36.0/POSIX.pm", "use XSLoader;\n"),
        ("/usr/lib/x/perl/5.36.0/strict.pm", ""),
        ("/usr/lib/x/perl/5.36.0/auto/POSIX/POSIX.so", ""),
        ("/usr/lib/x/perl/5.36.0/auto/POSIX/deep/other.so", ""),
        ("/usr/share/perl/5.36.0/unicore/Name.pl", ""),
        (
            "/usr/share/perl5/Own.pm",
            "my $m = 'x'; require \"Own/$m.pm\";\n",
        ),
        ("/usr/share/perl5/Own/Part.pm", ""),
    ])
    .run("perl-module");
    assert_eq!(
        needs,
        [
            "/usr/bin/tool -> /usr/lib/x/perl-base/strict.pm".to_owned(),
            format!("/usr/bin/tool -> {LIB}/POSIX.pm"),
            "/usr/bin/tool -> /usr/share/perl5/Own.pm".to_owned(),
            format!("{LIB}/POSIX.pm -> {LIB}/auto/POSIX/POSIX.so"),
            format!("{LIB}/POSIX.pm -> /usr/share/perl/5.36.0/unicore"),
            format!("{LIB}/strict.pm -> /usr/share/perl/5.36.0/unicore"),
            "/usr/share/perl5/Own.pm -> /usr/share/perl5/Own".to_owned(),
        ]
    );
}

#[test]
fn what_is_tried_is_only_needed_by_the_scientists_own_scripts() {
    let needs = Fixture::new(&[
        (
            "/home/me/x",
            "#!/usr/bin/env perl\neval { require Tried; };\n",
        ),
        ("/usr/share/perl5/Tried.pm", ""),
    ])
    .run("perl-module");
    assert_eq!(needs, ["/home/me/x -> /usr/share/perl5/Tried.pm"]);
}
