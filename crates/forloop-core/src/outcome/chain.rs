//! What an error that has a source prints.

use core::fmt;

/// Writes `what`, and with the flag `#` also the text of the source after a colon.
///
/// A printer of the whole chain (`anyhow`, `eyre`) prints an error with `{}` and then its sources. So `{}` must not
/// include the text of the source, which would be printed twice. `{:#}` includes it, as `anyhow`'s does.
pub(crate) fn write_with_source(
    f: &mut fmt::Formatter<'_>,
    what: fmt::Arguments<'_>,
    source: impl fmt::Display,
) -> fmt::Result {
    f.write_fmt(what)?;
    if f.alternate() { write!(f, ": {source:#}") } else { Ok(()) }
}

/// Writes the text of something that has no source: with the flag `#` if `f` has it.
pub(crate) fn write_text(f: &mut fmt::Formatter<'_>, text: impl fmt::Display) -> fmt::Result {
    if f.alternate() { write!(f, "{text:#}") } else { write!(f, "{text}") }
}
