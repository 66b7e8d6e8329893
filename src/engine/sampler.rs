//! The reverse chain on the device: noise becomes pictures, one submit a step.

use super::batches;
use super::chain::{ChainNodes, DeviceChain};
use super::frame::PendingFrame;
use super::network::Network;
use super::runner::{Reads, Runner};
use crate::Error;
use crate::diffusion::config::SchedulerConfig;
use crate::diffusion::noise::Generator;
use crate::diffusion::solvers::{End, Sampling, SamplingRequest, solve};
use crate::diffusion::step::{Clip, Step};
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
}

/// A reverse chain in progress.
pub struct Sampler<'n> {
    network: &'n Network,
    /// The pictures in as many batches as the device's limits ask for.
    chains: Vec<DeviceChain>,
    /// Draws the noise of all pictures at once, so that it does not depend on the batches.
    generator: Generator,
    noise: Vec<f32>,
    sampling: Sampling,
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
        let unet = &network.unet;
        let (c, h, w) = network.image();
        let output = unet.graph.shape(unet.output);
        if output.c != c && output.c != 2 * c {
            return Err(Error::input(format!(
                "the network makes {} channels of {c}; a solver needs as many, or twice as many with a learned variance",
                output.c
            )));
        }
        if request.count == 0 {
            return Err(Error::input("the count must be at least 1"));
        }
        let solver = SamplingRequest {
            learned_variance: output.c == 2 * c,
            ..request.solver.clone()
        };
        let sampling = solve(&request.scheduler, &solver)?;
        if solver.invert && request.image.is_none() && request.noise.is_none() {
            return Err(Error::input(
                "an inversion begins with a picture; give it as image, or as noise what a part of the chain has made of one",
            ));
        }
        let guided = request.guidance != 1.0;
        // Timesteps and labels that do not fit are refused before anything is planned.
        for step in &sampling.steps {
            network.check_timestep(step.timestep as f32)?;
        }
        class_labels(network, request.class, 1, guided, request.negative)?;

        let mut generator = Generator::new(request.seed);
        let len = request.count * c * h * w;
        let mut noise = vec![0.0; len];
        match &request.noise {
            None => generator.randn(&mut noise),
            Some(given) if given.len() == len => noise.copy_from_slice(given),
            Some(given) => {
                return Err(Error::input(format!(
                    "the noise has {} numbers, and {}×{c}×{h}×{w} are needed",
                    given.len(),
                    request.count
                )));
            }
        }
        start(&mut noise, &sampling, request.image.as_deref())?;
        let scale = sampling.steps.first().map_or(1.0, |s| s.input_scale) as f32;
        let plan = |count| chain_plan(network, &sampling, count, guided);
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
            let (start, others) = rest.split_at(count * c * h * w);
            rest = others;
            let reads = Reads::OnDemand(nodes.drawing);
            let mut runner = Runner::new(plan, &network.weights, reads).await?;
            let labels = class_labels(network, request.class, count, guided, request.negative)?;
            let batch = runner.plan.batch;
            network.write_labels(&mut runner, labels.as_deref(), batch)?;
            let mut chain = DeviceChain::new(runner, nodes, op).await?;
            chain.start(start);
            let input: Vec<f32> = start.iter().map(|v| v * scale).collect();
            let sample = if guided { input.repeat(2) } else { input };
            chain.runner.write(unet.sample, &sample);
            chains.push(chain);
        }
        Ok(Self {
            network,
            chains,
            generator,
            noise,
            sampling,
            guidance: request.guidance,
            next: 0,
        })
    }

    /// The steps of the whole chain.
    pub fn steps(&self) -> &[Step] {
        &self.sampling.steps
    }

    /// Where each step begins, 1…T.
    pub fn t(&self) -> &[f64] {
        &self.sampling.t
    }

    /// ᾱ of x, step by step, see [`Sampling::alpha_bar`].
    pub fn alpha_bar(&self) -> &[f64] {
        &self.sampling.alpha_bar
    }

    /// Where the last step ends.
    pub fn end(&self) -> End {
        self.sampling.end
    }

    /// Sentences on what the chain does that one may not expect.
    pub fn warnings(&self) -> &[String] {
        &self.sampling.warnings
    }

    /// Steps done so far.
    pub fn done(&self) -> usize {
        self.next
    }

    /// Whether all steps are done.
    pub fn is_over(&self) -> bool {
        self.next >= self.sampling.steps.len()
    }

    /// Does the next step, with a frame if `draw`. At most two steps are under way on the device when this resolves;
    /// their results are waited for only by what asks for them.
    ///
    /// # Errors
    /// If the device fails, or the chain [is over](Self::is_over).
    pub async fn step(&mut self, draw: bool) -> Result<Option<PendingFrame>, Error> {
        let Some(step) = self.sampling.steps.get(self.next) else {
            return Err(Error::input("the reverse chain has no step after its last"));
        };
        let following = self.sampling.steps.get(self.next + 1);
        let scale = following.map_or(1.0, |s| s.input_scale);
        let draws_noise = step.draws_noise();
        if draws_noise {
            self.generator.randn(&mut self.noise);
        }
        let mut rest = &self.noise[..];
        let mut frame: Option<PendingFrame> = None;
        for chain in &mut self.chains {
            let (noise, others) = rest.split_at(chain.op.count * chain.op.sample_len);
            rest = others;
            let timesteps = vec![step.timestep as f32; chain.runner.plan.batch];
            self.network.write_time(&mut chain.runner, &timesteps)?;
            let noise = draws_noise.then_some(noise);
            let part = chain.run(step, noise, self.guidance, scale, draw).await?;
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

/// Makes unit noise the first x of a chain, from `image` where there is one.
fn start(noise: &mut [f32], sampling: &Sampling, image: Option<&[f32]>) -> Result<(), Error> {
    let Some(image) = image else {
        let sigma = sampling.init_noise_sigma as f32;
        noise.iter_mut().for_each(|v| *v *= sigma);
        return Ok(());
    };
    if image.is_empty() || !noise.len().is_multiple_of(image.len()) {
        return Err(Error::input(format!(
            "the image has {} numbers, which is no picture of the model's",
            image.len()
        )));
    }
    let (signal, sigma) = (sampling.start.image as f32, sampling.start.noise as f32);
    for picture in noise.chunks_exact_mut(image.len()) {
        for (v, x0) in picture.iter_mut().zip(image) {
            *v = signal * x0 + sigma * *v;
        }
    }
    Ok(())
}

/// The network and the solver's step for one batch of `count` pictures.
fn chain_plan(
    network: &Network,
    sampling: &Sampling,
    count: usize,
    guided: bool,
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
    let outputs = [nodes.step, nodes.drawing];
    let plan = Plan::new(&graph, batch, &outputs, &network.device.limits())?;
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
