//! `hash_folder DIR [THREADS]`: the SHA-256 of every file below a folder, on all cores, from a synchronous
//! program. The bodies borrow the list of files; each reads and hashes one file.
//!
//! The output is that of `checksum`. A line on stderr shows the time, to compare one thread with all cores.
//!
//! verify: args examples/tree
//! verify: compare sha256sum
//! verify: threads
//! verify: no-runtime

use std::env;
use std::io::{self, Write};
use std::process::ExitCode;
use std::time::Instant;

use forloop::Threads;

#[path = "shared/files.rs"]
mod files;

fn main() -> ExitCode {
    let mut args = env::args_os().skip(1);
    let dir = args.next();
    let threads = args.next().map(|threads| threads.to_str().and_then(|text| text.parse().ok()));
    let (Some(dir), None | Some(Some(_)), None) = (dir, threads, args.next()) else {
        eprintln!("usage: hash_folder DIR [THREADS]");
        return ExitCode::from(2);
    };
    let files = files::find(dir.into());
    let threads = threads.flatten().map_or_else(Threads::new, Threads::of);

    let start = Instant::now();
    let cores = threads.cores();
    // Twice the number of threads: a thread that completes a body finds another one to run.
    let limit = cores.threads().saturating_add(cores.threads().get());
    let digests = forloop::each(&files)
        .limit(limit)
        .on_scoped(cores)
        .gather(|file| async move { file.digest() });
    let digests = threads.block_on(digests);
    eprintln!("hash_folder: {} files in {:.2?}", files.len(), start.elapsed());

    let mut status = ExitCode::SUCCESS;
    for (file, digest) in files.iter().zip(digests) {
        let printed = match digest {
            Ok(digest) => io::stdout().write_all(&files::line(&file.path, &digest)),
            Err(error) => {
                status = ExitCode::FAILURE;
                eprintln!("hash_folder: {}: {error:#}", file.path.display());
                Ok(())
            }
        };
        if let Err(error) = printed {
            eprintln!("hash_folder: {error:#}");
            return ExitCode::FAILURE;
        }
    }
    status
}
