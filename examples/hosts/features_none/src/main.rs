//! `features_none`: a program without a runtime feature, which runs a loop on its thread and then asks for a runtime.

#![forbid(unsafe_code)]

use forloop::NoRuntime;

fn main() -> Result<(), NoRuntime> {
    let squares = forloop::each(0..4).unbounded().gather(async |n| n * n);
    println!("in this thread: {:?}", forloop::block_on(squares));
    forloop::run(|_runtime| async { println!("no runtime can run this") })
}
