//! `scheduler_config.json`, read as diffusers' `from_config` reads it.
//!
//! The file's `_class_name` chooses the solver; a sampler named beside it means `Class.from_config(file)`: fields of
//! the same name carry over, those the class does not have are ignored, and what is missing takes that class's own
//! default.

use serde_json::{Map, Value, json};

use super::choices::{
    FinalSigma, PredictionType, Sampler, SigmaSpacing, SolverType, Spacing, VarianceType,
};
use super::error::ScheduleError;
use super::fields::{Fields, quote_non_finite};
use super::schedule::{BetaSchedule, MAX_TIMESTEPS, Schedule};
use super::step::Bound;

/// Reads a field as one of a named type's choices.
macro_rules! choose {
    ($fields:expr, $field:literal, $default:expr, $type:ident) => {{
        let names: Vec<&str> = $type::ALL.iter().map(|choice| choice.name()).collect();
        $fields.choice($field, $default, $type::from_name, &names)
    }};
}

/// Everything a solver is told; fields that its class does not have hold that class's fixed behaviour.
#[derive(Clone, Debug, PartialEq)]
pub struct SchedulerConfig {
    pub sampler: Sampler,
    pub num_train_timesteps: usize,
    pub beta_start: f64,
    pub beta_end: f64,
    pub beta_schedule: BetaSchedule,
    pub trained_betas: Option<Vec<f64>>,
    pub rescale_betas_zero_snr: bool,
    pub prediction_type: PredictionType,
    /// From `thresholding` or `clip_sample`, as far as the class has them.
    pub bound: Bound,
    pub timestep_spacing: Spacing,
    pub steps_offset: i64,
    /// DDPM.
    pub variance_type: VarianceType,
    /// DDIM: the last step ends at ᾱ = 1, not at ᾱ_1.
    pub set_alpha_to_one: bool,
    pub sigma_spacing: SigmaSpacing,
    pub sigma_min: Option<f64>,
    pub sigma_max: Option<f64>,
    pub final_sigmas_type: FinalSigma,
    /// Euler: σ in equal steps of ln σ before any spacing.
    pub log_linear: bool,
    /// Euler with v-prediction: the network is told ¼·ln σ.
    pub continuous_timesteps: bool,
    /// DPM-Solver++ and UniPC: 1 to 3.
    pub solver_order: usize,
    pub solver_type: SolverType,
    pub lower_order_final: bool,
    /// DPM-Solver++.
    pub euler_at_final: bool,
    /// DPM-Solver++: timesteps whose half log-SNR lies below are skipped; −∞ skips none.
    pub lambda_min_clipped: f64,
    /// UniPC: the solver's history holds x̂0, else ε.
    pub predict_x0: bool,
    /// UniPC: indices of steps after which the corrector is left out.
    pub disable_corrector: Vec<i64>,
}

/// Fields of diffusers' interchangeable scheduler classes: known here whether or not the chosen class reads them.
const KNOWN: &[&str] = &[
    "algorithm_type",
    "beta_end",
    "beta_schedule",
    "beta_start",
    "clip_sample",
    "clip_sample_range",
    "disable_corrector",
    "dynamic_thresholding_ratio",
    "euler_at_final",
    "final_sigmas_type",
    "flow_shift",
    "interpolation_type",
    "lambda_min_clipped",
    "lower_order_final",
    "num_train_timesteps",
    "predict_x0",
    "prediction_type",
    "rescale_betas_zero_snr",
    "rho",
    "sample_max_value",
    "set_alpha_to_one",
    "shift_terminal",
    "sigma_data",
    "sigma_max",
    "sigma_min",
    "sigma_schedule",
    "skip_prk_steps",
    "solver_order",
    "solver_p",
    "solver_type",
    "steps_offset",
    "thresholding",
    "time_shift_type",
    "timestep_spacing",
    "timestep_type",
    "trained_betas",
    "use_beta_sigmas",
    "use_dynamic_shifting",
    "use_exponential_sigmas",
    "use_flow_sigmas",
    "use_karras_sigmas",
    "use_lu_lambdas",
    "variance_type",
];

impl SchedulerConfig {
    /// `Class()`: every field at its default.
    pub fn new(sampler: Sampler) -> SchedulerConfig {
        use Sampler::*;
        let unbounded = matches!(sampler, DpmPp2m | UniPc | Euler | EulerAncestral | Heun);
        let ends = if sampler == Heun {
            (0.00085, 0.012)
        } else {
            (0.0001, 0.02)
        };
        SchedulerConfig {
            sampler,
            num_train_timesteps: 1000,
            beta_start: ends.0,
            beta_end: ends.1,
            beta_schedule: BetaSchedule::Linear,
            trained_betas: None,
            rescale_betas_zero_snr: false,
            prediction_type: PredictionType::Epsilon,
            bound: if unbounded {
                Bound::None
            } else {
                Bound::Clip(1.0)
            },
            timestep_spacing: if unbounded {
                Spacing::Linspace
            } else {
                Spacing::Leading
            },
            steps_offset: 0,
            variance_type: VarianceType::FixedSmall,
            set_alpha_to_one: true,
            sigma_spacing: SigmaSpacing::Timesteps,
            sigma_min: None,
            sigma_max: None,
            final_sigmas_type: FinalSigma::Zero,
            log_linear: false,
            continuous_timesteps: false,
            solver_order: 2,
            solver_type: if sampler == UniPc {
                SolverType::Bh2
            } else {
                SolverType::Midpoint
            },
            lower_order_final: true,
            euler_at_final: false,
            lambda_min_clipped: f64::NEG_INFINITY,
            predict_x0: true,
            disable_corrector: Vec::new(),
        }
    }

    /// Reads a `scheduler_config.json`; `sampler` overrides the file's class. Returns a sentence for each field that
    /// no scheduler knows, beside the configuration.
    ///
    /// # Errors
    /// If `text` is no JSON object, names no supported class where none is given, or holds a value that is not
    /// supported in a field that the class reads.
    pub fn parse(
        text: &str,
        sampler: Option<Sampler>,
    ) -> Result<(SchedulerConfig, Vec<String>), ScheduleError> {
        Self::parse_with(text, sampler, Map::new())
    }

    /// As [`SchedulerConfig::parse`], with `fields` in place of those of the file: `Class.from_config(file, **fields)`.
    ///
    /// # Errors
    /// Also if no scheduler knows one of `fields`.
    pub fn parse_with(
        text: &str,
        sampler: Option<Sampler>,
        fields: Map<String, Value>,
    ) -> Result<(SchedulerConfig, Vec<String>), ScheduleError> {
        let value: Value = serde_json::from_str(&quote_non_finite(text))
            .map_err(|error| ScheduleError::Json(error.to_string()))?;
        let Value::Object(mut map) = value else {
            return Err(ScheduleError::Json("it holds something else".into()));
        };
        if let Some(Value::Array(defaulted)) = map.remove("_use_default_values") {
            for name in defaulted.iter().filter_map(Value::as_str) {
                map.remove(name);
            }
        }
        if let Some(unknown) = fields.keys().find(|key| !KNOWN.contains(&key.as_str())) {
            return Err(ScheduleError::Unknown(unknown.clone()));
        }
        map.extend(fields);
        let class = map.get("_class_name").and_then(Value::as_str);
        let sampler = match (sampler, class) {
            (Some(sampler), _) => sampler,
            (None, Some(class)) => {
                Sampler::from_class(class).ok_or_else(|| ScheduleError::Class(class.to_string()))?
            }
            (None, None) => return Err(ScheduleError::NoClass),
        };
        let warnings = map
            .keys()
            .filter(|key| !key.starts_with('_') && !KNOWN.contains(&key.as_str()))
            .map(|key| format!("the scheduler field {key} is not known and is ignored"))
            .collect();
        let config = SchedulerConfig::read(sampler, &Fields(&map))?;
        Ok((config, warnings))
    }

    fn read(sampler: Sampler, fields: &Fields) -> Result<SchedulerConfig, ScheduleError> {
        use Sampler::*;
        let mut config = SchedulerConfig::new(sampler);
        config.num_train_timesteps = fields.count(
            "num_train_timesteps",
            config.num_train_timesteps,
            MAX_TIMESTEPS,
        )?;
        config.beta_start = fields.number("beta_start", config.beta_start)?;
        config.beta_end = fields.number("beta_end", config.beta_end)?;
        config.beta_schedule = fields.choice(
            "beta_schedule",
            config.beta_schedule,
            BetaSchedule::from_name,
            BetaSchedule::ALL.map(BetaSchedule::name).as_slice(),
        )?;
        config.trained_betas = fields.numbers("trained_betas")?;
        config.prediction_type = match fields.0.get("prediction_type").and_then(Value::as_str) {
            Some("original_sample") if sampler == Euler => PredictionType::Sample,
            _ => choose!(
                fields,
                "prediction_type",
                config.prediction_type,
                PredictionType
            )?,
        };
        config.timestep_spacing =
            choose!(fields, "timestep_spacing", config.timestep_spacing, Spacing)?;
        config.steps_offset = fields.integer("steps_offset", 0)?;
        if sampler != Heun {
            config.rescale_betas_zero_snr = fields.flag("rescale_betas_zero_snr", false)?;
        }
        match sampler {
            Ddpm => {
                config.variance_type =
                    choose!(fields, "variance_type", config.variance_type, VarianceType)?
            }
            Ddim => config.set_alpha_to_one = fields.flag("set_alpha_to_one", true)?,
            DpmPp2m | UniPc => config.read_multistep(fields)?,
            Euler => {
                let interpolation = ["linear", "log_linear"];
                config.log_linear = fields.one_of("interpolation_type", &interpolation)? == 1;
                config.continuous_timesteps =
                    fields.one_of("timestep_type", &["discrete", "continuous"])? == 1;
            }
            EulerAncestral | Heun => {}
        }
        config.bound = read_bound(sampler, config.predict_x0, fields)?;
        if matches!(sampler, DpmPp2m | UniPc | Euler | Heun) {
            config.read_sigmas(fields)?;
        }
        Ok(config)
    }

    fn read_multistep(&mut self, fields: &Fields) -> Result<(), ScheduleError> {
        self.solver_order = fields.count("solver_order", self.solver_order, 3)?;
        self.lower_order_final = fields.flag("lower_order_final", true)?;
        let unipc = self.sampler == Sampler::UniPc;
        // A value that belongs to another multistep solver falls back to this one's default.
        let names: &[&str] = &["midpoint", "heun", "bh1", "bh2", "logrho"];
        let given = fields.choice(
            "solver_type",
            self.solver_type.name(),
            |name| names.iter().copied().find(|n| *n == name),
            names,
        )?;
        if let Some(given) = SolverType::from_name(given)
            && unipc == matches!(given, SolverType::Bh1 | SolverType::Bh2)
        {
            self.solver_type = given;
        }
        fields.refuse("use_flow_sigmas")?;
        if unipc {
            for field in ["use_dynamic_shifting", "solver_p", "shift_terminal"] {
                fields.refuse(field)?;
            }
            self.predict_x0 = fields.flag("predict_x0", true)?;
            self.disable_corrector = fields.integers("disable_corrector")?;
        } else {
            fields.one_of("algorithm_type", &["dpmsolver++", "deis"])?;
            self.euler_at_final = fields.flag("euler_at_final", false)?;
            self.lambda_min_clipped = fields.any_number("lambda_min_clipped", f64::NEG_INFINITY)?;
        }
        Ok(())
    }

    fn read_sigmas(&mut self, fields: &Fields) -> Result<(), ScheduleError> {
        let spacings = [
            ("use_karras_sigmas", SigmaSpacing::Karras),
            ("use_exponential_sigmas", SigmaSpacing::Exponential),
            ("use_beta_sigmas", SigmaSpacing::Beta),
        ];
        if self.sampler == Sampler::DpmPp2m && fields.flag("use_lu_lambdas", false)? {
            self.sigma_spacing = SigmaSpacing::Lu;
        }
        let mut chosen = Vec::new();
        for (field, spacing) in spacings {
            if fields.flag(field, false)? {
                chosen.push((field, spacing));
            }
        }
        match chosen[..] {
            [] => {}
            // Karras goes before Lu, Lu before the others.
            [(_, spacing)] => {
                if self.sigma_spacing != SigmaSpacing::Lu || spacing == SigmaSpacing::Karras {
                    self.sigma_spacing = spacing;
                }
            }
            [(first, _), (field, _), ..] => {
                let expected = format!("false where {first} is true");
                return Err(ScheduleError::Field {
                    field,
                    value: "true".into(),
                    expected,
                });
            }
        }
        self.sigma_min = fields.positive("sigma_min")?;
        self.sigma_max = fields.positive("sigma_max")?;
        if self.sampler != Sampler::Heun {
            self.final_sigmas_type = choose!(
                fields,
                "final_sigmas_type",
                self.final_sigmas_type,
                FinalSigma
            )?;
        }
        Ok(())
    }

    /// The table of β and ᾱ that the configuration describes, rescaled to zero SNR where it says so.
    ///
    /// # Errors
    /// If the β are not a schedule; see [`Schedule::new`].
    pub fn schedule(&self) -> Result<Schedule, ScheduleError> {
        let schedule = match &self.trained_betas {
            Some(betas) => Schedule::from_betas(betas)?,
            None => Schedule::new(
                self.beta_schedule,
                self.beta_start,
                self.beta_end,
                self.num_train_timesteps,
            )?,
        };
        if self.rescale_betas_zero_snr {
            schedule.rescaled_to_zero_snr()
        } else {
            Ok(schedule)
        }
    }

    /// The steps of a chain where nobody says how many: T (at most 1000) for DDPM, 50 (at most T) for the others.
    pub fn default_steps(&self) -> usize {
        self.num_train_timesteps
            .min(if self.sampler == Sampler::Ddpm {
                1000
            } else {
                50
            })
    }

    /// The fields that describe how a network was trained, as a `scheduler_config.json` that any of diffusers'
    /// classes reads.
    pub fn to_json(&self) -> Value {
        let mut value = json!({
            "_class_name": self.sampler.class(),
            "num_train_timesteps": self.num_train_timesteps,
            "beta_start": self.beta_start,
            "beta_end": self.beta_end,
            "beta_schedule": self.beta_schedule.name(),
            "trained_betas": self.trained_betas,
            "prediction_type": self.prediction_type.name(),
            "timestep_spacing": self.timestep_spacing.name(),
            "steps_offset": self.steps_offset,
            "rescale_betas_zero_snr": self.rescale_betas_zero_snr,
        });
        if self.sampler == Sampler::Ddpm {
            value["variance_type"] = self.variance_type.name().into();
        }
        match self.bound {
            Bound::None => {}
            Bound::Clip(limit) => {
                value["clip_sample"] = true.into();
                value["clip_sample_range"] = limit.into();
            }
            Bound::Threshold { ratio, max } => {
                value["thresholding"] = true.into();
                value["dynamic_thresholding_ratio"] = ratio.into();
                value["sample_max_value"] = max.into();
            }
        }
        if self.bound == Bound::None && matches!(self.sampler, Sampler::Ddpm | Sampler::Ddim) {
            value["clip_sample"] = false.into();
        }
        value
    }
}

fn read_bound(sampler: Sampler, predict_x0: bool, fields: &Fields) -> Result<Bound, ScheduleError> {
    use Sampler::*;
    let thresholds = matches!(sampler, Ddpm | Ddim | DpmPp2m) || (sampler == UniPc && predict_x0);
    if thresholds && fields.flag("thresholding", false)? {
        let ratio = fields.number("dynamic_thresholding_ratio", 0.995)?;
        if !(0.0..=1.0).contains(&ratio) {
            return Err(fields.wrong("dynamic_thresholding_ratio", "a number from 0 to 1"));
        }
        let max = fields.positive("sample_max_value")?.unwrap_or(1.0);
        return Ok(Bound::Threshold { ratio, max });
    }
    let clips = matches!(sampler, Ddpm | Ddim | Heun);
    if clips && fields.flag("clip_sample", sampler != Heun)? {
        return Ok(Bound::Clip(
            fields.positive("clip_sample_range")?.unwrap_or(1.0),
        ));
    }
    Ok(Bound::None)
}
