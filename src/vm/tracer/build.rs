//! Builds the tracer: a separate static program that is embedded in the main program.
//!
//! Cargo cannot link one binary of a package differently from the others, so the compiler is called here. Without a static C
//! library the build continues, and the program says what is missing when it is asked to trace.

use std::path::PathBuf;
use std::process::Command;

fn main() {
    println!("cargo:rerun-if-changed=src/vm/tracer");
    println!("cargo:rerun-if-changed=src/vm/wire.rs");
    let of_cargo = |name: &str| std::env::var(name).expect("Cargo sets it for build scripts");
    let program = PathBuf::from(of_cargo("OUT_DIR")).join("tracer");
    let built = Command::new(of_cargo("RUSTC"))
        .args([
            "src/vm/tracer/main.rs",
            "--edition",
            "2024",
            "--crate-type",
            "bin",
        ])
        .args(["--crate-name", "tracer", "--target", &of_cargo("TARGET")])
        .args(["-C", "target-feature=+crt-static", "-C", "opt-level=s"])
        .args(["-C", "panic=abort", "-C", "strip=symbols"])
        .arg("-o")
        .arg(&program)
        .status();
    if !built.is_ok_and(|status| status.success()) {
        println!(
            "cargo:warning=no static C library: this build can neither trace nor run checks in a guest"
        );
        std::fs::write(&program, []).expect("Cargo's own folder can be written");
    }
}
