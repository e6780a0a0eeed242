//! The functions that the page calls.

#![allow(unsafe_code, reason = "exports to JavaScript are declared by hand")]

use crate::seam;

// SAFETY: no other function exports this name.
#[unsafe(no_mangle)]
extern "C" fn start() {
    crate::start();
}

// SAFETY: as above.
#[unsafe(no_mangle)]
extern "C" fn run_ready_tasks() {
    seam::run_ready_tasks();
}

// SAFETY: as above.
#[unsafe(no_mangle)]
extern "C" fn timer_is_over(id: u32) {
    seam::timer_is_over(id);
}
