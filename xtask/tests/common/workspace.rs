//! A temporary workspace for the command.

use std::{
    fs,
    process::{Command, Stdio},
};

/// A temporary workspace with examples.
pub(crate) struct Workspace {
    pub(crate) root: tempfile::TempDir,
}

impl Workspace {
    /// Creates a workspace whose examples are the program `misbehave`, each with its own header.
    pub(crate) fn new(examples: &[(&str, &str)]) -> Self {
        let workspace = Self { root: tempfile::tempdir().unwrap() };
        workspace.write("Cargo.toml", "[workspace]\nmembers = [\"examples\"]\nresolver = \"3\"\n");
        let mut manifest = "[package]\nname = \"forloop-examples\"\nversion = \"0.0.0\"\n\
                            edition = \"2024\"\nautobins = false\n\n\
                            [features]\nsmol = []\nasync-std = []\ntokio = []\nsim = []\n"
            .to_owned();
        for (name, header) in examples {
            manifest += &format!("\n[[bin]]\nname = \"{name}\"\npath = \"{name}.rs\"\n");
            // An example for one runtime may require its feature.
            if let Some(feature) = header.strip_prefix("//! verify: only ") {
                let feature = feature.split_whitespace().next().unwrap();
                manifest += &format!("required-features = [\"{feature}\"]\n");
            }
            let source = format!("{header}{}", include_str!("../programs/misbehave.rs"));
            workspace.write(&format!("examples/{name}.rs"), &source);
        }
        workspace.write("examples/Cargo.toml", &manifest);
        workspace
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.root.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub(crate) fn read(&self, path: &str) -> Option<String> {
        fs::read_to_string(self.root.path().join(path)).ok()
    }

    /// Returns the command, as `cargo xtask` starts it.
    pub(crate) fn xtask(&self, arguments: &[&str]) -> Command {
        let root = self.root.path();
        let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
        command
            .args(arguments)
            .env("CARGO_MANIFEST_DIR", root.join("xtask"))
            .env("CARGO_TARGET_DIR", root.join("target"))
            .stdin(Stdio::null());
        command
    }
}
