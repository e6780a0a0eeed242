//! What a policy does not say itself is said by the one that it wraps, `self.policy`, a `C`.

macro_rules! forward_cuts {
    () => {
        fn gives<X, Y>(result: Result<X, Interrupted<Y, C::SourceError>>) -> C::Gives<X, Y> {
            C::gives(result)
        }

        fn source_error(&mut self) -> Option<C::SourceError> {
            self.policy.source_error()
        }

        fn poll_interrupt(&mut self, cx: &mut Context<'_>, again: bool) -> Poll<StopReason> {
            self.policy.poll_interrupt(cx, again)
        }
    };
}

macro_rules! forward_items {
    () => {
        fn arrive(&mut self, index: usize, item: &C::Item) -> bool {
            self.policy.arrive(index, item)
        }

        fn keep(&self, item: &C::Item) -> Option<C::Item> {
            self.policy.keep(item)
        }
    };
}

macro_rules! forward_review {
    ($returns:ty) => {
        fn again(
            &mut self,
            index: usize,
            attempt: u32,
            outcome: &Outcome<$returns>,
        ) -> Option<Duration> {
            self.policy.again(index, attempt, outcome)
        }

        fn is_error(&self, returned: &$returns) -> bool {
            self.policy.is_error(returned)
        }

        fn on_outcome(&mut self, index: usize, outcome: &Outcome<$returns>) -> Option<StopReason> {
            self.policy.on_outcome(index, outcome)
        }
    };
}

macro_rules! forward_govern {
    () => {
        fn poll_begin(&mut self, cx: &mut Context<'_>) -> Poll<()> {
            self.policy.poll_begin(cx)
        }

        fn poll_again(&mut self, cx: &mut Context<'_>) -> Poll<usize> {
            self.policy.poll_again(cx)
        }

        fn is_too_late(&self, index: usize) -> bool {
            self.policy.is_too_late(index)
        }

        fn released(&mut self) -> Option<usize> {
            self.policy.released()
        }

        fn extra(&self, index: usize) -> usize {
            self.policy.extra(index)
        }

        fn extras(&self) -> usize {
            self.policy.extras()
        }

        fn on_event(&mut self, event: &Event) -> Option<StopReason> {
            self.policy.on_event(event)
        }
    };
}
