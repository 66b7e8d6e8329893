//! `scheduler_config.json`, read as diffusers' `from_config` reads it.
//!
//! The file's `_class_name` chooses the solver; a solver named beside it means `Class.from_config(file)`: fields of
//! the same name carry over, those the class does not have are ignored, and what is missing takes that class's own
//! default.

use serde_json::{Map, Value};

use super::choices::{PredictionType, Spacing, VarianceType};
use super::error::ScheduleError;
use super::fields::{Fields, choose, quote_non_finite};
use super::schedule::{BetaSchedule, MAX_TIMESTEPS, Schedule};
use super::solvers::{DefaultSteps, Settings, SolverName, Trained};
use super::step::Clip;
use crate::json;

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

/// Fields that say how the network was trained: no other sampler mends a value that is not supported there.
const TRAINED_WITH: &[&str] = &[
    "num_train_timesteps",
    "beta_start",
    "beta_end",
    "trained_betas",
    "prediction_type",
    "rescale_betas_zero_snr",
];

const PREDICT_EPSILON: &str = "predict_epsilon";

/// The file's fields, without those that it names as defaults, with `fields` in their place.
fn merged(text: &str, fields: Map<String, Value>) -> Result<Map<String, Value>, ScheduleError> {
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
    // As diffusers wrote it before prediction_type was there, up to version 0.9.
    if let Some(Value::Bool(epsilon)) = map.remove(PREDICT_EPSILON)
        && !epsilon
        && !map.contains_key("prediction_type")
    {
        map.insert("prediction_type".into(), "sample".into());
        map.insert(format!("_{PREDICT_EPSILON}"), false.into());
    }
    if let Some(unknown) = fields.keys().find(|key| !is_known(key)) {
        return Err(ScheduleError::Unknown(unknown.clone()));
    }
    map.extend(fields);
    Ok(map)
}

fn class(map: &Map<String, Value>) -> Option<&str> {
    map.get("_class_name").and_then(Value::as_str)
}

/// A sentence for each field that no scheduler knows, and on one that diffusers knows no more.
fn ignored(map: &Map<String, Value>) -> Vec<String> {
    let old = map.contains_key(&format!("_{PREDICT_EPSILON}")).then(|| {
        "predict_epsilon false is what prediction_type sample was called up to diffusers 0.9, and is taken as that; diffusers \
         0.42.1 ignores it and takes the output for epsilon"
            .to_owned()
    });
    map.keys()
        .filter(|key| !key.starts_with('_') && !is_known(key))
        .map(|key| format!("the scheduler field {key} is not known and is ignored"))
        .chain(old)
        .collect()
}

/// The solver for a file of `class`, and where it is another than the file's, the sentence that says so.
fn near(class: Option<&str>) -> (SolverName, Option<String>) {
    let Some(name) = class else {
        let sentence = format!(
            "the scheduler configuration has no _class_name; {} is chosen, of {}",
            SolverName::Ddpm.name(),
            SolverName::names()
        );
        return (SolverName::Ddpm, Some(sentence));
    };
    if let Some(solver) = SolverName::from_class(name) {
        return (solver, None);
    }
    let near = SolverName::near_class(name);
    let solver = near.unwrap_or(SolverName::Ddim);
    let mut sentence = format!(
        "the scheduler class {name} is not supported; {} is chosen in its place, of {}",
        solver.name(),
        SolverName::names()
    );
    if near.is_none() {
        sentence += "; networks for that class may want another chain than any of these";
    }
    (solver, Some(sentence))
}

/// The sentence on a field whose value `error` says is not supported.
fn replacement(solver: SolverName, field: &str, error: &ScheduleError) -> String {
    let class = solver.about().class;
    let mut sentence = format!("{error}; the default of {class} is taken in its place");
    if field == "beta_schedule" {
        sentence += ", and if the network was trained with other betas, its pictures will be wrong";
    }
    sentence
}

impl SchedulerConfig {
    /// The fields that are read for every solver; a consistency model's takes T of them alone.
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
        let (beta_start, beta_end) = about.trained.beta_ends;
        SchedulerConfig {
            settings: solver.settings(),
            num_train_timesteps: about.trained.timesteps,
            beta_start,
            beta_end,
            beta_schedule: about.trained.beta_schedule,
            trained_betas: None,
            rescale_betas_zero_snr: false,
            prediction_type: PredictionType::Epsilon,
            clip: about.clip,
            timestep_spacing: about.timestep_spacing,
            steps_offset: 0,
            variance_type: VarianceType::FixedSmall,
        }
    }

    /// The same over the paper's schedule: linear, T = 1000, β from 1e-4 to 0.02.
    pub fn on_the_papers_schedule(self) -> SchedulerConfig {
        let (beta_start, beta_end) = Trained::DDPM.beta_ends;
        SchedulerConfig {
            num_train_timesteps: Trained::DDPM.timesteps,
            beta_schedule: Trained::DDPM.beta_schedule,
            beta_start,
            beta_end,
            ..self
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
        let map = merged(text, fields)?;
        let solver = match (solver, class(&map)) {
            (Some(solver), _) => solver,
            (None, Some(class)) => SolverName::from_class(class)
                .ok_or_else(|| ScheduleError::Class(class.to_string()))?,
            (None, None) => return Err(ScheduleError::NoClass),
        };
        let config = SchedulerConfig::read(solver, &Fields(&map))?;
        Ok((config, ignored(&map)))
    }

    /// As [`SchedulerConfig::parse_with`] where pictures are to be made, whatever solver the file asks for: of a class that
    /// none here has, a near solver takes the place; of a field that the file has and the class cannot do, its default. Each
    /// is a sentence beside the configuration.
    ///
    /// # Errors
    /// If `text` is no JSON object, if a field is not supported that says how the network was trained (the name of its betas
    /// aside), or if one of `fields` is not.
    pub fn open(
        text: &str,
        solver: Option<SolverName>,
        fields: Map<String, Value>,
    ) -> Result<(SchedulerConfig, Vec<String>), ScheduleError> {
        let given: Vec<String> = fields.keys().cloned().collect();
        let mut map = merged(text, fields)?;
        let mut warnings = ignored(&map);
        let solver = match solver {
            Some(solver) => solver,
            None => {
                let (solver, replaced) = near(class(&map));
                warnings.extend(replaced);
                solver
            }
        };
        loop {
            let error = match SchedulerConfig::read(solver, &Fields(&map)) {
                Ok(config) => return Ok((config, warnings)),
                Err(error) => error,
            };
            match error {
                ScheduleError::Field { field, .. }
                    if !TRAINED_WITH.contains(&field)
                        && !given.iter().any(|given| given == field)
                        && map.remove(field).is_some() =>
                {
                    warnings.push(replacement(solver, field, &error));
                }
                _ => return Err(error),
            }
        }
    }

    fn read(solver: SolverName, fields: &Fields) -> Result<SchedulerConfig, ScheduleError> {
        let mut config = SchedulerConfig::new(solver);
        config.num_train_timesteps = fields.count(
            "num_train_timesteps",
            config.num_train_timesteps,
            MAX_TIMESTEPS,
        )?;
        config.trained_betas = fields.numbers("trained_betas")?;
        let beta_schedule = fields.choice(
            "beta_schedule",
            config.beta_schedule,
            BetaSchedule::from_name,
            BetaSchedule::ALL.map(BetaSchedule::name).as_slice(),
        );
        // Betas that are listed need no other description, right or wrong.
        config.beta_schedule = match config.trained_betas {
            None => beta_schedule?,
            Some(_) => beta_schedule.unwrap_or(config.beta_schedule),
        };
        if config.trained_betas.is_none() && config.beta_schedule.has_ends() {
            config.beta_start = fields.number("beta_start", config.beta_start)?;
            config.beta_end = fields.number("beta_end", config.beta_end)?;
        }
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
        self.num_train_timesteps
            .min(most)
            .min(self.settings.most_steps())
    }

    /// The fields that describe how a network was trained, as a `scheduler_config.json` that any of diffusers'
    /// classes reads.
    pub fn to_json(&self) -> Value {
        let about = self.solver().about();
        let fields = vec![
            ("_class_name", about.class.into()),
            ("num_train_timesteps", self.num_train_timesteps.into()),
            ("beta_start", self.beta_start.into()),
            ("beta_end", self.beta_end.into()),
            ("beta_schedule", self.beta_schedule.name().into()),
            ("trained_betas", self.trained_betas.clone().into()),
            ("prediction_type", self.prediction_type.name().into()),
            ("timestep_spacing", self.timestep_spacing.name().into()),
            ("steps_offset", self.steps_offset.into()),
            ("rescale_betas_zero_snr", self.rescale_betas_zero_snr.into()),
        ];
        let mut value = json::object(fields);
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
