//! The wrapper of policies, which `hooks.rs` implements the hooks for.

use core::marker::PhantomData;

/// The policy `C` with one more option `O`; `K` is what the option adds to the results.
///
/// This is the only wrapper of policies. The macro of `hooks.rs` composes the hooks of `C` and `O`.
#[derive(Debug, Clone)]
pub struct WithOption<C, O, K> {
    pub(super) policy: C,
    pub(super) option: O,
    pub(super) adds: PhantomData<K>,
}
