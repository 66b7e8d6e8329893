//! A GPU of so many SIMDs: how long it takes for a dispatch, and what holds it up.

use crate::wave::Wave;

pub const CLOCK: f64 = 2.2e9;
/// From one dispatch to the next, seconds.
pub const LAUNCH: f64 = 2e-6;
/// Bytes of workgroup memory that four SIMDs have in common.
const WORKGROUP_MEMORY: usize = 131_072;

#[derive(Clone, Copy, Debug)]
pub struct Gpu {
    pub simds: usize,
    /// Bytes a second.
    pub bandwidth: f64,
}

/// A small, a desktop's and a large one.
pub const GPUS: [Gpu; 3] = [
    Gpu {
        simds: 16,
        bandwidth: 80e9,
    },
    Gpu {
        simds: 160,
        bandwidth: 512e9,
    },
    Gpu {
        simds: 512,
        bandwidth: 1600e9,
    },
];

/// A kernel as it was compiled.
#[derive(Clone, Copy, Debug)]
pub struct Compiled {
    pub registers: usize,
    pub workgroup_bytes: usize,
}

/// One dispatch.
#[derive(Clone, Copy, Debug)]
pub struct Dispatch {
    pub workgroups: usize,
    pub waves_each: usize,
    pub bytes: f64,
    pub compiled: Compiled,
    pub wave: Wave,
}

/// What holds a dispatch up most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    Launch,
    TooFewWaves,
    Latency,
    Arithmetic,
    Caches,
    Bandwidth,
}

impl Bound {
    pub fn name(self) -> &'static str {
        match self {
            Bound::Launch => "launch",
            Bound::TooFewWaves => "too few waves",
            Bound::Latency => "latency",
            Bound::Arithmetic => "arithmetic",
            Bound::Caches => "caches and workgroup memory",
            Bound::Bandwidth => "bandwidth",
        }
    }
}

impl Dispatch {
    pub fn waves(&self) -> usize {
        self.workgroups * self.waves_each
    }

    /// Workgroups that four SIMDs hold at a time.
    fn resident(&self) -> usize {
        let memory = WORKGROUP_MEMORY
            .checked_div(self.compiled.workgroup_bytes)
            .unwrap_or(usize::MAX);
        let registers = self.compiled.registers.max(8).next_multiple_of(8);
        let waves = 4 * (512 / registers).clamp(1, 16);
        memory.min((waves / self.waves_each).max(1)).max(1)
    }

    /// Seconds without the launch: workgroups come in rounds of as many as fit, and a round lasts as long as a wave alone or
    /// as all that its waves keep busy.
    pub fn seconds(&self, gpu: &Gpu) -> f64 {
        let each = self.workgroups.div_ceil((gpu.simds / 4).max(1));
        let resident = self.resident();
        let busy = self.wave.busy();
        let round = |workgroups: usize| {
            let waves = workgroups * self.waves_each;
            let in_turn = waves.div_ceil(4) as f64 * busy;
            self.wave.cycles.max(in_turn)
        };
        let rest = each % resident;
        let last = if rest == 0 { 0.0 } else { round(rest) };
        let cycles = (each / resident) as f64 * round(resident) + last;
        (cycles / CLOCK).max(self.bytes / gpu.bandwidth)
    }

    pub fn bound(&self, gpu: &Gpu) -> Bound {
        let seconds = self.seconds(gpu);
        if seconds < LAUNCH {
            return Bound::Launch;
        }
        if self.bytes / gpu.bandwidth >= seconds {
            return Bound::Bandwidth;
        }
        // What the same work would take if it were shared out evenly, and if no wave waited for anything.
        let busy = self.wave.busy() / CLOCK;
        let even = self.waves() as f64 / gpu.simds as f64 * busy;
        let in_turn = self.waves().div_ceil(gpu.simds) as f64 * busy;
        if in_turn < 0.6 * seconds {
            return Bound::Latency;
        }
        if even < 0.6 * in_turn {
            return Bound::TooFewWaves;
        }
        match self.wave.busy() > self.wave.vector_cycles {
            true => Bound::Caches,
            false => Bound::Arithmetic,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dispatch(workgroups: usize, wave: Wave) -> Dispatch {
        Dispatch {
            workgroups,
            waves_each: 1,
            bytes: 0.0,
            compiled: Compiled {
                registers: 64,
                workgroup_bytes: 8192,
            },
            wave,
        }
    }

    #[test]
    fn what_holds_up_is_named() {
        let gpu = &GPUS[1];
        let arithmetic = Wave {
            cycles: 1e4,
            vector_cycles: 1e4,
            ..Wave::default()
        };
        let waiting = Wave {
            cycles: 1e4,
            vector_cycles: 1e3,
            ..Wave::default()
        };
        let cases = [
            (dispatch(1600, arithmetic), Bound::Arithmetic),
            (dispatch(10, arithmetic), Bound::TooFewWaves),
            (dispatch(160, waiting), Bound::Latency),
            (
                dispatch(
                    160,
                    Wave {
                        workgroup_bytes: 6.4e5,
                        ..waiting
                    },
                ),
                Bound::Caches,
            ),
            (
                Dispatch {
                    bytes: 1e9,
                    ..dispatch(160, waiting)
                },
                Bound::Bandwidth,
            ),
            (
                dispatch(
                    1,
                    Wave {
                        cycles: 100.0,
                        ..Wave::default()
                    },
                ),
                Bound::Launch,
            ),
        ];
        for (i, (dispatch, expected)) in cases.iter().enumerate() {
            assert_eq!(dispatch.bound(gpu), *expected, "case {i}");
        }
    }

    #[test]
    fn what_does_not_fit_waits_for_another_round() {
        let gpu = &GPUS[1];
        let wave = Wave {
            cycles: 1e4,
            vector_cycles: 10.0,
            ..Wave::default()
        };
        // 40 groups of four SIMDs hold 16 workgroups of 8 KiB each.
        assert_eq!(dispatch(640, wave).seconds(gpu), 1e4 / CLOCK);
        assert_eq!(dispatch(641, wave).seconds(gpu), 2e4 / CLOCK);
    }
}
