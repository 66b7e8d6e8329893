//! All checks in one go, counted.

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use clap::ValueEnum;

use crate::process::{command, run, run_lines};
use crate::{build, failures, package, serve, shaders, tools};

/// Largest WebAssembly of each module, in bytes gzipped.
const WASM_LIMITS: [(&str, usize); 2] = [("pollen", 400_000), ("arrays", 105_000)];

/// One kind of check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Suite {
    /// rustfmt finds nothing to change
    Format,
    /// clippy has no warning, natively and for WebAssembly
    Clippy,
    /// cargo test
    Native,
    /// Chromium's shader compiler takes every kernel that any configuration asks for
    Shaders,
    /// The page as it is shipped, in Chromium, and the size of its WebAssembly
    Browser,
    /// The npm package in an empty project: installed, bundled, and a digit generated in Chromium
    Package,
    /// The page's JavaScript and its tests agree with their types
    Types,
}

/// How many checks passed and failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Tally {
    passed: usize,
    failed: usize,
}

impl Tally {
    /// A check that passed or failed as a whole.
    fn one<T>(name: &str, result: Result<T>) -> Self {
        match result {
            Ok(_) => Self {
                passed: 1,
                failed: 0,
            },
            Err(error) => {
                eprintln!("error: {name}: {error:#}");
                failures::add(format!("{name}: {error:#}"));
                Self {
                    passed: 0,
                    failed: 1,
                }
            }
        }
    }

    fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
    }
}

/// Runs `suites`, or all of them where none is named; whether nothing failed. What failed stands at the end of stdout, before the sum.
pub fn test(root: &Path, suites: &[Suite]) -> bool {
    let suites = if suites.is_empty() {
        Suite::value_variants()
    } else {
        suites
    };
    let mut sum = Tally::default();
    match prepare(root, suites) {
        Ok(()) => {
            for (place, &suite) in suites.iter().enumerate() {
                println!("\n== {suite:?} ==");
                let start = Instant::now();
                let tally = match suite {
                    Suite::Format => format(root),
                    Suite::Clippy => clippy(root),
                    Suite::Native => native(root),
                    Suite::Shaders => shaders(root),
                    Suite::Browser => browser(root),
                    Suite::Package => package(root, suites[..place].contains(&Suite::Browser)),
                    Suite::Types => types(root, suites[..place].contains(&Suite::Browser)),
                };
                println!(
                    "{suite:?}: {} passed, {} failed, {:.0?}",
                    tally.passed,
                    tally.failed,
                    start.elapsed()
                );
                sum.add(tally);
            }
        }
        error => sum.add(Tally::one("the tests cannot begin", error)),
    }
    failures::tell();
    println!("\n{} passed, {} failed", sum.passed, sum.failed);
    sum.failed == 0
}

/// Everything that `suites` need is there.
fn prepare(root: &Path, suites: &[Suite]) -> Result<()> {
    tools::wasm_target(root)?;
    let any = |of: &[Suite]| suites.iter().any(|suite| of.contains(suite));
    if any(&[Suite::Native, Suite::Package, Suite::Browser]) {
        tools::system_packages(root)?;
    }
    if any(&[Suite::Shaders, Suite::Package, Suite::Browser, Suite::Types]) {
        tools::npm_packages(root)?;
    }
    Ok(())
}

fn format(root: &Path) -> Tally {
    Tally::one(
        "formatting",
        run(tools::cargo(root).args(["fmt", "--all", "--check"])),
    )
}

fn clippy(root: &Path) -> Tally {
    let web = format!("--package pollen --lib --target {}", tools::WASM_TARGET);
    let arrays = format!("{web} --no-default-features --features arrays");
    let runs = [
        "--package pollen --all-targets",
        "--package pollen-dense --all-targets",
        "--package xtask --all-targets",
        "--package pollen-profile --all-targets",
        web.as_str(),
        arrays.as_str(),
    ];
    let clean = runs.iter().try_for_each(|of| {
        let mut clippy = tools::cargo(root);
        clippy.arg("clippy").args(of.split(' '));
        run(clippy.args(["--", "--deny", "warnings"]))
    });
    Tally::one("clippy", clean)
}

// Package by package, here and above: together, their dependencies would get the features of both and be compiled again.
fn native(root: &Path) -> Tally {
    let mut tally = Tally::default();
    for package in ["pollen", "pollen-dense", "xtask", "pollen-profile"] {
        let mut counted = Tally::default();
        let mut test = tools::cargo(root);
        test.args(["test", "--no-fail-fast", "--package", package]);
        let ended = run_lines(&mut test, |line| {
            counted.add(cargo_result(line).unwrap_or_default())
        });
        tally.add(with_end(counted, &format!("the tests of {package}"), ended));
    }
    tally
}

fn shaders(root: &Path) -> Tally {
    let mut tally = Tally::default();
    let ended = shaders::variants(root).and_then(|folder| {
        let mut node = command("node", root)?;
        node.args([
            "--test",
            "--test-reporter=tap",
            "tests/shaders/tint.test.js",
        ]);
        run_lines(node.env("POLLEN_SHADERS", folder), |line| {
            tally.add(node_result(line).unwrap_or_default())
        })
    });
    with_end(tally, "the shaders", ended)
}

/// `built`: the page is.
fn package(root: &Path, built: bool) -> Tally {
    let mut tally = Tally::default();
    let ended = (|| {
        if !built {
            build::build(root)?;
        }
        let folder = tools::target_folder(root)?.join("tmp");
        std::fs::create_dir_all(&folder)?;
        let tarball = package::pack(&package::assemble(root)?, &folder)?;
        let mut node = command("node", root)?;
        node.args([
            "--test",
            "--test-reporter=tap",
            "tests/package/package.test.js",
        ]);
        node.env("POLLEN_PACKAGE", tarball).env(
            "POLLEN_CHROMIUM",
            tools::chromium().context("no Chromium is found")?,
        );
        run_lines(&mut node, |line| {
            tally.add(node_result(line).unwrap_or_default())
        })
    })();
    with_end(tally, "the package", ended)
}

fn browser(root: &Path) -> Tally {
    let mut tally = Tally::default();
    let built = match build::build(root) {
        Ok(built) => built,
        error => return Tally::one("building the page", error),
    };
    tally.add(Tally::one("the size of the WebAssembly", wasm_size(&built)));
    let ended = (|| {
        let address = serve::start(&built.dist, serve::listen(0)?)?;
        let chromium = tools::chromium().context("no Chromium is found")?;
        let cli = command_line(root)?;
        let mut succeeded = true;
        for project in [
            ["--project=gpu", "--workers=1"],
            ["--project=processor", "--workers=2"],
        ] {
            let mut node = command("node", root)?;
            node.args([
                "node_modules/@playwright/test/cli.js",
                "test",
                "--config=tests/browser",
                "--reporter=list",
            ]);
            node.args(project).env("POLLEN_URL", &address);
            node.env("POLLEN_CHROMIUM", &chromium)
                .env("POLLEN_CLI", &cli);
            succeeded &= run_lines(&mut node, |line| {
                tally.add(playwright_result(line).unwrap_or_default())
            })?;
        }
        Ok(succeeded)
    })();
    with_end(tally, "the browser tests", ended)
}

/// TypeScript's compiler over the page and the browser tests. The engine's types come with a build.
fn types(root: &Path, built: bool) -> Tally {
    let check = || -> Result<()> {
        if !built {
            build::build(root)?;
        }
        run(command("node", root)?.args(["node_modules/typescript/bin/tsc", "--project", "."]))
    };
    Tally::one("the types of the page", check())
}

/// The command line as the native tests have it, which are not compiled again where they have run.
fn command_line(root: &Path) -> Result<PathBuf> {
    let mut cargo = tools::cargo(root);
    run(cargo.args(["test", "--package", "pollen", "--test", "cli", "--no-run"]))?;
    let name = format!("pollen{}", std::env::consts::EXE_SUFFIX);
    Ok(tools::target_folder(root)?.join("debug").join(name))
}

/// A run that failed without naming a failed test (it did not compile, say) is a failure too; so is one that tested nothing.
fn with_end(mut tally: Tally, name: &str, ended: Result<bool>) -> Tally {
    let ended = ended.and_then(|succeeded| {
        ensure!(succeeded || tally.failed > 0, "ended with an error");
        ensure!(tally != Tally::default(), "nothing was tested");
        Ok(())
    });
    if ended.is_err() {
        tally.add(Tally::one(name, ended));
    }
    tally
}

fn wasm_size(built: &build::Built) -> Result<()> {
    ensure!(
        built.optimised,
        "wasm-opt is missing, so the size says nothing"
    );
    for (module, limit) in WASM_LIMITS {
        let bytes = built.gzipped_wasm(module)?;
        ensure!(
            bytes <= limit,
            "{module}: {bytes} bytes gzipped are more than {limit}"
        );
    }
    Ok(())
}

/// The counts of a line such as `test result: ok. 3 passed; 0 failed; 0 ignored; …`.
fn cargo_result(line: &str) -> Option<Tally> {
    let counts = line.strip_prefix("test result: ")?.split_once(". ")?.1;
    let count = |of: &str| {
        counts
            .split("; ")
            .find_map(|part| part.strip_suffix(of))
            .and_then(|count| count.trim().parse().ok())
    };
    Some(Tally {
        passed: count("passed")?,
        failed: count("failed")?,
    })
}

/// The count of one line of the summary that node's test runner ends with: `# pass 3`. What did not run has not passed.
fn node_result(line: &str) -> Option<Tally> {
    let (kind, count) = line.strip_prefix("# ")?.split_once(' ')?;
    let count = count.parse().ok()?;
    match kind {
        "pass" => Some(Tally {
            passed: count,
            failed: 0,
        }),
        "fail" | "cancelled" | "skipped" | "todo" => Some(Tally {
            passed: 0,
            failed: count,
        }),
        _ => None,
    }
}

/// The count of one line of the summary that Playwright's runner ends with: `3 passed (2.1m)`. What did not run has not passed.
fn playwright_result(line: &str) -> Option<Tally> {
    let (count, kind) = line.strip_prefix("  ")?.split_once(' ')?;
    let count = count.parse().ok()?;
    match kind.split(" (").next()? {
        "passed" => Some(Tally {
            passed: count,
            failed: 0,
        }),
        "failed" | "flaky" | "skipped" | "interrupted" | "did not run" => Some(Tally {
            passed: 0,
            failed: count,
        }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;

    use super::*;

    fn tally(passed: usize, failed: usize) -> Tally {
        Tally { passed, failed }
    }

    #[test]
    fn result_lines_are_counted() {
        let line = "test result: FAILED. 12 passed; 3 failed; 1 ignored; 0 measured; 4 filtered out; finished in 0.15s";
        assert_eq!(cargo_result(line), Some(tally(12, 3)));
        assert_eq!(
            cargo_result("test result: ok. 1 passed; 0 failed; 0 ignored"),
            Some(tally(1, 0))
        );
        assert_eq!(cargo_result("test tests::result ... ok"), None);
        assert_eq!(node_result("# pass 7"), Some(tally(7, 0)));
        for line in ["# fail 2", "# cancelled 2", "# skipped 2", "# todo 2"] {
            assert_eq!(node_result(line), Some(tally(0, 2)), "{line}");
        }
        for line in [
            "# tests 7",
            "# pass",
            "# pass the salt",
            "    # pass 7",
            "ok 1 - pass 7",
        ] {
            assert_eq!(node_result(line), None, "{line}");
        }
    }

    #[test]
    fn the_lines_of_playwrights_summary_are_counted() {
        assert_eq!(playwright_result("  7 passed (2.1m)"), Some(tally(7, 0)));
        for line in [
            "  2 failed",
            "  2 flaky",
            "  2 skipped",
            "  2 interrupted",
            "  2 did not run",
        ] {
            assert_eq!(playwright_result(line), Some(tally(0, 2)), "{line}");
        }
        for line in [
            "Running 7 tests using 1 worker",
            "  passed",
            "7 passed",
            "  7 passed the salt",
            "  ✓  7 forward.spec.js:8:1 › 7 passed (4ms)",
        ] {
            assert_eq!(playwright_result(line), None, "{line}");
        }
    }

    #[test]
    fn every_way_to_fail_counts() {
        assert_eq!(with_end(tally(3, 0), "x", Ok(true)), tally(3, 0));
        assert_eq!(with_end(tally(3, 1), "x", Ok(false)), tally(3, 1));
        assert_eq!(with_end(tally(3, 0), "x", Ok(false)), tally(3, 1));
        assert_eq!(with_end(tally(0, 0), "x", Ok(true)), tally(0, 1));
        assert_eq!(
            with_end(tally(3, 0), "x", Err(anyhow!("gone"))),
            tally(3, 1)
        );
    }
}
