//! What a chain does, one after another, before a device is asked for anything.

use super::network::Network;
use super::sampler::{SamplerRequest, class_labels};
use crate::Error;
use crate::diffusion::fill::{Back, Resampling, add};
use crate::diffusion::forward::Noising;
use crate::diffusion::noise::Generator;
use crate::diffusion::schedule::Schedule;
use crate::diffusion::solvers::{Sampling, SamplingRequest, solve};
use crate::diffusion::step::Row;

/// What a chain does at a time: a step of the solver, or a way back by noise alone.
#[derive(Clone, Copy, Debug)]
pub struct Move {
    /// Where it begins and ends, 0…T.
    pub t: f64,
    pub t_next: f64,
    /// ᾱ of x there, scaled to be variance preserving ([`Sampling::preserving_scale`]).
    pub alpha_bar: f64,
    pub alpha_bar_next: f64,
    pub back: bool,
    /// x at its end; of a way back, as it leads to ᾱ there.
    pub next: Row,
}

/// All that a chain does, one after another.
pub struct Course {
    pub(super) sampling: Sampling,
    /// How many of the steps are done before the first move and after each: all in turn, but where a chain that fills in goes back.
    pub(super) levels: Vec<usize>,
    schedule: Schedule,
    /// The way back, and the timesteps of a step.
    back: (Back, usize),
}

impl Course {
    /// How much it does.
    #[allow(clippy::len_without_is_empty, reason = "it has a step at least")]
    pub fn len(&self) -> usize {
        self.levels.len() - 1
    }

    /// What it does after `done` others, fewer than there are.
    pub fn at(&self, done: usize) -> Move {
        let (from, to) = (self.levels[done], self.levels[done + 1]);
        let Sampling { t, alpha_bar, .. } = &self.sampling;
        let back = to < from;
        let mut next = self.sampling.steps[from.min(to)].next;
        if back {
            let Noising { signal, noise } = Noising::at(alpha_bar[to] / alpha_bar[from]);
            next = Row {
                x: signal,
                noise,
                ..Row::ZERO
            };
        }
        Move {
            t: t[from],
            t_next: t[to],
            alpha_bar: alpha_bar[from],
            alpha_bar_next: alpha_bar[to],
            back,
            next,
        }
    }

    /// β of the forward steps from a level back to one.
    fn betas(&self, from: usize, to: usize) -> impl Iterator<Item = f64> {
        let ((back, stride), t) = (self.back, &self.sampling.t);
        let between = back.timesteps((t[from], t[to]), stride, self.schedule.timesteps());
        between.map(|t| self.schedule.beta(t))
    }
}

/// The noise of a way back, and the part of the variance of x that is kept.
pub(super) fn draw_back(
    course: &Course,
    (from, to): (usize, usize),
    generator: &mut Generator,
    noise: &mut [f32],
) -> f64 {
    let (mut kept, mut drawn) = (1.0, vec![0.0; noise.len()]);
    noise.fill(0.0);
    for beta in course.betas(from, to) {
        generator.randn(&mut drawn);
        add(noise, 1.0 - beta, &drawn, beta);
        kept *= 1.0 - beta;
    }
    kept
}

/// What is refused before anything is planned, the course of the chain, and the noise that it starts from with the generator of what
/// it draws later.
pub(super) fn begin(
    network: &Network,
    request: &SamplerRequest,
) -> Result<(Course, Generator, Vec<f32>), Error> {
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
        fill: request
            .mask
            .as_ref()
            .map(|_| request.solver.fill.unwrap_or_default()),
        ..request.solver.clone()
    };
    let mut sampling = solve(&request.scheduler, &solver)?;
    if solver.invert && request.image.is_none() && request.noise.is_none() {
        return Err(Error::input(
            "an inversion begins with a picture; give it as image, or as noise what a part of the chain has made of one",
        ));
    }
    if let Some(mask) = &request.mask {
        check_mask(request, mask, (c, h, w))?;
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
    let image = request.image.as_deref();
    let image = image.filter(|_| request.mask.is_none() || solver.skip > 0);
    start(&mut noise, &sampling, image)?;
    let schedule = request.scheduler.schedule()?;
    let way_back = request.scheduler.solver().about().takes.filling;
    let fill = solver.fill.unwrap_or(Resampling::ONCE);
    let levels = fill.levels(sampling.steps.len())?;
    sampling.t.push(sampling.end.t);
    sampling.alpha_bar.push(sampling.end.alpha_bar);
    let way_back = way_back.unwrap_or(Back::ToWhereItWas);
    let course = Course {
        sampling,
        levels,
        back: (way_back, schedule.timesteps() / solver.steps),
        schedule,
    };
    Ok((course, generator, noise))
}

/// An error where a request to fill in pictures of `[C,H,W]` is not whole.
fn check_mask(
    request: &SamplerRequest,
    mask: &[f32],
    (c, h, w): (usize, usize, usize),
) -> Result<(), Error> {
    let whole = request.image.as_ref().map(Vec::len) == Some(c * h * w) && mask.len() == h * w;
    match whole && mask.iter().all(|m| (0.0..=1.0).contains(m)) {
        true => Ok(()),
        false => Err(Error::input(
            "a mask is as high and wide as the pictures, of numbers from 0 to 1, and comes with the image that it is of",
        )),
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
