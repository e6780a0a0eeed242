//! The closure of `limit_by` cannot return a key that it borrows from an item which the loop owns: `limit_by_ref` can.

fn main() {
    let _loop = forloop::each([String::from("a.example/1")])
        .unbounded()
        .limit_by(|url: &String| url.split('/').next(), 1);
}
