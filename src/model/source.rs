//! Where a checkpoint's bytes come from: a file, read range by range, or memory.

use std::borrow::Cow;
use std::pin::Pin;
use std::time::Duration;

use super::ModelError;
use super::header::mistaken;

/// Resolves when bytes can be read, or when it is known that they cannot.
pub type Arrival = Pin<Box<dyn Future<Output = ()>>>;

/// Bytes that can be read by range. On the web this is what the page hands over; natively a file.
pub trait Source {
    /// Bytes in all.
    fn len(&self) -> u64;

    /// The `len` bytes from `offset` on, or a clause that says what failed. Callers stay within [`Source::len`],
    /// but a file may have become shorter since.
    fn read(&self, offset: u64, len: usize) -> Result<Cow<'_, [u8]>, String>;

    /// Resolves when the `len` bytes from `offset` on can be read, where they are still on their way: of such a file nothing
    /// is read but what was waited for last, from its beginning to its end.
    fn arrive(&self, _offset: u64, _len: u64) -> Option<Arrival> {
        None
    }

    /// A part of a zip file as a file of its own, called `shown`: its `packed` bytes from `begin` on, which where they are
    /// deflated become as many as that, with the checksum `crc`.
    #[cfg(target_arch = "wasm32")]
    fn member(
        &self,
        _shown: &str,
        _begin: u64,
        _packed: u64,
        _deflated: Option<u64>,
        _crc: u32,
    ) -> Option<Box<dyn Source>> {
        None
    }

    /// When it was written last, as the time since 1970, where that is known.
    fn modified(&self) -> Option<Duration> {
        None
    }

    fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[cfg(not(target_arch = "wasm32"))]
impl Source for Vec<u8> {
    fn len(&self) -> u64 {
        self.as_slice().len() as u64
    }

    fn read(&self, offset: u64, len: usize) -> Result<Cow<'_, [u8]>, String> {
        usize::try_from(offset)
            .ok()
            .and_then(|start| self.get(start..start.checked_add(len)?))
            .map(Cow::Borrowed)
            .ok_or_else(|| "it ends early".to_string())
    }
}

/// A file with its name, which is relative to the folder it was found in and has `/` between its parts.
pub struct NamedSource {
    pub name: String,
    /// What errors call it.
    pub shown: String,
    pub source: Box<dyn Source>,
}

impl NamedSource {
    /// A file in memory.
    #[cfg(not(target_arch = "wasm32"))]
    pub fn memory(name: String, bytes: Vec<u8>) -> Self {
        Self {
            shown: name.clone(),
            name,
            source: Box::new(bytes),
        }
    }

    pub(super) fn read(&self, offset: u64, len: usize) -> Result<Cow<'_, [u8]>, ModelError> {
        self.source
            .read(offset, len)
            .map_err(|reason| ModelError::File {
                file: self.shown.clone(),
                reason,
            })
    }

    /// The whole of a small file of text, of at most `limit` bytes, without the mark that some editors put before it.
    pub(super) fn read_small(&self, limit: usize) -> Result<Cow<'_, [u8]>, ModelError> {
        let error = |reason: String| ModelError::File {
            file: self.shown.clone(),
            reason,
        };
        let len = self.source.len();
        if len > limit as u64 {
            return Err(error(format!(
                "it is {len} bytes long, and {limit} is the most that a file of its kind may have"
            )));
        }
        let text = self.read(0, len as usize)?;
        match mistaken(&text) {
            Some(what) => Err(error(what.into())),
            None if text.starts_with(b"\xef\xbb\xbf") => Ok(Cow::Owned(text[3..].to_vec())),
            None => Ok(text),
        }
    }
}

#[cfg(not(target_arch = "wasm32"))]
pub(super) mod native {
    use std::borrow::Cow;
    use std::cell::RefCell;
    use std::fs::{self, File};
    use std::io::{Read, Seek, SeekFrom};
    use std::path::{Path, PathBuf};
    use std::time::{Duration, UNIX_EPOCH};

    use super::super::archive::is_zip;
    use super::super::folder::PARTS;
    use super::{ModelError, NamedSource, Source};

    /// A file, opened when it is first read.
    struct FileSource {
        path: PathBuf,
        len: u64,
        modified: Option<Duration>,
        file: RefCell<Option<File>>,
    }

    impl Source for FileSource {
        fn len(&self) -> u64 {
            self.len
        }

        fn modified(&self) -> Option<Duration> {
            self.modified
        }

        fn read(&self, offset: u64, len: usize) -> Result<Cow<'_, [u8]>, String> {
            let read = || {
                let mut slot = self.file.borrow_mut();
                let file = match &mut *slot {
                    Some(file) => file,
                    none => none.insert(File::open(&self.path)?),
                };
                file.seek(SeekFrom::Start(offset))?;
                let mut bytes = vec![0; len];
                file.read_exact(&mut bytes)?;
                Ok(Cow::Owned(bytes))
            };
            read().map_err(|e: std::io::Error| format!("it cannot be read ({e})"))
        }
    }

    /// Files above that tell of all parts of a pipeline or all checkpoints of a run, whose parts are a level lower still.
    const ABOVE: [&str; 3] = [
        "../model_index.json",
        "../scheduler/scheduler_config.json",
        "../../scheduler/scheduler_config.json",
    ];

    /// The files of a model folder, of its `unet`, `unet_ema` and `scheduler` folders, and those of [`ABOVE`].
    pub fn files(folder: &Path) -> Result<Vec<NamedSource>, ModelError> {
        if let Ok(metadata) = fs::metadata(folder)
            && metadata.is_file()
        {
            return zip_file(folder, &metadata);
        }
        let mut found = Vec::new();
        let parts = PARTS
            .into_iter()
            .chain(["scheduler"])
            .map(|part| (part, false));
        for (part, required) in [("", true)].into_iter().chain(parts) {
            let path = folder.join(part);
            if required || path.is_dir() {
                list(&path, part, &mut found).map_err(|e| ModelError::File {
                    file: path.display().to_string(),
                    reason: format!("the folder cannot be read ({e})"),
                })?;
            }
        }
        let config = |file: &NamedSource| file.name.rsplit('/').next() == Some("config.json");
        if !found.iter().any(config) {
            deeper(folder, &mut found);
        }
        let whole = folder.canonicalize();
        let own = whole
            .ok()
            .and_then(|path| path.file_name().map(|name| name.to_owned()));
        let is_part = own.is_some_and(|own| PARTS.iter().any(|part| own == *part));
        for name in ABOVE.into_iter().take(if is_part { 3 } else { 2 }) {
            let path = folder.join(name);
            if let Ok(metadata) = fs::metadata(&path)
                && metadata.is_file()
            {
                found.push(file(path, name.into(), &metadata));
            }
        }
        found.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(found)
    }

    /// A model's zip file in the place of its folder.
    fn zip_file(path: &Path, metadata: &fs::Metadata) -> Result<Vec<NamedSource>, ModelError> {
        let name = path.file_name().and_then(|name| name.to_str());
        let name = name.unwrap_or_default().to_string();
        if !is_zip(&name) {
            return Err(ModelError::File {
                file: path.display().to_string(),
                reason: "it is a file, and a model is a folder or a .zip file of one; give the folder that it is in"
                    .into(),
            });
        }
        Ok(vec![file(path.to_path_buf(), name, metadata)])
    }

    /// How far below a folder without a model one is looked for, as the page does with all that it is given.
    const DEPTH: usize = 4;
    /// How many files are looked at there.
    const MOST: usize = 100_000;

    fn deeper(folder: &Path, found: &mut Vec<NamedSource>) {
        found.clear();
        let entries = walkdir::WalkDir::new(folder).max_depth(DEPTH);
        for entry in entries.follow_links(true).into_iter().flatten().take(MOST) {
            let parts = entry.path().strip_prefix(folder).map(Path::iter);
            let parts = parts.into_iter().flatten().map(|part| part.to_str());
            if let (Ok(metadata), Some(parts)) =
                (entry.metadata(), parts.collect::<Option<Vec<_>>>())
                && metadata.is_file()
            {
                found.push(file(entry.path().to_path_buf(), parts.join("/"), &metadata));
            }
        }
    }

    fn list(path: &Path, part: &str, found: &mut Vec<NamedSource>) -> std::io::Result<()> {
        for entry in fs::read_dir(path)? {
            let entry = entry?;
            // Follows links, of which a download cache is full; one that leads nowhere is no file.
            let Ok(metadata) = fs::metadata(entry.path()) else {
                continue;
            };
            let (true, Ok(name)) = (metadata.is_file(), entry.file_name().into_string()) else {
                continue;
            };
            let name = if part.is_empty() {
                name
            } else {
                format!("{part}/{name}")
            };
            found.push(file(entry.path(), name, &metadata));
        }
        Ok(())
    }

    fn file(path: PathBuf, name: String, metadata: &fs::Metadata) -> NamedSource {
        let modified = metadata.modified().ok();
        NamedSource {
            name,
            shown: path.display().to_string(),
            source: Box::new(FileSource {
                path,
                len: metadata.len(),
                modified: modified.and_then(|time| time.duration_since(UNIX_EPOCH).ok()),
                file: RefCell::new(None),
            }),
        }
    }
}
