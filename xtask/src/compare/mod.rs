//! `cargo xtask compare`: the crawl of a thousand pages, written in several ways, side by side.
//!
//! The loops are the files of `examples/crawl_compared`. Each run is a process of its own, and the site that
//! they crawl another one. [`output`] reads what the programs print, `build` makes them, `runs` runs them, and the
//! table is what the guide's page on the crawl shows.

mod build;
pub mod output;
mod runs;

use std::{fs, path::Path, process::ExitCode};

use lexopt::{Arg, Parser, ValueExt};

use crate::{
    processes::Processes,
    verify::{self, run::Run},
};

use self::{
    build::Programs,
    output::{Measured, Summary},
    runs::Site,
};

const HELP: &str = "\
Crawls the same pages with the loops of examples/crawl_compared, and prints one table.

usage: cargo xtask compare [options]

options:
  --pages N      so many good pages for requests per second, and for memory (20000)
  --rounds N     so often; the median counts (3)
  --help         this text

exit codes:
  0 compared    2 could not compare    130 interrupted
";

/// Where the loops are.
const FOLDER: &str = "examples/crawl_compared";

/// A loop, and what it runs on.
#[derive(Debug, Clone, Copy)]
struct Peer {
    title: &'static str,
    /// The name of its file, and of the loop on the command line.
    name: &'static str,
    runtime: &'static str,
}

const PEERS: [Peer; 4] = [
    Peer { title: "forloop, on tokio", name: "forloop", runtime: "tokio-multi-thread" },
    Peer { title: "forloop, on smol", name: "forloop", runtime: "smol" },
    Peer { title: "tokio's `JoinSet`", name: "join_set", runtime: "tokio-multi-thread" },
    Peer {
        title: "`buffer_unordered`, on tokio",
        name: "buffer_unordered",
        runtime: "tokio-multi-thread",
    },
];

/// Compares, and tells how it went.
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

/// The titles of the loops, in the order of the table, and how many lines each has.
///
/// # Errors
///
/// The file that cannot be read.
pub fn lengths(root: &Path) -> Result<Vec<(&'static str, usize)>, String> {
    let length = |peer: Peer| {
        let path = root.join(FOLDER).join(format!("{}.rs", peer.name));
        let source = fs::read_to_string(&path);
        let source = source.map_err(|error| format!("{}: {error}", path.display()))?;
        Ok((peer.title, output::lines(&source)))
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
            return Err("nothing can be measured of no pages, and in no rounds".into());
        }
        Ok(Some(options))
    }
}

fn compare(options: &Options) -> Result<(), String> {
    let processes = Processes::default();
    verify::end_with_us("compare", &processes).map_err(|error| error.to_string())?;
    let root = verify::workspace();
    let programs = Programs::build(&root, &processes)?;
    let site = Site::start(&programs, &processes)?;

    let mut rows = Vec::new();
    for (peer, (_, lines)) in PEERS.into_iter().zip(lengths(&root)?) {
        rows.push(Row::new(peer, lines));
    }
    // By turns, so that a machine that is busy for a while is so for all.
    for round in 1..=options.rounds {
        for row in &mut rows {
            eprintln!("compare: {}, round {round} of {}", row.peer.title, options.rounds);
            let pages = options.pages.to_string();
            let run = site.crawl(row.peer, &["--mix", "", "--count", &pages]);
            row.measured.push(measured(&run)?);
        }
    }
    for row in &mut rows {
        eprintln!("compare: {}, a thousand pages, a panic, a Ctrl-C", row.peer.title);
        let reference = site.crawl(row.peer, &[]);
        row.thousand = measured(&reference)?.seconds;
        let panic = site.crawl(row.peer, &["--mix", "", "--panic"]);
        row.on_panic = output::end(&panic.end, &Summary::parse(&panic.stdout));
        row.on_ctrl_c = site.interrupted(row.peer)?;
    }
    print!("{}", table(&mut rows));
    Ok(())
}

fn measured(run: &Run) -> Result<Measured, String> {
    let stderr = String::from_utf8_lossy(&run.stderr);
    Measured::parse(&stderr)
        .ok_or_else(|| format!("{:?}, and measured nothing:\n{stderr}", run.end))
}

/// What is known of a loop.
struct Row {
    peer: Peer,
    lines: usize,
    measured: Vec<Measured>,
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
        let rate = median(row.measured.iter().map(Measured::rate).collect());
        let peak = median(row.measured.iter().map(|one| one.peak_mib).collect());
        // Where the operating system does not tell how much it was.
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
