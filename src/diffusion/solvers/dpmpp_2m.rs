//! DPM-Solver++ multistep of order 1 to 3 (Lu et al. 2022): the ODE in the half log-SNR λ = ln(α/σ), with x̂0
//! extrapolated from the steps before.

use super::clipping::{THRESHOLDING, thresholding};
use super::spaces::{
    check_skip, divides_by_zero, predictions, preserving_grid, repeated, signal,
    without_last_history,
};
use super::{
    About, DefaultSteps, Evaluations, GridFamily, Sampling, SamplingRequest, Solver, Takes, Trained,
};
use crate::diffusion::choices::{FinalSigma, PredictionType, Spacing};
use crate::diffusion::config::SchedulerConfig;
use crate::diffusion::error::ScheduleError;
use crate::diffusion::fields::Fields;
use crate::diffusion::schedule::{BetaSchedule, Schedule};
use crate::diffusion::sigmas::{Grid, MultistepGrid, Sigmas};
use crate::diffusion::step::{Clip, HISTORY, Row, Step};

/// Chains shorter than this end in lower orders, under `lower_order_final`.
const SHORT: usize = 15;

/// DPM-Solver++'s settings.
#[derive(Clone, Debug, PartialEq)]
pub struct DpmPp2m {
    /// 1 to 3.
    pub solver_order: usize,
    /// The rule of order 2.
    pub second_order: SecondOrder,
    /// The last steps of a chain of fewer than 15 have lower orders.
    pub lower_order_final: bool,
    /// The last step is of order 1.
    pub euler_at_final: bool,
    /// Timesteps whose half log-SNR lies below are skipped; −∞ skips none.
    pub lambda_min_clipped: f64,
    pub sigmas: Sigmas,
}

/// `solver_type`: where the slope of x̂0 is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecondOrder {
    Midpoint,
    Heun,
}

impl Default for DpmPp2m {
    fn default() -> Self {
        Self {
            solver_order: 2,
            second_order: SecondOrder::Midpoint,
            lower_order_final: true,
            euler_at_final: false,
            lambda_min_clipped: f64::NEG_INFINITY,
            sigmas: Sigmas::default(),
        }
    }
}

impl Solver for DpmPp2m {
    const ABOUT: About = About {
        name: "dpmpp-2m",
        title: "DPM-Solver++ 2M",
        class: "DPMSolverMultistepScheduler",
        near: &[
            "DPMSolverSinglestepScheduler",
            "DPMSolverMultistepInverseScheduler",
            "DPMSolverSDEScheduler",
            "DEISMultistepScheduler",
            "SASolverScheduler",
        ],
        fields: &[
            &[
                "rescale_betas_zero_snr",
                "solver_order",
                "solver_type",
                "lower_order_final",
                "euler_at_final",
                "algorithm_type",
                "lambda_min_clipped",
                "final_sigmas_type",
                "use_lu_lambdas",
                "use_flow_sigmas",
            ],
            Sigmas::FIELDS,
            THRESHOLDING,
        ],
        prediction_types: PredictionType::NAMED,
        trained: Trained::DDPM,
        timestep_spacing: Spacing::Linspace,
        clip: Clip::None,
        grid: GridFamily::Sigmas,
        default_steps: DefaultSteps::Few,
        evaluations: Evaluations { each: 1, last: 1 },
        takes: Takes {
            eta: None,
            variance: false,
            timesteps: true,
            thresholding: true,
            inversion: false,
            filling: None,
        },
    };

    fn read(config: &mut SchedulerConfig, fields: &Fields) -> Result<Self, ScheduleError> {
        let default = Self::default();
        fields.refuse("use_flow_sigmas")?;
        // diffusers runs DPM-Solver++ where the file is DEIS's.
        fields.one_of("algorithm_type", &["dpmsolver++", "deis"])?;
        config.rescale_betas_zero_snr = fields.flag("rescale_betas_zero_snr", false)?;
        config.clip = thresholding(fields)?.unwrap_or_default();
        let mut sigmas = Sigmas::read(fields, fields.flag("use_lu_lambdas", false)?)?;
        sigmas.read_last(fields)?;
        Ok(Self {
            solver_order: fields.count("solver_order", default.solver_order, 3)?,
            second_order: fields.own_choice(
                "solver_type",
                default.second_order,
                &[
                    ("midpoint", SecondOrder::Midpoint),
                    ("heun", SecondOrder::Heun),
                ],
                &["bh1", "bh2", "logrho"],
            )?,
            lower_order_final: fields.flag("lower_order_final", true)?,
            euler_at_final: fields.flag("euler_at_final", false)?,
            lambda_min_clipped: fields.any_number("lambda_min_clipped", f64::NEG_INFINITY)?,
            sigmas,
        })
    }

    fn chain(
        &self,
        config: &SchedulerConfig,
        schedule: &Schedule,
        request: &SamplingRequest,
    ) -> Result<Sampling, ScheduleError> {
        let options = MultistepGrid {
            sigmas: self.sigmas,
            lambda_min: self.lambda_min_clipped,
            rounds: config.beta_schedule != BetaSchedule::SquaredcosCapV2,
            repeats_last: false,
        };
        let grid = Grid::multistep(config, schedule, &options, request)?;
        check_skip(request.skip, grid.timesteps.len())?;
        let steps = self.steps(config, &grid, request.skip);
        let mut sampling = preserving_grid(steps, &grid, request.skip);
        if let Some(t) = repeated(&grid, request.skip).filter(|_| self.solver_order > 1) {
            sampling.warnings.push(divides_by_zero(t));
        }
        Ok(sampling)
    }
}

impl DpmPp2m {
    fn steps(&self, config: &SchedulerConfig, grid: &Grid, skip: usize) -> Vec<Step> {
        let count = grid.timesteps.len();
        let steps = (skip..count).map(|i| {
            let sigma = grid.sigmas[i];
            let alpha = signal(sigma);
            let (x0, _) = predictions(config.prediction_type, alpha, sigma * alpha, config.clip);
            let mut keep = [None; HISTORY];
            for (place, row) in keep
                .iter_mut()
                .zip([Row::X0, Row::history(0)])
                .take(self.solver_order - 1)
            {
                *place = Some(row);
            }
            Step {
                timestep: grid.timesteps[i],
                input_scale: 1.0,
                x0,
                clip: config.clip,
                next: self.next(&grid.sigmas, i, self.order(i, i - skip, count)),
                keep,
                ..Step::default()
            }
        });
        without_last_history(steps.collect())
    }

    /// The order of step `i` of `count`, `past` steps having been taken.
    fn order(&self, i: usize, past: usize, count: usize) -> usize {
        let lowered = self.lower_order_final && count < SHORT;
        let last = i + 1 == count
            && (self.euler_at_final || lowered || self.sigmas.last == FinalSigma::Zero);
        let order = self.solver_order.min(past + 1);
        if last {
            1
        } else if i + 2 == count && lowered {
            order.min(2)
        } else {
            order
        }
    }

    /// The update from `sigmas[i]` to `sigmas[i + 1]`. Where two noise levels coincide, or the end is σ = 0, the divided
    /// differences of higher orders do not exist and the order falls to what does.
    fn next(&self, sigmas: &[f64], i: usize, order: usize) -> Row {
        let (sigma, sigma_next) = (sigmas[i], sigmas[i + 1]);
        let (alpha, alpha_next) = (signal(sigma), signal(sigma_next));
        let ratio = sigma_next / sigma;
        // e^(−h), h the step in λ, is the ratio of the σ.
        let first = ratio * (alpha_next / alpha) * Row::X + alpha_next * (1.0 - ratio) * Row::X0;
        let h = -libm::log(ratio);
        let lambda_step = |back: usize| libm::log(sigmas[i - back] / sigmas[i + 1 - back]) / h;
        if order == 1 || h == 0.0 || sigma_next == 0.0 || sigmas[i - 1] == sigma {
            return first;
        }
        let r0 = lambda_step(1);
        let slope0 = 1.0 / r0 * (Row::X0 - Row::history(0));
        // ∫ of 1, λ/h and (λ/h)²/2 over the step, against e^λ.
        let linear = alpha_next * (1.0 - (1.0 - ratio) / h);
        if order == 2 || sigmas[i - 2] == sigmas[i - 1] {
            let weight = match self.second_order {
                SecondOrder::Heun => linear,
                SecondOrder::Midpoint => 0.5 * alpha_next * (1.0 - ratio),
            };
            return first + weight * slope0;
        }
        let r1 = lambda_step(2);
        let slope1 = 1.0 / r1 * (Row::history(0) - Row::history(1));
        let bend = 1.0 / (r0 + r1) * (slope0 - slope1);
        let quadratic = -alpha_next * ((ratio - 1.0 + h) / (h * h) - 0.5);
        first + linear * (slope0 + r0 * bend) + quadratic * bend
    }
}
