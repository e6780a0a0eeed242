//! The closure of `limit_by` takes the loop's items by reference.

fn main() {
    let _outputs = forloop::each(["a", "b"])
        .unbounded()
        .limit_by(|n: &u32| *n, 1)
        .unwrap()
        .gather(|name| async move { name.len() });
}
