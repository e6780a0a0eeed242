//! Catching panics without printing them, and keeping their messages.

use std::any::Any;
use std::cell::RefCell;
use std::panic::{self, AssertUnwindSafe, PanicHookInfo, catch_unwind};
use std::sync::Once;
use std::thread;

use forloop_core::Panic;

thread_local! {
    /// The panics caught on this thread, while it is quiet.
    static CAUGHT: RefCell<Option<Vec<Caught>>> = const { RefCell::new(None) };
}

/// A panic that was caught.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Caught {
    pub(crate) message: String,
    /// The location of the panic, if known.
    pub(crate) at: Option<String>,
}

/// Calls `run`, and catches its panic without printing it: a search meets the same panic many times.
pub(crate) fn quietly<T>(run: impl FnOnce() -> T) -> Result<T, Caught> {
    static HOOK: Once = Once::new();
    // A panicking thread may not set the hook. If `run` panics there, the panic is printed.
    if thread::panicking() {
        return catch(run).map_err(|message| Caught { message, at: None });
    }
    HOOK.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !record(info) {
                before(info);
            }
        }));
    });
    let outer = CAUGHT.replace(Some(Vec::new()));
    let result = catch(run);
    let caught = CAUGHT.replace(outer).unwrap_or_default();
    // `run` may have caught other panics before, and a resumed panic does not call the hook again.
    result.map_err(|message| {
        let known = caught.into_iter().rev().find(|caught| caught.message == message);
        known.unwrap_or(Caught { message, at: None })
    })
}

fn catch<T>(run: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(run)).map_err(|payload| {
        let message = message(&*payload);
        // A payload may panic when it is dropped.
        drop(Panic::from(payload));
        message
    })
}

/// Records a panic; `false` if this thread is not quiet.
fn record(info: &PanicHookInfo<'_>) -> bool {
    let at = info.location().map(ToString::to_string);
    let caught = Caught { message: message(info.payload()), at };
    CAUGHT
        .try_with(|all| match all.try_borrow_mut().as_deref_mut() {
            Ok(Some(all)) => {
                all.push(caught);
                true
            }
            _ => false,
        })
        .unwrap_or(false)
}

fn message(payload: &dyn Any) -> String {
    let text = payload.downcast_ref::<&str>().map(ToString::to_string);
    text.or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a panic whose payload is not a string".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_kept_with_its_location() {
        let caught = quietly(|| panic!("number {}", 7)).unwrap_err();
        assert_eq!(caught.message, "number 7");
        assert!(caught.at.is_some_and(|at| at.contains("quiet.rs")));
        assert_eq!(quietly(|| 7), Ok(7));
    }

    #[test]
    fn a_payload_that_panics_when_it_is_dropped_does_no_harm() {
        struct Bomb;

        impl Drop for Bomb {
            fn drop(&mut self) {
                panic!("dropped");
            }
        }

        let caught = quietly(|| panic::panic_any(Bomb)).unwrap_err();
        assert_eq!(caught.message, "a panic whose payload is not a string");
    }

    #[test]
    fn a_panic_that_the_program_caught_is_not_reported() {
        let caught = quietly(|| {
            let _caught = catch_unwind(|| panic!("expected"));
            panic!("real, from line {}", line!());
        });
        let caught = caught.unwrap_err();
        let line = caught.message.rsplit(' ').next().unwrap().to_owned();
        assert!(caught.at.unwrap().contains(&format!("quiet.rs:{line}:")));
    }
}
