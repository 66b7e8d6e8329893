//! What building and testing needs besides Rust, node and npm: found, installed where that is possible, or named.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use crate::process::{command, output, run};

pub const WASM_TARGET: &str = "wasm32-unknown-unknown";

/// Where a Chromium that is not on PATH may be.
const BROWSER_PATHS: [&str; 5] = [
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    r"C:\Program Files\Google\Chrome\Application\chrome.exe",
    r"C:\Program Files (x86)\Google\Chrome\Application\chrome.exe",
    r"C:\Program Files (x86)\Microsoft\Edge\Application\msedge.exe",
];

/// Cargo, in `root`. The flags of `.cargo/config.toml` hold, whatever the environment's are.
pub fn cargo(root: &Path) -> Command {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo
        .current_dir(root)
        .env_remove("RUSTFLAGS")
        .env_remove("CARGO_ENCODED_RUSTFLAGS");
    cargo
}

/// Where cargo builds.
pub fn target_folder(root: &Path) -> Result<PathBuf> {
    let metadata = output(cargo(root).args(["metadata", "--no-deps", "--format-version", "1"]))?;
    let metadata: serde_json::Value = serde_json::from_str(&metadata)?;
    let folder = metadata["target_directory"].as_str();
    Ok(folder.context("cargo does not say where it builds")?.into())
}

/// The standard library for WebAssembly. rustup brings it with the toolchain that `rust-toolchain.toml` names, if it may.
pub fn wasm_target(root: &Path) -> Result<()> {
    let sysroot = output(command("rustc", root)?.args(["--print", "sysroot"]))?;
    if Path::new(sysroot.trim())
        .join("lib/rustlib")
        .join(WASM_TARGET)
        .exists()
    {
        return Ok(());
    }
    run(command("rustup", root)
        .with_context(|| format!("Rust's standard library for {WASM_TARGET} is missing"))?
        .args(["target", "add", WASM_TARGET]))
}

/// The npm packages of `package-lock.json` in `node_modules`.
pub fn npm_packages(root: &Path) -> Result<()> {
    let modified = |path: &str| root.join(path).metadata().and_then(|meta| meta.modified());
    if let Ok(installed) = modified("node_modules/.package-lock.json")
        && modified("package-lock.json").is_ok_and(|wanted| wanted <= installed)
    {
        return Ok(());
    }
    let wanted = "Node 20.19 or later is needed";
    let version = output(command("node", root).context(wanted)?.arg("--version"))?;
    let mut numbers = version
        .trim_start_matches('v')
        .split('.')
        .map_while(|number| number.parse().ok());
    let found: (u32, u32) = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    ensure!(
        found >= (20, 19),
        "{wanted}; the one on PATH says {}",
        version.trim()
    );
    run(command("npm", root)?.args(["ci", "--no-audit", "--no-fund"]))
}

/// Says what tests need of the system and is not there, and on Debian as root installs it.
pub fn system_packages(root: &Path) -> Result<()> {
    let mut missing = Vec::new();
    if cfg!(target_os = "linux") && !has_vulkan() {
        missing.push("mesa-vulkan-drivers");
    }
    if chromium().is_none() {
        missing.push("chromium");
    }
    if missing.is_empty() {
        return Ok(());
    }
    if !Path::new("/etc/debian_version").exists() {
        let vulkan = "a Vulkan driver (mesa's lavapipe where there is no GPU)";
        let browser = "Chromium or Chrome (its path in POLLEN_CHROMIUM where it is not found)";
        let names: Vec<_> = missing
            .iter()
            .map(|name| if *name == "chromium" { browser } else { vulkan })
            .collect();
        bail!("the tests need {}; please install", names.join(" and "));
    }
    let packages = missing.join(" ");
    let is_root = output(command("id", root)?.arg("-u"))?.trim() == "0";
    ensure!(
        is_root,
        "the tests need packages; please run: sudo apt-get install --yes {packages}"
    );
    let apt = || -> Result<Command> {
        let mut apt = command("apt-get", root)?;
        apt.env("DEBIAN_FRONTEND", "noninteractive");
        Ok(apt)
    };
    run(apt()?.args(["update", "--quiet"]))?;
    run(apt()?
        .args(["install", "--yes", "--quiet", "--no-install-recommends"])
        .args(&missing))
}

/// The browser that the tests drive: POLLEN_CHROMIUM, or one found where browsers are.
pub fn chromium() -> Option<PathBuf> {
    if let Some(path) = env::var_os("POLLEN_CHROMIUM") {
        return Some(path.into());
    }
    [
        "chromium",
        "chromium-browser",
        "google-chrome",
        "google-chrome-stable",
        "chrome",
    ]
    .iter()
    .find_map(|name| which::which(name).ok())
    .or_else(|| {
        BROWSER_PATHS
            .iter()
            .map(PathBuf::from)
            .find(|path| path.exists())
    })
}

/// Whether any Vulkan driver is registered with the loader.
fn has_vulkan() -> bool {
    let named = ["VK_DRIVER_FILES", "VK_ICD_FILENAMES"]
        .iter()
        .any(|name| env::var_os(name).is_some());
    named
        || [
            "/usr/share/vulkan/icd.d",
            "/usr/local/share/vulkan/icd.d",
            "/etc/vulkan/icd.d",
        ]
        .iter()
        .any(|folder| fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some()))
}
