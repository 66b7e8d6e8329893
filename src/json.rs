//! JSON of bytes, and numbers as JSON has them.

use serde::de::{DeserializeOwned, Error};
use serde_json::Number;

/// What `json` says. serde_json's own reader of bytes, beside its reader of text, is several kilobytes of the page's download.
///
/// # Errors
/// If it is no UTF-8, no JSON, or not of this type.
pub(crate) fn from_bytes<T: DeserializeOwned>(json: &[u8]) -> serde_json::Result<T> {
    serde_json::from_str(std::str::from_utf8(json).map_err(Error::custom)?)
}

/// `x` for a sentence, with an exponent where it has many digits: 1e+300, not three hundred zeros. JSON and Python read it. What
/// the standard library makes of `{:e}` would be three kilobytes more of the page's download.
pub(crate) fn number(x: f64) -> String {
    match Number::from_f64(x) {
        Some(number) if x != 0.0 && !(1e-7..1e16).contains(&x.abs()) => number.to_string(),
        _ => x.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::number;

    #[test]
    fn numbers_of_many_digits_have_an_exponent() {
        for (x, shown) in [
            (0.0, "0"),
            (-0.5, "-0.5"),
            (1e15, "1000000000000000"),
            (1e16, "1e+16"),
            (-1.25e300, "-1.25e+300"),
            (f64::MAX, "1.7976931348623157e+308"),
            (1e-7, "0.0000001"),
            (1e-8, "1e-8"),
            (-2.5e-300, "-2.5e-300"),
            (f64::INFINITY, "inf"),
        ] {
            assert_eq!(number(x), shown);
            assert_eq!(number(x).parse::<f64>(), Ok(x));
        }
    }
}
