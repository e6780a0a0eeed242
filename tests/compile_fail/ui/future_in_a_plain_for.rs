//! The outputs are there when the loop has been awaited.

fn main() {
    for output in forloop::each([1, 2, 3]).unbounded().gather(async |n| n) {
        println!("{output}");
    }
}
