//! The laws where bodies run on threads whose owner blocks, so that they may borrow.

use forloop_conformance::suite;
use forloop_tests::Scoped;

suite!(scoped: Scoped::default());
