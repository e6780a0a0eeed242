//! `cargo xtask compare`: runs the crawl with several libraries and prints a table.
//!
//! The loops are in `examples/crawl_compared`, and `peers` lists them. Each run is a process of its own, and so
//! is the site. `build` builds the programs, `runs` runs them, and [`output`] parses their output. The guide's
//! page on the crawl shows the table.

mod build;
pub mod output;
mod peers;
mod runs;

use std::{fs, path::Path, process::ExitCode};

use lexopt::{Arg, Parser, ValueExt};

use crate::{
    processes::Processes,
    verify::{self, run::Run},
};

use self::{
    build::Programs,
    output::{Measurement, Summary},
    peers::{PEERS, Peer},
    runs::Site,
};

const HELP: &str = "\
Runs the loops of examples/crawl_compared on the same pages and prints one table.

usage: cargo xtask compare [options]

options:
  --pages N      pages to fetch when throughput and memory are measured (20000)
  --rounds N     number of measurements; the table shows the median (3)
  --help         print this text

exit codes:
  0 success    2 error    130 interrupted
";

/// The folder of the loops.
const FOLDER: &str = "examples/crawl_compared";

/// Runs the command.
pub fn main(parser: Parser) -> ExitCode {
    let done = match Options::parse(parser) {
        Ok(Some(options)) => compare(&options),
        Ok(None) => {
            print!("{HELP}");
            Ok(())
        }
        Err(error) => Err(error.to_string()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}

/// Returns the title of each loop and its number of lines, in the order of the table.
///
/// # Errors
///
/// The path of the file that cannot be read, and the error.
pub fn line_counts(root: &Path) -> Result<Vec<(&'static str, usize)>, String> {
    let length = |peer: Peer| {
        let path = root.join(FOLDER).join(format!("{}.rs", peer.name));
        let source = fs::read_to_string(&path);
        let source = source.map_err(|error| format!("{}: {error}", path.display()))?;
        Ok((peer.title, output::count_lines(&source)))
    };
    PEERS.into_iter().map(length).collect()
}

#[derive(Debug, Clone, Copy)]
struct Options {
    pages: usize,
    rounds: usize,
}

impl Options {
    fn parse(mut parser: Parser) -> Result<Option<Self>, lexopt::Error> {
        let mut options = Self { pages: 20_000, rounds: 3 };
        while let Some(argument) = parser.next()? {
            match argument {
                Arg::Long("pages") => options.pages = parser.value()?.parse()?,
                Arg::Long("rounds") => options.rounds = parser.value()?.parse()?,
                Arg::Long("help") | Arg::Short('h') => return Ok(None),
                other => return Err(other.unexpected()),
            }
        }
        if options.pages == 0 || options.rounds == 0 {
            return Err("`--pages` and `--rounds` must be at least 1".into());
        }
        Ok(Some(options))
    }
}

fn compare(options: &Options) -> Result<(), String> {
    let processes = Processes::default();
    verify::kill_on_interrupt("compare", &processes).map_err(|error| error.to_string())?;
    let root = verify::workspace();
    let programs = Programs::build(&root, &processes)?;
    let site = Site::start(&programs, &processes)?;

    let mut rows = Vec::new();
    for (peer, (_, lines)) in PEERS.into_iter().zip(line_counts(&root)?) {
        rows.push(Row::new(peer, lines));
    }
    // Round by round, so that other load on the machine affects all loops alike.
    for round in 1..=options.rounds {
        for row in &mut rows {
            eprintln!("compare: {}, round {round} of {}", row.peer.title, options.rounds);
            let pages = options.pages.to_string();
            let run = site.crawl(row.peer, &["--mix", "", "--count", &pages]);
            row.measured.push(parse_measurement(&run)?);
        }
    }
    for row in &mut rows {
        eprintln!("compare: {}, a thousand pages, a panic, a Ctrl-C", row.peer.title);
        let reference = site.crawl(row.peer, &[]);
        row.thousand = parse_measurement(&reference)?.seconds;
        let panic = site.crawl(row.peer, &["--mix", "", "--panic"]);
        row.on_panic = output::describe(&panic.status, &Summary::parse(&panic.stdout));
        row.on_ctrl_c = site.crawl_interrupted(row.peer)?;
    }
    print!("{}", table(&mut rows));
    Ok(())
}

fn parse_measurement(run: &Run) -> Result<Measurement, String> {
    let stderr = String::from_utf8_lossy(&run.stderr);
    Measurement::parse(&stderr)
        .ok_or_else(|| format!("{}, without a line `measured:`\n{stderr}", run.status))
}

/// The results of one loop.
struct Row {
    peer: Peer,
    lines: usize,
    measured: Vec<Measurement>,
    thousand: f64,
    on_panic: String,
    on_ctrl_c: String,
}

impl Row {
    fn new(peer: Peer, lines: usize) -> Self {
        let (on_panic, on_ctrl_c) = (String::new(), String::new());
        Self { peer, lines, measured: Vec::new(), thousand: 0.0, on_panic, on_ctrl_c }
    }
}

fn table(rows: &mut [Row]) -> String {
    let mut table = String::from(
        "| loop | lines | requests/s | peak memory | the thousand pages | a body panics | Ctrl-C |\n\
         |---|--:|--:|--:|--:|---|---|\n",
    );
    for row in rows {
        let rate = median(row.measured.iter().map(Measurement::rate).collect());
        let peak = median(row.measured.iter().map(|one| one.peak_mib).collect());
        // Not every operating system reports the peak.
        let peak = if peak == 0.0 { "?".to_owned() } else { format!("{peak:.1} MiB") };
        table += &format!(
            "| {} | {} | {rate:.0} | {peak} | {:.1} s | {} | {} |\n",
            row.peer.title, row.lines, row.thousand, row.on_panic, row.on_ctrl_c,
        );
    }
    table
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}
