//! How often each loop of a kernel runs, counted by running it: a kernel that has changed is counted as it is now.

use std::rc::Rc;

use anyhow::{Context, Result};
use pollen::gpu::Gpu;
use pollen::gpu::executor::run_kernel;
use pollen::graph::{Defines, Kernel, Tuning};

/// Workgroups along x, y and z that count: further ones do the same.
const COUNTING: [u32; 3] = [8, 4, 1];

/// A kernel with one operand more, in which it counts.
struct Counting(Rc<dyn Kernel>);

impl Kernel for Counting {
    fn name(&self) -> &'static str {
        self.0.name()
    }

    fn shader(&self, tuning: Tuning) -> &'static str {
        self.0.shader(tuning)
    }

    fn defines(&self, _: Tuning) -> Defines {
        Vec::new()
    }

    fn params(&self) -> Vec<u32> {
        self.0.params()
    }

    fn grid(&self, tuning: Tuning) -> [u32; 3] {
        let grid = self.0.grid(tuning);
        std::array::from_fn(|i| grid[i].min(COUNTING[i]))
    }

    fn compute(&self, _: &[&[f32]], _: &mut [&mut [f32]]) {}

    fn twin_f32(&self, _: &[&[f32]], _: &mut [&mut [f32]]) {}

    fn twin_f64(&self, _: &[&[f64]], _: &mut [&mut [f64]]) {}
}

/// A text with two counters a loop, how often it is reached and how often its body runs, in one more binding.
struct Counted {
    text: String,
    loops: usize,
    /// The loops in the order in which they stand once every function is put in the place of its calls, and how many
    /// loops are around each.
    inlined: Vec<(usize, usize)>,
}

/// How often a loop's body runs when the loop is reached, and how many loops are around it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Trips {
    pub count: f64,
    pub depth: usize,
}

/// What a function's body has, in its order, and how many of the function's loops are around it.
struct Part<'a> {
    what: What<'a>,
    depth: usize,
}

enum What<'a> {
    Loop(usize),
    Call(&'a str),
}

/// The functions of `text` by name, each with its body.
fn functions(text: &str) -> Vec<(&str, &str)> {
    let starts: Vec<usize> = text.match_indices("fn ").map(|(at, _)| at).collect();
    let ends = starts.iter().skip(1).copied().chain([text.len()]);
    let whole = starts
        .iter()
        .zip(ends)
        .map(|(from, to)| &text[from + 3..to]);
    whole
        .filter_map(|f| f.split_once('('))
        .map(|(name, body)| (name.trim(), body))
        .collect()
}

/// Where the loop or call lies that comes first in `body`, and which function is called.
fn next<'a>(body: &str, names: &[&'a str]) -> Option<(usize, Option<&'a str>)> {
    let begins = |at: usize| !body[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_');
    let calls = names.iter().filter_map(|name| {
        let call = format!("{name}(");
        let mut found = body.match_indices(&call).map(|(at, _)| at);
        found.find(|at| begins(*at)).map(|at| (at, Some(*name)))
    });
    let loops = body.find("for (").map(|at| (at, None));
    calls.chain(loops).min_by_key(|(at, _)| *at)
}

fn counted(text: &str, operands: usize) -> Option<Counted> {
    let names: Vec<&str> = functions(text).iter().map(|(name, _)| *name).collect();
    let mut parts: Vec<(&str, Vec<Part>)> = Vec::new();
    let mut loops = 0;
    for (name, mut body) in functions(text) {
        let mut own = Vec::new();
        // How many braces are open, and were where each loop around began.
        let (mut braces, mut around) = (0, Vec::new());
        while let Some((at, call)) = next(body, &names) {
            for c in body[..at].chars() {
                braces += match c {
                    '{' => 1,
                    '}' => -1,
                    _ => 0,
                };
                if c == '}' {
                    around.retain(|began| *began < braces);
                }
            }
            let depth = around.len();
            let what = match call {
                Some(name) => What::Call(name),
                None => {
                    around.push(braces);
                    loops += 1;
                    What::Loop(loops - 1)
                }
            };
            own.push(Part { what, depth });
            body = &body[at + call.map_or("for (".len(), |name| name.len() + 1)..];
        }
        parts.push((name, own));
    }
    let mut inlined = Vec::new();
    inline("main", 0, &parts, &mut inlined);
    // Outside a plan every operand is bound for writing.
    let mut rest = text.replace("var<storage, read>", "var<storage, read_write>");
    let binding = operands + 1;
    let mut out = format!(
        "@group(0) @binding({binding}) var<storage, read_write> counts: array<atomic<u32>>;\n"
    );
    for i in 0..loops {
        let at = rest.find("for (")?;
        let header = &rest[at..];
        let mut depth = 0;
        let close = header.char_indices().find_map(|(i, c)| {
            depth += match c {
                '(' => 1,
                ')' => -1,
                _ => 0,
            };
            (c == ')' && depth == 0).then_some(i)
        })?;
        let body = close + header[close..].find('{')? + 1;
        out += &format!(
            "{}atomicAdd(&counts[{}], 1u);\n{}\natomicAdd(&counts[{}], 1u);",
            &rest[..at],
            2 * i,
            &header[..body],
            2 * i + 1
        );
        rest = header[body..].to_owned();
    }
    Some(Counted {
        text: out + &rest,
        loops,
        inlined,
    })
}

fn inline(
    name: &str,
    around: usize,
    functions: &[(&str, Vec<Part>)],
    into: &mut Vec<(usize, usize)>,
) {
    let Some((_, parts)) = functions.iter().find(|(of, _)| *of == name) else {
        return;
    };
    for part in parts {
        let depth = around + part.depth;
        match part.what {
            What::Loop(i) => into.push((i, depth)),
            What::Call(name) => inline(name, depth, functions, into),
        }
    }
}

/// How often the body of each loop in `text`, the WGSL of `kernel`, runs when the loop is reached, in the text's order
/// and wherever it is called. `reads` and `writes` are the operands' lengths.
///
/// # Errors
/// If a loop has no header of the usual form, or the adapter cannot run the kernel.
pub fn trips(
    gpu: &Gpu,
    kernel: &Rc<dyn Kernel>,
    text: &str,
    reads: &[usize],
    writes: &[usize],
) -> Result<Vec<Trips>> {
    let counted = counted(text, reads.len() + writes.len());
    let Counted {
        text,
        loops,
        inlined,
    } = counted.with_context(|| format!("a loop of {} has no end", kernel.name()))?;
    if loops == 0 {
        return Ok(Vec::new());
    }
    let zeros =
        |lens: &[usize]| -> Vec<Vec<f32>> { lens.iter().map(|len| vec![0.0; *len]).collect() };
    let mut written = zeros(writes);
    written.push(vec![0.0; 2 * loops]);
    gpu.replace_shader(kernel.shader(gpu.tuning), text);
    let kernel = Counting(Rc::clone(kernel));
    let made = pollster::block_on(run_kernel(gpu, &kernel, &zeros(reads), &written))?;
    let counts = made.last().context("the kernel gives nothing back")?;
    let count = |i: usize| f64::from(counts[i].to_bits());
    let trips = |i: usize| count(2 * i + 1) / count(2 * i).max(1.0);
    let loops = inlined.into_iter().map(|(i, depth)| Trips {
        count: trips(i),
        depth,
    });
    Ok(loops.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_loop_gets_two_counters_and_counts_wherever_it_is_called() {
        let text = "var<storage, read> a: array<f32>;\nfn sum(n: u32) -> f32 {\nfor (var i = 0u; i < n; i++) { }\nreturn 0.0;\n}\n\
            @compute @workgroup_size(1) fn main() {\nlet b = sum(1u);\nfor (var i = 0u; i < min(2u, 3u); i++) { let c = sum(2u); }\n}";
        let counted = counted(text, 3).unwrap();
        assert_eq!(
            (counted.loops, counted.inlined),
            (2, vec![(0, 0), (1, 0), (0, 1)])
        );
        for part in [
            "@binding(4)",
            "var<storage, read_write> a",
            "atomicAdd(&counts[0], 1u);\nfor (var i = 0u; i < n; i++) {\natomicAdd(&counts[1], 1u); }",
            "atomicAdd(&counts[2], 1u);\nfor (var i = 0u; i < min(2u, 3u); i++) {\natomicAdd(&counts[3], 1u); let c = sum(2u);",
        ] {
            assert!(counted.text.contains(part), "{part}\n{}", counted.text);
        }
    }
}
