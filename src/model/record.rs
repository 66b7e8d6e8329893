//! `models/index.json`: the models that the page ships, with the size and SHA-256 of each of their files. The page
//! shows the size before it loads anything; loading a model checks that it is the one recorded.

use std::fmt::Write;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::ModelError;
use super::source::NamedSource;

/// How much of a file is hashed at a time.
const CHUNK: usize = 1 << 20;

/// A shipped model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shipped {
    pub id: String,
    pub title: String,
    /// Its folder, relative to the page, with a `/` at the end.
    pub path: String,
    /// Of all files together.
    pub bytes: u64,
    pub files: Vec<RecordedFile>,
}

/// One file of a shipped model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedFile {
    /// Relative to the model's folder.
    pub name: String,
    pub bytes: u64,
    /// In hexadecimal, lower case.
    pub sha256: String,
}

impl Shipped {
    /// The record of the model in `folder`, if the `index.json` beside it has one.
    #[cfg(not(target_arch = "wasm32"))]
    pub fn of(folder: &std::path::Path) -> Option<(std::path::PathBuf, Self)> {
        let folder = folder.canonicalize().ok()?;
        let name = folder.file_name()?.to_str()?;
        let index = folder.parent()?.join("index.json");
        // Any other index.json that happens to be there is none of ours.
        let shipped: Vec<Self> = serde_json::from_slice(&std::fs::read(&index).ok()?).ok()?;
        let own = shipped
            .into_iter()
            .find(|s| s.path.trim_end_matches('/').rsplit('/').next() == Some(name))?;
        Some((index, own))
    }

    /// Refuses the first of `files` that is not as recorded in `index`; what is not recorded is not looked at.
    pub fn check(&self, index: &str, files: &[NamedSource]) -> Result<(), ModelError> {
        for recorded in &self.files {
            let Some(file) = files.iter().find(|f| f.name == recorded.name) else {
                continue;
            };
            let error = |reason| ModelError::Record {
                file: file.shown.clone(),
                record: index.to_string(),
                reason,
            };
            let bytes = file.source.len();
            if bytes != recorded.bytes {
                return Err(error(format!(
                    "it has {bytes} bytes where {} are recorded",
                    recorded.bytes
                )));
            }
            if file_sha256(file)? != recorded.sha256.to_ascii_lowercase() {
                return Err(error("its SHA-256 differs".into()));
            }
        }
        Ok(())
    }
}

/// The SHA-256 of `pieces`, one after the other, in lower-case hexadecimal.
pub fn sha256(pieces: &[&[u8]]) -> String {
    let mut hash = Sha256::new();
    pieces.iter().for_each(|piece| hash.update(piece));
    hex(hash)
}

fn file_sha256(file: &NamedSource) -> Result<String, ModelError> {
    let mut hash = Sha256::new();
    let mut offset = 0;
    while offset < file.source.len() {
        let left = file.source.len() - offset;
        let len = usize::try_from(left).map_or(CHUNK, |left| left.min(CHUNK));
        hash.update(file.read(offset, len)?);
        offset += len as u64;
    }
    Ok(hex(hash))
}

fn hex(hash: Sha256) -> String {
    hash.finalize().iter().fold(String::new(), |mut hex, byte| {
        // Writing to a string cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}
