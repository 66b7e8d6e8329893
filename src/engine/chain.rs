//! What both chains share: the solver's step and its drawing as nodes of a graph, and a step's numbers.

use super::frame::{PendingFrame, PredictedNoise};
use super::readback::Readback;
use super::runner::Runner;
use crate::Error;
use crate::diffusion::step::{Clip, Step};
use crate::graph::Input;
use crate::graph::{Graph, GraphError, Plan, Shape, Value};
use crate::ops::chain::solver_step::{PLANES, SolverStep, SolverStepKernel};
use crate::ops::chain::threshold::ThresholdKernel;
use crate::ops::chain::{Drawing, PackRgba, Threshold};

/// The chain's nodes in a graph.
pub(crate) struct ChainNodes {
    pub state: Value,
    pub noise: Value,
    pub step: Value,
    /// The limits of dynamic thresholding, where the chain has it.
    pub limits: Option<Value>,
    /// x_t and x̂0 as RGBA8, for the canvas.
    pub drawing: Value,
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
        let drawing = graph.push(Drawing(pack.clone()), &[state], &[])?;
        Ok(Self {
            state,
            noise,
            step,
            limits,
            drawing,
            pack,
        })
    }
}

/// A chain in progress on a device: the plan, and its state there.
pub(crate) struct DeviceChain {
    pub runner: Runner,
    pub nodes: ChainNodes,
    pub op: SolverStep,
    solver_call: usize,
    threshold_call: Option<usize>,
    drawing_call: Option<usize>,
    /// The network's input and output, where frames come with ε̂.
    around: Option<[Value; 2]>,
}

impl DeviceChain {
    /// A chain at its beginning; `around` as its runner [reads](super::runner::Reads::Around) them.
    pub async fn new(
        mut runner: Runner,
        nodes: ChainNodes,
        op: SolverStep,
        around: Option<[Value; 2]>,
    ) -> Result<Self, Error> {
        let solver_call = solver_call(&runner.plan, nodes.state)?;
        let threshold_call = nodes.limits.and_then(|v| runner.plan.call_writing(v));
        let drawing_call = runner.plan.call_writing(nodes.drawing);
        runner.prepare_read(nodes.state).await?;
        Ok(Self {
            runner,
            nodes,
            op,
            solver_call,
            threshold_call,
            drawing_call,
            around,
        })
    }

    /// Makes `x` the state, with an empty history.
    pub fn start(&mut self, x: &[f32]) {
        let mut state = vec![0.0; PLANES * x.len()];
        state[..x.len()].copy_from_slice(x);
        self.runner.write(self.nodes.state, &state);
    }

    /// x, x̂0 of the last step, and the history.
    pub async fn state(&self) -> Result<Vec<f32>, Error> {
        self.runner.read(self.nodes.state).await
    }

    /// Puts `state` in the place of the device's, and its x, which the network sees as it is, before the network as `sample`.
    pub fn go_on(&mut self, state: &[f32], sample: Value) {
        self.runner.write(self.nodes.state, state);
        self.show(&state[..self.op.count * self.op.sample_len], sample);
    }

    /// Puts `input` before the network as `sample`, under guidance twice.
    pub fn show(&mut self, input: &[f32], sample: Value) {
        let times = 1 + usize::from(self.op.guided);
        self.runner.write(sample, &input.repeat(times));
    }

    /// The frame of a state on this side.
    pub fn frame(&self, state: &[f32]) -> PendingFrame {
        let pack = self.nodes.pack.clone();
        PendingFrame::new(Readback::Ready(drawn(&pack, state)), pack, None)
    }

    /// Runs the plan with `step`, which leaves `alpha_bar`, as its solver's step, and `noise` where it draws any; a frame if
    /// `draw`, whose x_t is as the network will see it.
    pub async fn run(
        &mut self,
        (step, alpha_bar): (&Step, f64),
        noise: Option<&[f32]>,
        guidance: f64,
        next_input_scale: f64,
        draw: bool,
    ) -> Result<Option<PendingFrame>, Error> {
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
        if let Some(call) = self.drawing_call.filter(|_| draw) {
            self.runner.set_kernel(call, self.nodes.pack.clone());
        }
        if !draw {
            self.runner.run(true).await?;
            return Ok(None);
        }
        let pack = self.nodes.pack.clone();
        let around = self.around.filter(|_| self.runner.is_on_processor());
        let mut numbers = Vec::new();
        if let Some([input, _]) = around {
            numbers.extend_from_slice(self.runner.at_hand(input)?);
        }
        let grid = match self.runner.is_on_processor() {
            false => self.runner.run_and_read().await?,
            // The words are no value of the plan there: as numbers, the bits of some are a NaN.
            true => {
                self.runner.run(false).await?;
                if let Some([_, output]) = around {
                    numbers.extend_from_slice(self.runner.at_hand(output)?);
                }
                let mut bytes = drawn(&pack, self.runner.at_hand(self.nodes.state)?);
                bytes.extend_from_slice(bytemuck::cast_slice(&numbers));
                Readback::Ready(bytes)
            }
        };
        let eps = (self.around).map(|_| PredictedNoise::new(step, alpha_bar, self.op, guidance));
        Ok(Some(PendingFrame::new(grid, pack, eps)))
    }

    /// x, [K,C,H,W], once all steps are done.
    pub async fn sample(&self) -> Result<Vec<f32>, Error> {
        let mut state = self.state().await?;
        state.truncate(self.op.count * self.op.sample_len);
        Ok(state)
    }
}

fn drawn(pack: &PackRgba, state: &[f32]) -> Vec<u8> {
    bytemuck::cast_slice(&pack.words(state)).to_vec()
}

fn solver_call(plan: &Plan, state: Value) -> Result<usize, Error> {
    plan.call_writing(state)
        .ok_or_else(|| Error::input("the plan has no solver step"))
}
