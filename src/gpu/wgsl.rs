//! The shaders, and a kernel's text as a device compiles it.

use std::collections::BTreeMap;

use super::preprocess::{PreprocessError, error, preprocess};
use crate::graph::{Kernel, Tuning};

/// Every file of `shaders/` by its path there; none in a browser, which gets them by [`Shaders::from_json`].
const FILES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/shaders.rs"));

/// What is said of a shader that is not there.
const MISSING: &str = if cfg!(target_arch = "wasm32") {
    "wasm/shaders.json lacks it; publish the whole folder wasm/ again"
} else {
    "there is no such file in shaders/"
};

/// The shaders of `shaders/`, some of them perhaps replaced: their authors try a change without another build. The list is of those,
/// in a browser of all.
#[derive(Clone, Debug, Default)]
pub struct Shaders(Vec<(String, String)>);

impl Shaders {
    /// The text of `name`, a path in `shaders/` without the ending; `None` if there is no such file.
    pub fn text(&self, name: &str) -> Option<&str> {
        let replaced = self.0.iter().rfind(|(of, _)| of == name);
        replaced.map(|(_, text)| text.as_str()).or_else(|| {
            let is = |file: &str| file.strip_suffix(".wgsl") == Some(name);
            let found = FILES.iter().find(|(file, _)| is(file));
            found.map(|(_, text)| *text)
        })
    }

    /// Those of a JSON object of texts by name, as `cargo xtask build` writes it beside the page's module.
    ///
    /// # Errors
    /// If `json` is something else.
    pub fn from_json(json: &str) -> Result<Self, serde_json::Error> {
        let texts: BTreeMap<String, String> = serde_json::from_str(json)?;
        Ok(Self(texts.into_iter().collect()))
    }

    /// Puts `text` in the place of a shader; false if there is none of that name.
    pub fn replace(&mut self, name: &str, text: String) -> bool {
        let known = self.text(name).is_some();
        if known {
            self.0.retain(|(of, _)| of != name);
            self.0.push((name.to_owned(), text));
        }
        known
    }

    /// The WGSL of `kernel` for adapters of `tuning`.
    ///
    /// # Errors
    /// If its directives are wrong; the sentence names the line.
    pub fn wgsl(&self, kernel: &dyn Kernel, tuning: Tuning) -> Result<String, PreprocessError> {
        let name = kernel.shader(tuning);
        let text = self.text(name);
        let text = text.ok_or_else(|| error(name, MISSING))?;
        preprocess(text, &kernel.defines(tuning), self)
    }
}

/// The same for lavapipe, see [`opaque`](super::opaque::opaque); `None` if it has no uniform block of the usual name.
#[cfg(not(target_arch = "wasm32"))]
pub fn wgsl_for_lavapipe(wgsl: &str) -> Option<String> {
    super::opaque::opaque(wgsl)
}

/// Threads of a workgroup: the product of its `@workgroup_size`; `None` where that is not written out in numbers.
pub fn workgroup_threads(wgsl: &str) -> Option<u32> {
    let (_, after) = wgsl.split_once("@workgroup_size(")?;
    let (sizes, _) = after.split_once(')')?;
    let sizes = sizes.split(',').filter(|size| !size.trim().is_empty());
    sizes.map(|size| size.trim().parse::<u32>().ok()).product()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replaced_shader_is_the_one_that_is_included() {
        let mut shaders = Shaders::default();
        assert!(
            shaders
                .text("shared/index")
                .unwrap()
                .contains("fn thread_index")
        );
        assert!(shaders.replace("shared/index", "const REPLACED = 1;".into()));
        let text = preprocess("#include \"shared/index.wgsl\"", &[], &shaders).unwrap();
        assert_eq!(text, "const REPLACED = 1;\n");
        assert!(!shaders.replace("shared/none", String::new()));
        assert_eq!(shaders.text("shared/none"), None);
    }

    #[test]
    fn shaders_come_as_texts_by_name() {
        let shaders = Shaders::from_json(r#"{"family/kernel": "fn main() {}\n"}"#).unwrap();
        assert_eq!(shaders.text("family/kernel"), Some("fn main() {}\n"));
        assert!(Shaders::from_json("[]").is_err());
        assert!(Shaders::from_json("").is_err());
    }

    #[test]
    fn threads_are_the_product_of_the_sizes() {
        assert_eq!(
            workgroup_threads("@compute @workgroup_size(64)\nfn"),
            Some(64)
        );
        assert_eq!(workgroup_threads("@workgroup_size(8, 4,2,)"), Some(64));
        assert_eq!(workgroup_threads("@workgroup_size(WG)"), None);
        assert_eq!(workgroup_threads("fn main() {}"), None);
    }
}
