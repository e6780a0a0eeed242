//! `wasm_host`: builds the WebAssembly module and runs it in Node. The output is that of the module; see
//! `module/src/lib.rs`.

#![forbid(unsafe_code)]

use std::error::Error;
use std::path::Path;
use std::process::{Command, ExitCode};

use cross::Package;

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let module = Package {
        folder: &here.join("module"),
        target: "wasm32-unknown-unknown",
        std: "std,panic_abort",
        file: "module.wasm",
    };
    let module = module.build()?;
    let node = Command::new("node").arg(here.join("run.mjs")).arg(module).status()?;
    Ok(if node.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
