//! Setting a loop up, before its first poll.

use core::pin::Pin;

use futures_core::Stream;

use super::{Drive, Spawner};
use crate::admission::{AttemptLog, MaybeQueue};
use crate::engine::CapacityHint;
use crate::options::{ItemPolicy, OutcomeRule, Rule};
use crate::outcome::catch;
use crate::place::{BodySet, Delivery, DeliveryRule, PullConfig};

/// What receives the completions of a loop.
pub(crate) struct Receiver<T> {
    /// Completions are taken at once. Others count against the limit until they are taken.
    pub(crate) are_collected: bool,
    /// Results are given in input order, so that those of later items wait for those of earlier ones.
    pub(crate) is_ordered: bool,
    /// Whether a failure stops the loop.
    pub(crate) may_fail: bool,
    /// Whose attempts are logged, for [`Drive::logged_attempts`].
    pub(crate) log: AttemptLog,
    /// How soon a worker delivers an output. `None` if in a large batch, or when it has nothing to do.
    pub(crate) delivery: Option<fn(&T) -> Delivery>,
}

impl<S, A, J, Q, C, U> Drive<S, A, J, Q, C, U>
where
    S: Stream,
    A: Spawner<C::Item, J>,
    J: BodySet,
    Q: MaybeQueue<C::Item, J::Output>,
    C: ItemPolicy<S::Item, SourceError = U> + OutcomeRule<J::Output>,
{
    /// Sets the loop up before its first poll. Returns once the lower bound of the source's size hint.
    #[cfg_attr(not(debug_assertions), inline(always))] // called at each poll of the loop
    pub(crate) fn set_up(self: Pin<&mut Self>, receiver: Receiver<J::Output>) -> Option<usize> {
        if self.is_set_up { None } else { self.begin(receiver) }
    }

    /// As [`set_up`](Self::set_up), in a function of its own. The polls of a stream take a twentieth fewer instructions without
    /// what this needs in registers. A loop that collects is polled less often, so a call costs it more.
    #[inline]
    pub(crate) fn set_up_stream(self: Pin<&mut Self>, receiver: Receiver<J::Output>) {
        if !self.is_set_up {
            self.begin_stream(receiver);
        }
    }

    #[inline(never)]
    fn begin_stream(self: Pin<&mut Self>, receiver: Receiver<J::Output>) {
        self.begin(receiver);
    }

    #[cfg_attr(not(debug_assertions), inline(always))] // in two places
    fn begin(
        self: Pin<&mut Self>,
        Receiver { are_collected, is_ordered, may_fail, log, delivery }: Receiver<J::Output>,
    ) -> Option<usize> {
        let this = self.project();
        *this.is_set_up = true;
        let limit = *this.limit;
        if C::HAS_RULES
            && let Some(admission) = this.admission.queue_mut()
        {
            admission.log_attempts(log);
            admission.is_ordered = is_ordered;
            admission.begin();
        }
        // Caught panics and time-outs are prompt. Beside them, batched outputs would not stay in the order of completion.
        let needs_order = (C::CATCHES_PANICS || C::TimeLimits::HAS_SIGNALS) && !are_collected;
        let delivery = delivery.or(if needs_order { Some(|_| Delivery::Prompt) } else { None });
        let pulled = this.running.begin(|| PullConfig {
            limit,
            catches_panics: C::CATCHES_PANICS,
            delivery: DeliveryRule {
                output: delivery,
                panic: if C::CATCHES_PANICS { Delivery::Prompt } else { Delivery::Terminal },
                time_out: if may_fail { Delivery::Terminal } else { Delivery::Prompt },
                holds_permits: !are_collected,
            },
        });
        if let Some((least, _)) = pulled {
            return Some(least);
        }
        let source = this.source.as_ref().as_pin_ref()?;
        let hint = catch(|| source.size_hint()).unwrap_or_default();
        this.pace.set_size_hint(hint);
        this.running.set_capacity_hint(CapacityHint::of(limit, hint));
        Some(hint.0)
    }
}
