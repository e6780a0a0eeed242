//! Every strategy, for the laws that hold for all of them.
//!
//! [`STRATEGIES`] has an entry for each method of [`Loop`](forloop_core::Loop) that takes the body. A law that holds for
//! every strategy gets its loops from `every_strategy!`, which runs each entry, so no law can forget one.
//!
//! An entry says how to run the strategy, and what a law may expect of it. Nothing in it has a default: what is
//! forgotten does not compile, and what is wrong fails a law.

use std::convert::Infallible;
use std::fmt::Display;
use std::pin::Pin;

use forloop_core::{Cause, Interrupted, LoopError, Outcome, Settled, each};
use futures_lite::StreamExt;

/// Passes the entries to a macro of this module, after its other arguments.
///
/// `name(looping, kind): values, errors, stops, expression;` is the entry of the method `name`. The expression runs the
/// loop `looping` with the body `kind`, which is one of the functions in [`bodies`], and has the value that the strategy
/// returns.
macro_rules! strategies {
    ($then:ident $($with:tt)*) => {
        $crate::strategies::$then! {
            { $($with)* }
            as_completed(looping, value): CompletionOrder, AsValues, Never,
                StreamExt::collect::<Vec<_>>(looping.as_completed(value)).await;
            collect(looping, value): InputOrder, AsValues, Never,
                looping.collect::<Vec<_>, _, _, _, _>(value).await;
            extend(looping, value): CompletionOrder, AsValues, Never, {
                let mut outputs = Vec::new();
                let returned = looping.extend(&mut outputs, value).await;
                (outputs, returned)
            };
            filter_map(looping, option): InputOrder, None, Never, looping.filter_map(option).await;
            first_ok(looping, result): CompletionOrder, CompletionOrder, AfterSuccesses(3),
                looping.first_ok(3, result).await;
            fold(looping, value): CompletionOrder, AsValues, Never,
                looping.fold(Vec::new(), value, push).await;
            for_each(looping, unit): None, None, Never, looping.for_each(unit).await;
            gather(looping, value): InputOrder, AsValues, Never, looping.gather(value).await;
            race(looping, value): CompletionOrder, AsValues, AfterSuccesses(1), looping.race(value).await;
            race_ok(looping, result): CompletionOrder, CompletionOrder, AfterSuccesses(1),
                looping.race_ok(result).await;
            settle(looping, result): InputOrder, InputOrder, Never, looping.settle(result).await;
            stream(looping, value): InputOrder, AsValues, Never,
                StreamExt::collect::<Vec<_>>(looping.stream(value)).await;
            stream_unordered(looping, value): CompletionOrder, AsValues, Never,
                StreamExt::collect::<Vec<_>>(looping.stream_unordered(value)).await;
            try_collect(looping, result): InputOrder, CompletionOrder, AtFailure,
                looping.try_collect::<Vec<_>, _, _, _, _, _, _>(result).await;
            try_filter_map(looping, result_option): InputOrder, CompletionOrder, AtFailure,
                looping.try_filter_map(result_option).await;
            try_fold(looping, result): CompletionOrder, CompletionOrder, AtFailure,
                looping.try_fold(Vec::new(), result, push).await;
            try_for_each(looping, result_unit): None, CompletionOrder, AtFailure,
                looping.try_for_each(result_unit).await;
            try_gather(looping, result): InputOrder, CompletionOrder, AtFailure, looping.try_gather(result).await;
        }
    };
}

/// A strategy, and what the laws may expect of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Strategy {
    /// The name of the method.
    pub name: &'static str,
    /// Which values it returns.
    pub values: Values,
    /// Which errors of bodies it returns.
    pub errors: Errors,
    /// Which completion stops it.
    pub stops: Stops,
}

/// Which values a strategy returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Values {
    /// Those of all bodies, in input order.
    InputOrder,
    /// Those of the bodies that complete before it stops, in completion order.
    CompletionOrder,
    /// None.
    None,
}

/// Which errors of bodies a strategy returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Errors {
    /// None: its bodies return nothing, or no value where others return an error.
    None,
    /// It does not look into what bodies return: a `Result` is a value.
    AsValues,
    /// Those of all bodies, in input order.
    InputOrder,
    /// If it returns no values: those of the bodies that complete before it stops, in completion order.
    CompletionOrder,
}

/// Which completion stops a strategy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stops {
    /// None: every item has its body run.
    Never,
    /// The first failure.
    AtFailure,
    /// That of the body with which so many have succeeded.
    AfterSuccesses(usize),
}

/// Makes the table a value.
macro_rules! strategy_list {
    ({} $($name:ident($($_run:ident),*): $values:ident, $errors:ident, $stops:expr, $_returned:expr;)*) => {
        /// Every strategy.
        pub const STRATEGIES: &[Strategy] = {
            use Stops::*;

            &[$(Strategy {
                name: stringify!($name),
                values: Values::$values,
                errors: Errors::$errors,
                stops: $stops,
            }),*]
        };
    };
}

strategies! { strategy_list }

/// Runs a loop with every strategy: returns a [`Run`] for each, which does nothing until it is polled.
///
/// `every_strategy!(spawned: looping(), body)` makes a loop and a body for each strategy. `body` is a closure that
/// returns a future of an [`Output`]. It is cloned for each loop, and boxed by the named function in [`boxing`], so that
/// the loops of all laws with the same options have the same types, and compile once.
///
/// A law that cannot hold for a strategy names it, with the reason: `.., but not { for_each: "the reason" }`.
macro_rules! every_strategy {
    ($boxed:ident: $looping:expr, $body:expr $(, but not { $($left_out:ident: $reason:literal),+ })?) => {
        $crate::strategies::strategies! {
            run_strategies $boxed, $looping, $body, ($) $($($left_out)+)?
        }
    };
}

/// See [`every_strategy`].
macro_rules! run_strategies {
    (
        { $boxed:ident, $looping:expr, $body:expr, ($d:tt) $($left_out:ident)* }
        $($name:ident($loop_name:ident, $kind:ident): $values:ident, $errors:ident, $stops:expr, $returned:expr;)*
    ) => {{
        #[allow(unused_imports)]
        use futures_lite::StreamExt;
        #[allow(unused_imports)]
        use $crate::strategies::push;

        let mut runs: Vec<$crate::strategies::Run<'_>> = Vec::new();
        // Expands to the statement behind the name, unless the strategy of that name is left out.
        macro_rules! unless_left_out {
            $(($left_out $d($d _statement:tt)*) => {};)*
            ($d _name:ident $d($d statement:tt)*) => { $d($d statement)* };
        }
        $(unless_left_out! { $name
            runs.push($crate::strategies::Run::new(stringify!($name), async {
                let $loop_name = $looping;
                let body = Clone::clone(&$body);
                let $kind = $crate::strategies::boxing::$boxed(move |n| {
                    $crate::strategies::bodies::$kind(body(n))
                });
                $crate::strategies::Returned::of($returned)
            }));
        })*
        let left_out: &[&str] = &[$(stringify!($left_out)),*];
        assert_eq!(
            runs.len() + left_out.len(),
            $crate::strategies::STRATEGIES.len(),
            "a law leaves out what is no strategy: {left_out:?}"
        );
        runs
    }};
}

/// Runs each strategy over borrowed items, in a function.
macro_rules! borrowing_strategies {
    (
        {}
        $($name:ident($loop_name:ident, $kind:ident): $values:ident, $errors:ident, $stops:expr, $returned:expr;)*
    ) => {
        async fn every_strategy_over_borrowed_items() {
            let items = vec![1_u64, 2];
            $({
                let $loop_name = each(&items).sequential();
                let $kind = |item| bodies::$kind(borrowed(item));
                Returned::of($returned);
            })*
        }
    };
}

async fn borrowed(item: &u64) -> u64 {
    *item
}

strategies! { borrowing_strategies }

// A loop over borrowed items is `Send` with every strategy: checked by the compiler, and never called.
const _: fn() = || {
    fn is_send<T: Send>(_: T) {}

    is_send(every_strategy_over_borrowed_items());
};

pub(crate) use {borrowing_strategies, every_strategy, run_strategies, strategies, strategy_list};

/// A loop with one strategy.
pub(crate) struct Run<'a> {
    pub(crate) strategy: Strategy,
    pub(crate) returned: Pin<Box<dyn Future<Output = Returned> + 'a>>,
}

impl<'a> Run<'a> {
    pub(crate) fn new(name: &str, returned: impl Future<Output = Returned> + 'a) -> Self {
        let strategy = STRATEGIES.iter().find(|strategy| strategy.name == name);
        let strategy = *strategy.expect("the table and the runs are made from the same list");
        Self { strategy, returned: Box::pin(returned) }
    }
}

impl Strategy {
    /// Checks what it has returned of bodies that completed in input order, and how many there were: what the
    /// sequential loop would.
    ///
    /// The body of each of `items` items returned `value(index)`, or `value(index)` as an error if it `fails`.
    pub(crate) fn check_in_order(
        self,
        returned: &Returned,
        called: usize,
        items: usize,
        value: fn(usize) -> u64,
        fails: fn(usize) -> bool,
    ) {
        let is_error = matches!(self.errors, Errors::InputOrder | Errors::CompletionOrder);
        let sees_failure = |index| fails(index) && is_error;
        let mut successes = 0;
        let last = (0..items).find(|&index| {
            successes += usize::from(!sees_failure(index));
            match self.stops {
                Stops::Never => false,
                Stops::AtFailure => sees_failure(index),
                Stops::AfterSuccesses(wanted) => successes == wanted,
            }
        });
        assert_eq!(called, last.map_or(items, |last| last + 1), "{self:?}: {returned:?}");
        let (failed, succeeded): (Vec<_>, Vec<_>) = (0..called).partition(|&index| fails(index));
        let has_values = match self.stops {
            Stops::Never => true,
            Stops::AtFailure => last.is_none(),
            Stops::AfterSuccesses(_) => last.is_some(),
        };
        let of = |indices: Vec<usize>| indices.into_iter().map(value).collect::<Vec<_>>();
        let has_errors = match self.errors {
            Errors::None => false,
            Errors::AsValues | Errors::InputOrder => true,
            Errors::CompletionOrder => !has_values,
        };
        let has_values = has_values && self.values != Values::None;
        let values: Vec<_> = returned.values.iter().map(|&(_, n)| n).collect();
        assert_eq!(values, if has_values { of(succeeded) } else { vec![] }, "{self:?}");
        let errors: Vec<u64> =
            returned.failures.iter().map(|(_, error)| error.parse().unwrap()).collect();
        assert_eq!(errors, if has_errors { of(failed) } else { vec![] }, "{self:?}");
        self.check_indices(returned, items, value);
    }

    /// Checks what it has returned of bodies of which none failed, in any order.
    ///
    /// The body of each of `items` items returned `value(index)`.
    pub(crate) fn check(self, returned: &Returned, items: usize, value: fn(usize) -> u64) {
        let nothing = Returned::default();
        assert_eq!(returned.failures, nothing.failures, "{self:?}");
        assert_eq!(returned.error, nothing.error, "{self:?}");
        let mut indices = self.check_indices(returned, items, value);
        if self.values != Values::InputOrder {
            indices.sort_unstable();
        }
        match (self.values, self.stops) {
            (Values::None, _) => assert_eq!(indices, [], "{self:?}"),
            (_, Stops::AfterSuccesses(successes)) => {
                indices.dedup();
                assert_eq!(indices.len(), successes, "{self:?}: {returned:?}");
            }
            (_, Stops::Never | Stops::AtFailure) => {
                assert!(indices.into_iter().eq(0..items), "{self:?}: {returned:?}");
            }
        }
    }

    /// Checks the indices of values and errors, and that nothing has interrupted the loop. Returns the index of each
    /// value.
    fn check_indices(
        self,
        returned: &Returned,
        items: usize,
        value: fn(usize) -> u64,
    ) -> Vec<usize> {
        assert!(returned.causes.is_empty() && returned.unfinished == 0, "{self:?}: {returned:?}");
        let found = |index: Option<usize>, n: u64| {
            let of = (0..items).find(|&index| value(index) == n).expect("a body has returned it");
            assert!(index.is_none_or(|index| index == of), "{self:?}: {returned:?}");
            of
        };
        for (index, error) in &returned.failures {
            found(*index, error.parse().expect("the errors are numbers"));
        }
        returned.values.iter().map(|&(index, n)| found(index, n)).collect()
    }
}

/// What a strategy has returned, in the same form for all.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Returned {
    /// The values, each with the index of its item if the strategy returns it.
    pub(crate) values: Vec<(Option<usize>, u64)>,
    /// The errors of bodies.
    pub(crate) failures: Vec<(Option<usize>, String)>,
    /// The number of attempts at each item that failed, if the strategy returns it.
    pub(crate) attempts: Vec<u32>,
    /// How many bodies have neither a value nor an error.
    pub(crate) unfinished: usize,
    /// What interrupted the loop: at most one cause.
    pub(crate) causes: Vec<Cause>,
    /// The loop's error, if that is its result.
    pub(crate) error: Option<String>,
}

impl Returned {
    pub(crate) fn of(result: impl Report) -> Self {
        let mut returned = Self::default();
        result.report(&mut returned);
        returned
    }
}

/// What a strategy may return, or a part of it.
pub(crate) trait Report {
    fn report(self, returned: &mut Returned);
}

impl Report for () {
    fn report(self, _returned: &mut Returned) {}
}

impl Report for Infallible {
    fn report(self, _returned: &mut Returned) {
        match self {}
    }
}

impl Report for u64 {
    fn report(self, returned: &mut Returned) {
        returned.values.push((None, self));
    }
}

impl Report for String {
    fn report(self, returned: &mut Returned) {
        returned.failures.push((None, self));
    }
}

impl<R: Report> Report for (usize, R) {
    fn report(self, returned: &mut Returned) {
        let (index, result) = self;
        let (values, failures) = (returned.values.len(), returned.failures.len());
        result.report(returned);
        returned.values[values..].iter_mut().for_each(|(of, _)| *of = Some(index));
        returned.failures[failures..].iter_mut().for_each(|(of, _)| *of = Some(index));
    }
}

impl<R: Report> Report for Vec<R> {
    fn report(self, returned: &mut Returned) {
        self.into_iter().for_each(|result| result.report(returned));
    }
}

impl<T: Report, R: Report> Report for (Vec<T>, R) {
    fn report(self, returned: &mut Returned) {
        self.0.report(returned);
        self.1.report(returned);
    }
}

impl<R: Report, E: Report> Report for Result<R, E> {
    fn report(self, returned: &mut Returned) {
        match self {
            Ok(result) => result.report(returned),
            Err(error) => error.report(returned),
        }
    }
}

impl<R: Report, E: Report> Report for Outcome<R, E> {
    fn report(self, returned: &mut Returned) {
        match self.returned() {
            Some(result) => result.report(returned),
            None => returned.unfinished += 1,
        }
    }
}

impl<R: Report, E: Report> Report for Settled<R, E> {
    fn report(self, returned: &mut Returned) {
        returned.causes.extend(self.interrupted().map(|interrupted| interrupted.cause.clone()));
        returned.attempts.extend(self.errors().map(|(index, _)| self.attempts(index)));
        self.into_iter().enumerate().for_each(|outcome| outcome.report(returned));
    }
}

impl<R: Report> Report for Interrupted<R> {
    fn report(self, returned: &mut Returned) {
        returned.causes.push(self.cause);
        returned.unfinished += self.pending.len();
        self.ready.report(returned);
    }
}

impl<E: Display> Report for LoopError<E> {
    fn report(self, returned: &mut Returned) {
        returned.error = Some(self.to_string());
        returned.causes.extend(self.cause().map(|cause| match cause {
            Cause::TimedOut => Cause::TimedOut,
            Cause::Cancelled => Cause::Cancelled,
            Cause::Drained => Cause::Drained,
            Cause::ConditionMet => Cause::ConditionMet,
            cause => panic!("no law has a source that fails here: {cause:?}"),
        }));
        returned.unfinished += self.timed_out().len();
        let failures = self.failures().iter();
        returned.attempts.extend(failures.clone().map(|failure| failure.attempts));
        returned
            .failures
            .extend(failures.map(|failure| (failure.index, failure.error.to_string())));
    }
}

/// The step of a fold that keeps everything.
pub(crate) fn push<T>(mut outputs: Vec<(usize, T)>, output: (usize, T)) -> Vec<(usize, T)> {
    outputs.push(output);
    outputs
}

/// What the body of a law returns: a value, or a value or an error.
pub(crate) trait Output {
    fn into_result(self) -> Result<u64, String>;
}

impl Output for u64 {
    fn into_result(self) -> Result<u64, String> {
        Ok(self)
    }
}

impl Output for Result<u64, String> {
    fn into_result(self) -> Self {
        self
    }
}

/// Boxes the closure of a body, and the futures that it returns.
pub(crate) mod boxing {
    use std::pin::Pin;

    use crate::backend::{Job, job};

    type LocalJob<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

    /// For the caller's task: closure and futures may borrow, and need not be `Send`.
    pub(crate) fn local<'a, I, F: Future + 'a>(
        mut body: impl FnMut(I) -> F + 'a,
    ) -> Box<dyn FnMut(I) -> LocalJob<'a, F::Output> + 'a> {
        Box::new(move |item| Box::pin(body(item)))
    }

    /// For futures that are spawned.
    pub(crate) fn spawned<'a, I, F: Future + Send + 'static>(
        mut body: impl FnMut(I) -> F + 'a,
    ) -> Box<dyn FnMut(I) -> Job<F::Output> + 'a> {
        Box::new(move |item| job(body(item)))
    }

    /// For workers, which call the closure.
    pub(crate) fn pulled<I, F: Future + Send + 'static>(
        mut body: impl FnMut(I) -> F + Send + 'static,
    ) -> Box<dyn FnMut(I) -> Job<F::Output> + Send> {
        Box::new(move |item| job(body(item)))
    }
}

/// Makes of a law's body one of the kind that a strategy takes.
pub(crate) mod bodies {
    use super::Output;

    pub(crate) fn value<F: Future<Output: Output>>(body: F) -> F {
        body
    }

    pub(crate) async fn unit(body: impl Future<Output: Output>) {
        body.await;
    }

    pub(crate) async fn option(body: impl Future<Output: Output>) -> Option<u64> {
        body.await.into_result().ok()
    }

    pub(crate) async fn result(body: impl Future<Output: Output>) -> Result<u64, String> {
        body.await.into_result()
    }

    pub(crate) async fn result_unit(body: impl Future<Output: Output>) -> Result<(), String> {
        body.await.into_result().map(drop)
    }

    pub(crate) async fn result_option(
        body: impl Future<Output: Output>,
    ) -> Result<Option<u64>, String> {
        body.await.into_result().map(Some)
    }
}
