//! The reverse chain on the device: noise becomes pictures, a submit for each step or for several.

use std::rc::Rc;

use super::batches;
use super::chain::{ChainNodes, DeviceChain};
use super::course::{Course, begin, draw_back};
use super::frame::PendingFrame;
use super::network::Network;
use super::runner::{Reads, Runner};
use crate::Error;
use crate::diffusion::config::SchedulerConfig;
use crate::diffusion::fill::{add, put_known};
use crate::diffusion::noise::Generator;
use crate::diffusion::solvers::{Sampling, SamplingRequest};
use crate::diffusion::step::Clip;
use crate::graph::{GraphError, Plan};
use crate::model::{ClassLabels, UNet};
use crate::ops::chain::SolverStep;

/// What pictures to make, and how.
#[derive(Clone, Debug)]
pub struct SamplerRequest {
    pub scheduler: SchedulerConfig,
    pub solver: SamplingRequest,
    /// PyTorch's `manual_seed`.
    pub seed: u64,
    pub count: usize,
    /// The class, for a model that has classes; `None` is the label that means any.
    pub class: Option<usize>,
    /// W of ε_any + W·(ε_class − ε_any); 1 is off.
    pub guidance: f64,
    /// The class in place of any under guidance, from which it leads away.
    pub negative: Option<usize>,
    /// Unit noise `[K,C,H,W]` to start from in place of the generator's.
    pub noise: Option<Vec<f32>>,
    /// x0, `[C,H,W]` in \[−1, 1\], of all pictures: the chain starts from it, noised to where its first step begins
    /// ([`Sampling::start`]).
    pub image: Option<Vec<f32>>,
    /// `[H,W]`, 0 to 1, of a picture to be filled in: 1 where `image` is known, 0 where the chain makes the rest. The chain then
    /// starts from noise alone, unless it leaves steps out.
    pub mask: Option<Vec<f32>>,
}

/// A reverse chain in progress.
pub struct Sampler<'n> {
    network: &'n Network,
    /// The pictures in as many batches as the device's limits ask for.
    chains: Vec<DeviceChain>,
    /// Draws the noise of all pictures at once, so that it does not depend on the batches.
    generator: Generator,
    noise: Vec<f32>,
    course: Rc<Course>,
    /// Of a picture to be filled in: the picture, and the mask. Empty for other chains.
    image: Vec<f32>,
    mask: Vec<f32>,
    guidance: f64,
    next: usize,
}

/// The solver's node for `count` pictures of `unet`.
pub(crate) fn chain_op(unet: &UNet, count: usize, guided: bool, threshold: bool) -> SolverStep {
    let sample = unet.graph.shape(unet.sample);
    let output = unet.graph.shape(unet.output);
    SolverStep {
        count,
        sample_len: sample.sample_len(),
        guided,
        learned: output.c == 2 * sample.c,
        threshold,
    }
}

impl<'n> Sampler<'n> {
    /// Plans the chain and draws the noise that it starts from; no step is done yet.
    pub async fn new(network: &'n Network, request: &SamplerRequest) -> Result<Self, Error> {
        Self::keeping(network, request, false).await
    }

    /// Likewise; frames come with ε̂ if `with_noise`, for which the network's output outlives each step and is read back with the frame.
    pub async fn keeping(
        network: &'n Network,
        request: &SamplerRequest,
        with_noise: bool,
    ) -> Result<Self, Error> {
        let (course, generator, noise) = begin(network, request)?;
        let (unet, sampling) = (&network.unet, &course.sampling);
        let guided = request.guidance != 1.0;
        let scale = sampling.steps.first().map_or(1.0, |s| s.input_scale) as f32;
        let plan = |count| chain_plan(network, sampling, count, (guided, with_noise));
        let mut chains = Vec::new();
        let mut rest = &noise[..];
        let mut made = None;
        let sizes = batches::sizes(request.count, &mut |count| {
            made = Some(plan(count)?);
            Ok(())
        })?;
        for count in sizes {
            let (plan, nodes, op) = match made.take() {
                Some(first) => first,
                None => plan(count)?,
            };
            let (start, others) = rest.split_at(noise.len() / request.count * count);
            rest = others;
            let around = with_noise.then_some([unet.sample, unet.output]);
            let reads = around.map_or(Reads::OnDemand(nodes.drawing), |around| {
                Reads::Around(nodes.drawing, around)
            });
            let mut runner = Runner::new(plan, &network.weights, reads).await?;
            let labels = class_labels(network, request.class, count, guided, request.negative)?;
            let batch = runner.plan.batch;
            network.write_labels(&mut runner, labels.as_deref(), batch)?;
            let mut chain = DeviceChain::new(runner, nodes, op, around).await?;
            chain.start(start);
            let input: Vec<f32> = start.iter().map(|v| v * scale).collect();
            chain.show(&input, unet.sample);
            chains.push(chain);
        }
        Ok(Self {
            network,
            chains,
            generator,
            noise,
            image: request.image.clone().unwrap_or_default(),
            mask: request.mask.clone().unwrap_or_default(),
            course: Rc::new(course),
            guidance: request.guidance,
            next: 0,
        })
    }

    /// All that the chain does.
    pub fn course(&self) -> Rc<Course> {
        Rc::clone(&self.course)
    }

    /// Sentences on what the chain does that one may not expect.
    pub fn warnings(&self) -> &[String] {
        &self.course.sampling.warnings
    }

    /// Moves done so far.
    pub fn done(&self) -> usize {
        self.next
    }

    /// Whether all is done.
    pub fn is_over(&self) -> bool {
        self.next >= self.course.len()
    }

    /// Does the next step, with a frame if `draw`. At most two submits are under way on the device when this resolves;
    /// their results are waited for only by what asks for them. On a device that is fast a submit has several steps that are not drawn.
    ///
    /// # Errors
    /// If the device fails, or the chain [is over](Self::is_over).
    pub async fn step(&mut self, draw: bool) -> Result<Option<PendingFrame>, Error> {
        let Course {
            sampling, levels, ..
        } = &*self.course;
        let Some(&[from, to]) = levels.get(self.next..self.next + 2) else {
            return Err(Error::input("the reverse chain has no step after its last"));
        };
        let (back, fills) = (to < from, !self.mask.is_empty());
        let step = &sampling.steps[from.min(to)];
        let scale = sampling.steps.get(to).map_or(1.0, |s| s.input_scale);
        let draws_noise = fills || step.draws_noise();
        let kept = match back {
            true => draw_back(
                &self.course,
                (from, to),
                &mut self.generator,
                &mut self.noise,
            ),
            false => 1.0,
        };
        if draws_noise && !back {
            self.generator.randn(&mut self.noise);
        }
        let mut rest = &self.noise[..];
        let mut frame: Option<PendingFrame> = None;
        for chain in &mut self.chains {
            let (noise, others) = rest.split_at(chain.op.count * chain.op.sample_len);
            rest = others;
            let mut part = None;
            if !back {
                let timesteps = vec![step.timestep as f32; chain.runner.plan.batch];
                self.network.write_time(&mut chain.runner, &timesteps)?;
                let noise = draws_noise.then_some(noise);
                let draw = draw && !fills;
                let step = (step, sampling.alpha_bar[from]);
                part = chain.run(step, noise, self.guidance, scale, draw).await?;
            }
            if fills {
                let mut state = chain.state().await?;
                let x = &mut state[..noise.len()];
                if back {
                    add(x, kept, noise, 1.0);
                } else {
                    put_known(x, &self.image, &self.mask, noise, sampling.alpha_bar[to]);
                }
                chain.go_on(&state, self.network.unet.sample);
                part = draw.then(|| chain.frame(&state));
            }
            match (&mut frame, part) {
                (Some(frame), Some(part)) => frame.append(part),
                (_, part) => frame = part,
            }
        }
        self.next += 1;
        Ok(frame)
    }

    /// x, `[K,C,H,W]`, as the steps so far have made it.
    pub async fn sample(&self) -> Result<Vec<f32>, Error> {
        let mut sample = Vec::with_capacity(self.noise.len());
        for chain in &self.chains {
            sample.append(&mut chain.sample().await?);
        }
        Ok(sample)
    }
}

/// The network and the solver's step for one batch of `count` pictures.
fn chain_plan(
    network: &Network,
    sampling: &Sampling,
    count: usize,
    (guided, output): (bool, bool),
) -> Result<(Plan, ChainNodes, SolverStep), GraphError> {
    let unet = &network.unet;
    let threshold = sampling
        .steps
        .iter()
        .any(|s| matches!(s.clip, Clip::Dynamic { .. }));
    let mut graph = unet.graph.clone();
    let op = chain_op(unet, count, guided, threshold);
    let nodes = ChainNodes::push(&mut graph, unet.output, unet.sample, op, network.image())?;
    let batch = count * if guided { 2 } else { 1 };
    let outputs = [unet.output, nodes.step, nodes.drawing];
    let outputs = &outputs[usize::from(!output)..];
    let plan = Plan::new(&graph, batch, outputs, &network.device.limits())?;
    Ok((plan, nodes, op))
}

/// The labels of the batch: the class, then under guidance "any", or the negative class in its place, as often.
pub(super) fn class_labels(
    network: &Network,
    class: Option<usize>,
    count: usize,
    guided: bool,
    negative: Option<usize>,
) -> Result<Option<Vec<f32>>, Error> {
    let rows = match network.config.class_labels() {
        ClassLabels::None => {
            return match class.or(negative) {
                Some(_) => Err(Error::input("a class was given, and the model has none")),
                None if guided => Err(Error::input("guidance needs a model with classes")),
                None => Ok(None),
            };
        }
        ClassLabels::Table(rows) => Some(rows),
        ClassLabels::Timestep => None,
        ClassLabels::Identity(_) => {
            return Err(Error::input(
                "the model wants a vector in place of a class, which only predict can give",
            ));
        }
    };
    let any = network.labels.as_ref().and_then(|l| l.any);
    let Some(class) = class.or(any) else {
        return Err(Error::input(
            "the model has classes and no label that means any; name a class",
        ));
    };
    let against = negative.or(any);
    let most = class.max(negative.unwrap_or(0));
    if let Some(rows) = rows.filter(|rows| most >= *rows) {
        return Err(Error::input(format!(
            "{most} is no class label; the model has 0 to {}",
            rows - 1
        )));
    }
    let mut labels = vec![class as f32; count];
    if guided {
        let Some(against) = against else {
            return Err(Error::input(
                "guidance needs a label that means any class, and labels.json names none",
            ));
        };
        labels.extend(vec![against as f32; count]);
    }
    Ok(Some(labels))
}
