//! The conformance table, the laws, and the cases that link them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use forloop_conformance::{Backends, CASES, seam};

use crate::workspace::{files, read};

/// The number of rows of each kind in the conformance table, repeated here so that none is dropped
/// unnoticed.
pub(crate) const TABLE: &[(&str, usize)] = &[
    ("SEAM", 14),
    ("SEQ", 2),
    ("GAT", 6),
    ("WAIT", 7),
    ("WRK", 12),
    ("ASC", 5),
    ("LST", 4),
    ("GRP", 9),
    ("BND", 11),
    ("CAN", 5),
    ("TMO", 3),
    ("PAN", 3),
    ("ORD", 1),
    ("NST", 2),
    ("EMP", 1),
    ("BIG", 2),
    ("RTN", 2),
    ("OPT", 12),
    ("FLD", 4),
    ("COL", 2),
    ("ITM", 1),
    ("law ", 12),
];

/// Returns the rows of the table: the columns after each id.
fn table() -> BTreeMap<String, Vec<String>> {
    let text = read("crates/forloop-conformance/CONFORMANCE.md");
    let mut table = BTreeMap::new();
    for line in text.lines().filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |")) {
        let mut columns = line.split(" | ").map(str::to_owned);
        let id = columns.next().unwrap();
        if id.ends_with(|last: char| last.is_ascii_digit()) {
            assert!(table.insert(id.clone(), columns.collect()).is_none(), "{id} occurs twice");
        }
    }
    table
}

/// Returns the functions that a row of the table names: `module::name`.
fn proofs(columns: &[String]) -> BTreeSet<String> {
    let links = columns.last().unwrap().split(", ");
    let links =
        links.filter_map(|link| Some(link.strip_prefix("[`")?.strip_suffix("`]")?.to_owned()));
    links.collect()
}

#[test]
fn every_row_of_the_conformance_table_is_there() {
    let numbered = |&(kind, count): &(&str, usize)| {
        let kind = if kind.ends_with(' ') { kind.to_owned() } else { format!("{kind}-") };
        (1..=count).map(move |number| format!("{kind}{number}"))
    };
    let ids: BTreeSet<String> = TABLE.iter().flat_map(numbered).collect();
    assert_eq!(table().into_keys().collect::<BTreeSet<_>>(), ids);
}

#[test]
fn every_conformance_row_has_a_test_on_the_backends_it_names() {
    for (id, columns) in &table() {
        let id = &id[..];
        if let Some(row) = seam::ROWS.iter().find(|row| row.id == id) {
            assert_eq!(columns[0], "spawned", "{id}");
            assert_eq!(proofs(columns), [format!("seam::{}", row.name)].into(), "{id}");
            continue;
        }
        let tests: Vec<_> = CASES.iter().filter(|row| row.ids.contains(&id)).collect();
        let named = tests.iter().map(|row| format!("{}::{}", row.module, row.name)).collect();
        assert_eq!(proofs(columns), named, "{id}: the table and `CASES` differ");
        let on = |one: Backends| tests.iter().any(|row| row.on == one || row.on == Backends::Both);
        let (spawned, in_task) = (on(Backends::Spawned), on(Backends::Inline));
        match &columns[0][..] {
            "spawned" => assert!(spawned, "{id}"),
            "in-task" => assert!(in_task, "{id}"),
            "both" => assert!(spawned && in_task, "{id}"),
            _ => assert!(id.starts_with("law ") && !tests.is_empty(), "{id}"),
        }
    }
    let ids = table();
    assert!(seam::ROWS.iter().all(|row| ids.contains_key(row.id)));
    for row in CASES {
        assert!(row.ids.iter().all(|&id| ids.contains_key(id)), "{row:?}: no such row");
    }
}

#[test]
fn every_law_names_the_rows_that_it_proves() {
    let mut functions = BTreeSet::new();
    for path in files(".rs") {
        if !path.parent().unwrap().ends_with("forloop-conformance/src/laws") {
            continue;
        }
        let module = path.file_stem().unwrap().to_str().unwrap();
        let text = fs::read_to_string(&path).unwrap();
        let lines: Vec<_> = text.lines().collect();
        for (number, line) in lines.iter().enumerate() {
            let Some(rest) = line.strip_prefix("pub fn ") else { continue };
            let name = rest.split(['<', '(']).next().unwrap();
            let row = CASES.iter().find(|row| (row.module, row.name) == (module, name));
            let row = row.unwrap_or_else(|| panic!("{module}::{name} is not in `cases.rs`"));
            let above = lines[..number].iter().rev();
            let docs = above.take_while(|line| line.starts_with("///"));
            let first = docs.last().unwrap().trim_start_matches("/// ").replace("Law", "law");
            let said: Vec<_> = first.split(':').next().unwrap().split(", ").collect();
            assert_eq!(said, row.ids, "{module}::{name}");
            functions.insert((row.module, row.name));
        }
    }
    assert_eq!(functions.len(), CASES.len());
}

#[test]
fn the_adapter_that_the_readme_of_conformance_shows_is_the_one_that_is_tested() {
    let adapter = read("crates/forloop-conformance/tests/pool.rs");
    assert!(read("crates/forloop-conformance/README.md").contains(&adapter));
}
