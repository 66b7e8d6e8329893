//! The solvers against the numbers in diffusers' own scheduler tests (tests/schedulers at commit 58eb52c).
//!
//! Those tests run a made-up model, x·t/(t+1), over a made-up sample and compare Σ|x| and mean|x| at the end. In the
//! σ-space solvers they hand the scaled sample back to the step; [`Loop::overwrites`] repeats that here.

use pollen::diffusion::chain::Chain;
use pollen::diffusion::config::SchedulerConfig;
use pollen::diffusion::noise::Generator;
use pollen::diffusion::solvers::{Sampling, SamplingRequest, SolverName, solve};

const SHAPE: [usize; 4] = [4, 3, 8, 8];
const SIZE: usize = 768;

/// `dummy_sample_deter`: k/768 with the batch index running fastest.
fn sample(reverse: bool) -> Vec<f64> {
    let [samples, channels, height, width] = SHAPE;
    let mut out = Vec::new();
    for b in 0..samples {
        for place in 0..channels * height * width {
            let k = place * samples + b;
            out.push(if reverse { SIZE - 1 - k } else { k } as f64 / SIZE as f64);
        }
    }
    out
}

struct Loop {
    sampler: SolverName,
    fields: &'static str,
    steps: usize,
    skip: Option<usize>,
    overwrites: bool,
}

/// The loop with diffusers' test defaults: 1100 timesteps for the σ-space solvers, 1000 for the others.
fn of(sampler: SolverName, fields: &'static str) -> Loop {
    let overwrites = matches!(
        sampler,
        SolverName::Euler | SolverName::EulerAncestral | SolverName::Heun
    );
    Loop {
        sampler,
        fields,
        steps: if sampler == SolverName::Ddpm {
            1000
        } else {
            10
        },
        skip: None,
        overwrites,
    }
}

impl Loop {
    /// Starts from a noised sample after `skip` steps.
    fn noised(self, skip: usize) -> Loop {
        Loop {
            skip: Some(skip),
            ..self
        }
    }

    fn solved(&self) -> Sampling {
        let timesteps = if self.overwrites { 1100 } else { 1000 };
        let common = r#""beta_start": 0.0001, "beta_end": 0.02"#;
        let separator = if self.fields.is_empty() { "" } else { ", " };
        let json = format!(
            "{{\"num_train_timesteps\": {timesteps}, {common}{separator}{}}}",
            self.fields
        );
        let (config, warnings) = SchedulerConfig::parse(&json, Some(self.sampler)).unwrap();
        assert!(warnings.is_empty(), "{warnings:?}");
        let mut request = SamplingRequest::new(self.steps);
        request.skip = self.skip.unwrap_or(0);
        solve(&config, &request).unwrap()
    }

    fn run(&self) -> (f64, f64) {
        let sampling = self.solved();
        let mut x = sample(false);
        x.iter_mut().for_each(|x| *x *= sampling.init_noise_sigma);
        if self.skip.is_some() {
            for (x, z) in x.iter_mut().zip(sample(true)) {
                *x = sampling.start.image * *x + sampling.start.noise * z;
            }
        }
        let mut generator = Generator::new(0);
        let mut chain = Chain::new(x, SHAPE[0]);
        for step in &sampling.steps {
            let input = chain.model_input(step);
            if self.overwrites {
                chain.x.clone_from(&input);
            }
            let factor = step.timestep / (step.timestep + 1.0);
            let model: Vec<f64> = input.into_iter().map(|x| x * factor).collect();
            let mut noise = vec![0f32; if step.draws_noise() { SIZE } else { 0 }];
            generator.randn(&mut noise);
            let noise: Vec<f64> = noise.into_iter().map(f64::from).collect();
            chain.advance(step, &model, &noise);
        }
        let sum = chain.x.iter().map(|x| x.abs()).sum::<f64>();
        (sum, sum / SIZE as f64)
    }

    /// diffusers' tolerances, but never so wide that zero would pass; their numbers have few digits or are single precision.
    fn gives(&self, sum: Option<f64>, mean: f64) {
        let (actual_sum, actual_mean) = self.run();
        println!(
            "{} {:?}: {actual_sum:e} {actual_mean:e}",
            self.sampler.name(),
            self.fields
        );
        if let Some(sum) = sum {
            assert!(
                (actual_sum - sum).abs() < f64::min(1e-2, 0.06 * sum),
                "sum {actual_sum}, expected {sum}"
            );
        }
        assert!(
            (actual_mean - mean).abs() < f64::min(1e-3, 0.25 * mean),
            "mean {actual_mean}, expected {mean}"
        );
    }
}

const V: &str = r#""prediction_type": "v_prediction""#;

#[test]
fn ddpm() {
    of(SolverName::Ddpm, "").gives(Some(258.9606), 0.3372);
    of(SolverName::Ddpm, V).gives(Some(202.0296), 0.2631);
    of(SolverName::Ddpm, "")
        .noised(998)
        .gives(Some(387.9466), 0.5051);
}

#[test]
fn ddim() {
    of(SolverName::Ddim, "").gives(Some(172.0067), 0.223967);
    of(SolverName::Ddim, V).gives(Some(52.5302), 0.0684);
    let started = r#""beta_start": 0.01, "set_alpha_to_one": true"#;
    of(SolverName::Ddim, started).gives(Some(149.8295), 0.1951);
    let started = r#""beta_start": 0.01, "set_alpha_to_one": false"#;
    of(SolverName::Ddim, started).gives(Some(149.0784), 0.1941);
    of(SolverName::Ddim, "")
        .noised(8)
        .gives(Some(354.5418), 0.4616);
}

#[test]
fn dpmpp_2m() {
    const PLAIN: &str = r#""lower_order_final": false, "final_sigmas_type": "sigma_min""#;
    of(SolverName::DpmPp2m, PLAIN).gives(None, 0.3301);
    of(SolverName::DpmPp2m, PLAIN)
        .noised(5)
        .gives(Some(318.4111), 0.4146);
    const THRESHOLD: &str = r#""lower_order_final": false, "final_sigmas_type": "sigma_min",
        "thresholding": true, "dynamic_thresholding_ratio": 0.87, "sample_max_value": 0.5"#;
    of(SolverName::DpmPp2m, THRESHOLD).gives(None, 1.1364);
    const KARRAS_V: &str = r#""lower_order_final": false, "final_sigmas_type": "sigma_min",
        "use_karras_sigmas": true, "prediction_type": "v_prediction""#;
    of(SolverName::DpmPp2m, KARRAS_V).gives(None, 0.2096);
}

#[test]
fn unipc() {
    of(SolverName::UniPc, r#""final_sigmas_type": "sigma_min""#).gives(None, 0.2464);
    const KARRAS: &str = r#""final_sigmas_type": "sigma_min", "use_karras_sigmas": true"#;
    of(SolverName::UniPc, KARRAS).gives(None, 0.2925);
    const VELOCITY: &str = r#""final_sigmas_type": "sigma_min", "prediction_type": "v_prediction""#;
    of(SolverName::UniPc, VELOCITY).gives(None, 0.1014);
}

#[test]
fn euler() {
    of(SolverName::Euler, "").gives(Some(10.0807), 0.0131);
    of(SolverName::Euler, "")
        .noised(8)
        .gives(Some(57062.9297), 74.3007);
}

/// Σ|x| at the end of a loop with v-prediction, by hand in f64: everything is linear in x, so one factor tells it. Given
/// the scaled sample, the loop takes x/√(σ² + 1) for x before each evaluation.
fn by_hand(heun: bool) -> f64 {
    let name = if heun {
        SolverName::Heun
    } else {
        SolverName::Euler
    };
    let mut config = SchedulerConfig::new(name);
    (
        config.num_train_timesteps,
        config.beta_start,
        config.beta_end,
    ) = (1100, 0.0001, 0.02);
    let schedule = config.schedule().unwrap();
    let level = |t: f64| {
        let alpha_bar = f64::from(schedule.alphas_cumprod()[t as usize]);
        ((1.0 - alpha_bar) / alpha_bar).sqrt()
    };
    let t: Vec<f64> = (0..10).rev().map(|i| f64::from(i) * 1099.0 / 9.0).collect();
    let between = |t: f64| {
        let share = t.fract();
        (1.0 - share) * level(t) + share * level((t + 1.0).min(1099.0))
    };
    let mut sigmas: Vec<f64> = t.iter().map(|&t| between(t)).collect();
    sigmas.push(0.0);
    // The scaled x, and the slope there.
    let evaluate = |x: f64, sigma: f64, t: f64| {
        let scale = 1.0 / (sigma * sigma + 1.0).sqrt();
        let x = x * scale;
        let velocity = x * t / (t + 1.0);
        (
            x,
            (x - (scale * scale * x - sigma * scale * velocity)) / sigma,
        )
    };
    let mut x = sigmas[0];
    for i in 0..10 {
        let (from, to) = (sigmas[i], sigmas[i + 1]);
        let (start, slope) = evaluate(x, from, t[i]);
        x = start + (to - from) * slope;
        if heun && to > 0.0 {
            let (_, end) = evaluate(x, to, t[i + 1]);
            x = start + (to - from) * 0.5 * (slope + end);
        }
    }
    sample(false).iter().map(|y| (y * x).abs()).sum()
}

/// diffusers expects 0.0002 of Euler with v-prediction and passes zero: what is left there is single precision's rounding.
#[test]
fn tiny_ends_are_exact() {
    for (solver, heun) in [(SolverName::Euler, false), (SolverName::Heun, true)] {
        let (actual, expected) = (of(solver, V).run().0, by_hand(heun));
        let off = (actual / expected - 1.0).abs();
        assert!(off < 1e-3, "{}: {actual:e}, {expected:e}", solver.name());
    }
}

#[test]
fn heun() {
    of(SolverName::Heun, "").gives(Some(0.1233), 0.0002);
    of(SolverName::Heun, V).gives(Some(4.6934e-07), 6.1112e-10);
    let karras = r#""use_karras_sigmas": true"#;
    of(SolverName::Heun, karras).gives(Some(0.00015), 1.98695545e-07);
}

#[test]
fn euler_ancestral() {
    of(SolverName::EulerAncestral, "").gives(Some(152.3192), 0.1983);
    of(SolverName::EulerAncestral, V).gives(Some(108.4439), 0.1412);
}
