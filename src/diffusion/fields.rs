//! Reading single fields of a scheduler's JSON, each error naming the field and what it holds.

use serde_json::{Map, Value};

use super::error::ScheduleError;

/// Reads a field as one of a named type's choices.
macro_rules! choose {
    ($fields:expr, $field:literal, $default:expr, $type:ident) => {
        $fields.own_choice($field, $default, $type::NAMED, &[])
    };
}
pub(super) use choose;

/// The fields of one configuration. Where a field is absent its default applies; null counts as absent for numbers
/// and lists, and as false for flags.
pub(super) struct Fields<'a>(pub &'a Map<String, Value>);

impl Fields<'_> {
    fn given(&self, field: &str) -> Option<&Value> {
        self.0.get(field).filter(|value| !value.is_null())
    }

    /// Whether the file has null there.
    pub fn is_null(&self, field: &str) -> bool {
        self.0.get(field).is_some_and(Value::is_null)
    }

    pub fn wrong(&self, field: &'static str, expected: &str) -> ScheduleError {
        let mut value = self.0.get(field).unwrap_or(&Value::Null).to_string();
        if let Some((end, _)) = value.char_indices().nth(60) {
            value.truncate(end);
            value.push('…');
        }
        ScheduleError::Field {
            field,
            value,
            expected: expected.to_string(),
        }
    }

    pub fn flag(&self, field: &'static str, default: bool) -> Result<bool, ScheduleError> {
        match self.0.get(field) {
            None => Ok(default),
            Some(Value::Null) => Ok(false),
            Some(Value::Bool(flag)) => Ok(*flag),
            Some(Value::Number(number)) => Ok(number.as_f64() != Some(0.0)),
            Some(_) => Err(self.wrong(field, "true or false")),
        }
    }

    /// A number; −∞, ∞ and NaN as Python writes them included.
    pub fn any_number(&self, field: &'static str, default: f64) -> Result<f64, ScheduleError> {
        match self.given(field) {
            None => Ok(default),
            Some(value) => match value.as_str() {
                Some("-Infinity") => Ok(f64::NEG_INFINITY),
                Some("Infinity") => Ok(f64::INFINITY),
                Some("NaN") => Ok(f64::NAN),
                _ => value.as_f64().ok_or_else(|| self.wrong(field, "a number")),
            },
        }
    }

    pub fn number(&self, field: &'static str, default: f64) -> Result<f64, ScheduleError> {
        let number = self.any_number(field, default)?;
        if number.is_finite() {
            Ok(number)
        } else {
            Err(self.wrong(field, "a finite number"))
        }
    }

    pub fn positive(&self, field: &'static str) -> Result<Option<f64>, ScheduleError> {
        let number = self.number(field, 1.0)?;
        if number <= 0.0 {
            return Err(self.wrong(field, "a number above 0"));
        }
        Ok(self.given(field).map(|_| number))
    }

    pub fn integer(&self, field: &'static str, default: i64) -> Result<i64, ScheduleError> {
        self.given(field)
            .map_or(Some(default), whole)
            .ok_or_else(|| self.wrong(field, "a whole number below 1e15"))
    }

    /// A whole number from 1 to `max`.
    pub fn count(
        &self,
        field: &'static str,
        default: usize,
        max: usize,
    ) -> Result<usize, ScheduleError> {
        let given = self.given(field).map_or(Some(default as i64), whole);
        given
            .and_then(|count| usize::try_from(count).ok())
            .filter(|count| (1..=max).contains(count))
            .ok_or_else(|| self.wrong(field, &format!("a whole number from 1 to {max}")))
    }

    pub fn numbers(&self, field: &'static str) -> Result<Option<Vec<f64>>, ScheduleError> {
        let Some(value) = self.given(field) else {
            return Ok(None);
        };
        let numbers = value
            .as_array()
            .and_then(|list| list.iter().map(Value::as_f64).collect());
        numbers
            .map(Some)
            .ok_or_else(|| self.wrong(field, "a list of numbers"))
    }

    pub fn integers(&self, field: &'static str) -> Result<Vec<i64>, ScheduleError> {
        let Some(value) = self.given(field) else {
            return Ok(Vec::new());
        };
        let numbers = value
            .as_array()
            .and_then(|list| list.iter().map(whole).collect());
        numbers.ok_or_else(|| self.wrong(field, "a list of whole numbers below 1e15"))
    }

    /// A choice by name, `names` being all of them.
    pub fn choice<T>(
        &self,
        field: &'static str,
        default: T,
        from_name: impl Fn(&str) -> Option<T>,
        names: &[&str],
    ) -> Result<T, ScheduleError> {
        match self.0.get(field) {
            None => Ok(default),
            Some(value) => value
                .as_str()
                .and_then(from_name)
                .ok_or_else(|| self.wrong(field, &format!("one of {}", names.join(", ")))),
        }
    }

    /// A choice among a class's `own`; a name among `foreign`, those of other classes, counts as absent.
    pub fn own_choice<T: Copy>(
        &self,
        field: &'static str,
        default: T,
        own: &[(&'static str, T)],
        foreign: &[&'static str],
    ) -> Result<T, ScheduleError> {
        let named = |name: &str| own.iter().find(|(own, _)| *own == name);
        let from_name = |name: &str| match named(name) {
            Some((_, choice)) => Some(*choice),
            None => foreign.contains(&name).then_some(default),
        };
        let names: Vec<&str> = own
            .iter()
            .map(|(name, _)| *name)
            .chain(foreign.iter().copied())
            .collect();
        self.choice(field, default, from_name, &names)
    }

    /// The place of the field's value among `names`, the first being the default.
    pub fn one_of(&self, field: &'static str, names: &[&str]) -> Result<usize, ScheduleError> {
        self.choice(
            field,
            0,
            |name| names.iter().position(|n| *n == name),
            names,
        )
    }

    /// An error where a field that stands for something unsupported is switched on.
    pub fn refuse(&self, field: &'static str) -> Result<(), ScheduleError> {
        match self.given(field) {
            None | Some(Value::Bool(false)) => Ok(()),
            Some(_) => Err(self.wrong(field, "absent, null or false")),
        }
    }
}

fn whole(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| {
        let number = value.as_f64()?;
        (number.fract() == 0.0 && number.abs() < 1e15).then_some(number as i64)
    })
}

const NON_FINITE: [&str; 3] = ["-Infinity", "Infinity", "NaN"];

/// Python writes infinities and NaN as bare words, which JSON does not have: puts them in quotes.
pub(super) fn quote_non_finite(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    let (mut quoted, mut escaped) = (false, false);
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if !quoted && let Some(word) = NON_FINITE.iter().find(|word| rest.starts_with(**word)) {
            out.extend(["\"", word, "\""]);
            rest = &rest[word.len()..];
            continue;
        }
        if c == '"' && !escaped {
            quoted = !quoted;
        }
        escaped = quoted && c == '\\' && !escaped;
        out.push(c);
        rest = &rest[c.len_utf8()..];
    }
    out
}
