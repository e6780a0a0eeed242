//! Measures and reports; see the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    forloop_bench::main(None)
}
