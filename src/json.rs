//! JSON of bytes, and numbers as JSON has them.

use std::fmt::{Display, LowerExp};

use serde::de::{DeserializeOwned, Error};

/// What `json` says. serde_json's own reader of bytes, beside its reader of text, is several kilobytes of the page's download.
///
/// # Errors
/// If it is no UTF-8, no JSON, or not of this type.
pub(crate) fn from_bytes<T: DeserializeOwned>(json: &[u8]) -> serde_json::Result<T> {
    serde_json::from_str(std::str::from_utf8(json).map_err(Error::custom)?)
}

/// `x` for a sentence, with an exponent where it has many digits: 1e300, not three hundred zeros. JSON and Python read it.
pub(crate) fn number<T: Copy + Display + LowerExp + Into<f64>>(x: T) -> String {
    match x.into().abs() {
        many if many >= 1e16 || many > 0.0 && many < 1e-7 => format!("{x:e}"),
        _ => x.to_string(),
    }
}
