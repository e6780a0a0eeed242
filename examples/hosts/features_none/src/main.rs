//! `features_none`: a program that has enabled no runtime, uses what needs none, and then asks for one.

#![forbid(unsafe_code)]

use forloop::NoRuntime;

fn main() -> Result<(), NoRuntime> {
    let squares = forloop::each(0..4).unbounded().gather(async |n| n * n);
    println!("in this thread: {:?}", forloop::block_on(squares));
    forloop::run(|_runtime| async { println!("nobody can run this") })
}
