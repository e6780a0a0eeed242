//! Runs the benchmarks; see the library.

#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    forloop_bench::main(None)
}
