//! The laws in the caller's own task, by themselves: quick to build for the sanitizers that watch the
//! engine.

forloop_conformance::suite!(in_task);
forloop_conformance::suite!(parent_waker);
