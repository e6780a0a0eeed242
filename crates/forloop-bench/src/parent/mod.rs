//! Starts the measurements and prints what came of them.

mod baseline;
mod cell;
mod launch;
mod options;

pub(crate) use cell::{Cell, Time};

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use crate::meter::Measure;
use crate::peers::{Kind, Peer};
use crate::report;
use crate::workloads::{BLOCKS, Block};

use launch::{Launcher, Said};
use options::{Options, Wanted};

/// Everything that was measured, in the order of the table.
#[derive(Debug)]
pub(crate) struct Measured {
    pub(crate) cells: Vec<Cell>,
    /// The time limit of one measurement.
    pub(crate) limit: Duration,
    /// Why no instructions were counted, if none were.
    pub(crate) no_instructions: Option<String>,
    pub(crate) quick: bool,
}

pub(crate) fn main() -> ExitCode {
    let options = match Options::parse(lexopt::Parser::from_env()) {
        Ok(Wanted::Run(options)) => options,
        Ok(Wanted::Help) => {
            print!("{}", options::HELP);
            return ExitCode::SUCCESS;
        }
        Err(error) => {
            eprint!("error: {error}\n\n{}", options::HELP);
            return ExitCode::from(2);
        }
    };
    let done = match options.check || options.bless {
        true => baseline::run(&options),
        false => measure(&options).and_then(|measured| report(&options, &measured)),
    };
    done.unwrap_or_else(|why| {
        eprintln!("error: {why}");
        ExitCode::from(2)
    })
}

fn report(options: &Options, measured: &Measured) -> Result<ExitCode, String> {
    print!("{}", report::paragraph());
    if let Some(why) = &measured.no_instructions {
        println!("Instructions: not run: {why}.");
    }
    print!("{}{}", report::table(measured), report::targets(measured));
    let write = |path: &Option<PathBuf>, text: &dyn Fn() -> String| match path {
        Some(path) => {
            fs::write(path, text()).map_err(|error| format!("{}: {error}", path.display()))
        }
        None => Ok(()),
    };
    write(&options.json, &|| format!("{:#}\n", report::json(measured)))?;
    write(&options.chart, &|| report::chart(measured))?;
    Ok(ExitCode::SUCCESS)
}

fn measure(options: &Options) -> Result<Measured, String> {
    let mut launcher = Launcher::new(options.limit())?;
    let no_instructions = match options.instructions {
        true => launcher.find_valgrind().err(),
        false => Some("--no-instructions".to_owned()),
    };
    let mut cells = Vec::new();
    for block in BLOCKS.iter().filter(|block| options.wants(block)) {
        eprintln!("bench: {}, {}", block.name, block.title);
        let of_block = measure_block(block, options, &launcher, no_instructions.is_none());
        cells.extend(of_block);
    }
    Ok(Measured { cells, limit: options.limit(), no_instructions, quick: options.quick })
}

/// Times by turns, so that whatever else the machine does meets every peer alike; then what is exact.
fn measure_block(
    block: &Block,
    options: &Options,
    launcher: &Launcher,
    instructions: bool,
) -> Vec<Cell> {
    let n = options.items(block);
    let peers = Peer::ALL.into_iter().filter(|&peer| block.is_for(peer));
    let mut cells: Vec<Cell> = peers.map(|peer| Cell::new(*block, peer, n)).collect();
    for _ in 0..options.repetitions() {
        for cell in cells.iter_mut().filter(|cell| matches!(cell.time, Time::Samples(_))) {
            match launcher.run(block, cell.peer, Measure::Time, n) {
                Ok(Said::Figures(figures)) => cell.add_time(&figures),
                Ok(Said::OverLimit) => cell.time = Time::OverLimit,
                Err(why) => {
                    eprintln!("bench: {why}");
                    cell.time = Time::Failed;
                }
            }
        }
    }
    let counted = cells.iter_mut().filter(|cell| {
        matches!(cell.time, Time::Samples(_)) && cell.peer.kind() != Kind::TwoThreads
    });
    for cell in counted {
        for measure in [Measure::Polls, Measure::Heap] {
            match launcher.run(block, cell.peer, measure, n) {
                Ok(Said::Figures(figures)) => cell.add_exact(&figures, n),
                Ok(Said::OverLimit) => {}
                Err(why) => eprintln!("bench: {why}"),
            }
        }
        if instructions && block.is_exact() && options.counts_instructions(cell.peer) {
            match launcher.instructions(block, cell.peer, n.min(10_000)) {
                Ok(instructions) => cell.instructions = instructions,
                Err(why) => eprintln!("bench: {why}"),
            }
        }
    }
    cells
}
