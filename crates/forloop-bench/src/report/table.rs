//! The table: a section for each block, with rows sorted by time.

use std::fmt::Write;

use crate::cell::{Cell, Measured, Time};
use crate::peers::Peer;

/// Formats all blocks as text.
pub(crate) fn table(measured: &Measured) -> String {
    let mut text = String::new();
    for block in measured.cells.chunk_by(|a, b| a.block.name == b.block.name) {
        let Cell { block: of, n, .. } = &block[0];
        let _ = writeln!(text, "\n{}: {}", of.name, of.title);
        if *n != of.n {
            let _ = writeln!(text, "(here with {n} items)");
        }
        let _ = writeln!(text, "{HEADER}");
        let mut rows: Vec<&Cell> = block.iter().collect();
        rows.sort_by(|a, b| time_or_last(a).total_cmp(&time_or_last(b)));
        for row in rows {
            let _ = writeln!(text, "{}", line(row, block, measured));
        }
    }
    text
}

const HEADER: &str = "  \
    peer                         ns/item   x ours  instr/it  allocs/it  bytes/it  polls/it   poll us  body polls  growth";

fn line(row: &Cell, block: &[Cell], measured: &Measured) -> String {
    let time = match (&row.time, row.nanos()) {
        (Time::TimedOut, _) => format!("> {} s", measured.limit.as_secs()),
        (Time::Failed, _) => "failed".to_owned(),
        (_, Some(nanos)) => short(nanos),
        (_, None) => "-".to_owned(),
    };
    let ratio = ratio(row, block).map_or("-".to_owned(), ratio_text);
    let columns = [
        (row.instructions.map(short), 10),
        (row.allocations().map(|n| format!("{n:.3}")), 11),
        (row.bytes().map(|n| format!("{n:.1}")), 10),
        (row.polls().map(|n| format!("{n:.3}")), 10),
        (row.longest_poll().map(short), 10),
        (row.most_polls().map(|n| format!("{n}")), 12),
        (growth(row, measured).map(|n| format!("{n:.2}")), 8),
    ];
    let mut line = format!("  {:<27}{time:>9}{ratio:>9}", row.peer.name());
    for (column, width) in columns {
        let _ = write!(line, "{:>width$}", column.unwrap_or("-".to_owned()));
    }
    line
}

/// Returns a row's time divided by ours: that of our in-task loop, or of our fastest on two threads.
pub(crate) fn ratio(row: &Cell, block: &[Cell]) -> Option<f64> {
    let ours = block.iter().filter(|cell| match row.is_wall_time() {
        true => cell.peer.is_ours() && cell.is_wall_time(),
        false => cell.peer == Peer::Forloop,
    });
    let ours = ours.filter_map(Cell::nanos).min_by(f64::total_cmp)?;
    Some(row.nanos()? / ours)
}

/// Returns the exponent by which the cost grows with the number of items, from 1,000 or 10,000 to 100,000.
pub(crate) fn growth(row: &Cell, measured: &Measured) -> Option<f64> {
    let workload = |name: &'static str| name.rsplit_once('-').map(|(workload, _)| workload);
    let name = row.block.name;
    let small = measured.cells.iter().find(|cell| {
        cell.peer == row.peer
            && workload(cell.block.name) == workload(name)
            && cell.n < row.n
            && matches!(cell.n, 1000 | 10_000)
            && row.n == 100_000
            && cell.block.work == row.block.work
    })?;
    let cost = |cell: &Cell| Some(cell.nanos()? * cell.n as f64);
    let times = row.n as f64 / small.n as f64;
    Some((cost(row)? / cost(small)?).ln() / times.ln())
}

fn time_or_last(cell: &Cell) -> f64 {
    cell.nanos().unwrap_or(f64::INFINITY)
}

fn ratio_text(ratio: f64) -> String {
    if ratio < 10.0 { format!("{ratio:.2}") } else { short(ratio) }
}

/// Formats a number with three significant digits.
pub(crate) fn short(n: f64) -> String {
    match n {
        n if n < 10.0 => format!("{n:.2}"),
        n if n < 100.0 => format!("{n:.1}"),
        n => format!("{n:.0}"),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::workloads::Block;

    fn cell(block: &str, peer: Peer, time: Time) -> Cell {
        let block = Block::named(block).unwrap();
        Cell { time, ..Cell::new(block, peer, block.n) }
    }

    fn measured(cells: Vec<Cell>) -> Measured {
        let limit = Duration::from_secs(20);
        Measured { cells, limit, no_instructions: None, quick: false }
    }

    #[test]
    fn rows_are_sorted_by_time_and_compared_with_ours() {
        let cells = vec![
            cell("W1-1k", Peer::FuturesUnordered, Time::Samples(vec![80.0, 60.0, 70.0])),
            cell("W1-1k", Peer::ConcurrencyGroup, Time::TimedOut),
            cell("W1-1k", Peer::Forloop, Time::Samples(vec![7.0])),
        ];
        let text = table(&measured(cells));
        let rows: Vec<Vec<&str>> =
            text.lines().skip(3).map(|line| line.split_whitespace().collect()).collect();
        assert_eq!(rows[0][..4], ["forloop", "in-task", "7.00", "1.00"]);
        assert_eq!(rows[1][..3], ["FuturesUnordered", "70.0", "10.0"]);
        assert_eq!(rows[2][..5], ["futures-concurrency", "group", ">", "20", "s"]);
    }

    #[test]
    fn what_costs_the_same_for_each_item_grows_by_the_first_power() {
        let time = || Time::Samples(vec![50.0]);
        let cells = ["W3s-1k", "W3s-10k", "W3s-100k"].map(|name| cell(name, Peer::Forloop, time()));
        let measured = measured(cells.into());
        let growths: Vec<_> = measured.cells.iter().map(|cell| growth(cell, &measured)).collect();
        assert_eq!(growths[..2], [None, None]);
        assert!((growths[2].unwrap() - 1.0).abs() < 1e-9);
    }
}
