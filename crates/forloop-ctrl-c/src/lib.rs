//! Ctrl-C, for loops on any runtime or none.
//!
//! Options such as `cancel_on` stop a loop when a future is ready. [`ctrl_c`] returns a future that is ready
//! when the user or the system asks the program to terminate. It needs no runtime: the crate
//! [async-signal](https://docs.rs/async-signal) uses one thread for the whole program, which it shares with
//! async-io's timers.

#![forbid(unsafe_code)]

#[cfg(unix)]
mod default;

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use async_signal::{Signal, Signals};
use forloop_timer::SystemTimer;
use futures_core::Stream;

#[cfg(unix)]
use crate::default::Deferred;

/// The signals that ask a program to terminate: on Windows, Ctrl-C only.
const SIGNALS: &[Signal] = if cfg!(unix) { &[Signal::Int, Signal::Term] } else { &[Signal::Int] };

/// Returns a future that is ready when the program is asked to terminate: by Ctrl-C (`SIGINT`), and on Unix
/// also by `SIGTERM`, which service managers and containers send.
///
/// A future receives the signals that arrive after it was created, and there may be several futures. While
/// one of them waits, a signal has no other effect. When none waits any more, because each is ready or
/// dropped, the next signal terminates the program. A user who does not want to wait for a graceful shutdown
/// therefore presses Ctrl-C again. On Windows, Ctrl-C does not terminate the program any more once a first
/// future was created.
///
/// A signal that the program's parent ignores, as `nohup` and a shell's `&` do, makes the future ready like any other.
/// While none waits, it is ignored again and does not terminate the program. This is so on Linux and Android; on other
/// systems a later signal terminates the program.
///
/// If the program has installed its own handler for these signals, that is called as well. It cannot keep
/// the program alive while no future of this kind waits.
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
/// Returns an error if the system refuses the handler, the thread or the file descriptors, because too many are open.
/// A signal terminates the program then, as before. Each future has four descriptors on Unix; all share three more
/// with async-io's timers.
#[doc(alias = "graceful shutdown")]
#[doc(alias = "SIGINT")]
pub fn ctrl_c() -> io::Result<CtrlC> {
    SystemTimer::start()?;
    Ok(CtrlC {
        // Created before `signals`, so that no signal between the two terminates the program.
        #[cfg(unix)]
        deferred: Some(Deferred::new(SIGNALS)?),
        signals: Some(Signals::new(SIGNALS)?),
        remaining: 1,
    })
}

/// The future of [`ctrl_c`], which is ready when the program is asked to terminate.
///
/// # Cancel safety
///
/// A dropped future receives no more signals; other futures that already exist do.
#[derive(Debug)]
#[must_use = "a dropped `CtrlC` receives nothing, so Ctrl-C terminates the program"]
pub struct CtrlC {
    #[cfg(unix)]
    deferred: Option<Deferred>,
    /// `None` once the future is ready.
    signals: Option<Signals>,
    /// The number of signals still to come.
    remaining: usize,
}

impl CtrlC {
    /// Makes the future ready at the n-th signal after it was created, where n is `signals`.
    ///
    /// With one future for each, the first Ctrl-C may drain a loop, and the second cancel it. Signals that
    /// arrive at the same instant may count as one.
    ///
    /// # Examples
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use forloop_core::each;
    /// use forloop_ctrl_c::ctrl_c;
    ///
    /// // The first Ctrl-C may have been a mistake.
    /// let copied = each(0..1000).limit(4)?.cancel_on(ctrl_c()?.times(2)).for_each(async |_| {});
    /// assert_eq!(futures_lite::future::block_on(copied), Ok(()));
    /// # Ok(())
    /// # }
    /// ```
    pub fn times(self, signals: usize) -> Self {
        Self { remaining: signals, ..self }
    }

    /// Stops receiving signals.
    fn unregister(&mut self) {
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
        while self.remaining > 0 {
            let Some(signals) = &mut self.signals else { return Poll::Pending };
            match ready!(Pin::new(signals).poll_next(cx)) {
                Some(Ok(_)) => self.remaining -= 1,
                // No more signals can be received here, so the default action must apply again.
                Some(Err(_)) | None => self.unregister(),
            }
        }
        self.unregister();
        Poll::Ready(())
    }
}
