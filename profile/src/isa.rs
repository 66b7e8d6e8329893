//! AMD's instructions as RADV prints them, in basic blocks, and the loops among those.

/// What an instruction keeps busy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A multiply-add of single precision.
    Fma,
    /// Any other instruction of the vector unit.
    Vector,
    /// Workgroup memory; `read` if its result is waited for.
    Workgroup {
        read: bool,
    },
    /// Device memory; `spill` if registers ran out.
    Load {
        spill: bool,
    },
    Store {
        spill: bool,
    },
    /// Constants and uniform blocks.
    ScalarLoad,
    Scalar,
    Branch,
    Barrier,
    /// Until at most so many loads, or scalar and workgroup operations, are under way.
    Wait {
        loads: Option<usize>,
        others: Option<usize>,
    },
    Nothing,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Instruction {
    pub kind: Kind,
    /// Cycles of the vector unit, for a wave of 64.
    pub cycles: f64,
    /// Bytes moved for a wave of 64.
    pub bytes: f64,
    /// Where a branch goes.
    pub target: Option<usize>,
    /// A branch that is always taken, and one that only skips what no thread takes part in.
    pub always: bool,
    pub skips_idle: bool,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Block {
    pub instructions: Vec<Instruction>,
}

/// Blocks `first..=last`, run as often as the loop's trips.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Loop {
    pub first: usize,
    pub last: usize,
}

/// Operations that take four times a multiply-add's cycles: transcendental ones and 32-bit integer products.
const QUARTER_RATE: &[&str] = &[
    "v_exp_",
    "v_rcp_",
    "v_sqrt",
    "v_rsq",
    "v_log",
    "v_sin",
    "v_cos",
    "v_mul_lo_",
    "v_mul_hi_",
    "v_mad_u64",
    "v_mad_i64",
    "v_lshrrev_b64",
    "v_lshlrev_b64",
];
const MULTIPLY_ADDS: &[&str] = &[
    "v_fmac_f32",
    "v_fma_f32",
    "v_mac_f32",
    "v_mad_f32",
    "v_fmaak_f32",
    "v_fmamk_f32",
    "v_madak_f32",
    "v_madmk_f32",
    "v_fmac_legacy",
    "v_dual_",
];

/// The bytes that a thread moves, by the ending of the operation's name.
fn width(name: &str) -> f64 {
    const WIDTHS: &[(&str, f64)] = &[
        ("b128", 16.0),
        ("x4", 16.0),
        ("b96", 12.0),
        ("x3", 12.0),
        ("b64", 8.0),
        ("x2", 8.0),
    ];
    let found = WIDTHS.iter().find(|(ending, _)| name.contains(ending));
    found.map_or(4.0, |(_, bytes)| *bytes)
}

fn counter(arguments: &str, name: &str) -> Option<usize> {
    let (_, after) = arguments.split_once(&format!("{name}("))?;
    after.split_once(')')?.0.parse().ok()
}

fn instruction(
    name: &str,
    arguments: &str,
    block_of: impl Fn(&str) -> Option<usize>,
) -> Instruction {
    let (mut cycles, mut bytes) = (0.0, 0.0);
    let kind = if name.starts_with("v_") {
        let slow = QUARTER_RATE.iter().any(|start| name.starts_with(start));
        cycles = if slow { 8.0 } else { 2.0 };
        match MULTIPLY_ADDS.iter().any(|start| name.starts_with(start)) {
            true => Kind::Fma,
            false => Kind::Vector,
        }
    } else if name.starts_with("ds_") {
        // ds_read2_…, ds_write2_…: two at a time.
        let pair = if name.contains('2')
            && !name.contains("x2")
            && name[..10.min(name.len())].contains('2')
        {
            2.0
        } else {
            1.0
        };
        bytes = 64.0 * width(name) * pair;
        Kind::Workgroup {
            read: name.contains("read") || name.contains("load"),
        }
    } else if ["buffer_", "global_", "flat_", "scratch_"]
        .iter()
        .any(|start| name.starts_with(start))
    {
        bytes = 64.0 * width(name);
        let spill = name.starts_with("scratch_");
        match name.contains("store") {
            true => Kind::Store { spill },
            false => Kind::Load { spill },
        }
    } else if name.starts_with("s_load") || name.starts_with("s_buffer_load") {
        Kind::ScalarLoad
    } else if name.starts_with("s_waitcnt") {
        Kind::Wait {
            loads: counter(arguments, "vmcnt"),
            others: counter(arguments, "lgkmcnt"),
        }
    } else if name.starts_with("s_barrier") {
        Kind::Barrier
    } else if name.starts_with("s_cbranch") || name == "s_branch" {
        Kind::Branch
    } else if [
        "s_nop",
        "s_inst_prefetch",
        "s_clause",
        "s_delay_alu",
        "s_endpgm",
        "s_sleep",
        "s_code_end",
    ]
    .contains(&name)
    {
        Kind::Nothing
    } else {
        Kind::Scalar
    };
    let target = (kind == Kind::Branch)
        .then(|| arguments.split_whitespace().next().and_then(block_of))
        .flatten();
    Instruction {
        kind,
        cycles,
        bytes,
        target,
        always: name == "s_branch",
        skips_idle: name.contains("execz"),
    }
}

/// The blocks of `text`, in its order.
pub fn blocks(text: &str) -> Vec<Block> {
    let label = |line: &str| {
        let name = line.split(';').next().unwrap_or_default().trim_end();
        name.strip_suffix(':')
            .filter(|n| n.starts_with("BB"))
            .map(str::to_owned)
    };
    let labels: Vec<String> = text.lines().filter_map(label).collect();
    let block_of = |name: &str| labels.iter().position(|l| l == name);
    let mut blocks: Vec<Block> = Vec::new();
    for line in text.lines() {
        if label(line).is_some() {
            blocks.push(Block::default());
            continue;
        }
        let line = line.split(';').next().unwrap_or_default().trim();
        let (name, arguments) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        let is_name = name.contains('_') && name.starts_with(|c: char| c.is_ascii_lowercase());
        if let (Some(block), true) = (blocks.last_mut(), is_name) {
            block
                .instructions
                .push(instruction(name, arguments, block_of));
        }
    }
    blocks
}

/// The loops of `blocks`, by the block that they begin with: outer ones before inner ones.
pub fn loops(blocks: &[Block]) -> Vec<Loop> {
    let mut found: Vec<Loop> = Vec::new();
    for (last, block) in blocks.iter().enumerate() {
        for first in block.instructions.iter().filter_map(|i| i.target) {
            if first > last {
                continue;
            }
            match found.iter_mut().find(|l| l.first == first) {
                Some(known) => known.last = known.last.max(last),
                None => found.push(Loop { first, last }),
            }
        }
    }
    found.sort_by_key(|l| (l.first, usize::MAX - l.last));
    found
}

impl Loop {
    pub fn holds(&self, other: &Loop) -> bool {
        self != other && self.first <= other.first && other.last <= self.last
    }

    /// Whether it only fills workgroup memory: what a compiler puts before a kernel to zero it.
    pub fn only_fills(&self, blocks: &[Block]) -> bool {
        let all = || {
            blocks[self.first..=self.last]
                .iter()
                .flat_map(|b| &b.instructions)
        };
        all().any(|i| matches!(i.kind, Kind::Workgroup { read: false }))
            && !all().any(|i| {
                matches!(
                    i.kind,
                    Kind::Load { .. } | Kind::Fma | Kind::Workgroup { read: true }
                )
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "BB0:\n\ts_mov_b32 s0, 0 ; be8003\n\tv_fmac_f32_e32 v0, v1, v2\nBB1:\n\tbuffer_load_dwordx4 v[0:3], v4\n\
        \ts_waitcnt vmcnt(0) lgkmcnt(2)\n\tds_read2_b64 v[0:3], v4\nBB2:\n\tv_exp_f32_e32 v0, v0\n\ts_cbranch_scc1 BB2\n\
        \ts_cbranch_scc0 BB1\nBB3:\n\ts_endpgm\n";

    #[test]
    fn blocks_and_loops_are_found() {
        let blocks = blocks(TEXT);
        assert_eq!(blocks.len(), 4);
        assert_eq!(blocks[0].instructions[1].kind, Kind::Fma);
        let [load, wait, read] = &blocks[1].instructions[..] else {
            panic!("{:?}", blocks[1])
        };
        assert_eq!(
            (load.kind, load.bytes),
            (Kind::Load { spill: false }, 1024.0)
        );
        assert_eq!(
            wait.kind,
            Kind::Wait {
                loads: Some(0),
                others: Some(2)
            }
        );
        assert_eq!(
            (read.kind, read.bytes),
            (Kind::Workgroup { read: true }, 1024.0)
        );
        assert_eq!(blocks[2].instructions[0].cycles, 8.0);
        let found = loops(&blocks);
        assert_eq!(
            found,
            [Loop { first: 1, last: 2 }, Loop { first: 2, last: 2 }]
        );
        assert!(found[0].holds(&found[1]) && !found[1].holds(&found[0]));
    }
}
