//! The errors of loops, groups and tasks.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::convert::Infallible;
use core::error::Error;
use core::fmt;

use super::bounded::FirstOf;
use super::boxed::{BoxError, unboxed};
use super::chain::{write_text, write_with_source};
use super::interrupted::{Cause, Interrupted, SourceError, StopReason};
use super::reasons::stop_reasons;

/// One body's error, with the index of the body.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Failure<E> {
    /// The item's index in the input, or the child's in the order of spawning; `None` for the body of
    /// a group.
    pub index: Option<usize>,
    /// The number of attempts: more than 1 only in a loop that [retries](crate::Loop::retry).
    pub attempts: u32,
    /// The error of the last attempt.
    pub error: E,
}

/// Which body failed, and the text of its error.
impl<E: fmt::Display> fmt::Display for Failure<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write_place(f)?;
        f.write_str(": ")?;
        write_text(f, &self.error)
    }
}

impl<E> Failure<E> {
    /// Writes which body failed, without its error.
    fn write_place(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.index, self.attempts) {
            (Some(index), 0 | 1) => write!(f, "body {index} failed"),
            (Some(index), attempts) => write!(f, "body {index} failed {attempts} times"),
            (None, _) => f.write_str("the group's body failed"),
        }
    }

    /// The same failure with another error.
    pub fn map<X>(self, f: impl FnOnce(E) -> X) -> Failure<X> {
        Failure { index: self.index, attempts: self.attempts, error: f(self.error) }
    }
}

/// Makes all that has a variant or a line for each [reason](super::reasons).
macro_rules! loop_error {
    (
        deadline { $(#[$_docs:meta])* TimedOut: $_effect:ident, $_message:literal; }
        others { $(
            $(#[$attribute:meta])*
            $Reason:ident: $_other_effect:ident, $_other_message:literal;
        )* }
    ) => {
        /// Why a fail-fast loop or a group has stopped.
        ///
        /// The type is the same whether one body failed or many. It has each failure of the round that stopped the loop.
        /// In the caller's task a round is the bodies that were woken together, or those that start together: as many
        /// as there are free permits, at most 64. Of tasks, it is those that have completed when the loop is polled.
        ///
        /// Of several reasons the most severe is the
        /// variant: errors, then lost bodies, then time-outs, then cancellation. A panic is not a value: it propagates to the
        /// caller. `E` is the bodies' error. `S` is the source's, which only loops that begin with
        /// [`try_each`](crate::try_each) have.
        ///
        /// It implements [`Error`] when the bodies' error does, and that error is its
        /// [`source`](Error::source). Where the bodies' error does not (`anyhow::Error`,
        /// `Box<dyn Error + Send + Sync>`, `String`), convert it with [`boxed`](Self::boxed) before a `?`.
        ///
        /// `{}` prints which body failed, without the text of its error: `body 3 failed (and 2 more)`. A printer
        /// that follows the sources, as `anyhow` and `eyre` do, adds that text. `{:#}` prints both in one line:
        /// `body 3 failed: connection refused (and 2 more)`.
        ///
        /// Its `Debug` output is bounded: it has the first failures and indices, and how many more there are.
        #[derive(Clone, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum LoopError<E, S = Infallible> {
            /// Bodies failed.
            #[non_exhaustive]
            Failed {
                /// Every error that really happened, the earliest first. Never empty.
                failures: Vec<Failure<E>>,
                /// The indices of the bodies that timed out, in ascending order.
                timed_out: Vec<usize>,
                /// What interrupted the loop or group, if the failures did not stop it: those of a race and of
                /// a supervised group do not.
                cause: Option<Cause>,
                #[doc(hidden)]
                by_index: FailureIndex,
            },
            /// The source failed.
            #[non_exhaustive]
            Source {
                /// The index that the next item would have had.
                index: usize,
                /// The error of the source.
                error: S,
                /// The errors of bodies up to the moment at which the loop had stopped, the earliest first.
                failures: Vec<Failure<E>>,
                /// The indices of the bodies that timed out, in ascending order.
                timed_out: Vec<usize>,
                #[doc(hidden)]
                by_index: FailureIndex,
            },
            /// Bodies were lost with the process that ran them; no body returned an error.
            #[non_exhaustive]
            Lost {
                /// Their indices, in ascending order.
                lost: Vec<usize>,
                /// The indices of the bodies that timed out, in ascending order.
                timed_out: Vec<usize>,
                /// What interrupted the loop, if a lost body did not stop it.
                cause: Option<Cause>,
            },
            /// Bodies timed out, by their own time-out or by the deadline; no body failed.
            #[non_exhaustive]
            TimedOut {
                /// Their indices, in ascending order. Those of a group are its children's.
                timed_out: Vec<usize>,
                /// What interrupted the loop or group; `None` if it has stopped at a body that exceeded its own
                /// time-out.
                cause: Option<Cause>,
            },
            $(
                $(#[$attribute])*
                ///
                /// No body failed.
                $Reason,
            )*
            /// The source yielded no items: an empty race has no winner.
            Empty,
            /// Every body succeeded, but there were fewer items than the successes that were required.
            #[non_exhaustive]
            TooFew {
                /// The number of bodies that succeeded.
                succeeded: usize,
                /// The number that was required.
                wanted: usize,
            },
        }

        /// The errors that are a reason and nothing else.
        macro_rules! reason_alone {
            () => {
                $(LoopError::$Reason)|*
            };
        }

        impl<E, S> LoopError<E, S> {
            /// The error of a loop or group that was stopped for this reason, without a failure. `timed_out` are the
            /// indices of the bodies that timed out, if the deadline is the reason.
            pub(crate) fn stopped(reason: StopReason, timed_out: Vec<usize>) -> Self {
                match reason {
                    StopReason::TimedOut => Self::TimedOut { timed_out, cause: Some(reason.into()) },
                    $(StopReason::$Reason => Self::$Reason,)*
                }
            }

            /// The reason, if the error is nothing else.
            fn reason(&self) -> Option<StopReason> {
                match self {
                    $(Self::$Reason => Some(StopReason::$Reason),)*
                    Self::Failed { .. }
                    | Self::Source { .. }
                    | Self::Lost { .. }
                    | Self::TimedOut { .. }
                    | Self::Empty
                    | Self::TooFew { .. } => None,
                }
            }

            /// The same error with other failures.
            fn map_failures<X>(
                self,
                map: impl FnOnce(Vec<Failure<E>>) -> Vec<Failure<X>>,
            ) -> LoopError<X, S> {
                match self {
                    Self::Failed { failures, timed_out, cause, .. } => {
                        let failures = map(failures);
                        let by_index = FailureIndex::of(&failures);
                        LoopError::Failed { failures, timed_out, cause, by_index }
                    }
                    Self::Source { index, error, failures, timed_out, .. } => {
                        let failures = map(failures);
                        let by_index = FailureIndex::of(&failures);
                        LoopError::Source { index, error, failures, timed_out, by_index }
                    }
                    Self::Lost { lost, timed_out, cause } => {
                        LoopError::Lost { lost, timed_out, cause }
                    }
                    Self::TimedOut { timed_out, cause } => LoopError::TimedOut { timed_out, cause },
                    $(Self::$Reason => LoopError::$Reason,)*
                    Self::Empty => LoopError::Empty,
                    Self::TooFew { succeeded, wanted } => LoopError::TooFew { succeeded, wanted },
                }
            }

            /// The name of the variant.
            fn name(&self) -> &'static str {
                match self {
                    Self::Failed { .. } => "Failed",
                    Self::Source { .. } => "Source",
                    Self::Lost { .. } => "Lost",
                    Self::TimedOut { .. } => "TimedOut",
                    $(Self::$Reason => stringify!($Reason),)*
                    Self::Empty => "Empty",
                    Self::TooFew { .. } => "TooFew",
                }
            }
        }
    };
}

stop_reasons!(loop_error);

impl<E: fmt::Debug, S: fmt::Debug> fmt::Debug for LoopError<E, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut error = f.debug_struct(self.name());
        match self {
            Self::Failed { failures, timed_out, cause, .. } => error
                .field("failures", &FirstOf(failures))
                .field("timed_out", &FirstOf(timed_out))
                .field("cause", cause),
            Self::Source { index, error: source, failures, timed_out, .. } => error
                .field("index", index)
                .field("error", source)
                .field("failures", &FirstOf(failures))
                .field("timed_out", &FirstOf(timed_out)),
            Self::Lost { lost, timed_out, cause } => error
                .field("lost", &FirstOf(lost))
                .field("timed_out", &FirstOf(timed_out))
                .field("cause", cause),
            Self::TimedOut { timed_out, cause } => {
                error.field("timed_out", &FirstOf(timed_out)).field("cause", cause)
            }
            Self::TooFew { succeeded, wanted } => {
                error.field("succeeded", succeeded).field("wanted", wanted)
            }
            reason_alone!() | Self::Empty => &mut error,
        };
        error.finish()
    }
}

/// Where the failure of each body is, so that [`LoopError::get`] need not look at all of them.
#[doc(hidden)]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailureIndex {
    /// The index of each body that failed and the position of its failure, in ascending order.
    positions: Box<[(usize, usize)]>,
}

impl FailureIndex {
    /// Fewer failures than this are not worth an index.
    const WORTHWHILE: usize = 16;

    pub(crate) fn of<E>(failures: &[Failure<E>]) -> Self {
        let is_worthwhile = failures.len() >= Self::WORTHWHILE;
        let indices = failures.iter().enumerate().filter(|_| is_worthwhile);
        let mut positions: Box<[_]> =
            indices.filter_map(|(at, failure)| Some((failure.index?, at))).collect();
        positions.sort_unstable();
        Self { positions }
    }

    /// The failure of this body. The list may not be as it was when the index was made, because it is public.
    fn find<'a, E>(&self, failures: &'a [Failure<E>], index: usize) -> Option<&'a Failure<E>> {
        let is_it = |failure: &&Failure<E>| failure.index == Some(index);
        if failures.len() >= Self::WORTHWHILE {
            match self.positions.binary_search_by_key(&index, |&(index, _)| index) {
                Ok(found) => {
                    let failure = failures.get(self.positions[found].1).filter(is_it);
                    if failure.is_some() {
                        return failure;
                    }
                }
                Err(_) if self.positions.len().abs_diff(failures.len()) <= 1 => return None,
                Err(_) => {}
            }
        }
        failures.iter().find(is_it)
    }
}

impl<E, S> LoopError<E, S> {
    /// Returns every failure, the earliest first; empty if no body failed.
    pub fn failures(&self) -> &[Failure<E>] {
        match self {
            Self::Failed { failures, .. } | Self::Source { failures, .. } => failures,
            _ => &[],
        }
    }

    /// Returns the earliest failure, if a body failed.
    pub fn first(&self) -> Option<&Failure<E>> {
        self.failures().first()
    }

    /// Returns the error of the body with this index, if it failed.
    ///
    /// It takes time logarithmic in the number of failures.
    pub fn get(&self, index: usize) -> Option<&E> {
        let failure = match self {
            Self::Failed { failures, by_index, .. } | Self::Source { failures, by_index, .. } => {
                by_index.find(failures, index)
            }
            _ => None,
        };
        failure.map(|failure| &failure.error)
    }

    /// Returns the earliest failure, if a body failed, and drops the others.
    pub fn into_first(self) -> Option<Failure<E>> {
        match self {
            Self::Failed { failures, .. } | Self::Source { failures, .. } => {
                failures.into_iter().next()
            }
            _ => None,
        }
    }

    /// Returns the indices of the bodies that timed out.
    pub fn timed_out(&self) -> &[usize] {
        match self {
            Self::Failed { timed_out, .. }
            | Self::Source { timed_out, .. }
            | Self::Lost { timed_out, .. }
            | Self::TimedOut { timed_out, .. } => timed_out,
            reason_alone!() | Self::Empty | Self::TooFew { .. } => &[],
        }
    }

    /// Returns what interrupted the loop or group, if anything did.
    pub fn cause(&self) -> Option<Cause<&S>> {
        match self {
            Self::Failed { cause, .. }
            | Self::Lost { cause, .. }
            | Self::TimedOut { cause, .. } => cause.clone().map(Cause::widen),
            Self::Source { index, error, .. } => Some(Cause::Source { index: *index, error }),
            reason_alone!() => self.reason().map(Into::into),
            Self::Empty | Self::TooFew { .. } => None,
        }
    }

    /// Converts every failure's error to a [`BoxError`], so that `?` accepts it everywhere.
    ///
    /// The [`source`](Error::source) of the result is the error in the box, and `downcast_ref` finds its type.
    ///
    /// # Examples
    ///
    /// ```
    /// # use forloop_core as forloop;
    /// use std::error::Error;
    ///
    /// use forloop::LoopError;
    ///
    /// async fn parse(texts: Vec<&str>) -> Result<Vec<u32>, Box<dyn Error>> {
    ///     let parsed = forloop::each(texts).unbounded().try_gather(async |text| {
    ///         text.parse::<u32>().map_err(|error| format!("`{text}`: {error}"))
    ///     });
    ///     Ok(parsed.await.map_err(LoopError::boxed)?)
    /// }
    /// # let error = futures_lite::future::block_on(parse(vec!["1", "two"])).unwrap_err();
    /// # assert_eq!(format!("{error:#}"), "body 1 failed: `two`: invalid digit found in string");
    /// ```
    pub fn boxed(self) -> LoopError<BoxError, S>
    where
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        self.map(|error| BoxError(error.into()))
    }

    /// Applies `f` to every failure's error.
    ///
    /// # Examples
    ///
    /// ```
    /// # use forloop_core as forloop;
    /// # use std::{io, num::ParseIntError};
    /// # #[derive(Debug)]
    /// # enum AppError { Parse(ParseIntError), Io(io::Error) }
    /// use forloop::LoopError;
    ///
    /// async fn parse(texts: &[&str]) -> Result<Vec<u32>, LoopError<AppError>> {
    ///     let parsed = forloop::each(texts).unbounded().try_gather(async |text| text.parse::<u32>());
    ///     parsed.await.map_err(|error| error.map(AppError::Parse))
    /// }
    /// # let error = futures_lite::future::block_on(parse(&["1", "two"])).unwrap_err();
    /// # assert!(matches!(error.get(1), Some(AppError::Parse(_))));
    /// ```
    pub fn map<X>(self, mut f: impl FnMut(E) -> X) -> LoopError<X, S> {
        self.map_failures(|failures| {
            failures.into_iter().map(|failure| failure.map(&mut f)).collect()
        })
    }

    /// Separates the failures whose error satisfies `predicate` from everything else.
    ///
    /// The first part has these failures and nothing else. The second has the other failures, and the time-outs and
    /// the cause of the whole. A part with nothing in it is `None`. Both keep the order of completion.
    ///
    /// Equivalent to Python's `ExceptionGroup.split`, on which `except*` is built.
    ///
    /// # Examples
    ///
    /// ```
    /// # use forloop_core as forloop;
    /// # futures_lite::future::block_on(async {
    /// use std::io::{Error, ErrorKind};
    ///
    /// let opened = forloop::each([ErrorKind::NotFound, ErrorKind::TimedOut])
    ///     .unbounded()
    ///     .try_for_each(async |kind| Err::<(), _>(Error::from(kind)))
    ///     .await;
    /// let (missing, others) = opened.unwrap_err().split(|error| error.kind() == ErrorKind::NotFound);
    /// assert_eq!(missing.unwrap().failures().len(), 1);
    /// assert_eq!(others.unwrap().first().unwrap().index, Some(1));
    /// # });
    /// ```
    #[doc(alias = "except*")]
    pub fn split(self, mut predicate: impl FnMut(&E) -> bool) -> (Option<Self>, Option<Self>) {
        let mut matching = Vec::new();
        let rest = self.map_failures(|failures| {
            let (matches, others) =
                failures.into_iter().partition(|failure| predicate(&failure.error));
            matching = matches;
            others
        });
        let matching = (!matching.is_empty()).then(|| Self::failed(matching));
        (matching, rest.without_empty_failures())
    }

    /// Failures that were not interrupted and beside which nothing timed out.
    fn failed(failures: Vec<Failure<E>>) -> Self {
        let by_index = FailureIndex::of(&failures);
        Self::Failed { failures, timed_out: Vec::new(), cause: None, by_index }
    }

    /// What is left if there are no failures.
    fn without_empty_failures(self) -> Option<Self> {
        match self {
            Self::Failed { failures, timed_out, cause, .. } if failures.is_empty() => {
                let reason = cause.map(Cause::into_reason).transpose();
                let reason = reason.unwrap_or_else(|SourceError { error, .. }| match error {});
                match reason {
                    _ if !timed_out.is_empty() => {
                        Some(Self::TimedOut { timed_out, cause: reason.map(Cause::from) })
                    }
                    reason => reason.map(|reason| Self::stopped(reason, timed_out)),
                }
            }
            rest => Some(rest),
        }
    }
}

impl<E, Y, S> From<Interrupted<Y, S>> for LoopError<E, S> {
    fn from(interrupted: Interrupted<Y, S>) -> Self {
        let timed_out = interrupted.pending;
        match interrupted.cause.into_reason() {
            Ok(reason) => Self::stopped(reason, timed_out),
            Err(SourceError { index, error }) => {
                let (failures, timed_out) = (Vec::new(), Vec::new());
                let by_index = FailureIndex::of(&failures);
                Self::Source { index, error, failures, timed_out, by_index }
            }
        }
    }
}

impl<E: fmt::Display, S: fmt::Display> fmt::Display for LoopError<E, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed { failures, timed_out, .. } => {
                match failures.first() {
                    Some(first) if f.alternate() => write!(f, "{first:#}")?,
                    Some(first) => first.write_place(f)?,
                    None => f.write_str("bodies failed")?,
                }
                match failures.len() + timed_out.len() {
                    0 | 1 => Ok(()),
                    more => write!(f, " (and {} more)", more - 1),
                }
            }
            Self::Source { index, error, .. } => {
                write_with_source(f, format_args!("the source failed at item {index}"), error)
            }
            Self::Lost { lost, timed_out, .. } => {
                match lost.first() {
                    Some(first) => write!(f, "body {first} was lost")?,
                    None => f.write_str("bodies were lost")?,
                }
                match lost.len() + timed_out.len() {
                    0 | 1 => Ok(()),
                    more => write!(f, " (and {} more)", more - 1),
                }
            }
            Self::TimedOut { timed_out, .. } => match timed_out[..] {
                [] => f.write_str("the deadline passed"),
                [only] => write!(f, "body {only} timed out"),
                [first, ..] => {
                    write!(f, "body {first} timed out (and {} more)", timed_out.len() - 1)
                }
            },
            reason_alone!() => self.reason().map_or(Ok(()), |reason| f.write_str(reason.message())),
            Self::Empty => f.write_str("the source yielded no items"),
            Self::TooFew { succeeded, wanted } => {
                write!(f, "only {succeeded} of {wanted} required bodies succeeded")
            }
        }
    }
}

impl<E: Error + 'static, S: Error + 'static> Error for LoopError<E, S> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Source { error, .. } => Some(unboxed(error)),
            _ => self.first().map(|failure| unboxed(&failure.error)),
        }
    }
}

/// A task was stopped before it had a value: it was cancelled, its group refused or cancelled it, or its
/// runtime was shut down. Or the signal of [`until`](crate::until) has completed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cancelled;

impl fmt::Display for Cancelled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the task was cancelled")
    }
}

impl Error for Cancelled {}

/// A future did not complete in its time: see `forloop::timeout`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimedOut;

impl fmt::Display for TimedOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the future timed out")
    }
}

impl Error for TimedOut {}

/// A limit of zero, with which a loop would never run a body, or chunks of zero items.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ZeroLimit;

impl fmt::Display for ZeroLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a limit or a size of chunks must be at least 1")
    }
}

impl Error for ZeroLimit {}

/// A group is closed: it has completed, has failed or was cancelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Closed;

impl fmt::Display for Closed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the group was closed and accepted no more children")
    }
}

impl Error for Closed {}
