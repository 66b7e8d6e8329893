//! UniPC (Zhao et al. 2023): a multistep predictor, and a corrector that goes over the last interval again once the
//! model has been evaluated at its end. Both act at the same evaluation, so one step holds the two: the corrected x is
//! a row of old values, and the prediction a row of that.

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
use crate::diffusion::schedule::Schedule;
use crate::diffusion::sigmas::{Grid, MultistepGrid, Sigmas};
use crate::diffusion::step::{Clip, HISTORY, Row, Step};

/// History: the corrected x of the step before, then the model's converted outputs, newest first.
const LAST: usize = 0;
const OUTPUTS: usize = 1;

/// UniPC's settings.
#[derive(Clone, Debug, PartialEq)]
pub struct UniPc {
    /// 1 to 3.
    pub solver_order: usize,
    /// `solver_type`
    pub b: StepFunction,
    /// The last steps of a chain have lower orders.
    pub lower_order_final: bool,
    /// The history holds x̂0, else ε.
    pub predict_x0: bool,
    /// Indices of steps after which the corrector is left out.
    pub disable_corrector: Vec<i64>,
    pub sigmas: Sigmas,
}

/// B(h) of the paper: h, or e^h − 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepFunction {
    Bh1,
    Bh2,
}

impl Default for UniPc {
    fn default() -> Self {
        Self {
            solver_order: 2,
            b: StepFunction::Bh2,
            lower_order_final: true,
            predict_x0: true,
            disable_corrector: Vec::new(),
            sigmas: Sigmas::default(),
        }
    }
}

impl Solver for UniPc {
    const ABOUT: About = About {
        name: "unipc",
        title: "UniPC",
        class: "UniPCMultistepScheduler",
        near: &[],
        fields: &[
            &[
                "rescale_betas_zero_snr",
                "solver_order",
                "solver_type",
                "lower_order_final",
                "predict_x0",
                "disable_corrector",
                "final_sigmas_type",
                "use_flow_sigmas",
                "use_dynamic_shifting",
                "solver_p",
                "shift_terminal",
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
            timesteps: false,
            thresholding: true,
            inversion: false,
            filling: None,
        },
    };

    fn read(config: &mut SchedulerConfig, fields: &Fields) -> Result<Self, ScheduleError> {
        let default = Self::default();
        for field in [
            "use_flow_sigmas",
            "use_dynamic_shifting",
            "solver_p",
            "shift_terminal",
        ] {
            fields.refuse(field)?;
        }
        config.rescale_betas_zero_snr = fields.flag("rescale_betas_zero_snr", false)?;
        let predict_x0 = fields.flag("predict_x0", true)?;
        // diffusers thresholds only what is converted to x̂0.
        if predict_x0 {
            config.clip = thresholding(fields)?.unwrap_or_default();
        }
        let mut sigmas = Sigmas::read(fields, false)?;
        sigmas.read_last(fields)?;
        Ok(Self {
            solver_order: fields.count("solver_order", default.solver_order, 3)?,
            b: fields.own_choice(
                "solver_type",
                default.b,
                &[("bh1", StepFunction::Bh1), ("bh2", StepFunction::Bh2)],
                &["midpoint", "heun", "logrho"],
            )?,
            lower_order_final: fields.flag("lower_order_final", true)?,
            predict_x0,
            disable_corrector: fields.integers("disable_corrector")?,
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
            lambda_min: f64::NEG_INFINITY,
            rounds: true,
            repeats_last: true,
        };
        let grid = Grid::multistep(config, schedule, &options, request)?;
        check_skip(request.skip, grid.timesteps.len())?;
        let steps = self.steps(config, &grid, request.skip);
        let mut sampling = preserving_grid(steps, &grid, request.skip);
        if let Some(t) = repeated(&grid, request.skip).filter(|_| self.solver_order > 1) {
            sampling.warnings.push(divides_by_zero(t));
        }
        let higher = self.solver_order > 1 && sampling.steps.len() > 1;
        let lasts = [
            (self.b == StepFunction::Bh1, "solver_type bh1"),
            (!self.predict_x0, "predict_x0 false"),
            (higher && !self.lower_order_final, "lower_order_final false"),
        ];
        let asked = lasts.into_iter().find(|(asked, _)| *asked);
        if let Some((_, asked)) = asked.filter(|_| self.sigmas.last == FinalSigma::Zero) {
            sampling.warnings.push(format!(
                "UniPC with {asked} and the last noise level 0: diffusers 0.42.1 multiplies 0 by infinity in the last step and its \
                 picture is NaN; here that step is of order 1"
            ));
        }
        Ok(sampling)
    }
}

impl UniPc {
    fn steps(&self, config: &SchedulerConfig, grid: &Grid, skip: usize) -> Vec<Step> {
        let count = grid.timesteps.len();
        let mut order = 0;
        let mut steps = Vec::new();
        for i in skip..count {
            let sigma = grid.sigmas[i];
            let alpha = signal(sigma);
            let (x0, epsilon) =
                predictions(config.prediction_type, alpha, sigma * alpha, config.clip);
            let output = if self.predict_x0 { Row::X0 } else { epsilon };
            let corrects = i > skip && !self.disable_corrector.contains(&(i as i64 - 1));
            let x = if corrects {
                correct(self, &grid.sigmas, i, order, output)
            } else {
                Row::X
            };
            let wanted = if self.lower_order_final {
                self.solver_order.min(count - i)
            } else {
                self.solver_order
            };
            order = wanted.min(i - skip + 1);
            let mut keep = [None; HISTORY];
            keep[LAST] = Some(x);
            keep[OUTPUTS] = Some(output);
            for back in 1..self.solver_order {
                keep[OUTPUTS + back] = Some(Row::history(OUTPUTS + back - 1));
            }
            steps.push(Step {
                timestep: grid.timesteps[i],
                input_scale: 1.0,
                x0,
                clip: config.clip,
                next: predict(self, &grid.sigmas, i, order, x, output),
                keep,
                ..Step::default()
            });
        }
        without_last_history(steps)
    }
}

/// What the predictor and the corrector of one interval share.
struct Interval {
    /// The first-order update.
    base: Row,
    /// What a combination of divided differences is multiplied by.
    scale: f64,
    /// The differences (m_i − m_0)/r_i to the `order` − 1 outputs before m_0.
    differences: Vec<Row>,
    /// r_i, ending in 1.
    nodes: Vec<f64>,
    /// The right-hand side b_k = k!·h·φ_{k+1}(h)/B(h).
    moments: Vec<f64>,
}

impl Interval {
    /// From `sigmas[i]` to `sigmas[i + 1]`, starting at `x`; `outputs` are m_0 at `sigmas[i]` and those before it.
    /// Where noise levels coincide or the end is σ = 0, `order` falls to 1.
    fn new(
        own: &UniPc,
        sigmas: &[f64],
        i: usize,
        order: usize,
        x: Row,
        outputs: &[Row],
    ) -> Interval {
        let (sigma, sigma_next) = (sigmas[i], sigmas[i + 1]);
        let (alpha, alpha_next) = (signal(sigma), signal(sigma_next));
        let (noise, noise_next) = (sigma * alpha, sigma_next * alpha_next);
        // The step in λ, with the sign of the exponential integral; e^step follows without it.
        let h = libm::log(sigma / sigma_next);
        let (step, growth, base, scale) = if own.predict_x0 {
            let growth = sigma_next / sigma;
            (
                -h,
                growth,
                noise_next / noise * x + alpha_next * (1.0 - growth) * outputs[0],
                alpha_next,
            )
        } else {
            let change = alpha_next * noise / alpha - noise_next;
            (
                h,
                sigma / sigma_next,
                alpha_next / alpha * x - change * outputs[0],
                noise_next,
            )
        };
        let distinct = (1..order).all(|back| sigmas[i - back] != sigmas[i + 1 - back]);
        if h == 0.0 || sigma_next == 0.0 {
            return Interval {
                base,
                scale: 0.0,
                differences: vec![],
                nodes: vec![],
                moments: vec![],
            };
        }
        let order = if distinct { order } else { 1 };
        let mut nodes: Vec<f64> = (1..order)
            .map(|back| libm::log(sigma / sigmas[i - back]) / h)
            .collect();
        let differences = nodes
            .iter()
            .enumerate()
            .map(|(k, r)| 1.0 / r * (outputs[k + 1] - outputs[0]))
            .collect();
        nodes.push(1.0);
        let b = match own.b {
            StepFunction::Bh1 => step,
            StepFunction::Bh2 => growth - 1.0,
        };
        let mut phi = (growth - 1.0) / step - 1.0;
        let mut factorial = 1.0;
        let mut moments = Vec::new();
        for k in 1..=order {
            moments.push(phi * factorial / b);
            factorial *= (k + 1) as f64;
            phi = phi / step - 1.0 / factorial;
        }
        Interval {
            base,
            scale: -scale * b,
            differences,
            nodes,
            moments,
        }
    }

    /// ρ with Σ_j r_j^(k−1)·ρ_j = b_k for k = 1…`size`.
    fn weights(&self, size: usize) -> Vec<f64> {
        let rows = (0..size).map(|k| {
            let mut row: Vec<f64> = self.nodes[..size]
                .iter()
                .map(|r| r.powi(k as i32))
                .collect();
            row.push(self.moments[k]);
            row
        });
        eliminate(rows.collect())
    }

    fn order(&self) -> usize {
        self.nodes.len()
    }
}

fn predict(own: &UniPc, sigmas: &[f64], i: usize, order: usize, x: Row, output: Row) -> Row {
    let outputs: Vec<Row> = std::iter::once(output)
        .chain((0..order - 1).map(|back| Row::history(OUTPUTS + back)))
        .collect();
    let interval = Interval::new(own, sigmas, i, order, x, &outputs);
    let weights = match interval.order() {
        0 | 1 => vec![],
        2 => vec![0.5],
        order => interval.weights(order - 1),
    };
    interval
        .differences
        .iter()
        .zip(weights)
        .fold(interval.base, |sum, (&difference, weight)| {
            sum + interval.scale * weight * difference
        })
}

/// x at `sigmas[i]`, from the corrected x one step before and the model's output at the predicted x.
fn correct(own: &UniPc, sigmas: &[f64], i: usize, order: usize, output: Row) -> Row {
    let outputs: Vec<Row> = (0..order)
        .map(|back| Row::history(OUTPUTS + back))
        .collect();
    let interval = Interval::new(own, sigmas, i - 1, order, Row::history(LAST), &outputs);
    let weights = match interval.order() {
        0 => vec![],
        1 => vec![0.5],
        order => interval.weights(order),
    };
    let newest = output - outputs[0];
    let differences = interval.differences.iter().chain([&newest]);
    differences
        .zip(weights)
        .fold(interval.base, |sum, (&difference, weight)| {
            sum + interval.scale * weight * difference
        })
}

/// Solves a small linear system given as rows of coefficients with the right-hand side last.
fn eliminate(mut rows: Vec<Vec<f64>>) -> Vec<f64> {
    let size = rows.len();
    for pivot in 0..size {
        let best =
            (pivot..size).max_by(|&a, &b| rows[a][pivot].abs().total_cmp(&rows[b][pivot].abs()));
        rows.swap(pivot, best.unwrap_or(pivot));
        let chosen = rows[pivot].clone();
        for (_, row) in rows.iter_mut().enumerate().filter(|(k, _)| *k != pivot) {
            let factor = row[pivot] / chosen[pivot];
            for (value, above) in row.iter_mut().zip(&chosen).skip(pivot) {
                *value -= factor * above;
            }
        }
    }
    (0..size).map(|k| rows[k][size] / rows[k][k]).collect()
}
