//! What the compiler says to the mistakes users make: part of the interface, held in golden files.

use std::process::Command;

/// The compiler whose words the golden files hold.
const RUSTC: &str = "rustc 1.95.";

#[test]
fn mistakes_get_the_messages_in_the_golden_files() {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let version = Command::new(rustc).arg("--version").output().expect("rustc is there");
    let version = String::from_utf8_lossy(&version.stdout);
    if !version.starts_with(RUSTC) {
        println!("not run: the golden files hold the words of {RUSTC}x, this is {version}");
        return;
    }
    trybuild::TestCases::new().compile_fail("ui/*.rs");
}
