//! Compares our exact figures with the committed baseline.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{env, fs};

use serde_json::{Value, json};

use crate::meter::Measure;
use crate::peers::Peer;
use crate::report::machine;
use crate::workloads::Block;

use super::launch::{Launcher, Measurement};
use super::options::Options;

/// The blocks that are measured in the caller's task, each with few enough items to take seconds.
const GUARDED: &[(&str, usize)] = &[
    ("W1-10", 10),
    ("W1-1k", 1000),
    ("W1-wide", 1000),
    ("W2-1k", 1000),
    ("W2-tokio", 1000),
    ("W3s-1k", 1000),
    ("W4-64", 20_000),
    ("W4-1024", 20_000),
    ("W7-fail-10k", 1000),
    ("W7-cancel-10k", 1000),
    ("W7-drop-10k", 1000),
    ("W8", 1000),
];

/// The blocks that are measured as a stream, with each way to take its results.
const GUARDED_STREAMS: &[(&str, usize)] = &[("W1-1k", 1000), ("W4-64", 20_000)];

/// The blocks that are measured with a task of tokio for each body. The allocations of smol's executor differ between
/// runs.
const GUARDED_TASKS: &[(&str, usize)] =
    &[("W1-1k", 1000), ("W2-1k", 1000), ("W4-64", 5000), ("W4-1024", 5000)];

/// The tolerated relative increase of instructions: the allocator and `memcpy` belong to the machine, and
/// take different numbers of instructions elsewhere.
const TOLERANCE: f64 = 0.1;

/// The figures of one block by name, each for all items together.
type Figures = BTreeMap<String, f64>;

/// The figures of a run, or those that were committed.
#[derive(Debug)]
struct Baseline {
    rustc: String,
    target: String,
    figures: BTreeMap<String, Figures>,
}

/// Compares the figures with the baseline, and fails if one is worse; with `--bless`, writes the baseline.
pub(crate) fn run(options: &Options) -> Result<ExitCode, String> {
    let mut launcher = Launcher::new(options.limit())?;
    let no_instructions = match options.instructions {
        true => launcher.find_valgrind().err(),
        false => Some("--no-instructions".to_owned()),
    };
    let now = measure(&launcher, no_instructions.is_none())?;
    if options.bless {
        if let Some(why) = no_instructions {
            return Err(format!("a baseline needs instructions, which were not counted: {why}"));
        }
        fs::write(path(), now.to_json())
            .map_err(|error| format!("{}: {error}", path().display()))?;
        println!("wrote {}", path().display());
        return Ok(ExitCode::SUCCESS);
    }
    let before = Baseline::read(&path())?;
    Ok(compare(&before, &now, no_instructions))
}

fn path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("baseline.json")
}

fn measure(launcher: &Launcher, instructions: bool) -> Result<Baseline, String> {
    let mut figures = BTreeMap::new();
    for &(name, n) in GUARDED {
        figures.insert(name.to_owned(), guard(launcher, name, Peer::Forloop, n, instructions)?);
    }
    let streams =
        [Peer::ForloopStream, Peer::ForloopStreamForEach].map(|peer| (peer, GUARDED_STREAMS));
    for (peer, blocks) in streams.into_iter().chain([(Peer::ForloopTokio, GUARDED_TASKS)]) {
        for &(name, n) in blocks {
            let title = format!("{name}, {}", peer.name());
            figures.insert(title, guard(launcher, name, peer, n, instructions)?);
        }
    }
    Ok(Baseline { rustc: machine::RUSTC.to_owned(), target: machine::target(), figures })
}

/// Measures the exact figures of a block.
fn guard(
    launcher: &Launcher,
    name: &str,
    peer: Peer,
    n: usize,
    instructions: bool,
) -> Result<Figures, String> {
    let block = Block::named(name).ok_or_else(|| format!("no block is called {name}"))?;
    let mut block_figures = Figures::from([("items".to_owned(), n as f64)]);
    for measure in [Measure::Polls, Measure::Heap] {
        match launcher.run(&block, peer, measure, n)? {
            Measurement::Figures(figures) => block_figures.extend(figures),
            Measurement::TimedOut => return Err(format!("{name} exceeded its time limit")),
        }
    }
    // A time, which differs between runs.
    block_figures.remove("longest-poll");
    if instructions {
        let counted = launcher.instructions(&block, peer, n)?;
        let counted =
            counted.ok_or_else(|| format!("{name} exceeded its time limit in valgrind"))?;
        block_figures.insert("instructions".to_owned(), (counted * n as f64).round());
    }
    Ok(block_figures)
}

/// Prints the differences, and what was not compared.
fn compare(before: &Baseline, now: &Baseline, no_instructions: Option<String>) -> ExitCode {
    let other = if before.rustc != now.rustc {
        Some(format!("the baseline is from {}, this run from {}", before.rustc, now.rustc))
    } else if before.target != now.target {
        Some(format!("the baseline is from {}, this run from {}", before.target, now.target))
    } else {
        None
    };
    if let Some(why) = &other {
        println!("not compared: instructions and bytes: {why}");
    } else if let Some(why) = &no_instructions {
        println!("not compared: instructions: {why}");
    }
    let (mut same, mut worse, mut better) = (0, 0, 0);
    for (name, then) in &before.figures {
        for (figure, &then) in then {
            let depends_on_compiler = matches!(figure.as_str(), "instructions" | "bytes");
            if depends_on_compiler && other.is_some() {
                continue;
            }
            let Some(&now) = now.figures.get(name).and_then(|figures| figures.get(figure)) else {
                if figure != "instructions" {
                    println!("worse: {name}: {figure}: {then} before, not measured now");
                    worse += 1;
                }
                continue;
            };
            let tolerance = if figure == "instructions" { then * TOLERANCE } else { 0.0 };
            let percent = (now / then - 1.0) * 100.0;
            if (now - then).abs() <= tolerance {
                same += 1;
            } else if now < then {
                println!("better: {name}: {figure}: {then} before, {now} now ({percent:+.1} %)");
                better += 1;
            } else {
                println!("worse: {name}: {figure}: {then} before, {now} now ({percent:+.1} %)");
                worse += 1;
            }
        }
    }
    let new = now.figures.keys().filter(|name| !before.figures.contains_key(*name)).count();
    println!("bench: {same} figures unchanged, {worse} worse, {better} better, {new} new blocks");
    if 0 < worse + better + new {
        println!("bench: if this is intended, `cargo xtask bench --bless` writes a new baseline");
    }
    ExitCode::from(u8::from(0 < worse))
}

impl Baseline {
    fn read(path: &Path) -> Result<Self, String> {
        let named = |why: String| format!("{}: {why}", path.display());
        let text = fs::read_to_string(path).map_err(|error| named(error.to_string()))?;
        let value: Value = serde_json::from_str(&text).map_err(|error| named(error.to_string()))?;
        Self::of(&value).ok_or_else(|| named("not a baseline".to_owned()))
    }

    fn of(value: &Value) -> Option<Self> {
        let text = |name| Some(value.get(name)?.as_str()?.to_owned());
        let mut figures = BTreeMap::new();
        for (name, block_figures) in value.get("figures")?.as_object()? {
            let block_figures = block_figures.as_object()?.iter();
            let block_figures =
                block_figures.map(|(name, figure)| Some((name.clone(), figure.as_f64()?)));
            figures.insert(name.clone(), block_figures.collect::<Option<Figures>>()?);
        }
        Some(Self { rustc: text("rustc")?, target: text("target")?, figures })
    }

    fn to_json(&self) -> String {
        let whole = |figures: &Figures| -> Value {
            // Counts are integers, and more readable as such.
            figures.iter().map(|(name, &n)| (name.clone(), Value::from(n as u64))).collect()
        };
        let figures: serde_json::Map<String, Value> =
            self.figures.iter().map(|(name, figures)| (name.clone(), whole(figures))).collect();
        let value = json!({ "rustc": self.rustc, "target": self.target, "figures": figures });
        format!("{value:#}\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn baseline(figure: &str, n: f64) -> Baseline {
        let figures = Figures::from([(figure.to_owned(), n)]);
        Baseline {
            rustc: "rustc 1".to_owned(),
            target: "machine".to_owned(),
            figures: [("W1-10".to_owned(), figures)].into(),
        }
    }

    fn is_worse(figure: &str, then: f64, now: f64) -> bool {
        let code = compare(&baseline(figure, then), &baseline(figure, now), None);
        code == ExitCode::from(1)
    }

    #[test]
    fn one_allocation_more_is_worse_and_one_less_is_not() {
        assert!(is_worse("allocations", 7.0, 8.0));
        assert!(!is_worse("allocations", 7.0, 7.0));
        assert!(!is_worse("allocations", 7.0, 6.0));
    }

    #[test]
    fn instructions_may_increase_a_little() {
        assert!(!is_worse("instructions", 1000.0, 1099.0));
        assert!(is_worse("instructions", 1000.0, 1101.0));
    }

    #[test]
    fn another_compiler_is_compared_only_in_figures_that_do_not_depend_on_it() {
        let then = baseline("instructions", 1000.0);
        let other = Baseline { rustc: "rustc 2".to_owned(), ..baseline("instructions", 2000.0) };
        assert_eq!(compare(&then, &other, None), ExitCode::SUCCESS);
        let then = baseline("polls", 1000.0);
        let other = Baseline { rustc: "rustc 2".to_owned(), ..baseline("polls", 2000.0) };
        assert_eq!(compare(&then, &other, None), ExitCode::from(1));
    }

    #[test]
    fn a_baseline_is_read_as_it_was_written() {
        let written = baseline("polls", 5000.0);
        let read = Baseline::of(&serde_json::from_str(&written.to_json()).unwrap()).unwrap();
        assert_eq!(read.figures, written.figures);
        assert_eq!((read.rustc, read.target), (written.rustc, written.target));
    }
}
