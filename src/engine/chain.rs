//! What both chains share: the solver's step and the picture as nodes of a graph, and a step's numbers.

use super::runner::{PictureBytes, Runner};
use crate::Error;
use crate::diffusion::noise::Generator;
use crate::diffusion::step::{Bound, Step};
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

/// A chain in progress: the plan, its state, and the generator of its noise.
pub(crate) struct Chain {
    pub runner: Runner,
    pub nodes: ChainNodes,
    pub op: SolverStep,
    pub generator: Generator,
    solver_call: usize,
    threshold_call: Option<usize>,
    picture_call: Option<usize>,
    noise: Vec<f32>,
}

impl Chain {
    pub async fn new(
        mut runner: Runner,
        nodes: ChainNodes,
        op: SolverStep,
        generator: Generator,
    ) -> Result<Self, Error> {
        let solver_call = solver_call(&runner.plan, nodes.state)?;
        let threshold_call = nodes.limits.and_then(|v| runner.plan.call_writing(v));
        let picture_call = runner.plan.call_writing(nodes.picture);
        runner.prepare_read(nodes.state).await?;
        Ok(Self {
            runner,
            noise: vec![0.0; op.count * op.sample_len],
            nodes,
            op,
            generator,
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

    /// Runs the plan with `step` as its solver's step; a frame if `draw`, whose x_t is as the network will see it.
    pub async fn run(
        &mut self,
        step: &Step,
        guidance: f64,
        next_input_scale: f64,
        draw: bool,
    ) -> Result<Option<FrameToCome>, Error> {
        if step.draws_noise() {
            self.generator.randn(&mut self.noise);
            self.runner.write(self.nodes.noise, &self.noise);
        }
        if let (Some(call), Bound::Threshold { ratio, max }) = (self.threshold_call, step.bound) {
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
        FrameToCome {
            ready: words.map(|state| bytemuck::cast_slice(&pack.words(state)).to_vec()),
            bytes,
            pack,
        }
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

/// A frame that the device may still be making. The chain goes on meanwhile.
pub struct FrameToCome {
    ready: Option<Vec<u8>>,
    bytes: Option<PictureBytes>,
    pack: PackRgba,
}

impl FrameToCome {
    /// Begins the read-back at once; the future resolves when the frame is there.
    pub fn arrive(self) -> impl Future<Output = Result<Frame, Error>> {
        let bytes = self.bytes.map(PictureBytes::bytes);
        let (ready, pack) = (self.ready, self.pack);
        async move {
            let mut xt = match (ready, bytes) {
                (Some(ready), _) => ready,
                (None, Some(bytes)) => bytes.await?,
                (None, None) => Vec::new(),
            };
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
