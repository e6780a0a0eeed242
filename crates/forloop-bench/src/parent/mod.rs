//! Starts the measurements and prints the report.

mod baseline;
mod launch;
mod options;

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use crate::cell::{Cell, Measured, Time};
use crate::meter::Measure;
use crate::peers::{Kind, Peer};
use crate::report;
use crate::workloads::{BLOCKS, Block};

use self::launch::{Launcher, Measurement};
use self::options::{Invocation, Options};

pub(crate) fn main() -> ExitCode {
    let options = match Options::parse(lexopt::Parser::from_env()) {
        Ok(Invocation::Run(options)) => options,
        Ok(Invocation::Help) => {
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
    for block in BLOCKS.iter().filter(|block| options.selects(block)) {
        eprintln!("bench: {}, {}", block.name, block.title);
        let block_cells = measure_block(block, options, &launcher, no_instructions.is_none());
        cells.extend(block_cells);
    }
    Ok(Measured { cells, limit: options.limit(), no_instructions, quick: options.quick })
}

/// Times the peers in turn, so that other work on the machine affects all of them alike; then measures the
/// exact figures.
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
                Ok(Measurement::Figures(figures)) => cell.add_time(&figures),
                Ok(Measurement::TimedOut) => cell.time = Time::TimedOut,
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
                Ok(Measurement::Figures(figures)) => cell.add_exact(&figures, n),
                Ok(Measurement::TimedOut) => {}
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
