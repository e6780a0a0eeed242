//! Why nothing could be verified.

use std::{error, fmt, io, path::PathBuf};

use super::{backend::Backend, directive::BadDirective, options::BadUsage};

/// Why nothing could be verified: exit code 2.
#[derive(Debug)]
#[non_exhaustive]
pub enum CannotVerify {
    /// The command line asks for something that does not exist.
    Usage(BadUsage),
    /// There is no such example.
    UnknownExample {
        /// What was asked for.
        name: String,
        /// What there is.
        known: Vec<String>,
    },
    /// No selected example runs on a selected backend.
    NothingToRun,
    /// A backend was asked for by name, and this machine does not have it.
    Absent {
        /// What was asked for.
        backend: Backend,
        /// What it needs.
        reason: String,
    },
    /// A file or folder cannot be read.
    Read {
        /// Which one.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file cannot be written.
    Write {
        /// Which one.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The header of an example says something that we do not understand.
    Directive {
        /// Which example.
        path: PathBuf,
        /// What is wrong in it.
        source: BadDirective,
    },
    /// `cargo` itself cannot be used.
    Cargo {
        /// What it was to do.
        arguments: String,
        /// How that ended.
        why: String,
    },
    /// The examples were built, but this one is none of their programs.
    NotBuilt {
        /// Which example.
        example: String,
    },
    /// We cannot listen for a Ctrl-C, and would leave processes behind.
    Handler(ctrlc::Error),
    /// The report cannot be written.
    Report(io::Error),
}

impl fmt::Display for CannotVerify {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(bad) => write!(f, "{bad}"),
            Self::UnknownExample { name, known } => {
                write!(f, "no example `{name}`; there are: {}", known.join(", "))
            }
            Self::NothingToRun => write!(f, "no selected example runs on a selected backend"),
            Self::Absent { backend, reason } => {
                write!(f, "`--runtime {}` cannot run: {reason}", backend.name())
            }
            Self::Read { path, source } => write!(f, "cannot read {}: {source}", path.display()),
            Self::Write { path, source } => write!(f, "cannot write {}: {source}", path.display()),
            Self::Directive { path, source } => write!(f, "{}:{source}", path.display()),
            Self::Cargo { arguments, why } => write!(f, "`cargo {arguments}` failed: {why}"),
            Self::NotBuilt { example } => write!(
                f,
                "examples/{example}.rs was not built; is it a [[bin]] of examples/Cargo.toml?"
            ),
            Self::Handler(source) => write!(f, "cannot listen for an interrupt: {source}"),
            Self::Report(source) => write!(f, "cannot write the report: {source}"),
        }
    }
}

impl error::Error for CannotVerify {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Self::Usage(source) => Some(source),
            Self::Directive { source, .. } => Some(source),
            Self::Read { source, .. } | Self::Write { source, .. } | Self::Report(source) => {
                Some(source)
            }
            Self::Handler(source) => Some(source),
            Self::UnknownExample { .. }
            | Self::NothingToRun
            | Self::Absent { .. }
            | Self::Cargo { .. }
            | Self::NotBuilt { .. } => None,
        }
    }
}

impl From<BadUsage> for CannotVerify {
    fn from(bad: BadUsage) -> Self {
        Self::Usage(bad)
    }
}
