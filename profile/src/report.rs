//! What is printed: a line for each kind of dispatch, and totals.

use std::collections::BTreeMap;

use crate::count::Trips;
use crate::isa::{Block, Kind, Loop, blocks, loops};
use crate::model::{Bound, CLOCK, Compiled, Dispatch, GPUS, LAUNCH};
use crate::step::Step;
use crate::wave::{BARRIER, LOAD, SCALAR, WORKGROUP, walk};

/// A text as it was compiled.
pub struct Made {
    pub compiled: Compiled,
    blocks: Vec<Block>,
    /// In their order, first those that zero workgroup memory before the kernel begins.
    loops: Vec<Loop>,
    filling: usize,
}

impl Made {
    pub fn new(compiled: Compiled, assembly: &str) -> Self {
        let blocks = blocks(assembly);
        let loops = loops(&blocks);
        let filling = loops.iter().take_while(|l| l.only_fills(&blocks)).count();
        Self {
            compiled,
            filling,
            loops,
            blocks,
        }
    }

    /// The trips of its loops, from those of the text's; and how many of the text's loops the compiler unrolled: the
    /// innermost, and of those the shortest.
    fn trips(&self, text: &[Trips], threads: usize) -> (Vec<f64>, isize) {
        let own = self.loops.len() - self.filling;
        let mut kept = text.to_vec();
        while kept.len() > own {
            let order =
                |a: &Trips, b: &Trips| b.depth.cmp(&a.depth).then(a.count.total_cmp(&b.count));
            let unrolled = kept.iter().enumerate().min_by(|(_, a), (_, b)| order(a, b));
            let Some((at, _)) = unrolled else { break };
            kept.remove(at);
        }
        let fill = self.compiled.workgroup_bytes as f64 / (4 * threads) as f64;
        let mut trips = vec![fill / self.filling.max(1) as f64; self.filling];
        trips.extend(kept.into_iter().map(|trips| trips.count));
        trips.resize(self.loops.len(), 1.0);
        (trips, text.len() as isize - own as isize)
    }

    /// Share of multiply-adds among the vector unit's instructions, in the loop that has the most of them.
    fn main_loop(&self) -> f64 {
        let counts = |l: &Loop| {
            let inner = |at: usize| {
                self.loops
                    .iter()
                    .any(|i| l.holds(i) && i.first <= at && at <= i.last)
            };
            let own = (l.first..=l.last)
                .filter(|at| !inner(*at))
                .flat_map(|at| &self.blocks[at].instructions);
            own.fold((0.0f64, 0.0f64), |(fma, other), i| match i.kind {
                Kind::Fma => (fma + 1.0, other),
                Kind::Vector => (fma, other + 1.0),
                _ => (fma, other),
            })
        };
        let all = self.loops.iter().map(counts);
        let (fma, other) = all.max_by(|a, b| a.0.total_cmp(&b.0)).unwrap_or_default();
        fma / (fma + other).max(1.0)
    }
}

/// Dispatches of one text.
#[derive(Default)]
struct Kindred {
    name: String,
    count: usize,
    seconds: [f64; GPUS.len()],
    waves: Vec<usize>,
    fma: f64,
    vector: f64,
    spills: f64,
    /// FLOPs that its waves do, and those that it is for.
    done: f64,
    needed: f64,
    bounds: BTreeMap<&'static str, usize>,
    unrolled: isize,
}

/// Prints what `step` costs where its texts became `made`; gives the seconds of each GPU, launches included.
pub fn print(step: &Step, made: &[Made]) -> [f64; GPUS.len()] {
    let mut kinds: BTreeMap<usize, Kindred> = BTreeMap::new();
    let (mut totals, mut flops) = ([0.0; GPUS.len()], 0);
    for call in &step.calls {
        let made = &made[call.text];
        let (trips, unrolled) = made.trips(&call.trips, 64 * call.waves_each);
        let wave = walk(&made.blocks, &made.loops, &trips);
        let dispatch = Dispatch {
            workgroups: call.workgroups,
            waves_each: call.waves_each,
            bytes: call.bytes,
            compiled: made.compiled,
            wave,
        };
        let kind = kinds.entry(call.text).or_default();
        kind.name = call.kernel.name().to_owned();
        kind.count += 1;
        kind.waves.push(dispatch.waves());
        let waves = dispatch.waves() as f64;
        (kind.fma, kind.vector) = (
            kind.fma + waves * wave.fma,
            kind.vector + waves * (wave.fma + wave.vector),
        );
        kind.spills += wave.spills;
        kind.done += 128.0 * waves * wave.fma;
        kind.needed += call.done;
        kind.unrolled = unrolled;
        let desktop: Bound = dispatch.bound(&GPUS[1]);
        *kind.bounds.entry(desktop.name()).or_default() += 1;
        for (i, gpu) in GPUS.iter().enumerate() {
            kind.seconds[i] += dispatch.seconds(gpu);
            totals[i] += dispatch.seconds(gpu) + LAUNCH;
        }
        flops += call.flops;
    }
    println!(
        "{:<26} {:>4} {:>9} {:>15} {:>5} {:>6} {:>10} {:>8}  bound by",
        "kernel", "n", "ms", "waves/SIMD", "VGPR", "LDS", "FMA (loop)", "spills"
    );
    let mut sorted: Vec<(usize, Kindred)> = kinds.into_iter().collect();
    sorted.sort_by(|a, b| b.1.seconds[1].total_cmp(&a.1.seconds[1]));
    for (text, mut kind) in sorted {
        kind.waves.sort_unstable();
        let share = |waves: usize| waves as f64 / GPUS[1].simds as f64;
        let (least, most) = (
            share(kind.waves[0]),
            share(kind.waves[kind.waves.len() - 1]),
        );
        let bounds: Vec<String> = kind
            .bounds
            .iter()
            .map(|(name, n)| format!("{name} ({n})"))
            .collect();
        let made = &made[text];
        println!(
            "{:<26} {:>4} {:>9.4} {:>15} {:>5} {:>6} {:>10} {:>8.0}  {}{}{}",
            format!("{} #{text}", kind.name),
            kind.count,
            1e3 * kind.seconds[1],
            format!("{least:.2}–{most:.2}"),
            made.compiled.registers,
            made.compiled.workgroup_bytes,
            format!(
                "{:.0} % ({:.0})",
                100.0 * kind.fma / kind.vector.max(1.0),
                100.0 * made.main_loop()
            ),
            kind.spills,
            bounds.join(", "),
            match kind.unrolled {
                0 => String::new(),
                n if n > 0 => format!("; {n} of its loops unrolled by the compiler"),
                n => format!("; {} loops that the text has not, taken once", -n),
            },
            match kind.done < 0.98 * kind.needed {
                false => String::new(),
                true => format!(
                    "; NOT TO BE TRUSTED: {:.0} % of its multiply-adds were found, its loops were taken for one another",
                    100.0 * kind.done / kind.needed
                ),
            },
        );
    }
    for (gpu, total) in GPUS.iter().zip(totals) {
        let ideal = flops as f64 / (64.0 * gpu.simds as f64 * CLOCK);
        println!(
            "{:>4} SIMDs: {:.3} ms a step ({:.3} of them launches of {} dispatches); {:.2} GFLOP would take {:.3} ms of nothing but multiply-adds, {:.1} %",
            gpu.simds,
            1e3 * total,
            1e3 * LAUNCH * step.calls.len() as f64,
            step.calls.len(),
            flops as f64 / 1e9,
            1e3 * ideal,
            100.0 * ideal / total,
        );
    }
    totals
}

/// What the numbers rest on.
pub fn assumptions(device: &str) {
    println!(
        "Assumed: RADV's code for {device}, waves of 64 on SIMDs of 32 lanes at {} GHz; a vector instruction takes 2 cycles, a transcendental or \
         32-bit product 8; a load comes after {LOAD} cycles, workgroup memory after {WORKGROUP}, a constant after {SCALAR}, a barrier takes \
         {BARRIER}; four SIMDs share 128 KiB of workgroup memory at 128 bytes a cycle; {} GB/s for {} SIMDs; {} µs a launch; a branch that \
         depends on data is taken half the time. Loops run as often as they were counted to. It ranks what costs; it is no stopwatch.",
        CLOCK / 1e9,
        GPUS.map(|g| (g.bandwidth / 1e9).to_string()).join(", "),
        GPUS.map(|g| g.simds.to_string()).join(", "),
        LAUNCH * 1e6,
    );
}
