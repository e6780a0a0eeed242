//! The directives of an example: the `//! verify:` lines in its header.

use std::{error, fmt};

use super::backend::{self, Backend};

/// The directives of an example.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Directives {
    /// Consecutive lines with one of these prefixes may appear in any order.
    pub any_order: Vec<String>,
    /// The arguments of the program, and of its Python twin.
    pub args: Vec<String>,
    /// The folder whose files `sha256sum` hashes for comparison: the first argument.
    pub sha256sum: Option<String>,
    /// The example starts threads, which the simulation does not schedule. It is simulated in order and under
    /// seeds, but its schedules are not searched, because none can be repeated.
    pub threads: bool,
    /// The example starts no runtime, so there may be nothing to simulate.
    pub no_runtime: bool,
    /// The bodies have names, so the example also runs with workers: with `--broker URL`, and `--work` for a worker.
    pub remote: bool,
    /// The only backends the example runs on; empty for all.
    pub only: Vec<Backend>,
}

/// Parses the `//!` lines at the top of a source file.
///
/// # Errors
///
/// [`DirectiveError`] for the first `verify:` line that is not a known directive: a typing error must not make
/// the comparison looser or stricter.
pub fn parse(source: &str) -> Result<Directives, DirectiveError> {
    let mut directives = Directives::default();
    let mut compare = None;
    let header =
        source.lines().enumerate().map_while(|(i, line)| Some((i, line.strip_prefix("//!")?)));
    for (i, line) in header {
        let Some(directive) = line.trim().strip_prefix("verify:").map(str::trim) else { continue };
        let bad = |reason| DirectiveError { line: i + 1, directive: directive.to_owned(), reason };
        let (name, rest) = directive.split_once(char::is_whitespace).unwrap_or((directive, ""));
        match (name, rest.trim()) {
            ("any-order", prefix) => {
                let quoted = prefix.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
                let prefix = quoted.filter(|prefix| !prefix.is_empty());
                directives.any_order.push(prefix.ok_or_else(|| bad(Reason::NoPrefix))?.to_owned());
            }
            ("args", _) if !directives.args.is_empty() => return Err(bad(Reason::DuplicateArgs)),
            ("args", "") => return Err(bad(Reason::NoArguments)),
            ("args", args) => {
                directives.args = args.split_whitespace().map(str::to_owned).collect();
            }
            ("compare", "sha256sum") => compare = Some(bad(Reason::NoFolder)),
            ("threads", "") => directives.threads = true,
            ("no-runtime", "") => directives.no_runtime = true,
            ("remote", "") => directives.remote = true,
            ("only", _) if !directives.only.is_empty() => return Err(bad(Reason::DuplicateOnly)),
            ("only", names) => {
                let known = names.split_whitespace().map(Backend::named);
                let known = known.collect::<Option<Vec<_>>>().filter(|only| !only.is_empty());
                directives.only = known.ok_or_else(|| bad(Reason::NoBackend))?;
            }
            _ => return Err(bad(Reason::Unknown)),
        }
    }
    if let Some(without_folder) = compare {
        directives.sha256sum = Some(directives.args.first().cloned().ok_or(without_folder)?);
    }
    Ok(directives)
}

/// An invalid `verify:` line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DirectiveError {
    line: usize,
    directive: String,
    reason: Reason,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reason {
    Unknown,
    NoPrefix,
    NoArguments,
    DuplicateArgs,
    NoFolder,
    DuplicateOnly,
    NoBackend,
}

impl fmt::Display for DirectiveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { line, directive, reason } = self;
        write!(f, "{line}: `verify: {directive}`: ")?;
        f.write_str(match reason {
            Reason::Unknown => {
                "expected one of `any-order \"PREFIX\"`, `args A B ...`, `compare sha256sum`, \
                 `threads`, `no-runtime`, `remote`, `only BACKEND ...`"
            }
            Reason::NoPrefix => "expected the prefix of the lines in double quotes",
            Reason::NoArguments => "expected at least one argument",
            Reason::DuplicateArgs => "duplicate `verify: args`",
            Reason::NoFolder => {
                "expected `verify: args FOLDER ...`, which names the folder to hash"
            }
            Reason::DuplicateOnly => "duplicate `verify: only`",
            Reason::NoBackend => {
                let all = backend::names(&Backend::ALL, ", ");
                return write!(f, "expected one or more backends of {all}");
            }
        })
    }
}

impl error::Error for DirectiveError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_may_have_no_directives() {
        assert_eq!(
            parse("//! `gather`: all at once.\n\nfn main() {}\n"),
            Ok(Directives::default())
        );
        assert_eq!(parse(""), Ok(Directives::default()));
    }

    #[test]
    fn every_directive_is_parsed() {
        let source = "//! Title.\n//!\n//! verify: any-order \">task done\"\n//! verify: args a/b 4\n\
                      //! verify: any-order \"  with spaces \"\n//!verify: compare sha256sum\n\
                      //! verify: threads\n//! verify: no-runtime\n//! verify: only smol  sim\n";
        let directives = parse(source).unwrap();
        assert_eq!(directives.any_order, [">task done", "  with spaces "]);
        assert_eq!(directives.args, ["a/b", "4"]);
        assert_eq!(directives.sha256sum.as_deref(), Some("a/b"));
        assert!(directives.threads && directives.no_runtime);
        assert_eq!(directives.only, [Backend::Smol, Backend::Sim]);
    }

    #[test]
    fn an_unknown_directive_is_refused_with_its_line() {
        let error = parse("//! Title.\n//! verify: any-ordr \"x\"\n").unwrap_err();
        assert!(error.to_string().starts_with("2: `verify: any-ordr \"x\"`"), "{error}");
    }

    #[test]
    fn incomplete_directives_are_refused() {
        for bad in [
            "any-order",
            "any-order >task",
            "any-order \"\"",
            "any-order \"",
            "args",
            "compare",
            "compare md5sum",
            "compare sha256sum",
            "threads 4",
            "no-runtime yes",
            "only",
            "only smoll",
            "only smol,sim",
            "",
        ] {
            assert!(parse(&format!("//! verify: {bad}\n")).is_err(), "{bad}");
        }
        assert!(parse("//! verify: args 1\n//! verify: args 2\n").is_err());
        assert!(parse("//! verify: only smol\n//! verify: only sim\n").is_err());
        let error = parse("//! verify: only smoll\n").unwrap_err().to_string();
        assert!(error.contains("smol, async-std, "), "{error}");
    }

    #[test]
    fn only_the_header_is_parsed() {
        let source = "//! Title.\n\n//! verify: nonsense\nfn main() { /* verify: nonsense */ }\n";
        assert_eq!(parse(source), Ok(Directives::default()));
    }
}
