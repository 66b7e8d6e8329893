//! Trunk's part of a build: `Trunk.toml` calls this when Trunk has put `www/index.html` where the page is to be.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::build;

/// Trunk's script that loads the page again after a build, in a file: the page's policy runs no script that stands in it.
const RELOAD: &str = "trunk-reload.js";

/// Makes the page in the folder that Trunk names.
pub fn stage(root: &Path) -> Result<()> {
    let folder = env::var_os("TRUNK_STAGING_DIR").map(PathBuf::from);
    let folder = folder.context("this is called by Trunk: run `trunk build` or `trunk serve`")?;
    let staged = fs::read_to_string(folder.join("index.html"))?;
    build::build_into(root, &folder)?;
    if let Some(script) = inline_script(&staged) {
        let index = folder.join("index.html");
        let tag = format!("<script type=\"module\" src=\"{RELOAD}\"></script>\n</body>");
        let page = fs::read_to_string(&index)?.replacen("</body>", &tag, 1);
        fs::write(&index, page)?;
        // Trunk fills these in in the page alone.
        let script = script
            .replace("'{{__TRUNK_ADDRESS__}}'", "location.host")
            .replace("'{{__TRUNK_WS_BASE__}}'", "'/'");
        fs::write(folder.join(RELOAD), script)?;
    }
    Ok(())
}

/// The text of the one script that stands in `page` itself, which is Trunk's.
fn inline_script(page: &str) -> Option<&str> {
    page.split("<script").skip(1).find_map(|rest| {
        let (attributes, rest) = rest.split_once('>')?;
        let (text, _) = rest.split_once("</script>")?;
        (!attributes.contains("src=") && !text.trim().is_empty()).then_some(text)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_script_that_stands_in_the_page_is_found() {
        let page = "<script type=\"module\" src=\"main.js\"></script>";
        assert_eq!(inline_script(page), None);
        let page = format!("{page}<body><script nonce=\"\">reload()</script></body>");
        assert_eq!(inline_script(&page), Some("reload()"));
    }
}
