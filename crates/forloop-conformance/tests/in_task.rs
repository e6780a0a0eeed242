//! The laws in the caller's task, in a test of their own, which the sanitizers build quickly.

forloop_conformance::suite!(in_task);
forloop_conformance::suite!(parent_waker);
