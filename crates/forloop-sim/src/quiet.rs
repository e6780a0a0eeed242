//! Panics that are caught, and say what they said.

use std::any::Any;
use std::cell::RefCell;
use std::panic::{self, AssertUnwindSafe, PanicHookInfo, catch_unwind};
use std::sync::Once;

thread_local! {
    /// The places of the panics on this thread, while they are not printed.
    static PLACES: RefCell<Option<Vec<String>>> = const { RefCell::new(None) };
}

/// What a panic said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Said {
    pub(crate) message: String,
    /// Where it was said, if that is known.
    pub(crate) at: Option<String>,
}

/// Calls `run`, and keeps what it says if it panics. Nothing is printed: a search runs into the same panic
/// many times.
pub(crate) fn quietly<T>(run: impl FnOnce() -> T) -> Result<T, Said> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !note(info) {
                before(info);
            }
        }));
    });
    let outer = PLACES.replace(Some(Vec::new()));
    let result = catch_unwind(AssertUnwindSafe(run));
    let places = PLACES.replace(outer).unwrap_or_default();
    result.map_err(|payload| Said { message: message(&*payload), at: places.into_iter().next() })
}

/// Notes the place of a panic; `false` if this thread is not quiet.
fn note(info: &PanicHookInfo<'_>) -> bool {
    let place = info.location().map(ToString::to_string).unwrap_or_default();
    PLACES
        .try_with(|places| match places.try_borrow_mut().as_deref_mut() {
            Ok(Some(places)) => {
                places.push(place);
                true
            }
            _ => false,
        })
        .unwrap_or(false)
}

fn message(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().map(ToString::to_string);
    text.or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a panic without words".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_kept_with_its_place() {
        let said = quietly(|| panic!("number {}", 7)).unwrap_err();
        assert_eq!(said.message, "number 7");
        assert!(said.at.is_some_and(|at| at.contains("quiet.rs")));
        assert_eq!(quietly(|| 7), Ok(7));
    }
}
