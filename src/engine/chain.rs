//! What both chains share: the solver's step and the picture as nodes of a graph, and a step's numbers.

use super::runner::{PictureBytes, Runner};
use crate::Error;
use crate::diffusion::step::{Clip, Step};
use crate::graph::{Graph, GraphError, Plan, Shape, Value};
use crate::ops::solver_step::{PLANES, SolverStep, SolverStepKernel};
use crate::ops::threshold::ThresholdKernel;
use crate::ops::{Input, PackRgba, Picture, Threshold};

/// Two pictures in RGBA8, grids of ⌈√K⌉ columns: x after the step, and the x̂0 that the step predicted.
pub struct Frame {
    pub width: usize,
    pub height: usize,
    pub xt: Vec<u8>,
    pub x0: Vec<u8>,
}

/// The chain's nodes in a graph.
pub(crate) struct ChainNodes {
    pub state: Value,
    pub noise: Value,
    pub step: Value,
    /// The limits of dynamic thresholding, where the chain has it.
    pub limits: Option<Value>,
    pub picture: Value,
    pub pack: PackRgba,
}

impl ChainNodes {
    /// Appends a solver step that reads `model` and writes `sample`.
    pub fn push(
        graph: &mut Graph,
        model: Value,
        sample: Value,
        op: SolverStep,
        (c, h, w): (usize, usize, usize),
    ) -> Result<Self, GraphError> {
        let len = op.count * op.sample_len;
        let fixed = |len| Input {
            shape: Shape::fixed(len),
        };
        let state = graph.push(fixed(PLANES * len), &[], &[])?;
        let noise = graph.push(fixed(len), &[], &[])?;
        let mut inputs = vec![model, noise, state, sample];
        let limits = match op.threshold {
            true => Some(graph.push(Threshold(op), &[model, state], &[])?),
            false => None,
        };
        inputs.extend(limits);
        let step = graph.push(op, &inputs, &[])?;
        let pack = PackRgba {
            count: op.count,
            c,
            h,
            w,
            scale: 1.0,
        };
        let picture = graph.push(Picture(pack.clone()), &[state], &[])?;
        Ok(Self {
            state,
            noise,
            step,
            limits,
            picture,
            pack,
        })
    }
}

/// A chain in progress: the plan, and its state on the device.
pub(crate) struct Chain {
    pub runner: Runner,
    pub nodes: ChainNodes,
    pub op: SolverStep,
    solver_call: usize,
    threshold_call: Option<usize>,
    picture_call: Option<usize>,
}

impl Chain {
    pub async fn new(mut runner: Runner, nodes: ChainNodes, op: SolverStep) -> Result<Self, Error> {
        let solver_call = solver_call(&runner.plan, nodes.state)?;
        let threshold_call = nodes.limits.and_then(|v| runner.plan.call_writing(v));
        let picture_call = runner.plan.call_writing(nodes.picture);
        runner.prepare_read(nodes.state).await?;
        Ok(Self {
            runner,
            nodes,
            op,
            solver_call,
            threshold_call,
            picture_call,
        })
    }

    /// Makes `x` the state, with an empty history.
    pub fn start(&mut self, x: &[f32]) {
        let mut state = vec![0.0; PLANES * x.len()];
        state[..x.len()].copy_from_slice(x);
        self.runner.write(self.nodes.state, &state);
    }

    /// Runs the plan with `step` as its solver's step, and `noise` where it draws any; a frame if `draw`, whose x_t is
    /// as the network will see it.
    pub async fn run(
        &mut self,
        step: &Step,
        noise: Option<&[f32]>,
        guidance: f64,
        next_input_scale: f64,
        draw: bool,
    ) -> Result<Option<FrameToCome>, Error> {
        if let Some(noise) = noise {
            self.runner.write(self.nodes.noise, noise);
        }
        if let (Some(call), Clip::Dynamic { ratio, max }) = (self.threshold_call, step.clip) {
            let kernel = ThresholdKernel {
                op: self.op,
                x0: step.x0,
                guidance,
                ratio,
                max,
            };
            self.runner.set_kernel(call, kernel);
        }
        let kernel = SolverStepKernel {
            op: self.op,
            step: step.clone(),
            guidance,
            next_input_scale,
        };
        self.runner.set_kernel(self.solver_call, kernel);
        self.nodes.pack.scale = next_input_scale;
        if let Some(call) = self.picture_call.filter(|_| draw) {
            self.runner.set_kernel(call, self.nodes.pack.clone());
        }
        let bytes = self.runner.run(draw).await?;
        Ok(draw.then(|| self.frame(bytes)))
    }

    fn frame(&self, bytes: Option<PictureBytes>) -> FrameToCome {
        let pack = self.nodes.pack.clone();
        let words = self.runner.on_processor(self.nodes.state);
        FrameToCome(vec![Part {
            ready: words.map(|state| bytemuck::cast_slice(&pack.words(state)).to_vec()),
            bytes,
            pack,
        }])
    }

    /// x, [K,C,H,W], once all steps are done.
    pub async fn sample(&self) -> Result<Vec<f32>, Error> {
        let mut state = self.runner.read(self.nodes.state).await?;
        state.truncate(self.op.count * self.op.sample_len);
        Ok(state)
    }
}

fn solver_call(plan: &Plan, state: Value) -> Result<usize, Error> {
    plan.call_writing(state)
        .ok_or_else(|| Error::input("the plan has no solver step"))
}

/// A frame that the device may still be making, batch by batch. The chain goes on meanwhile.
pub struct FrameToCome(Vec<Part>);

/// What one batch has of a frame.
struct Part {
    ready: Option<Vec<u8>>,
    bytes: Option<PictureBytes>,
    pack: PackRgba,
}

impl FrameToCome {
    /// Appends the pictures of the batch after this one.
    pub(crate) fn append(&mut self, mut next: Self) {
        self.0.append(&mut next.0);
    }

    /// Begins the read-back at once; the future resolves when the frame is there.
    pub fn arrive(self) -> impl Future<Output = Result<Frame, Error>> {
        let parts: Vec<_> = self
            .0
            .into_iter()
            .map(|part| (part.ready, part.bytes.map(PictureBytes::bytes), part.pack))
            .collect();
        async move {
            let mut grids = Vec::with_capacity(parts.len());
            for (ready, bytes, pack) in parts {
                let grid = match (ready, bytes) {
                    (Some(ready), _) => ready,
                    (None, Some(bytes)) => bytes.await?,
                    (None, None) => Vec::new(),
                };
                grids.push((pack, grid));
            }
            let (pack, mut xt) = joined(grids)?;
            let (width, height) = pack.size();
            let x0 = xt.split_off((4 * width * height).min(xt.len()));
            Ok(Frame {
                width,
                height,
                xt,
                x0,
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
