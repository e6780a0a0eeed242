//! What the header of an example tells the command: its `//! verify:` lines.

use std::{error, fmt};

use super::backend::{self, Backend};

/// The facts in the header of an example.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Directives {
    /// Consecutive lines that begin with one of these may come in any order.
    pub any_order: Vec<String>,
    /// The arguments of the program, and of its Python twin.
    pub args: Vec<String>,
    /// The folder whose files `sha256sum` is to hash for comparison: the first argument.
    pub sha256sum: Option<String>,
    /// It has threads of its own, which no simulation schedules: it is simulated first in, first out and
    /// under seeds, and not searched through, because no schedule of it can be repeated.
    pub threads: bool,
    /// It starts no runtime, so there may be nothing to simulate.
    pub no_runtime: bool,
    /// The only backends it is for; none means every one.
    pub only: Vec<Backend>,
}

/// Reads the `//!` lines at the top of a source file.
///
/// # Errors
///
/// [`BadDirective`] for the first `verify:` line that is none of the known ones: a typing error in it
/// must not turn into a looser or stricter comparison.
pub fn parse(source: &str) -> Result<Directives, BadDirective> {
    let mut facts = Directives::default();
    let mut compare = None;
    let header =
        source.lines().enumerate().map_while(|(i, line)| Some((i, line.strip_prefix("//!")?)));
    for (i, line) in header {
        let Some(directive) = line.trim().strip_prefix("verify:").map(str::trim) else { continue };
        let bad = |why| BadDirective { line: i + 1, directive: directive.to_owned(), why };
        let (name, rest) = directive.split_once(char::is_whitespace).unwrap_or((directive, ""));
        match (name, rest.trim()) {
            ("any-order", prefix) => {
                let quoted = prefix.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
                let prefix = quoted.filter(|prefix| !prefix.is_empty());
                facts.any_order.push(prefix.ok_or_else(|| bad(Why::NoPrefix))?.to_owned());
            }
            ("args", _) if !facts.args.is_empty() => return Err(bad(Why::Twice)),
            ("args", "") => return Err(bad(Why::NoArguments)),
            ("args", args) => facts.args = args.split_whitespace().map(str::to_owned).collect(),
            ("compare", "sha256sum") => compare = Some(bad(Why::NoFolder)),
            ("threads", "") => facts.threads = true,
            ("no-runtime", "") => facts.no_runtime = true,
            ("only", _) if !facts.only.is_empty() => return Err(bad(Why::OnlyTwice)),
            ("only", names) => {
                let known = names.split_whitespace().map(Backend::named);
                let known = known.collect::<Option<Vec<_>>>().filter(|only| !only.is_empty());
                facts.only = known.ok_or_else(|| bad(Why::NoBackend))?;
            }
            _ => return Err(bad(Why::Unknown)),
        }
    }
    if let Some(without_folder) = compare {
        facts.sha256sum = Some(facts.args.first().cloned().ok_or(without_folder)?);
    }
    Ok(facts)
}

/// A `verify:` line that means nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadDirective {
    line: usize,
    directive: String,
    why: Why,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Why {
    Unknown,
    NoPrefix,
    NoArguments,
    Twice,
    NoFolder,
    OnlyTwice,
    NoBackend,
}

impl fmt::Display for BadDirective {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { line, directive, why } = self;
        write!(f, "{line}: `verify: {directive}`: ")?;
        f.write_str(match why {
            Why::Unknown => {
                "not one of `any-order \"PREFIX\"`, `args A B ...`, `compare sha256sum`, \
                 `threads`, `no-runtime`, `only BACKEND ...`"
            }
            Why::NoPrefix => "needs the beginning of the lines in double quotes",
            Why::NoArguments => "needs at least one argument",
            Why::Twice => "the arguments are already given",
            Why::NoFolder => "needs `verify: args FOLDER ...`, to know what to hash",
            Why::OnlyTwice => "the only backends are already given",
            Why::NoBackend => {
                let all = backend::names(&Backend::ALL, ", ");
                return write!(f, "needs one or more backends, of {all}");
            }
        })
    }
}

impl error::Error for BadDirective {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_without_directives_gives_no_facts() {
        assert_eq!(
            parse("//! `gather`: all at once.\n\nfn main() {}\n"),
            Ok(Directives::default())
        );
        assert_eq!(parse(""), Ok(Directives::default()));
    }

    #[test]
    fn every_directive_is_read() {
        let source = "//! Title.\n//!\n//! verify: any-order \">task done\"\n//! verify: args a/b 4\n\
                      //! verify: any-order \"  with spaces \"\n//!verify: compare sha256sum\n\
                      //! verify: threads\n//! verify: no-runtime\n//! verify: only smol  sim\n";
        let facts = parse(source).unwrap();
        assert_eq!(facts.any_order, [">task done", "  with spaces "]);
        assert_eq!(facts.args, ["a/b", "4"]);
        assert_eq!(facts.sha256sum.as_deref(), Some("a/b"));
        assert!(facts.threads && facts.no_runtime);
        assert_eq!(facts.only, [Backend::Smol, Backend::Sim]);
    }

    #[test]
    fn a_directive_nobody_knows_is_refused_with_its_line() {
        let error = parse("//! Title.\n//! verify: any-ordr \"x\"\n").unwrap_err();
        assert!(error.to_string().starts_with("2: `verify: any-ordr \"x\"`"), "{error}");
    }

    #[test]
    fn directives_that_miss_something_are_refused() {
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
    fn only_the_header_counts() {
        let source = "//! Title.\n\n//! verify: nonsense\nfn main() { /* verify: nonsense */ }\n";
        assert_eq!(parse(source), Ok(Directives::default()));
    }
}
