//! The compiler's messages for users' mistakes are part of the interface, and kept in golden files.

use std::process::Command;

/// The compiler that the golden files belong to.
const RUSTC: &str = "rustc 1.95.";

#[test]
fn mistakes_get_the_messages_in_the_golden_files() {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let version = Command::new(rustc).arg("--version").output().expect("rustc runs");
    let version = String::from_utf8_lossy(&version.stdout);
    if !version.starts_with(RUSTC) {
        println!("not run: the golden files are for {RUSTC}x, this is {version}");
        return;
    }
    trybuild::TestCases::new().compile_fail("ui/*.rs");
}
