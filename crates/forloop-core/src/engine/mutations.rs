//! Bugs to plant: each is one step of the protocol left out or taken too early. The model must find
//! them, or it would find nothing.

/// A bug that is there only while the model looks for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mutation {
    /// The reader clears a group's word before it reads which group is next.
    ClearsBeforeNext,
    /// The reader takes a group's word without seeing what those did who set its bits.
    TakesUnseen,
    /// The loop sleeps without a look at the list.
    SleepsUnseeing,
    /// The loop sleeps without a look at the list of the thread that polls it.
    SleepsUnseeingHere,
    /// The loop says whom to wake after it has gone to sleep.
    RegistersLate,
    /// Whoever lists a group does not wake a loop that sleeps.
    WakesNobody,
    /// Who forgets a wake forgets that its group is listed.
    ForgetsListed,
    /// A thread that does not poll the loop wakes as if it did.
    WakesHereFromElsewhere,
    /// The last to let go does not see what the others did before.
    FreesUnseen,
    /// Who lets go does not show what it did before.
    LetsGoUnshown,
    /// A thread that needs the home of a loop makes one, though another has made one meanwhile.
    MakesSharedTwice,
    /// A worker that waits for the well does not look again once it has said so.
    WaitsUnseeing,
    /// A worker that waits for room does not look again once it has said so.
    WaitsForRoomUnseeing,
    /// Whoever gives the well back does not wake those that wait for it.
    GivesBackInSilence,
    /// Whoever finds the well dry does not wake those that wait for it.
    RunsDryInSilence,
}

#[cfg(not(forloop_loom))]
#[inline(always)]
pub(crate) const fn is_mutated(_: Mutation) -> bool {
    false
}

/// Whether the environment has it planted.
#[cfg(forloop_loom)]
pub(crate) fn is_mutated(bug: Mutation) -> bool {
    use alloc::format;
    use alloc::string::String;
    use std::sync::LazyLock;

    static ACTIVE: LazyLock<Option<String>> =
        LazyLock::new(|| std::env::var(FORLOOP_MUTATION).ok());
    ACTIVE.as_ref().is_some_and(|mutations| *mutations == format!("{bug:?}"))
}

/// The variable that names the bug.
#[cfg(forloop_loom)]
pub(super) const FORLOOP_MUTATION: &str = "FORLOOP_PLANT";
