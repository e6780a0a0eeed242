//! The guide's table of the compared loops.

use std::{fs, path::Path};

use xtask::compare;

#[test]
fn the_guides_table_has_every_loop_with_its_number_of_lines() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let page = fs::read_to_string(root.join("crates/forloop/src/guide/crawl.md")).unwrap();
    for (title, lines) in compare::line_counts(root).unwrap() {
        let row = format!("\n| {title} | {lines} | ");
        assert!(page.contains(&row), "update the table with `cargo xtask compare`: {row}");
    }
}
