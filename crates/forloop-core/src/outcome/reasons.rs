//! The reasons for which an option stops a loop: the one list of them.

/// Passes the list to the macro `$with`. It defines the types with a variant for each reason: [`StopReason`] and
/// [`Cause`] in `interrupted.rs`, [`LoopError`] in `error.rs`.
///
/// A reason has its documentation, its name, its effect on the loop (a [`StopEffect`]), and the message of an
/// [`Interrupted`] or a [`LoopError`]. The deadline is separate: its variant of `LoopError` also has the bodies that
/// timed out.
///
/// [`Cause`]: super::Cause
/// [`Interrupted`]: super::Interrupted
/// [`LoopError`]: super::LoopError
/// [`StopEffect`]: super::StopEffect
/// [`StopReason`]: super::StopReason
macro_rules! stop_reasons {
    ($with:ident) => {
        $with! {
            deadline {
                /// The [deadline](crate::Loop::deadline) has passed.
                TimedOut: LastRound, "the deadline passed";
            }
            others {
                /// The loop or group was [cancelled](crate::Loop::cancel_on), or the runtime of its bodies was shut down.
                Cancelled: Cancel, "the loop or group was cancelled";
                /// The loop was [drained](crate::Loop::drain_on) before every item was started.
                Drained: Drain, "the loop was drained before every item was started";
                /// A [stop condition](crate::Loop::stop_on_counts) of the loop was met.
                ConditionMet: Cancel, "a stop condition was met";
            }
        }
    };
}

pub(super) use stop_reasons;
