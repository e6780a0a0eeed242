//! Panics that are caught, and say what they said.

use std::any::Any;
use std::cell::RefCell;
use std::panic::{self, AssertUnwindSafe, PanicHookInfo, catch_unwind};
use std::sync::Once;
use std::thread;

thread_local! {
    /// What the panics on this thread said, while they are not printed.
    static SAID: RefCell<Option<Vec<Said>>> = const { RefCell::new(None) };
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
    // Whoever is panicking may not set it: that panic then prints what it has to say.
    if thread::panicking() {
        return catch(run).map_err(|message| Said { message, at: None });
    }
    HOOK.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !note(info) {
                before(info);
            }
        }));
    });
    let outer = SAID.replace(Some(Vec::new()));
    let result = catch(run);
    let said = SAID.replace(outer).unwrap_or_default();
    // Others may have been caught by the program before, and a panic that goes on is not told again.
    result.map_err(|message| {
        let known = said.into_iter().rev().find(|said| said.message == message);
        known.unwrap_or(Said { message, at: None })
    })
}

fn catch<T>(run: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(run)).map_err(|payload| message(&*payload))
}

/// Notes what a panic says; `false` if this thread is not quiet.
fn note(info: &PanicHookInfo<'_>) -> bool {
    let at = info.location().map(ToString::to_string);
    let said = Said { message: message(info.payload()), at };
    SAID.try_with(|all| match all.try_borrow_mut().as_deref_mut() {
        Ok(Some(all)) => {
            all.push(said);
            true
        }
        _ => false,
    })
    .unwrap_or(false)
}

fn message(payload: &dyn Any) -> String {
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

    #[test]
    fn a_panic_that_was_caught_before_is_not_the_one_that_is_told() {
        let said = quietly(|| {
            let _caught = catch_unwind(|| panic!("expected"));
            panic!("real, from line {}", line!());
        });
        let said = said.unwrap_err();
        let line = said.message.rsplit(' ').next().unwrap().to_owned();
        assert!(said.at.unwrap().contains(&format!("quiet.rs:{line}:")));
    }
}
