//! How many bodies run at once is always said.

fn main() {
    let _outputs = forloop::each([1, 2, 3]).gather(|n| async move { n });
}
