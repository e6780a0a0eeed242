//! `Debug` of long lists: the first elements, and how many more there are.

use core::fmt::{self, Write};

/// How many elements are printed.
const PRINTED: usize = 10;

/// How many bytes are printed of a value whose type is not known.
const BYTES: usize = 4096;

/// Prints the first elements of a list, and how many more there are. A loop may have run a million bodies, and
/// `unwrap` prints what it has returned.
pub(crate) struct FirstOf<'a, T>(pub(crate) &'a [T]);

impl<T: fmt::Debug> fmt::Debug for FirstOf<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (first, more) = self.0.split_at(self.0.len().min(PRINTED));
        let mut list = f.debug_list();
        list.entries(first);
        if !more.is_empty() {
            list.entry(&format_args!("and {} more", more.len()));
        }
        list.finish()
    }
}

/// Prints the beginning of a value that may be a long list or contain one.
pub(crate) struct BeginningOf<'a, T>(pub(crate) &'a T);

impl<T: fmt::Debug> fmt::Debug for BeginningOf<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_alternate = f.alternate();
        let mut beginning = Beginning { inner: f, left: BYTES };
        let printed = if is_alternate {
            write!(beginning, "{:#?}", self.0)
        } else {
            write!(beginning, "{:?}", self.0)
        };
        match printed {
            // That of the value, or of the formatter below.
            Err(_) if beginning.left > 0 => Err(fmt::Error),
            Err(_) => f.write_str(" .. and more"),
            Ok(()) => Ok(()),
        }
    }
}

/// Passes on what fits, and then fails, so that the rest is not even formatted.
struct Beginning<'a, 'b> {
    inner: &'a mut fmt::Formatter<'b>,
    left: usize,
}

impl Write for Beginning<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if text.len() < self.left {
            self.left -= text.len();
            return self.inner.write_str(text);
        }
        let mut ends = (0..=self.left).rev();
        let end = ends.find(|&end| text.is_char_boundary(end)).unwrap_or_default();
        self.left = 0;
        self.inner.write_str(&text[..end])?;
        Err(fmt::Error)
    }
}
