//! JSON of bytes, and numbers as JSON has them.

use serde::de::{DeserializeOwned, Error, Visitor};
use serde::{Deserializer, forward_to_deserialize_any};
use serde_json::{Map, Number, Value};

/// What `json` says. serde_json's own reader of bytes, beside its reader of text, is several kilobytes of the page's download.
///
/// # Errors
/// If it is no UTF-8, no JSON, or not of this type.
pub(crate) fn from_bytes<T: DeserializeOwned>(json: &[u8]) -> serde_json::Result<T> {
    serde_json::from_str(std::str::from_utf8(json).map_err(Error::custom)?)
}

/// A struct out of the text of a JSON object.
///
/// # Errors
/// If it is no object, or a field is not of its type.
pub(crate) fn fields<T: DeserializeOwned>(json: &str) -> serde_json::Result<T> {
    T::deserialize(Fields(&mut serde_json::Deserializer::from_str(json)))
}

/// Reads a struct from an object alone: from an array, as serde_json does too, would be 3 KB more of the page's download.
pub(crate) struct Fields<D>(pub D);

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Fields<D> {
    type Error = D::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.0.deserialize_map(visitor)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

/// An object of these fields. Of `json!` every field is code of its own, and to collect them is to sort them first.
pub(crate) fn object(fields: Vec<(&str, Value)>) -> Value {
    let mut object = Map::new();
    for (name, value) in fields {
        object.insert(name.to_owned(), value);
    }
    Value::Object(object)
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
    use super::{fields, number};

    #[derive(Debug, PartialEq, serde::Deserialize)]
    struct Size {
        edge: usize,
    }

    #[test]
    fn fields_come_from_an_object_alone() {
        let read = |text| fields::<Size>(text).map_err(|e| e.to_string());
        assert_eq!(read("{\"edge\": 3, \"other\": [1]}"), Ok(Size { edge: 3 }));
        for (text, why) in [
            ("[1]", "invalid type: sequence"),
            ("{\"edge\": \"x\"}", "invalid type: string"),
            ("3", "invalid type: integer"),
        ] {
            assert!(read(text).is_err_and(|e| e.contains(why)), "{text}");
        }
    }

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
