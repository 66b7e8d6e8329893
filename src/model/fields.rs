//! Typed access to the fields of a JSON object, with errors that name field and value.

use std::fmt::Display;
use std::ops::RangeInclusive;

use serde_json::{Map, Value};

use super::ModelError;
use crate::json;

/// A JSON file that is larger than this is refused unread; configurations are a few kilobytes.
const MAX_BYTES: usize = 1 << 20;

/// The fields of one JSON object that have not been read yet.
pub(super) struct Fields<'a> {
    file: &'a str,
    left: Map<String, Value>,
}

/// Reads JSON of at most a mebibyte.
pub(super) fn parse<T: serde::de::DeserializeOwned>(
    file: &str,
    bytes: &[u8],
) -> Result<T, ModelError> {
    let error = |reason: String| ModelError::Json {
        file: file.to_string(),
        reason,
    };
    if bytes.len() > MAX_BYTES {
        return Err(error(format!(
            "it is {} bytes long, and {MAX_BYTES} is the most a file of settings may have",
            bytes.len()
        )));
    }
    json::from_bytes(bytes).map_err(|e| error(e.to_string()))
}

impl<'a> Fields<'a> {
    pub fn parse(file: &'a str, json: &[u8]) -> Result<Self, ModelError> {
        parse(file, json).map(|left| Self { file, left })
    }

    /// Removes a field, `None` where the file does not have it.
    pub fn take(&mut self, field: &str) -> Option<Value> {
        self.left.remove(field)
    }

    /// The names of the fields that are left.
    pub fn into_names(self) -> impl Iterator<Item = String> {
        self.left.into_iter().map(|(name, _)| name)
    }

    pub fn error(&self, field: &str, value: &Value, reason: impl Display) -> ModelError {
        let mut value = value.to_string();
        if value.chars().count() > 80 {
            value = value.chars().take(80).chain("…".chars()).collect();
        }
        ModelError::Field {
            file: self.file.to_string(),
            field: field.to_string(),
            value,
            reason: reason.to_string(),
        }
    }

    pub fn bool(&mut self, field: &str, default: bool) -> Result<bool, ModelError> {
        match self.take(field) {
            None => Ok(default),
            Some(Value::Bool(b)) => Ok(b),
            Some(v) => Err(self.error(field, &v, "it must be true or false")),
        }
    }

    pub fn usize(
        &mut self,
        field: &str,
        default: usize,
        range: RangeInclusive<usize>,
    ) -> Result<usize, ModelError> {
        match self.take(field) {
            None => Ok(default),
            Some(v) => self.integer(field, &v, &range),
        }
    }

    /// A whole number or null.
    pub fn optional_usize(
        &mut self,
        field: &str,
        default: Option<usize>,
        range: RangeInclusive<usize>,
    ) -> Result<Option<usize>, ModelError> {
        match self.take(field) {
            None => Ok(default),
            Some(Value::Null) => Ok(None),
            Some(v) => self.integer(field, &v, &range).map(Some),
        }
    }

    pub fn integer(
        &self,
        field: &str,
        value: &Value,
        range: &RangeInclusive<usize>,
    ) -> Result<usize, ModelError> {
        // 8.0 is Python's float for the same number.
        let whole = |x: &f64| x.fract() == 0.0 && (0.0..1e15).contains(x);
        value
            .as_u64()
            .or_else(|| value.as_f64().filter(whole).map(|x| x as u64))
            .and_then(|n| usize::try_from(n).ok())
            .filter(|n| range.contains(n))
            .ok_or_else(|| {
                let reason = format!(
                    "it must be a whole number from {} to {}",
                    range.start(),
                    range.end()
                );
                self.error(field, value, reason)
            })
    }

    pub fn number(
        &mut self,
        field: &str,
        default: f64,
        range: RangeInclusive<f64>,
    ) -> Result<f64, ModelError> {
        match self.take(field) {
            None => Ok(default),
            Some(v) => v.as_f64().filter(|x| range.contains(x)).ok_or_else(|| {
                let [from, to] = [range.start(), range.end()].map(|end| json::number(*end));
                self.error(
                    field,
                    &v,
                    format!("it must be a number from {from} to {to}"),
                )
            }),
        }
    }

    pub fn list(&mut self, field: &str) -> Result<Option<Vec<Value>>, ModelError> {
        match self.take(field) {
            None => Ok(None),
            Some(Value::Array(list)) => Ok(Some(list)),
            Some(v) => Err(self.error(field, &v, "it must be a list")),
        }
    }

    /// One of the names in `choices`; null where `null` gives what it means.
    pub fn choice<T: Copy>(
        &mut self,
        field: &str,
        default: T,
        null: Option<T>,
        choices: &[(&str, T)],
    ) -> Result<T, ModelError> {
        let Some(value) = self.take(field) else {
            return Ok(default);
        };
        let found = match &value {
            Value::Null => null,
            Value::String(s) => choices.iter().find(|c| c.0 == s).map(|c| c.1),
            _ => None,
        };
        found.ok_or_else(|| {
            let names: Vec<_> = choices.iter().map(|c| c.0).collect();
            self.error(field, &value, format!("known are {}", names.join(", ")))
        })
    }
}
