//! The `StreamExt` of two crates have methods of the same names.

use futures_lite::StreamExt;

trait OtherStreamExt: Sized {
    fn map<F>(self, _map: F) {}
}

impl<S: forloop::Stream> OtherStreamExt for S {}

fn main() {
    forloop::each([1, 2, 3]).unbounded().stream(async |n| n).map(|n| n + 1);
}
