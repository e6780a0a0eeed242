//! Mutations of the protocols that loom checks: each leaves out a step or takes it too early. The models
//! must find every one of them, or they would find nothing.

/// A mutation that is active only while a model looks for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mutation {
    /// The reader clears a chunk's word before it reads the link to the next chunk.
    ClearsBeforeNext,
    /// The reader takes a chunk's word without `Acquire`.
    TakesWithoutAcquire,
    /// The loop sleeps without checking the queue.
    SleepsWithoutCheck,
    /// The loop sleeps without checking the queue of the thread that polls it.
    SleepsWithoutOwnerCheck,
    /// The loop registers its parent after it has gone to sleep.
    RegistersLate,
    /// The loop stores the next waker of its parent while a wake still has the place of the last one.
    LendsTwice,
    /// A wake returns the place of the parent's waker without `Release`.
    ReturnsParentRelaxed,
    /// A wake that pushes a chunk does not wake the parent of a sleeping loop.
    SkipsParentWake,
    /// Forgetting a wake clears the bit that the chunk is queued.
    ForgetsQueued,
    /// A thread that does not poll the loop takes the owner's path.
    TakesOwnerPathElsewhere,
    /// The last reference is dropped without `Acquire`.
    FreesWithoutAcquire,
    /// A reference is dropped without `Release`.
    ReleasesRelaxed,
    /// A loop that is dropped leaves out the wakers that its own thread has counted.
    LeavesOutOwnerRefs,
    /// Two threads that need what wakers point to make it twice.
    MakesSharedTwice,
    /// A worker that waits for the source does not check it again after registering.
    WaitsWithoutRecheck,
    /// A worker that waits for room does not check it again after registering.
    WaitsForRoomWithoutRecheck,
    /// A worker that has no room for an item which may start does not wake the workers that wait for one.
    LeavesItemsSilently,
    /// A worker that returns the source does not wake the workers that wait for it.
    ReturnsSourceSilently,
    /// A worker that finds the source exhausted does not wake the workers that wait for it.
    ExhaustsSourceSilently,
    /// A worker announces that the source is exhausted before the others can take what it has pulled.
    FillsLate,
    /// A worker that stops takes only what is left in its own queue.
    LeavesOtherQueues,
    /// The loop takes the value of a task without `Acquire`.
    TakesValueWithoutAcquire,
    /// A task stores its value without `Release`.
    CompletesRelaxed,
    /// A task that registers its waker does not look whether it is to stop.
    RegistersWithoutRecheck,
    /// A reference to a block is dropped without `Release`.
    ReleasesBlockRelaxed,
    /// The last reference to a block is dropped without `Acquire`.
    FreesBlockWithoutAcquire,
    /// A loop goes to sleep without looking whether a task has completed.
    SleepsWithoutList,
    /// A task that completes while the loop sleeps does not wake it.
    CompletesSilently,
}

#[cfg(not(forloop_loom))]
#[inline(always)]
pub(crate) const fn is_mutated(_: Mutation) -> bool {
    false
}

/// Whether the environment activates the mutation.
#[cfg(forloop_loom)]
pub(crate) fn is_mutated(mutation: Mutation) -> bool {
    use alloc::format;
    use alloc::string::String;
    use std::sync::LazyLock;

    static ACTIVE: LazyLock<Option<String>> =
        LazyLock::new(|| std::env::var(FORLOOP_MUTATION).ok());
    ACTIVE.as_ref().is_some_and(|active| *active == format!("{mutation:?}"))
}

/// The variable that names the active mutation.
#[cfg(forloop_loom)]
pub(super) const FORLOOP_MUTATION: &str = "FORLOOP_MUTATION";
