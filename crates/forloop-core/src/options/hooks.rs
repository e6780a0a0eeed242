//! The hooks of options, each with its default and with how two options share it.
//!
//! An option implements [`Rule`], [`ItemRule`] and [`OutcomeRule`], and overrides the hooks that it needs. A
//! loop's policy implements the same three traits: [`NoOptions`](crate::looping::NoOptions) and
//! [`Fallible`](super::Fallible) keep every default, and [`WithOption`](super::WithOption) calls the options
//! that were set before and then its own. So a hook is declared once, here. The macro [`hooks!`] takes
//! both bodies of each hook, and a hook without the second one does not compile.

use core::task::{Context, Poll};
use core::time::Duration;

use super::Event;
use super::wrapper::WithOption;
use crate::Outcome;
use crate::engine::Key;
use crate::outcome::StopReason;

/// Keeps the traits of this module from being implemented elsewhere.
#[expect(unnameable_types, reason = "it seals")]
pub trait Sealed: Sized {}

/// Declares a trait of hooks, and implements it for [`WithOption`].
///
/// Each hook has two bodies. The first, `default`, is that of the trait: what the hook does for an option that
/// does not need it. The second, `wrapper`, is that of `WithOption`: what the hook does for `self.policy`, the
/// options that were set before, together with `self.option`. Flags are `const`s that are `true` for a loop
/// if they are for one of its options; the value here is that of an option that does not say otherwise.
macro_rules! hooks {
    (
        $(#[$attribute:meta])*
        pub trait $Rule:ident $(<$T:ident>)?: $Super:path;

        flags { $(
            $(#[$flag_attribute:meta])*
            $FLAG:ident = $default_flag:literal,
        )* }

        $(
            $(#[$hook_attribute:meta])*
            fn $hook:ident(&$($receiver:ident)+ $(, $argument:ident: $type:ty)*) $(-> $answer:ty)?;
            default $default:block
            wrapper $wrapper:block
        )*
    ) => {
        $(#[$attribute])*
        ///
        /// This trait is sealed: the options of this library implement it.
        pub trait $Rule $(<$T>)?: $Super {
            $(
                $(#[$flag_attribute])*
                #[doc(hidden)]
                const $FLAG: bool = $default_flag;
            )*
            $(
                $(#[$hook_attribute])*
                #[doc(hidden)]
                #[allow(unused_variables, reason = "most defaults need no argument")]
                fn $hook(&$($receiver)+ $(, $argument: $type)*) $(-> $answer)? $default
            )*
        }

        impl<$($T,)? C, O, K> $Rule $(<$T>)? for WithOption<C, O, K>
        where
            C: $Rule $(<$T>)?,
            O: $Rule $(<$T>)?,
        {
            $(const $FLAG: bool = C::$FLAG || O::$FLAG;)*
            $(fn $hook(&$($receiver)+ $(, $argument: $type)*) $(-> $answer)? $wrapper)*
        }
    };
}

hooks! {
    /// What an option does at each point of a loop, for any items and outputs.
    ///
    /// The driver calls these hooks in the loop's own task and catches their panics.
    pub trait Rule: Sealed;

    flags {
        /// Whether a body's panic is its outcome.
        CATCHES_PANICS = false,

        /// Whether [`poll_interrupt`](Self::poll_interrupt) or [`poll_timed_out`](Self::poll_timed_out) does
        /// anything. A loop without signals polls neither, and does not stop between two bodies to do so.
        HAS_SIGNALS = false,
    }

    /// Ready with the reason when the loop is to stop.
    ///
    /// `will_repoll` is true if a cheap check is enough, because a full poll follows before the loop returns
    /// `Pending`. Of two options that are ready at the same time, the one that was set first decides.
    fn poll_interrupt(&mut self, cx: &mut Context<'_>, will_repoll: bool) -> Poll<StopReason>;
    default { Poll::Pending }
    wrapper {
        match self.policy.poll_interrupt(cx, will_repoll) {
            Poll::Pending => self.option.poll_interrupt(cx, will_repoll),
            ready => ready,
        }
    }

    /// Called after this attempt at an item was started and has not completed at once. `alive` says which of the
    /// attempts that were started still run.
    fn on_start(&mut self, body: Key, attempt: u32, alive: impl Fn(Key, u32) -> bool);
    default {}
    wrapper {
        self.policy.on_start(body, attempt, &alive);
        self.option.on_start(body, attempt, alive);
    }

    /// This option for a worker that pulls, if it limits the time of a body: it has seen no start.
    fn for_worker(&self) -> Option<Self>;
    default { None }
    wrapper {
        let (policy, option) = (self.policy.for_worker()?, self.option.for_worker()?);
        Some(Self { policy, option, adds: self.adds })
    }

    /// Ready with the next body that timed out.
    fn poll_timed_out(&mut self, cx: &mut Context<'_>, alive: impl Fn(Key, u32) -> bool) -> Poll<Key>;
    default { Poll::Pending }
    wrapper {
        match self.policy.poll_timed_out(cx, &alive) {
            Poll::Pending => self.option.poll_timed_out(cx, alive),
            ready => ready,
        }
    }

    /// Ready when this option permits another start now. Called when an item is there and has its permits.
    fn poll_start(&mut self, cx: &mut Context<'_>) -> Poll<()>;
    default { Poll::Ready(()) }
    wrapper {
        match self.policy.poll_start(cx) {
            Poll::Ready(()) => self.option.poll_start(cx),
            Poll::Pending => Poll::Pending,
        }
    }

    /// Ready when a permit that other loops share is there for the first attempt at an item. Called when everything
    /// else permits the start, and directly before it.
    fn poll_permit(&mut self, cx: &mut Context<'_>) -> Poll<()>;
    default { Poll::Ready(()) }
    wrapper {
        // An option that waits for a permit keeps those of no other.
        if self.policy.poll_permit(cx).is_pending() {
            self.option.cancel_permit();
            return Poll::Pending;
        }
        let permit = self.option.poll_permit(cx);
        if permit.is_pending() {
            self.policy.cancel_permit();
        }
        permit
    }

    /// The start that [`poll_start`](Self::poll_start) was about is not wanted any more: the loop stops, for example.
    fn cancel_start(&mut self);
    default {}
    wrapper {
        self.policy.cancel_start();
        self.option.cancel_start();
    }

    /// The permit that [`poll_permit`](Self::poll_permit) was about is not wanted any more, or not yet.
    fn cancel_permit(&mut self);
    default {}
    wrapper {
        self.policy.cancel_permit();
        self.option.cancel_permit();
    }

    /// Whether an item may be started, as far as this option is concerned. If not, the option queues it and
    /// hands it out of [`take_released`](Self::take_released) later. Called once for each item, after
    /// [`ItemRule::on_receive`].
    fn try_admit(&mut self, index: usize) -> bool;
    default { true }
    wrapper { self.policy.try_admit(index) && self.option.try_admit(index) }

    /// The next queued item that may be started now.
    fn take_released(&mut self) -> Option<usize>;
    default { None }
    wrapper {
        // An item that the options before this one have released may have to wait for this one, too.
        while let Some(index) = self.policy.take_released() {
            if self.option.try_admit(index) {
                return Some(index);
            }
        }
        self.option.take_released()
    }

    /// The number of permits that this item's body takes in addition to one.
    fn extra_permits(&self, index: usize) -> usize;
    default { 0 }
    wrapper { self.policy.extra_permits(index).saturating_add(self.option.extra_permits(index)) }

    /// The number of permits that the running bodies take in addition to one each.
    fn extra_permits_in_use(&self) -> usize;
    default { 0 }
    wrapper { self.policy.extra_permits_in_use().saturating_add(self.option.extra_permits_in_use()) }

    /// Ready with the next item whose back-off has elapsed.
    fn poll_retry(&mut self, cx: &mut Context<'_>) -> Poll<usize>;
    default { Poll::Pending }
    wrapper {
        match self.policy.poll_retry(cx) {
            Poll::Pending => self.option.poll_retry(cx),
            ready => ready,
        }
    }

    /// Ready when it is too late to start the attempt that was planned for this item.
    fn poll_retry_expired(&mut self, index: usize, cx: &mut Context<'_>) -> Poll<()>;
    default { Poll::Pending }
    wrapper {
        match self.policy.poll_retry_expired(index, cx) {
            Poll::Pending => self.option.poll_retry_expired(index, cx),
            ready => ready,
        }
    }

    /// Called with each event of the loop. Returns a reason to stop the loop, if the option has one.
    #[must_use = "the loop must stop for this reason"]
    fn on_event(&mut self, event: &Event) -> Option<StopReason>;
    default { None }
    wrapper {
        // Every option receives the event, also if one before it stops the loop.
        let reason = self.policy.on_event(event);
        let own = self.option.on_event(event);
        reason.or(own)
    }
}

hooks! {
    /// The hooks of an option that need the item, an `I`.
    #[diagnostic::on_unimplemented(
        message = "an option of this loop does not support items of type `{I}`",
        label = "the items do not match an option of this loop",
        note = "`retry` and `on_failure` clone each item: implement `Clone` for the items, or borrow them with \
                `forloop::each(&items)`",
        note = "the closures of `limit_by` and `weight_by` take a reference to an item of the loop"
    )]
    pub trait ItemRule<I>: Rule;

    flags {}

    /// Called with each item that was pulled, before [`Rule::try_admit`].
    fn on_receive(&mut self, index: usize, item: &I);
    default {}
    wrapper {
        self.policy.on_receive(index, item);
        self.option.on_receive(index, item);
    }

    /// Clones the item for a retry, if there may be one.
    fn clone_for_retry(&self, item: &I) -> Option<I>;
    default { None }
    wrapper { self.policy.clone_for_retry(item).or_else(|| self.option.clone_for_retry(item)) }
}

hooks! {
    /// The hooks of an option that need what a body returns, an `R`.
    #[diagnostic::on_unimplemented(
        message = "an option of this loop does not support bodies that return `{R}`",
        label = "the return type of the body does not match an option of this loop",
        note = "`retry` and `on_failure` need a body that returns `Result<T, E>`; the closures of `Retry::when` and \
                `Retry::adjust` take a reference to `E`, and that of `on_failure` a `FailedAttempt<'_, E>`",
        note = "the closure of `stop_on_output` takes a reference to what the body returns"
    )]
    pub trait OutcomeRule<R>: Rule;

    flags {}

    /// The delay after which the body is retried, or `None` if this `outcome` is final.
    fn retry_after(&mut self, index: usize, attempt: u32, outcome: &Outcome<R>) -> Option<Duration>;
    default { None }
    wrapper {
        let delay = self.policy.retry_after(index, attempt, outcome);
        delay.or_else(|| self.option.retry_after(index, attempt, outcome))
    }

    /// Called after each attempt that has failed. `retry_after` is the delay before the next attempt, or `None` if this
    /// failure is the item's outcome. If the loop stops during the delay, this is called again for the same attempt.
    fn on_failure(&mut self, index: usize, attempt: u32, outcome: &Outcome<R>, retry_after: Option<Duration>);
    default {}
    wrapper {
        self.policy.on_failure(index, attempt, outcome, retry_after);
        self.option.on_failure(index, attempt, outcome, retry_after);
    }

    /// Whether what the body has returned is an error, as far as this option can tell.
    fn is_error(&self, returned: &R) -> bool;
    default { false }
    wrapper { self.policy.is_error(returned) || self.option.is_error(returned) }

    /// Called with the final outcome of each item. Returns a reason to stop the loop, if the option has one.
    #[must_use = "the loop must stop for this reason"]
    fn on_outcome(&mut self, index: usize, outcome: &Outcome<R>) -> Option<StopReason>;
    default { None }
    wrapper {
        let reason = self.policy.on_outcome(index, outcome);
        let own = self.option.on_outcome(index, outcome);
        reason.or(own)
    }
}
