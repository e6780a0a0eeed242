//! `bare_metal`: builds the program for a board and runs it on an emulated one. The output is that of the
//! board; see `board/src/main.rs`.

#![forbid(unsafe_code)]

use std::error::Error;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

use cross::Package;

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let board = Package {
        folder: &Path::new(env!("CARGO_MANIFEST_DIR")).join("board"),
        target: "thumbv7em-none-eabihf",
        std: "core,alloc",
        file: "board",
    };
    let board = board.build()?;
    // A Cortex-M4 with its memory. Output and exit status are passed through the debugger's channel.
    let mut emulator = Command::new("qemu-system-arm");
    emulator.args(["-machine", "mps2-an386", "-display", "none", "-monitor", "none"]);
    emulator.args(["-serial", "none", "-semihosting-config", "enable=on,target=native"]);
    let ended = emulator.arg("-kernel").arg(board).stdin(Stdio::null()).status()?;
    Ok(if ended.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
