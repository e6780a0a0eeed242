//! What each loop returns.

use crawler::{FetchError, Page};
use forloop::Outcome;

/// The outcome of each page, in the order of the list.
pub(crate) type Pages = Vec<Outcome<Page, FetchError>>;
