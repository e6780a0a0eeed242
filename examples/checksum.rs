//! `checksum DIR`: the SHA-256 of every file below a folder, sixteen at a time, printed in the
//! order of paths, as `sha256sum` prints it.
//!
//! Links to files are read, links to folders are not followed, and what is neither file nor folder
//! is skipped. What cannot be read is a line on stderr and makes the exit status 1; the others
//! still come out.
//!
//! verify: args examples/tree
//! verify: compare sha256sum

use std::env;
use std::error::Error;
use std::fs::{self, File};
use std::io::{self, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use forloop::{AnyRuntime, plain, spawn_blocking};
use sha2::{Digest, Sha256};

/// Bytes of a file in memory at a time.
const CHUNK: usize = 64 * 1024;

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
        eprintln!("checksum: {error}");
        ExitCode::FAILURE
    })
}

async fn checksum(runtime: &AnyRuntime, dir: PathBuf) -> Result<ExitCode, Box<dyn Error>> {
    let mut status = ExitCode::SUCCESS;
    forloop::each(spawn_blocking(runtime, || find(dir)).await?)
        .limit(16)?
        .on_blocking(runtime)
        .stream(plain(Found::digest))
        .try_for_each(|(path, digest)| {
            if digest.is_err() {
                status = ExitCode::FAILURE;
            }
            let printed = spawn_blocking(runtime, move || print(&path, digest));
            async { printed.await.map_err(io::Error::other)? }
        })
        .await?;
    Ok(status)
}

/// A file, or what may have been one but could not be looked at.
struct Found {
    path: PathBuf,
    looked_at: io::Result<()>,
}

impl Found {
    fn digest(self) -> (PathBuf, io::Result<String>) {
        let digest = self.looked_at.and_then(|()| digest(&self.path));
        (self.path, digest)
    }
}

/// Finds every file below `dir`, in the order of the bytes of their paths.
fn find(dir: PathBuf) -> Vec<Found> {
    let mut all = Vec::new();
    let mut folders = vec![dir];
    while let Some(folder) = folders.pop() {
        if let Err(error) = find_in(&folder, &mut folders, &mut all) {
            all.push(Found { path: folder, looked_at: Err(error) });
        }
    }
    // Not by the paths themselves, which compare name by name: `notes.txt` comes before `notes/a`.
    all.sort_by(|one, other| one.path.as_os_str().cmp(other.path.as_os_str()));
    all
}

fn find_in(folder: &Path, folders: &mut Vec<PathBuf>, all: &mut Vec<Found>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let path = entry.path();
        if entry.file_type()?.is_dir() {
            folders.push(path);
            continue;
        }
        match fs::metadata(&path) {
            Ok(target) if target.is_file() => all.push(Found { path, looked_at: Ok(()) }),
            // A pipe would wait for a writer, a device may never end, and a link to a folder may
            // lead back here.
            Ok(_) => {}
            Err(error) => all.push(Found { path, looked_at: Err(error) }),
        }
    }
    Ok(())
}

fn digest(path: &Path) -> io::Result<String> {
    let mut hasher = Sha256::new();
    io::copy(&mut BufReader::with_capacity(CHUNK, File::open(path)?), &mut hasher)?;
    Ok(format!("{:x}", hasher.finalize()))
}

fn print(path: &Path, digest: io::Result<String>) -> io::Result<()> {
    match digest {
        Ok(digest) => io::stdout().write_all(&line(path, &digest)),
        Err(error) => {
            eprintln!("checksum: {}: {error}", path.display());
            Ok(())
        }
    }
}

/// A path that would break the line is escaped, and the line begins with a mark that says so.
fn line(path: &Path, digest: &str) -> Vec<u8> {
    let path = path.as_os_str().as_encoded_bytes();
    let mut escaped = Vec::with_capacity(path.len());
    for &byte in path {
        match byte {
            b'\\' => escaped.extend(br"\\"),
            b'\n' => escaped.extend(br"\n"),
            b'\r' => escaped.extend(br"\r"),
            _ => escaped.push(byte),
        }
    }
    let mark: &[u8] = if escaped == path { b"" } else { br"\" };
    [mark, digest.as_bytes(), b"  ", &escaped, b"\n"].concat()
}
