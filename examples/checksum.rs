//! `checksum DIR`: prints the SHA-256 of every file below a folder, sixteen at a time, in the order of
//! paths and in the format of `sha256sum`.
//!
//! Links to files are read, links to folders are not followed, and other kinds of files are skipped. An
//! unreadable file is reported on stderr and makes the exit status 1; the other files are still printed.
//!
//! verify: args examples/tree
//! verify: compare sha256sum

use std::env;
use std::error::Error;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use forloop::{AnyRuntime, spawn_blocking, sync_body};

use self::files::Found;

#[path = "shared/files.rs"]
mod files;

fn main() -> ExitCode {
    let mut args = env::args_os().skip(1);
    let (Some(dir), None) = (args.next(), args.next()) else {
        eprintln!("usage: checksum DIR");
        return ExitCode::from(2);
    };
    let status = match forloop::run(async |runtime| checksum(&runtime, dir.into()).await) {
        Ok(status) => status,
        Err(error) => Err(error.into()),
    };
    status.unwrap_or_else(|error| {
        eprintln!("checksum: {error:#}");
        ExitCode::FAILURE
    })
}

async fn checksum(runtime: &AnyRuntime, dir: PathBuf) -> Result<ExitCode, Box<dyn Error>> {
    let mut status = ExitCode::SUCCESS;
    forloop::each(spawn_blocking(runtime, || files::find(dir)).await?)
        .limit(16)?
        .on_blocking(runtime)
        .stream(sync_body(|found: Found| (found.digest(), found.path)))
        .try_for_each(|(digest, path)| {
            if digest.is_err() {
                status = ExitCode::FAILURE;
            }
            let printed = spawn_blocking(runtime, move || print(&path, digest));
            async { printed.await.map_err(io::Error::other)? }
        })
        .await?;
    Ok(status)
}

fn print(path: &Path, digest: io::Result<String>) -> io::Result<()> {
    match digest {
        Ok(digest) => io::stdout().write_all(&files::line(path, &digest)),
        Err(error) => {
            eprintln!("checksum: {}: {error:#}", path.display());
            Ok(())
        }
    }
}
