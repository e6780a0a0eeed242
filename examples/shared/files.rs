//! The files below a folder, their digests, and their lines in the format of `sha256sum`.

use std::fs::{self, File};
use std::io::{self, BufReader};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

/// The size of the buffer for reading a file.
const CHUNK: usize = 64 * 1024;

/// A file, or a path that could not be examined.
pub(crate) struct Found {
    pub(crate) path: PathBuf,
    looked_at: io::Result<()>,
}

impl Found {
    /// Reads the file.
    pub(crate) fn digest(&self) -> io::Result<String> {
        match &self.looked_at {
            Ok(()) => digest(&self.path),
            // An `io::Error` is not `Clone`.
            Err(error) => match error.raw_os_error() {
                Some(code) => Err(io::Error::from_raw_os_error(code)),
                None => Err(io::Error::new(error.kind(), error.to_string())),
            },
        }
    }
}

/// Finds every file below `dir`, sorted by the bytes of their paths.
pub(crate) fn find(dir: PathBuf) -> Vec<Found> {
    let mut all = Vec::new();
    let mut folders = vec![dir];
    while let Some(folder) = folders.pop() {
        if let Err(error) = find_in(&folder, &mut folders, &mut all) {
            all.push(Found { path: folder, looked_at: Err(error) });
        }
    }
    // Paths compare by component, which would sort `notes/a` before `notes.txt`.
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
            // Reading a pipe would wait for a writer, a device may have no end, and a link to a folder may
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

/// Escapes characters that would break the line, and marks such a line at its start.
pub(crate) fn line(path: &Path, digest: &str) -> Vec<u8> {
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
