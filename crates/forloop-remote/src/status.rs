//! What a broker has at a moment.

use std::fmt;
use std::time::Duration;

use crate::job::BodyId;

/// What a broker has at a moment: [`Remote::status`](crate::Remote::status) asks for it.
///
/// It prints as three tables, with control characters of names escaped.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Status {
    /// The runs that are not forgotten, by name; no more than a thousand.
    pub runs: Vec<RunStatus>,
    /// The bodies that were ever submitted or served.
    pub bodies: Vec<BodyStatus>,
    /// The workers, by name. One that has ended stays for some leases.
    pub workers: Vec<WorkerStatus>,
}

/// A run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunStatus {
    /// Its name.
    pub name: String,
    /// Whether a producer holds it.
    pub is_held: bool,
    /// Its jobs: those that are queued or held, and those that have an outcome. Above 64,000 it may be some too many.
    pub jobs: u64,
    /// When it is deleted, if no producer continues it.
    pub expires_in: Option<Duration>,
}

/// The jobs of a body, over all runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BodyStatus {
    /// Its name and version.
    pub body: BodyId,
    /// Whether a worker serves it.
    pub is_served: bool,
    /// How many jobs wait for a worker.
    pub queued: u64,
    /// How many jobs workers hold.
    pub held: u64,
    /// How many jobs have ended since the first; `None` if the broker does not count them.
    pub completed: Option<u64>,
    /// How often a job was redelivered because its worker had died.
    pub deaths: u64,
}

/// A worker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkerStatus {
    /// Its name: a random one, or that of [`Work::named`](crate::Work::named).
    pub name: String,
    /// How many jobs it holds.
    pub held: u64,
    /// How long ago it last took or renewed a job, or asked for one. One that lives asks each second.
    pub silent: Duration,
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let yes_or_no = |is: bool| if is { "yes" } else { "no" }.to_owned();
        let seconds = |time: Duration| format!("{:.1} s", time.as_secs_f64());
        let runs = self.runs.iter().map(|run| {
            let expires = run.expires_in.map_or("never".to_owned(), seconds);
            [escaped(&run.name), yes_or_no(run.is_held), run.jobs.to_string(), expires]
        });
        table(f, ["run", "producer", "jobs", "expires"], runs)?;
        writeln!(f)?;
        let bodies = self.bodies.iter().map(|body| {
            let completed = body.completed.map_or("-".to_owned(), |count| count.to_string());
            let [queued, held, deaths] =
                [body.queued, body.held, body.deaths].map(|n| n.to_string());
            let name = escaped(&body.body.to_string());
            [name, yes_or_no(body.is_served), queued, held, completed, deaths]
        });
        table(f, ["body", "served", "queued", "held", "completed", "deaths"], bodies)?;
        writeln!(f)?;
        let workers = self
            .workers
            .iter()
            .map(|worker| [escaped(&worker.name), worker.held.to_string(), seconds(worker.silent)]);
        table(f, ["worker", "held", "silent"], workers)
    }
}

/// A name of the broker, without what a terminal would obey.
fn escaped(name: &str) -> String {
    name.escape_debug().to_string()
}

/// Writes rows below a heading: the first column to the left, others to the right.
fn table<const N: usize>(
    f: &mut fmt::Formatter<'_>,
    heading: [&str; N],
    rows: impl Iterator<Item = [String; N]>,
) -> fmt::Result {
    let rows: Vec<_> = [heading.map(str::to_owned)].into_iter().chain(rows).collect();
    let widths: [usize; N] = std::array::from_fn(|column| {
        rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0)
    });
    for row in rows {
        for (column, (cell, width)) in row.iter().zip(widths).enumerate() {
            match column {
                0 => write!(f, "{cell:width$}")?,
                _ => write!(f, "  {cell:>width$}")?,
            }
        }
        writeln!(f)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_prints_as_three_tables() {
        let body = BodyId { name: "crawl.fetch".into(), version: 1 };
        let status = Status {
            runs: vec![
                RunStatus { name: "crawl".into(), is_held: true, jobs: 5_000, expires_in: None },
                RunStatus {
                    name: "old".into(),
                    is_held: false,
                    jobs: 3,
                    expires_in: Some(Duration::from_millis(2_500)),
                },
            ],
            bodies: vec![BodyStatus {
                body,
                is_served: true,
                queued: 7,
                held: 25,
                completed: None,
                deaths: 1,
            }],
            workers: vec![WorkerStatus {
                name: "north\u{1b}[2J".into(),
                held: 25,
                silent: Duration::from_millis(210),
            }],
        };
        let expected = "\
run    producer  jobs  expires
crawl       yes  5000    never
old          no     3    2.5 s

body           served  queued  held  completed  deaths
crawl.fetch@1     yes       7    25          -       1

worker          held  silent
north\\u{1b}[2J    25   0.2 s
";
        assert_eq!(status.to_string(), expected);
    }
}
