//! The errors that end the command.

use std::{error, fmt, io, path::PathBuf};

use super::{backend::Backend, directive::DirectiveError, options::UsageError};

/// An error that ends the command with exit code 2.
#[derive(Debug)]
#[non_exhaustive]
pub enum VerifyError {
    /// The command line is invalid.
    Usage(UsageError),
    /// The command line names an unknown example.
    UnknownExample {
        /// The unknown name.
        name: String,
        /// The names of all examples.
        known: Vec<String>,
    },
    /// No selected example runs on a selected backend.
    NothingToRun,
    /// The command line names a backend that is not available on this machine.
    Unavailable {
        /// The backend.
        backend: Backend,
        /// What the backend requires.
        reason: String,
    },
    /// A file or folder cannot be read.
    Read {
        /// The path.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// A file cannot be written.
    Write {
        /// The path.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// The header of an example has an invalid directive.
    Directive {
        /// The source file of the example.
        path: PathBuf,
        /// The invalid directive.
        source: DirectiveError,
    },
    /// `cargo` failed.
    Cargo {
        /// The arguments of `cargo`.
        arguments: String,
        /// Its exit status or error.
        why: String,
    },
    /// The examples were built, and this one has no executable.
    NotBuilt {
        /// The name of the example.
        example: String,
    },
    /// The handler for SIGINT cannot be installed, so an interrupt would leave child processes behind.
    Handler(ctrlc::Error),
    /// The report cannot be written.
    Report(io::Error),
}

impl fmt::Display for VerifyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(bad) => write!(f, "{bad}"),
            Self::UnknownExample { name, known } => {
                write!(f, "unknown example `{name}`, expected one of: {}", known.join(", "))
            }
            Self::NothingToRun => write!(f, "no selected example runs on a selected backend"),
            Self::Unavailable { backend, reason } => {
                write!(f, "`--runtime {}` is not available: {reason}", backend.name())
            }
            Self::Read { path, source } => write!(f, "cannot read {}: {source}", path.display()),
            Self::Write { path, source } => write!(f, "cannot write {}: {source}", path.display()),
            Self::Directive { path, source } => write!(f, "{}:{source}", path.display()),
            Self::Cargo { arguments, why } => write!(f, "`cargo {arguments}` failed: {why}"),
            Self::NotBuilt { example } => write!(
                f,
                "examples/{example}.rs was not built; is it a [[bin]] of examples/Cargo.toml?"
            ),
            Self::Handler(source) => write!(f, "cannot install the interrupt handler: {source}"),
            Self::Report(source) => write!(f, "cannot write the report: {source}"),
        }
    }
}

impl error::Error for VerifyError {}

impl From<UsageError> for VerifyError {
    fn from(bad: UsageError) -> Self {
        Self::Usage(bad)
    }
}
