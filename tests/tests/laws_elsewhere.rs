//! The laws where bodies run in ways of their own: on threads whose owner blocks, and with the waker of
//! whoever polls their loop.

use forloop_conformance::suite;
use forloop_tests::{Lending, Scoped};

suite!(scoped: Scoped::default());
suite!(lending, in_task => Lending::default());
