//! Ctrl-C, for loops on any runtime or none.
//!
//! A loop stops when a future is ready: [`ctrl_c`] gives one that is when somebody asks the program to end.
//! It needs no runtime; what it stands on, [async-signal](https://docs.rs/async-signal), has one thread for the
//! whole program, which async-io's timers share.

#![forbid(unsafe_code)]

#[cfg(unix)]
mod default;

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use async_signal::{Signal, Signals};
use futures_core::Stream;

#[cfg(unix)]
use crate::default::Deferred;

/// What asks a program to end: on Windows, Ctrl-C only.
const SIGNALS: &[Signal] = if cfg!(unix) { &[Signal::Int, Signal::Term] } else { &[Signal::Int] };

/// Makes a future that is ready when somebody asks the program to end: by Ctrl-C (`SIGINT`), and on Unix also
/// by `SIGTERM`, which is how service managers and containers say the same.
///
/// Each future hears of what comes after it was made, and there may be several. While one of them waits, the
/// signal does nothing else; when none waits any more, because each is ready or dropped, it ends the program as
/// ever: so whoever is tired of waiting for a graceful end presses Ctrl-C once more. On Windows it ends the
/// program only until the first future was made.
///
/// Where a program has another handler of its own for these signals, it is called as well; but it cannot keep the
/// program alive when no future of this kind waits.
///
/// # Examples
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use forloop_core::each;
/// use forloop_ctrl_c::ctrl_c;
///
/// # async fn resized(photo: u32) -> u32 { photo }
/// let resized = each(0..1000).limit(4)?.cancel_on(ctrl_c()?).gather(resized);
/// match futures_lite::future::block_on(resized) {
///     Ok(photos) => println!("{} photos", photos.len()),
///     Err(interrupted) => println!("{interrupted}: {} photos by then", interrupted.ready.len()),
/// }
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// If the system refuses the handler, or what wakes the future: there are too many open files.
pub fn ctrl_c() -> io::Result<CtrlC> {
    Ok(CtrlC {
        // First of all, so that none comes between.
        #[cfg(unix)]
        deferred: Some(Deferred::new(SIGNALS)?),
        signals: Some(Signals::new(SIGNALS)?),
        left: 1,
    })
}

/// Ready when the program was asked to end: see [`ctrl_c`].
///
/// # Cancel safety
///
/// Dropped, it does not hear of the signal any more; another that was made by then does.
#[derive(Debug)]
#[must_use = "dropped, it leaves Ctrl-C to end the program as ever"]
pub struct CtrlC {
    #[cfg(unix)]
    deferred: Option<Deferred>,
    /// Gone when it is ready.
    signals: Option<Signals>,
    /// How many more are to come.
    left: usize,
}

impl CtrlC {
    /// The same, ready when so many signals have come since it was made.
    ///
    /// So the first Ctrl-C may ask a loop to finish what runs, and the second stop it at once: one future for
    /// each. Signals that come at the same instant may count as one.
    ///
    /// # Examples
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use forloop_core::each;
    /// use forloop_ctrl_c::ctrl_c;
    ///
    /// // Once may have been a mistake.
    /// let copied = each(0..1000).limit(4)?.cancel_on(ctrl_c()?.times(2)).for_each(async |_| {});
    /// assert_eq!(futures_lite::future::block_on(copied), Ok(()));
    /// # Ok(())
    /// # }
    /// ```
    pub fn times(self, signals: usize) -> Self {
        Self { left: signals, ..self }
    }

    /// The signal does not matter here any more.
    fn leave(&mut self) {
        self.signals = None;
        #[cfg(unix)]
        {
            self.deferred = None;
        }
    }
}

impl Future for CtrlC {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        while self.left > 0 {
            let Some(signals) = &mut self.signals else { return Poll::Pending };
            match ready!(Pin::new(signals).poll_next(cx)) {
                Some(Ok(_)) => self.left -= 1,
                // Nothing more will be heard here: better that Ctrl-C ends the program.
                Some(Err(_)) | None => self.leave(),
            }
        }
        self.leave();
        Poll::Ready(())
    }
}
