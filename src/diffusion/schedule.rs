//! Variance schedules: β_t, α_t = 1 − β_t, ᾱ_t = Π α_s and the signal-to-noise ratio (Ho et al. 2020, eq. 2–4).
//!
//! β is computed with PyTorch's roundings (`torch.linspace` in single precision), because a checkpoint was trained
//! with those numbers. From there on there are two views: [`Schedule::alpha_bar`], exact in f64, for the paper's
//! formulas, and [`Schedule::alphas_cumprod`], the single-precision table that diffusers' solvers look into.

use std::f64::consts::PI;

use super::error::ScheduleError;

/// The largest number of timesteps that is accepted.
pub const MAX_TIMESTEPS: usize = 100_000;

/// How β_1…β_T follow from their ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BetaSchedule {
    /// Equal steps (Ho et al. 2020).
    Linear,
    /// Equal steps of √β (latent diffusion).
    ScaledLinear,
    /// ᾱ a squared cosine, β capped at 0.999 (Nichol & Dhariwal 2021, eq. 17); ignores the ends.
    SquaredcosCapV2,
    /// β a sigmoid from −6 to 6 between its ends (GeoDiff).
    Sigmoid,
    /// Equal ratios.
    Geometric,
    /// ᾱ = exp(−12·t/T); ignores the ends.
    Exp,
    /// ᾱ by a Laplace distribution of the log-SNR (Hang & Gu 2024); ignores the ends.
    Laplace,
}

impl BetaSchedule {
    pub const ALL: [BetaSchedule; 7] = [
        BetaSchedule::Linear,
        BetaSchedule::ScaledLinear,
        BetaSchedule::SquaredcosCapV2,
        BetaSchedule::Sigmoid,
        BetaSchedule::Geometric,
        BetaSchedule::Exp,
        BetaSchedule::Laplace,
    ];

    /// The name in `scheduler_config.json`.
    pub fn name(self) -> &'static str {
        match self {
            BetaSchedule::Linear => "linear",
            BetaSchedule::ScaledLinear => "scaled_linear",
            BetaSchedule::SquaredcosCapV2 => "squaredcos_cap_v2",
            BetaSchedule::Sigmoid => "sigmoid",
            BetaSchedule::Geometric => "geometric",
            BetaSchedule::Exp => "exp",
            BetaSchedule::Laplace => "laplace",
        }
    }

    /// Whether β_1 and β_T are what it is made of.
    pub fn has_ends(self) -> bool {
        match self {
            BetaSchedule::Linear
            | BetaSchedule::ScaledLinear
            | BetaSchedule::Sigmoid
            | BetaSchedule::Geometric => true,
            BetaSchedule::SquaredcosCapV2 | BetaSchedule::Exp | BetaSchedule::Laplace => false,
        }
    }

    /// The schedule of that name; `cosine` is another name of `squaredcos_cap_v2`.
    pub fn from_name(name: &str) -> Option<BetaSchedule> {
        let name = if name == "cosine" {
            "squaredcos_cap_v2"
        } else {
            name
        };
        BetaSchedule::ALL
            .into_iter()
            .find(|schedule| schedule.name() == name)
    }
}

/// β_t and what follows from it, for t = 1…T.
#[derive(Clone, Debug, PartialEq)]
pub struct Schedule {
    beta: Vec<f64>,
    alpha_bar: Vec<f64>,
    alphas_cumprod: Vec<f32>,
}

impl Schedule {
    /// T timesteps from `start` = β_1 to `end` = β_T.
    ///
    /// # Errors
    /// If T is 0 or above [`MAX_TIMESTEPS`], or a β lies outside 0…1.
    pub fn new(
        kind: BetaSchedule,
        start: f64,
        end: f64,
        timesteps: usize,
    ) -> Result<Schedule, ScheduleError> {
        check_timesteps(timesteps)?;
        let cumulative = |alpha_bar: &dyn Fn(f64) -> f64| -> Vec<f32> {
            let total = timesteps as f64;
            (0..timesteps)
                .map(|i| {
                    let (before, after) = (i as f64 / total, (i + 1) as f64 / total);
                    (1.0 - alpha_bar(after) / alpha_bar(before)).min(0.999) as f32
                })
                .collect()
        };
        let betas = match kind {
            BetaSchedule::Linear => linspace(start, end, timesteps),
            BetaSchedule::ScaledLinear => linspace(start.sqrt(), end.sqrt(), timesteps)
                .into_iter()
                .map(|root| root * root)
                .collect(),
            BetaSchedule::SquaredcosCapV2 => {
                cumulative(&|t| libm::cos((t + 0.008) / 1.008 * PI / 2.0).powi(2))
            }
            BetaSchedule::Sigmoid => linspace(-6.0, 6.0, timesteps)
                .into_iter()
                .map(|x| {
                    let sigmoid = (1.0 / (1.0 + libm::exp(-f64::from(x)))) as f32;
                    sigmoid * (end - start) as f32 + start as f32
                })
                .collect(),
            BetaSchedule::Geometric => {
                let last = (timesteps - 1).max(1) as f64;
                (0..timesteps)
                    .map(|i| (start * libm::pow(end / start, i as f64 / last)) as f32)
                    .collect()
            }
            BetaSchedule::Exp => cumulative(&|t| libm::exp(-12.0 * t)),
            BetaSchedule::Laplace => cumulative(&|t| {
                let log_snr =
                    -0.5 * 1f64.copysign(0.5 - t) * libm::log(1.0 - 2.0 * (0.5 - t).abs() + 1e-6);
                let snr = libm::exp(log_snr);
                (snr / (1.0 + snr)).sqrt()
            }),
        };
        Schedule::from_single(betas)
    }

    /// The schedule of explicit β_1…β_T.
    ///
    /// # Errors
    /// As [`Schedule::new`].
    pub fn from_betas(betas: &[f64]) -> Result<Schedule, ScheduleError> {
        Schedule::from_single(betas.iter().map(|&beta| beta as f32).collect())
    }

    fn from_single(betas: Vec<f32>) -> Result<Schedule, ScheduleError> {
        check_timesteps(betas.len())?;
        for (i, &beta) in betas.iter().enumerate() {
            if !(0.0..=1.0).contains(&beta) {
                return Err(ScheduleError::Beta {
                    timestep: i + 1,
                    beta: f64::from(beta),
                });
            }
        }
        // torch.cumprod of single precision accumulates in double and rounds each entry.
        let mut product = 1.0;
        let mut exact = 1.0;
        let (mut alpha_bar, mut alphas_cumprod) = (Vec::new(), Vec::new());
        for &beta in &betas {
            product *= f64::from(1.0 - beta);
            alphas_cumprod.push(product as f32);
            exact *= 1.0 - f64::from(beta);
            alpha_bar.push(exact);
        }
        Ok(Schedule {
            beta: betas.into_iter().map(f64::from).collect(),
            alpha_bar,
            alphas_cumprod,
        })
    }

    /// The schedule shifted and scaled so that ᾱ_T = 0 and ᾱ_1 stays (Lin et al. 2023, algorithm 1).
    ///
    /// # Errors
    /// If the schedule is constant, so that nothing can be scaled.
    pub fn rescaled_to_zero_snr(&self) -> Result<Schedule, ScheduleError> {
        let roots: Vec<f32> = self.alphas_cumprod.iter().map(|a| a.sqrt()).collect();
        let (first, last) = (roots[0], roots[roots.len() - 1]);
        if first <= last {
            return Err(ScheduleError::Request(
                "rescale_betas_zero_snr needs at least two timesteps with a falling signal-to-noise ratio".into(),
            ));
        }
        let scale = first / (first - last);
        let squares: Vec<f32> = roots
            .iter()
            .map(|root| (root - last) * scale)
            .map(|root| root * root)
            .collect();
        let mut before = 1.0;
        let betas = squares.iter().map(|&square| {
            let beta = 1.0 - square / before;
            before = square;
            beta
        });
        Schedule::from_single(betas.collect())
    }

    /// T
    pub fn timesteps(&self) -> usize {
        self.beta.len()
    }

    /// β_t, t = 1…T.
    pub fn beta(&self, t: usize) -> f64 {
        self.beta[t - 1]
    }

    /// α_t = 1 − β_t, t = 1…T.
    pub fn alpha(&self, t: usize) -> f64 {
        1.0 - self.beta(t)
    }

    /// ᾱ_t = Π α_s over s ≤ t, t = 0…T, ᾱ_0 = 1.
    pub fn alpha_bar(&self, t: usize) -> f64 {
        if t == 0 { 1.0 } else { self.alpha_bar[t - 1] }
    }

    /// ᾱ_t/(1 − ᾱ_t), t = 1…T: 0 where nothing of the image is left, infinite where no noise was added yet.
    pub fn snr(&self, t: usize) -> f64 {
        let alpha_bar = self.alpha_bar(t);
        alpha_bar / (1.0 - alpha_bar)
    }

    /// β̃_t = (1 − ᾱ_{t−1})/(1 − ᾱ_t)·β_t, the variance of q(x_{t−1} | x_t, x_0), t = 1…T; β̃_1 = 0.
    pub fn beta_tilde(&self, t: usize) -> f64 {
        let noise = 1.0 - self.alpha_bar(t);
        if noise == 0.0 {
            0.0
        } else {
            (1.0 - self.alpha_bar(t - 1)) / noise * self.beta(t)
        }
    }

    /// diffusers' `alphas_cumprod`: ᾱ in single precision, index t − 1.
    pub fn alphas_cumprod(&self) -> &[f32] {
        &self.alphas_cumprod
    }
}

fn check_timesteps(timesteps: usize) -> Result<(), ScheduleError> {
    if (1..=MAX_TIMESTEPS).contains(&timesteps) {
        Ok(())
    } else {
        Err(ScheduleError::Request(format!(
            "a schedule has 1 to {MAX_TIMESTEPS} timesteps, {timesteps} were asked for"
        )))
    }
}

/// `torch.linspace` in single precision: counted from the nearer end, each with one rounding.
fn linspace(start: f64, end: f64, count: usize) -> Vec<f32> {
    let (start, end) = (start as f32, end as f32);
    if count == 1 {
        return vec![start];
    }
    let step = (end - start) / (count - 1) as f32;
    (0..count)
        .map(|i| {
            if i < count / 2 {
                libm::fmaf(step, i as f32, start)
            } else {
                libm::fmaf(-step, (count - 1 - i) as f32, end)
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ddpm() -> Schedule {
        Schedule::new(BetaSchedule::Linear, 1e-4, 0.02, 1000).unwrap()
    }

    #[test]
    fn linear_is_the_papers() {
        let schedule = ddpm();
        assert!(
            (schedule.beta(1) - 1e-4).abs() < 1e-11 && (schedule.beta(1000) - 0.02).abs() < 1e-9
        );
        assert!((schedule.alpha_bar(1000) - 4.04e-5).abs() < 1e-7);
        // β_T = 0.2 leaves nothing: 2.1e-47.
        let steep = Schedule::new(BetaSchedule::Linear, 1e-4, 0.2, 1000).unwrap();
        assert!((steep.alpha_bar(1000) / 2.1e-47 - 1.0).abs() < 0.05);
        assert!(steep.alpha_bar(301) < 1e-4 && steep.alpha_bar(300) > 1e-4);
    }

    #[test]
    fn torch_table() {
        // alphas_cumprod of diffusers' DDPMScheduler, printed with 9 digits.
        let expect = |schedule: &Schedule, values: [(usize, f32); 3]| {
            for (i, value) in values {
                let ratio = schedule.alphas_cumprod()[i] / value;
                assert!((ratio - 1.0).abs() < 1e-6, "index {i}: {ratio}");
            }
        };
        expect(&ddpm(), TABLE_LINEAR);
        let cosine = Schedule::new(BetaSchedule::SquaredcosCapV2, 0.0, 0.0, 1000).unwrap();
        expect(&cosine, TABLE_COSINE);
        expect(&ddpm().rescaled_to_zero_snr().unwrap(), TABLE_ZERO_SNR);
    }

    const TABLE_LINEAR: [(usize, f32); 3] = [(0, 0.9999), (500, 0.07779665), (999, 4.0358304e-05)];
    const TABLE_COSINE: [(usize, f32); 3] =
        [(0, 0.9999587), (500, 0.49228504), (999, 2.428735e-09)];
    const TABLE_ZERO_SNR: [(usize, f32); 3] = [(0, 0.9999), (500, 0.0752462), (998, 4.213274e-09)];

    #[test]
    fn every_schedule_falls() {
        for kind in BetaSchedule::ALL {
            for timesteps in [1, 2, 17, 1000] {
                let schedule = Schedule::new(kind, 1e-4, 0.02, timesteps).unwrap();
                assert_eq!(schedule.timesteps(), timesteps);
                for t in 1..=timesteps {
                    let ratio = schedule.alpha_bar(t) / schedule.alpha_bar(t - 1);
                    assert!(
                        (ratio - schedule.alpha(t)).abs() < 1e-12,
                        "{} {t}",
                        kind.name()
                    );
                    assert!(schedule.alpha_bar(t) < schedule.alpha_bar(t - 1));
                    assert!(schedule.beta_tilde(t) <= schedule.beta(t));
                }
            }
            assert_eq!(BetaSchedule::from_name(kind.name()), Some(kind));
        }
    }

    #[test]
    fn geometric_keeps_its_ratio() {
        let schedule = Schedule::new(BetaSchedule::Geometric, 1e-4, 0.02, 100).unwrap();
        let ratio = libm::pow(200.0, 1.0 / 99.0);
        for t in 2..=100 {
            assert!((schedule.beta(t) / schedule.beta(t - 1) / ratio - 1.0).abs() < 1e-6);
        }
        assert!((schedule.beta(100) - 0.02).abs() < 1e-9);
    }

    #[test]
    fn bad_schedules_are_refused() {
        assert!(Schedule::new(BetaSchedule::Linear, 1e-4, 0.02, 0).is_err());
        assert!(Schedule::new(BetaSchedule::Linear, 1e-4, 1.5, 10).is_err());
        assert!(Schedule::new(BetaSchedule::Geometric, 0.0, 0.02, 10).is_err());
        assert!(Schedule::new(BetaSchedule::ScaledLinear, -1.0, 0.02, 10).is_err());
        assert!(Schedule::from_betas(&[0.1, f64::NAN]).is_err());
        assert!(
            Schedule::from_betas(&[0.1])
                .unwrap()
                .rescaled_to_zero_snr()
                .is_err()
        );
    }
}
