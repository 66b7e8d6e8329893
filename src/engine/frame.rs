//! A step's pictures, drawn on the device batch by batch.

use super::readback::Readback;
use crate::Error;
use crate::diffusion::step::Step;
use crate::ops::chain::{PackRgba, SolverStep};

/// Two pictures in RGBA8, grids of ⌈√K⌉ columns: x after the step, and the x̂0 that the step predicted.
pub struct Frame {
    pub width: usize,
    pub height: usize,
    pub xt: Vec<u8>,
    pub x0: Vec<u8>,
    /// ε̂ of a chain that [keeps](super::Sampler::keeping) it, `[K,C,H,W]`.
    pub eps: Vec<f32>,
}

/// How ε̂ follows from what the network, under guidance, says of what it has seen at ᾱ, √ᾱ·x0 + √(1 − ᾱ)·ε. Nothing is clipped.
#[derive(Clone, Copy)]
pub(super) struct PredictedNoise {
    op: SolverStep,
    of_seen: f32,
    of_model: f32,
    guidance: f64,
}

impl PredictedNoise {
    pub fn new(step: &Step, alpha_bar: f64, op: SolverStep, guidance: f64) -> Self {
        let (signal, noise) = (alpha_bar.sqrt(), (1.0 - alpha_bar).sqrt());
        Self {
            op,
            of_seen: ((1.0 - signal * step.x0.x / step.input_scale) / noise) as f32,
            of_model: (-signal * step.x0.model / noise) as f32,
            guidance,
        }
    }

    /// Appends the pictures of a batch: `numbers` are the network's input and, behind it, its output.
    fn append(&self, numbers: &[f32], eps: &mut Vec<f32>) {
        let op = &self.op;
        let (len, batch) = (
            op.count * op.sample_len,
            op.count * (1 + usize::from(op.guided)),
        );
        let (seen, model) = numbers.split_at(batch * op.sample_len);
        eps.extend((0..len).map(|i| {
            let said = op.guided_output(model, self.guidance, op.model_index(i));
            self.of_seen * seen[i] + self.of_model * said
        }));
    }
}

/// A frame that the device may still be drawing. The chain goes on meanwhile.
pub struct PendingFrame {
    batches: Vec<(PackRgba, Readback, Option<PredictedNoise>)>,
}

impl PendingFrame {
    /// A frame of one batch; behind the grid, where there is `eps`, what that is made from.
    pub(super) fn new(grid: Readback, pack: PackRgba, eps: Option<PredictedNoise>) -> Self {
        Self {
            batches: vec![(pack, grid, eps)],
        }
    }

    /// Appends the pictures of the batch after this one.
    pub(super) fn append(&mut self, mut next: Self) {
        self.batches.append(&mut next.batches);
    }

    /// Begins the read-back at once; the future resolves when the frame is there.
    pub fn arrive(self) -> impl Future<Output = Result<Frame, Error>> {
        let batches = self.batches.into_iter();
        let arriving: Vec<_> = batches
            .map(|(pack, grid, eps)| (pack, grid.bytes(), eps))
            .collect();
        async move {
            let (mut grids, mut eps) = (Vec::with_capacity(arriving.len()), Vec::new());
            for (pack, bytes, of) in arriving {
                let (mut bytes, (width, height)) = (bytes.await?, pack.size());
                if let Some(of) = of {
                    let numbers = bytes.split_off(2 * 4 * width * height);
                    of.append(&bytemuck::pod_collect_to_vec(&numbers), &mut eps);
                }
                grids.push((pack, bytes));
            }
            let (pack, mut xt) = joined(grids)?;
            let (width, height) = pack.size();
            let x0 = xt.split_off(4 * width * height);
            Ok(Frame {
                width,
                height,
                xt,
                x0,
                eps,
            })
        }
    }
}

/// The batches' grids, two pictures of RGBA8 each, as one of all.
fn joined(mut grids: Vec<(PackRgba, Vec<u8>)>) -> Result<(PackRgba, Vec<u8>), Error> {
    if grids.len() == 1
        && let Some(one) = grids.pop()
    {
        return Ok(one);
    }
    let Some((first, _)) = grids.first() else {
        return Err(Error::input("a frame has no pictures"));
    };
    let all = PackRgba {
        count: grids.iter().map(|(pack, _)| pack.count).sum(),
        ..first.clone()
    };
    let (width, height) = all.size();
    let mut whole = vec![0; 2 * 4 * width * height];
    let mut before = 0;
    for (pack, grid) in &grids {
        let (part_width, part_height) = pack.size();
        let rows = (0..2).flat_map(|half| (0..pack.count).map(move |i| (half, i)));
        for (half, i) in rows {
            let (x, y) = all.place(before + i);
            let (part_x, part_y) = pack.place(i);
            for row in 0..all.h {
                let to = 4 * ((half * height + y + row) * width + x);
                let from = 4 * ((half * part_height + part_y + row) * part_width + part_x);
                if let Some(pixels) = grid.get(from..from + 4 * all.w) {
                    whole[to..to + 4 * all.w].copy_from_slice(pixels);
                }
            }
        }
        before += pack.count;
    }
    Ok((all, whole))
}
