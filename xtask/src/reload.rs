//! What is saved while the page is served: files of `www/` are copied into the served folder, and the page loads itself
//! again; shaders are handed to the page, whose engine takes them up without a build.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, SystemTime};

use anyhow::Result;
use serde_json::json;

use crate::build::copy;

const PAUSE: Duration = Duration::from_millis(300);

/// What the page is given beside its own files.
const SCRIPT: &str = include_str!("reload.js");
const TAG: &str = "<script type=\"module\" src=\"dev/reload.js\"></script>\n</body>";

/// When each file of a folder was last written, by its path within.
type Times = BTreeMap<PathBuf, (SystemTime, u64)>;

/// How often what was saved, since the build.
#[derive(Default)]
struct Counts {
    page: u64,
    shaders: BTreeMap<String, u64>,
}

/// The sources of a page that is served.
pub struct Sources {
    www: PathBuf,
    shaders: PathBuf,
    dist: PathBuf,
    counts: Mutex<Counts>,
}

impl Sources {
    /// Watches the sources in `root` of the page in `dist` from a thread of its own.
    pub fn watch(root: &Path, dist: &Path) -> Arc<Self> {
        let sources = Arc::new(Self {
            www: root.join("www"),
            shaders: root.join("shaders"),
            dist: dist.to_owned(),
            counts: Mutex::default(),
        });
        let mut before = sources.times();
        let watching = sources.clone();
        thread::spawn(move || {
            loop {
                thread::sleep(PAUSE);
                let now = watching.times();
                if let Err(error) = watching.take(&before, &now) {
                    eprintln!("{error:#}");
                }
                before = now;
            }
        });
        sources
    }

    fn times(&self) -> [Times; 2] {
        [&self.www, &self.shaders].map(|folder| {
            let mut times = Times::new();
            // A file that is being replaced may be gone for a moment; the next look finds it.
            let _ = collect(folder, Path::new(""), &mut times);
            times
        })
    }

    fn take(&self, before: &[Times; 2], now: &[Times; 2]) -> Result<()> {
        let mut page = false;
        for file in changed(&before[0], &now[0]) {
            let (from, to) = (self.www.join(file), self.dist.join(file));
            if from.exists() {
                fs::create_dir_all(to.parent().unwrap_or(&self.dist))?;
                copy(&from, &to)?;
            } else if to.exists() {
                fs::remove_file(&to)?;
            }
            page = true;
        }
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        counts.page += u64::from(page);
        for file in changed(&before[1], &now[1]) {
            let name = file.with_extension("").to_string_lossy().replace('\\', "/");
            println!("shaders/{name}.wgsl was saved; the page takes it up");
            *counts.shaders.entry(name).or_default() += 1;
        }
        Ok(())
    }

    /// What is at `path` of the page beside its files: a type's file name and the content.
    pub fn answer(&self, path: &str) -> Option<(&'static str, Vec<u8>)> {
        let path = path.split(['?', '#']).next()?;
        match path {
            "/" | "/index.html" => {
                let page = fs::read_to_string(self.dist.join("index.html")).ok()?;
                Some(("index.html", page.replacen("</body>", TAG, 1).into_bytes()))
            }
            "/dev/reload.js" => Some(("reload.js", SCRIPT.into())),
            "/dev/changes" => {
                let counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
                let changes = json!({ "page": counts.page, "shaders": counts.shaders });
                Some(("changes.json", changes.to_string().into_bytes()))
            }
            _ => {
                let name = path.strip_prefix("/dev/shaders/")?.strip_suffix(".wgsl")?;
                // Only those that were named above, so that no other path can be.
                let counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
                counts.shaders.get(name)?;
                let text = fs::read(self.shaders.join(format!("{name}.wgsl"))).ok()?;
                Some(("shader.txt", text))
            }
        }
    }
}

fn changed<'a>(before: &'a Times, now: &'a Times) -> impl Iterator<Item = &'a PathBuf> {
    let new = now
        .iter()
        .filter(|(file, time)| before.get(*file) != Some(*time));
    let gone = before.iter().filter(|(file, _)| !now.contains_key(*file));
    new.chain(gone).map(|(file, _)| file)
}

fn collect(folder: &Path, within: &Path, times: &mut Times) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        if name.to_string_lossy().starts_with('.') || name.to_string_lossy().ends_with('~') {
            continue;
        }
        let (path, within) = (entry.path(), within.join(name));
        let about = fs::metadata(&path)?;
        if about.is_dir() {
            collect(&path, &within, times)?;
        } else {
            times.insert(within, (about.modified()?, about.len()));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::scratch::Scratch;

    fn text(sources: &Sources, path: &str) -> Option<String> {
        sources
            .answer(path)
            .map(|(_, body)| String::from_utf8(body).unwrap())
    }

    #[test]
    fn what_is_saved_is_taken_up() {
        let folder = Scratch::new("reload");
        let at = |path: &str| folder.path().join(path);
        for path in ["www/ui", "shaders/conv2d", "dist/ui"] {
            fs::create_dir_all(at(path)).unwrap();
        }
        let page = "<body><p>\n</body>\n</html>";
        for (path, text) in [
            ("www/index.html", page),
            ("dist/index.html", page),
            ("www/ui/a.js", "1"),
            ("dist/ui/a.js", "1"),
            ("shaders/conv2d/tiled.wgsl", "old"),
            ("shaders/secret", "no"),
        ] {
            fs::write(at(path), text).unwrap();
        }
        let sources = Sources::watch(folder.path(), &at("dist"));
        let until = |is: &dyn Fn() -> bool| {
            for _ in 0..100 {
                if is() {
                    return;
                }
                thread::sleep(PAUSE / 3);
            }
            panic!("nothing was taken up");
        };
        let changes = || -> serde_json::Value {
            serde_json::from_str(&text(&sources, "/dev/changes").unwrap()).unwrap()
        };
        assert_eq!(changes(), json!({ "page": 0, "shaders": {} }));
        assert!(
            text(&sources, "/")
                .unwrap()
                .contains("dev/reload.js\"></script>\n</body>")
        );
        assert!(
            text(&sources, "/dev/reload.js?x")
                .unwrap()
                .contains("setShader")
        );
        assert_eq!(text(&sources, "/dev/shaders/conv2d/tiled.wgsl"), None);

        fs::write(at("shaders/conv2d/tiled.wgsl"), "newer").unwrap();
        until(&|| changes()["shaders"]["conv2d/tiled"] == 1);
        assert_eq!(
            text(&sources, "/dev/shaders/conv2d/tiled.wgsl").unwrap(),
            "newer"
        );
        assert_eq!(changes()["page"], 0);

        fs::write(at("www/ui/a.js"), "two").unwrap();
        until(&|| changes()["page"] == 1);
        assert_eq!(fs::read_to_string(at("dist/ui/a.js")).unwrap(), "two");
        fs::remove_file(at("www/ui/a.js")).unwrap();
        until(&|| changes()["page"] == 2);
        assert!(!at("dist/ui/a.js").exists());
        for path in [
            "/dev/shaders/../shaders/secret.wgsl",
            "/dev/shaders/secret.wgsl",
            "/ui/a.js",
        ] {
            assert_eq!(text(&sources, path), None, "{path}");
        }
    }
}
