//! One wave on its way through a kernel: how long it takes alone, and what it keeps busy.

use crate::isa::{Block, Kind, Loop};

/// Cycles until a load from device memory, workgroup memory or a scalar load has come, and of a barrier.
pub const LOAD: f64 = 400.0;
pub const WORKGROUP: f64 = 64.0;
pub const SCALAR: f64 = 120.0;
pub const BARRIER: f64 = 40.0;

/// What a wave does, in cycles and instructions, over its whole way.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wave {
    /// Alone on its SIMD.
    pub cycles: f64,
    /// Of those, waiting for loads, for workgroup memory and constants, at barriers.
    pub waits_loads: f64,
    pub waits_others: f64,
    pub fma: f64,
    pub vector: f64,
    /// Cycles of the vector unit.
    pub vector_cycles: f64,
    pub scalar: f64,
    pub workgroup_bytes: f64,
    /// Cycles of the path to the caches.
    pub memory_cycles: f64,
    pub spills: f64,
}

impl Wave {
    fn plus(&self, other: &Wave, times: f64) -> Wave {
        let sum = |of: fn(&Wave) -> f64| of(self) + times * of(other);
        Wave {
            cycles: sum(|w| w.cycles),
            waits_loads: sum(|w| w.waits_loads),
            waits_others: sum(|w| w.waits_others),
            fma: sum(|w| w.fma),
            vector: sum(|w| w.vector),
            vector_cycles: sum(|w| w.vector_cycles),
            scalar: sum(|w| w.scalar),
            workgroup_bytes: sum(|w| w.workgroup_bytes),
            memory_cycles: sum(|w| w.memory_cycles),
            spills: sum(|w| w.spills),
        }
    }

    /// Cycles for which it keeps its SIMD, or that SIMD's share of what four of them have in common, from other waves.
    pub fn busy(&self) -> f64 {
        let shared = 2.0 * self.workgroup_bytes / 128.0;
        self.vector_cycles
            .max(shared)
            .max(2.0 * self.memory_cycles)
            .max(self.scalar)
    }
}

struct Walk<'a> {
    blocks: &'a [Block],
    loops: &'a [Loop],
    trips: &'a [f64],
    /// How often each block is reached in one pass of the loop around it.
    reached: Vec<f64>,
    wave: Wave,
    /// When what is under way will have come.
    loads: Vec<f64>,
    workgroup: Vec<f64>,
    scalar: Vec<f64>,
}

/// The way through `blocks`, whose `loops` run `trips` times each time they are reached.
pub fn walk(blocks: &[Block], loops: &[Loop], trips: &[f64]) -> Wave {
    let mut walk = Walk {
        blocks,
        loops,
        trips,
        reached: reached(blocks, loops),
        wave: Wave::default(),
        loads: Vec::new(),
        workgroup: Vec::new(),
        scalar: Vec::new(),
    };
    walk.region(0, blocks.len().saturating_sub(1), None);
    walk.wave
}

impl Walk<'_> {
    fn region(&mut self, first: usize, last: usize, inside: Option<usize>) {
        let mut at = first;
        while at <= last {
            let within = |l: &Loop| inside.is_none_or(|i| self.loops[i].holds(l));
            match self.loops.iter().position(|l| l.first == at && within(l)) {
                Some(i) => {
                    self.repeat(i);
                    at = self.loops[i].last + 1;
                }
                None => {
                    self.block(at);
                    at += 1;
                }
            }
        }
    }

    /// Two passes one by one, the second of which stands for all that follow.
    fn repeat(&mut self, i: usize) {
        let (Loop { first, last }, trips) = (self.loops[i], self.trips[i]);
        if trips <= 0.0 {
            return;
        }
        let before = self.wave;
        self.region(first, last, Some(i));
        if trips <= 1.0 {
            self.wave = before.plus(&self.wave.plus(&before, -1.0), trips);
            return;
        }
        let once = self.wave;
        self.region(first, last, Some(i));
        let pass = self.wave.plus(&once, -1.0);
        let more = trips - 2.0;
        self.wave = self.wave.plus(&pass, more);
        let later = pass.cycles * more;
        for pending in [&mut self.loads, &mut self.workgroup, &mut self.scalar] {
            pending.iter_mut().for_each(|t| *t += later);
        }
    }

    fn block(&mut self, at: usize) {
        let p = self.reached[at];
        if p < 1e-3 {
            return;
        }
        let blocks = self.blocks;
        for instruction in &blocks[at].instructions {
            let now = self.wave.cycles;
            let (cycles, bytes) = (instruction.cycles, instruction.bytes);
            match instruction.kind {
                Kind::Fma | Kind::Vector => {
                    self.wave.cycles += p * cycles;
                    self.wave.vector_cycles += p * cycles;
                    match instruction.kind {
                        Kind::Fma => self.wave.fma += p,
                        _ => self.wave.vector += p,
                    }
                }
                Kind::Workgroup { read } => {
                    self.wave.cycles += p;
                    self.wave.workgroup_bytes += p * bytes;
                    let takes = if read { WORKGROUP } else { 20.0 };
                    self.workgroup.push(now + takes + bytes / 128.0);
                }
                Kind::Load { spill } => {
                    self.wave.cycles += p;
                    self.loads.push(now + LOAD + 4.0 * self.loads.len() as f64);
                    self.wave.memory_cycles += p * (bytes / 128.0).max(4.0);
                    self.wave.spills += p * f64::from(u8::from(spill));
                }
                Kind::Store { spill } => {
                    self.wave.cycles += p;
                    self.wave.memory_cycles += p * (bytes / 64.0).max(4.0);
                    self.wave.spills += p * f64::from(u8::from(spill));
                }
                Kind::ScalarLoad => {
                    self.wave.cycles += p;
                    self.wave.scalar += p;
                    self.scalar.push(now + SCALAR);
                }
                Kind::Scalar => {
                    self.wave.cycles += p;
                    self.wave.scalar += p;
                }
                Kind::Branch => {
                    self.wave.cycles += 2.0 * p;
                    self.wave.scalar += p;
                }
                Kind::Barrier => {
                    self.wave.cycles += BARRIER * p;
                    self.wave.waits_others += BARRIER * p;
                }
                Kind::Wait { loads, others } => self.wait(p, loads, others),
                Kind::Nothing => {}
            }
        }
    }

    fn wait(&mut self, p: f64, loads: Option<usize>, others: Option<usize>) {
        if let Some(left) = loads.filter(|left| self.loads.len() > *left) {
            let come = self.loads.len() - left;
            let until = self.loads.drain(..come).fold(0.0, f64::max);
            let waited = p * (until - self.wave.cycles).max(0.0);
            self.wave.cycles += waited;
            self.wave.waits_loads += waited;
        }
        let Some(left) = others else { return };
        // Scalar loads come in any order: whoever needs one waits for all.
        let mut until: f64 = 0.0;
        if left == 0 || self.workgroup.is_empty() {
            until = self.scalar.drain(..).fold(until, f64::max);
        }
        let come = self.workgroup.len().saturating_sub(left);
        until = self.workgroup.drain(..come).fold(until, f64::max);
        let waited = p * (until - self.wave.cycles).max(0.0);
        self.wave.cycles += waited;
        self.wave.waits_others += waited;
    }
}

/// A branch of which nothing is known is taken half the time; loops end by their trips.
fn reached(blocks: &[Block], loops: &[Loop]) -> Vec<f64> {
    let around = |at: usize| {
        let all = loops.iter().filter(|l| l.first <= at && at <= l.last);
        all.min_by_key(|l| l.last - l.first)
    };
    let mut reached = vec![0.0f64; blocks.len()];
    if let Some(first) = reached.first_mut() {
        *first = 1.0;
    }
    for (at, block) in blocks.iter().enumerate() {
        if reached[at] < 1e-9 && loops.iter().any(|l| l.first == at) {
            reached[at] = 1.0;
        }
        let last = around(at).map_or(blocks.len() - 1, |l| l.last);
        let here = reached[at];
        let mut falls = here;
        for branch in &block.instructions {
            let Some(target) = branch.target else {
                continue;
            };
            if branch.always {
                if target > at {
                    reached[target] = (reached[target] + falls).min(1.0);
                }
                falls = 0.0;
            } else if target > last {
                reached[target] = reached[target].max(here);
            } else if target > at && !branch.skips_idle {
                reached[target] = (reached[target] + 0.5 * falls).min(1.0);
                falls *= 0.5;
            }
        }
        if let Some(next) = reached.get_mut(at + 1) {
            *next = (*next + falls).min(1.0);
        }
    }
    reached
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::isa;

    fn wave(text: &str, trips: &[f64]) -> Wave {
        let blocks = isa::blocks(text);
        walk(&blocks, &isa::loops(&blocks), trips)
    }

    #[test]
    fn a_loop_counts_as_often_as_it_runs() {
        let text = "BB0:\n\ts_mov_b32 s0, 0\nBB1:\n\tv_fma_f32 v0, v1, v2, v0\n\ts_cbranch_scc1 BB1\nBB2:\n\ts_endpgm\n";
        for trips in [1.0, 2.0, 7.0, 0.25] {
            assert_eq!(wave(text, &[trips]).fma, trips);
        }
        assert_eq!(wave(text, &[0.0]).fma, 0.0);
    }

    #[test]
    fn what_is_computed_meanwhile_shortens_a_wait() {
        let load = "BB0:\n\tbuffer_load_dword v0, v1\n";
        let end = "\ts_waitcnt vmcnt(0)\n\ts_endpgm\n";
        let idle = wave(&format!("{load}{end}"), &[]);
        assert_eq!(idle.waits_loads, LOAD - 1.0);
        let busy = wave(
            &format!("{load}{}{end}", "\tv_add_f32 v2, v2, v2\n".repeat(50)),
            &[],
        );
        assert_eq!(busy.waits_loads, LOAD - 101.0);
        assert_eq!(busy.cycles, idle.cycles);
    }

    #[test]
    fn an_unknown_branch_is_taken_half_the_time() {
        let text = "BB0:\n\ts_cbranch_scc1 BB2\nBB1:\n\tv_fma_f32 v0, v1, v2, v0\nBB2:\n\tv_fma_f32 v0, v1, v2, v0\n";
        assert_eq!(wave(text, &[]).fma, 1.5);
    }
}
