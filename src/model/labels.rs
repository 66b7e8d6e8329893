//! `labels.json`: the names of a model's classes, and which label means any of them.

use serde::{Deserialize, Serialize};

use super::ModelError;
use super::fields::parse;

/// The input that the network takes beside image and timestep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClassLabels {
    /// Nothing.
    None,
    /// A label from 0 to below the number of rows of a table.
    Table(usize),
    /// A whole number, embedded as the timestep is.
    Timestep,
    /// A vector of this length, added to the time embedding.
    Identity(usize),
}

/// Class names in the order of their labels, from 0.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Labels {
    pub classes: Vec<String>,
    /// The label that means any class, where the training had one.
    #[serde(default)]
    pub any: Option<usize>,
}

impl Labels {
    /// The `labels.json` that [`Labels::parse`] reads.
    pub fn to_json(&self) -> String {
        format!("{:#}\n", serde_json::json!(self))
    }

    /// Reads the text of a `labels.json` for a network that takes `labels`.
    pub fn parse(file: &str, json: &[u8], labels: ClassLabels) -> Result<Self, ModelError> {
        let parsed: Self = parse(file, json)?;
        let error = |reason| ModelError::Config {
            file: file.to_string(),
            reason,
        };
        let ClassLabels::Table(rows) = labels else {
            return Err(error(
                "it names classes, and config.json has no table of them".into(),
            ));
        };
        if parsed.classes.len() > rows {
            return Err(error(format!(
                "it names {} classes, and config.json has {rows} (num_class_embeds)",
                parsed.classes.len()
            )));
        }
        if let Some(any) = parsed.any.filter(|any| *any >= rows) {
            return Err(error(format!(
                "the label {any} for any class is beyond num_class_embeds = {rows}"
            )));
        }
        Ok(parsed)
    }
}
