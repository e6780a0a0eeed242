//! What the guide says of the loops that are compared.

use std::{fs, path::Path};

use xtask::compare;

#[test]
fn the_guides_table_has_every_loop_and_says_how_long_it_is() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let page = fs::read_to_string(root.join("crates/forloop/src/guide/crawl.md")).unwrap();
    for (title, lines) in compare::lengths(root).unwrap() {
        let row = format!("\n| {title} | {lines} | ");
        assert!(page.contains(&row), "measure anew, with `cargo xtask compare`: {row}");
    }
}
