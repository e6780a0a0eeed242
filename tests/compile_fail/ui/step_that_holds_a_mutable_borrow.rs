//! A step of `for_each` on results cannot hold a `&mut` across an await: `consume` can.

async fn append(pages: &mut Vec<u32>, page: u32) {
    pages.push(page);
}

async fn write_all() {
    let mut pages = Vec::new();
    let results = forloop::each([1, 2, 3]).unbounded().stream(async |n: u32| n * 2);
    results.for_each(async |page| append(&mut pages, page).await).await;
}

fn main() {
    drop(write_all());
}
