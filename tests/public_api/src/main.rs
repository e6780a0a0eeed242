//! Compares the public items of each published crate with the list in its file here, and prints the difference. With
//! `--bless` it writes the lists.
//!
//! A change of the public API is so a line of a commit, which its reviewers read. Hidden items are in no list, nor are
//! auto traits: `tests/tests/auto_traits.rs` has those.
//!
//! It reads what rustdoc of a nightly toolchain prints as JSON. Where there is none, or one with another format, it says
//! so, and that nothing was compared.

#![forbid(unsafe_code)]

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::{env, fs};

use similar::TextDiff;

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let bless = match &env::args().skip(1).collect::<Vec<_>>()[..] {
        [] => false,
        [argument] if argument == "--bless" => true,
        other => return Err(format!("expected `--bless` or nothing, and not {other:?}").into()),
    };
    let toolchain = env::var("FORLOOP_NIGHTLY").unwrap_or_else(|_| "nightly".to_owned());
    if !has(&toolchain) {
        println!("public API: not compared (no toolchain `{toolchain}`)");
        return Ok(ExitCode::SUCCESS);
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = folder.ancestors().nth(2).expect("the package is in the repository");
    let mut differs = false;
    for name in published(root)? {
        let json = rustdoc(root, &toolchain, &name)?;
        let items = match public_items(&json) {
            Ok(items) => items,
            Err(why) => {
                println!("public API: not compared (rustdoc of `{toolchain}`: {why})");
                return Ok(ExitCode::SUCCESS);
            }
        };
        let list = folder.join(format!("{name}.txt"));
        if bless {
            fs::write(list, items)?;
            continue;
        }
        let committed = fs::read_to_string(&list).unwrap_or_default();
        if committed != items {
            differs = true;
            let diff = TextDiff::from_lines(&committed, &items);
            print!("{}", diff.unified_diff().header(&format!("{name}.txt"), "the source"));
        }
    }
    if differs {
        println!("public API: it differs from its lists; if that is meant, `--bless` writes them");
        return Ok(ExitCode::FAILURE);
    }
    println!("public API: {}", if bless { "the lists are written" } else { "as in its lists" });
    Ok(ExitCode::SUCCESS)
}

fn has(toolchain: &str) -> bool {
    let version = Command::new("cargo")
        .args([&format!("+{toolchain}"), "--version"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    version.is_ok_and(|status| status.success())
}

/// Returns the names of the published crates, in alphabetical order.
fn published(root: &Path) -> Result<Vec<String>, Box<dyn Error>> {
    let mut names = Vec::new();
    for folder in fs::read_dir(root.join("crates"))? {
        let folder = folder?;
        let manifest = fs::read_to_string(folder.path().join("Cargo.toml"))?;
        if !manifest.lines().any(|line| line == "publish = false") {
            names.push(folder.file_name().to_string_lossy().into_owned());
        }
    }
    names.sort();
    Ok(names)
}

/// Describes the crate with all its features as JSON, and returns the path of the file.
fn rustdoc(root: &Path, toolchain: &str, name: &str) -> Result<PathBuf, Box<dyn Error>> {
    // That of the pages for docs.rs, for which the dependencies are compiled already.
    let target = root.join("target/docs-rs");
    let status = Command::new("cargo")
        .arg(format!("+{toolchain}"))
        .args([
            "rustdoc",
            "--quiet",
            "--locked",
            "--all-features",
            "--lib",
            "--package",
            name,
            "--",
        ])
        .args(["-Zunstable-options", "--output-format", "json", "--cap-lints", "allow"])
        .current_dir(root)
        .env("CARGO_TARGET_DIR", &target)
        .status()?;
    if !status.success() {
        return Err(format!("rustdoc of {name} failed: {status}").into());
    }
    Ok(target.join("doc").join(name.replace('-', "_")).with_extension("json"))
}

/// Returns the public items, a line for each.
fn public_items(json: &Path) -> Result<String, public_api::Error> {
    let api = public_api::Builder::from_rustdoc_json(json)
        .omit_blanket_impls(true)
        .omit_auto_trait_impls(true)
        .build()?;
    Ok(api.items().map(|item| format!("{item}\n")).collect())
}
