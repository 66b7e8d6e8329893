//! `scheduler_config.json`, read as diffusers' `from_config` reads it.
//!
//! The file's `_class_name` chooses the solver; a solver named beside it means `Class.from_config(file)`: fields of
//! the same name carry over, those the class does not have are ignored, and what is missing takes that class's own
//! default.

use serde_json::{Map, Value, json};

use super::choices::{PredictionType, Spacing, VarianceType};
use super::error::ScheduleError;
use super::fields::{Fields, choose, quote_non_finite};
use super::schedule::{BetaSchedule, MAX_TIMESTEPS, Schedule};
use super::solvers::{DefaultSteps, Settings, SolverName};
use super::step::Clip;

/// A scheduler's configuration. Fields that its class does not have hold that class's fixed behaviour.
#[derive(Clone, Debug, PartialEq)]
pub struct SchedulerConfig {
    /// The solver, and what only it reads.
    pub settings: Settings,
    pub num_train_timesteps: usize,
    pub beta_start: f64,
    pub beta_end: f64,
    pub beta_schedule: BetaSchedule,
    pub trained_betas: Option<Vec<f64>>,
    pub rescale_betas_zero_snr: bool,
    pub prediction_type: PredictionType,
    /// From `thresholding` or `clip_sample`, as far as the class has them.
    pub clip: Clip,
    pub timestep_spacing: Spacing,
    pub steps_offset: i64,
    /// σ_t² of p_θ: DDPM's, and the variational bound's.
    pub variance_type: VarianceType,
}

/// Fields of diffusers' interchangeable scheduler classes that no solver here reads.
const ELSEWHERE: &[&str] = &[
    "flow_shift",
    "rho",
    "sigma_data",
    "sigma_schedule",
    "skip_prk_steps",
    "time_shift_type",
];

/// True for the fields of diffusers' interchangeable scheduler classes, whether or not the chosen class reads them.
fn is_known(field: &str) -> bool {
    let mut lists = SolverName::ALL.iter().flat_map(|s| s.about().fields);
    SchedulerConfig::COMMON.contains(&field)
        || ELSEWHERE.contains(&field)
        || lists.any(|list| list.contains(&field))
}

impl SchedulerConfig {
    /// The fields that every solver reads.
    pub const COMMON: &[&str] = &[
        "num_train_timesteps",
        "beta_start",
        "beta_end",
        "beta_schedule",
        "trained_betas",
        "prediction_type",
        "timestep_spacing",
        "steps_offset",
    ];

    /// `Class()`: every field at its default.
    pub fn new(solver: SolverName) -> SchedulerConfig {
        let about = solver.about();
        let (beta_start, beta_end) = about.beta_ends;
        SchedulerConfig {
            settings: solver.settings(),
            num_train_timesteps: 1000,
            beta_start,
            beta_end,
            beta_schedule: BetaSchedule::Linear,
            trained_betas: None,
            rescale_betas_zero_snr: false,
            prediction_type: PredictionType::Epsilon,
            clip: about.clip,
            timestep_spacing: about.timestep_spacing,
            steps_offset: 0,
            variance_type: VarianceType::FixedSmall,
        }
    }

    /// Which solver it is for.
    pub fn solver(&self) -> SolverName {
        self.settings.solver()
    }

    /// Reads a `scheduler_config.json`; `solver` overrides the file's class. Returns a sentence for each field that
    /// no scheduler knows, beside the configuration.
    ///
    /// # Errors
    /// If `text` is no JSON object, names no supported class where none is given, or holds a value that is not
    /// supported in a field that the class reads.
    pub fn parse(
        text: &str,
        solver: Option<SolverName>,
    ) -> Result<(SchedulerConfig, Vec<String>), ScheduleError> {
        Self::parse_with(text, solver, Map::new())
    }

    /// As [`SchedulerConfig::parse`], with `fields` in place of those of the file: `Class.from_config(file, **fields)`.
    ///
    /// # Errors
    /// Also if no scheduler knows one of `fields`.
    pub fn parse_with(
        text: &str,
        solver: Option<SolverName>,
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
        if let Some(unknown) = fields.keys().find(|key| !is_known(key)) {
            return Err(ScheduleError::Unknown(unknown.clone()));
        }
        map.extend(fields);
        let class = map.get("_class_name").and_then(Value::as_str);
        let solver = match (solver, class) {
            (Some(solver), _) => solver,
            (None, Some(class)) => SolverName::from_class(class)
                .ok_or_else(|| ScheduleError::Class(class.to_string()))?,
            (None, None) => return Err(ScheduleError::NoClass),
        };
        let warnings = map
            .keys()
            .filter(|key| !key.starts_with('_') && !is_known(key))
            .map(|key| format!("the scheduler field {key} is not known and is ignored"))
            .collect();
        let config = SchedulerConfig::read(solver, &Fields(&map))?;
        Ok((config, warnings))
    }

    fn read(solver: SolverName, fields: &Fields) -> Result<SchedulerConfig, ScheduleError> {
        let mut config = SchedulerConfig::new(solver);
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
        config.prediction_type = fields.own_choice(
            "prediction_type",
            config.prediction_type,
            solver.about().prediction_types,
            &[],
        )?;
        config.timestep_spacing =
            choose!(fields, "timestep_spacing", config.timestep_spacing, Spacing)?;
        config.steps_offset = fields.integer("steps_offset", 0)?;
        config.settings = solver.read(&mut config, fields)?;
        Ok(config)
    }

    /// The table of β and ᾱ that the configuration describes, rescaled to zero SNR where it asks for it.
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

    /// The number of steps where none is asked for, at most T.
    pub fn default_steps(&self) -> usize {
        let most = match self.solver().about().default_steps {
            DefaultSteps::Every => 1000,
            DefaultSteps::Few => 50,
        };
        self.num_train_timesteps.min(most)
    }

    /// The fields that describe how a network was trained, as a `scheduler_config.json` that any of diffusers'
    /// classes reads.
    pub fn to_json(&self) -> Value {
        let about = self.solver().about();
        let mut value = json!({
            "_class_name": about.class,
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
        if about.takes.variance {
            value["variance_type"] = self.variance_type.name().into();
        }
        match self.clip {
            // The class's default is to clip.
            Clip::None if about.clip != Clip::None => value["clip_sample"] = false.into(),
            Clip::None => {}
            Clip::Fixed(limit) => {
                value["clip_sample"] = true.into();
                value["clip_sample_range"] = limit.into();
            }
            Clip::Dynamic { ratio, max } => {
                value["thresholding"] = true.into();
                value["dynamic_thresholding_ratio"] = ratio.into();
                value["sample_max_value"] = max.into();
            }
        }
        value
    }
}
