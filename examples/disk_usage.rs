//! `disk_usage DIR`: the number of files below a folder, and of their bytes. Eight folders are read at once, and each
//! adds the folders in it to the loop.
//!
//! Links are not followed. A folder that cannot be read is reported on stderr and makes the exit status 1.
//!
//! verify: args examples/tree

use std::env;
use std::error::Error;
use std::fs;
use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use forloop::{AnyRuntime, Outcome, WorkItem, WorkQueue, sync_body};

/// What is in a folder, without the folders in it.
#[derive(Default)]
struct Usage {
    files: u64,
    bytes: u64,
}

/// Reads a folder, and adds the folders in it to the queue.
fn read(folder: &WorkItem<PathBuf>) -> io::Result<Usage> {
    let mut usage = Usage::default();
    for entry in fs::read_dir(&**folder)? {
        let entry = entry?;
        // Of a link, it is the length of the link itself.
        let metadata = entry.metadata()?;
        if metadata.is_dir() {
            folder.push(entry.path());
        } else {
            usage.files += 1;
            usage.bytes += metadata.len();
        }
    }
    Ok(usage)
}

async fn disk_usage(runtime: &AnyRuntime, dir: PathBuf) -> Result<ExitCode, Box<dyn Error>> {
    let folders = forloop::each_stream(WorkQueue::new([dir]).lifo())
        .limit(8)?
        .on_blocking(runtime)
        .settle(sync_body(|folder: WorkItem<PathBuf>| {
            read(&folder).map_err(|error| format!("{}: {error}", folder.display()))
        }))
        .await;
    for (_, error) in folders.errors() {
        eprintln!("disk_usage: {error:#}");
    }
    let failed = folders.summary().failed > 0;
    let read = folders.into_iter().filter_map(Outcome::ok);
    let total = read.fold(Usage::default(), |total, folder| Usage {
        files: total.files + folder.files,
        bytes: total.bytes + folder.bytes,
    });
    println!("{} bytes in {} files", total.bytes, total.files);
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn main() -> ExitCode {
    let mut args = env::args_os().skip(1);
    let (Some(dir), None) = (args.next(), args.next()) else {
        eprintln!("usage: disk_usage DIR");
        return ExitCode::from(2);
    };
    let status = match forloop::run(async |runtime| disk_usage(&runtime, dir.into()).await) {
        Ok(status) => status,
        Err(error) => Err(error.into()),
    };
    status.unwrap_or_else(|error| {
        eprintln!("disk_usage: {error:#}");
        ExitCode::FAILURE
    })
}
