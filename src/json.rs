//! JSON of bytes.

use serde::de::{DeserializeOwned, Error};

/// What `json` says. serde_json's own reader of bytes, beside its reader of text, is several kilobytes of the page's download.
///
/// # Errors
/// If it is no UTF-8, no JSON, or not of this type.
pub(crate) fn from_bytes<T: DeserializeOwned>(json: &[u8]) -> serde_json::Result<T> {
    serde_json::from_str(std::str::from_utf8(json).map_err(Error::custom)?)
}
