//! What failed, told again where the run ends: a log is read from its end, and may have lost its beginning.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Lines of a failure that are told, its first included.
const LINES: usize = 16;

#[derive(Default)]
struct Failures {
    told: Vec<String>,
    /// Lines of the last one that may still come.
    left: usize,
}

static ALL: Mutex<Failures> = Mutex::new(Failures {
    told: Vec::new(),
    left: 0,
});

fn all() -> MutexGuard<'static, Failures> {
    ALL.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A line of what a test runner prints.
pub fn hear(line: &str) {
    all().hear(line);
}

/// A failure of which no test runner tells.
pub fn add(text: String) {
    all().told.push(text);
}

/// Prints them all.
pub fn tell() {
    let told = &all().told;
    if !told.is_empty() {
        println!("\n== What failed ==\n{}", told.join("\n"));
    }
}

impl Failures {
    fn hear(&mut self, line: &str) {
        if begins(line) {
            self.left = LINES;
        } else if goes_on(line) {
            self.left = 0;
        }
        if self.left > 0 && !line.trim().is_empty() {
            self.told.push(line.to_string());
            self.left -= 1;
        }
    }
}

/// Whether a failure is told from here on: `---- name stdout ----` of cargo, `  1) [project] › …` of Playwright, `not ok 1 - …` of node.
fn begins(line: &str) -> bool {
    let of_playwright = line
        .strip_prefix("  ")
        .and_then(|line| line.split_once(") ["))
        .is_some_and(|(number, _)| {
            !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit())
        });
    of_playwright
        || line.starts_with("not ok ")
        || (line.starts_with("---- ") && line.ends_with(" stdout ----"))
}

/// Whether what comes is of something else.
fn goes_on(line: &str) -> bool {
    ["ok ", "# ", "failures:", "test result: ", "  ✓ "]
        .iter()
        .any(|other| line.starts_with(other))
        || line
            .strip_prefix("  ")
            .is_some_and(|line| line.starts_with(|c: char| c.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(lines: &str) -> Vec<String> {
        let mut failures = Failures::default();
        lines.lines().for_each(|line| failures.hear(line));
        failures.told
    }

    #[test]
    fn each_runners_failures_are_told_and_nothing_else() {
        let cargo = "test one ... ok\ntest two ... FAILED\n\nfailures:\n\n---- two stdout ----\nthread 'two' panicked at src/a.rs:1:2:\n3 is not 4\n\n\nfailures:\n    two\n\ntest result: FAILED. 1 passed; 1 failed";
        assert_eq!(
            told(cargo),
            [
                "---- two stdout ----",
                "thread 'two' panicked at src/a.rs:1:2:",
                "3 is not 4"
            ]
        );
        let node =
            "ok 1 - one\nnot ok 2 - two\n  ---\n  error: 'no'\n  ...\nok 3 - three\n# fail 1";
        assert_eq!(
            told(node),
            ["not ok 2 - two", "  ---", "  error: 'no'", "  ..."]
        );
        let playwright = "  ✓  1 [gpu] › a.spec.js:1:1 › one (4ms)\n  ✘  2 [gpu] › a.spec.js:2:1 › two (1s)\n\n  1) [gpu] › a.spec.js:2:1 › two ──\n\n    Error: it is not so\n\n  1 failed\n    [gpu] › a.spec.js:2:1 › two ──\n  1 passed (2s)";
        assert_eq!(
            told(playwright),
            [
                "  1) [gpu] › a.spec.js:2:1 › two ──",
                "    Error: it is not so"
            ]
        );
    }

    #[test]
    fn a_long_one_is_cut() {
        let long = format!("not ok 1 - one\n{}", "  more\n".repeat(100));
        assert_eq!(told(&long).len(), LINES);
    }
}
