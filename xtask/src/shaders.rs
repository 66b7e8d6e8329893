//! Every kernel as text, for a compiler to read.

use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::process::run;
use crate::tools;

/// The folder with every variant of the shaders that any configuration asks for, written by the native test that
/// checks them: a list of its own would be one more to keep.
pub fn variants(root: &Path) -> Result<PathBuf> {
    run(tools::cargo(root).args([
        "test",
        "--quiet",
        "--package",
        "pollen",
        "--test",
        "shaders",
    ]))?;
    Ok(tools::target_folder(root)?.join("tmp/shaders"))
}
