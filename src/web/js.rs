//! Values across the border: options and results travel as JSON, numbers in bulk as typed arrays.

use js_sys::{Error, JSON, Object, Reflect};
use serde::Serialize;
use serde::de::DeserializeOwned;
use wasm_bindgen::prelude::*;

/// An exception with the `name` that docs/api.md lists.
pub fn error(name: &str, message: impl std::fmt::Display) -> JsValue {
    let error = Error::new(&message.to_string());
    error.set_name(name);
    error.into()
}

/// An exception about an argument.
pub fn input(message: impl std::fmt::Display) -> JsValue {
    error("InputError", message)
}

/// Options given as a plain object; missing fields take their defaults, unknown ones are ignored.
pub fn options<T: DeserializeOwned>(value: &JsValue) -> Result<T, JsValue> {
    let text = JSON::stringify(value)?;
    serde_json::from_str(&String::from(text)).map_err(|e| input(format!("An option is wrong: {e}.")))
}

/// A plain object from anything that serde writes.
pub fn object<T: Serialize>(value: &T) -> Result<Object, JsValue> {
    let text = serde_json::to_string(value).map_err(|e| error("EngineError", e))?;
    JSON::parse(&text)?.dyn_into()
}

/// Adds a field to an object, for what JSON would only slow down.
pub fn set(object: &Object, field: &str, value: impl Into<JsValue>) -> Result<(), JsValue> {
    Reflect::set(object, &field.into(), &value.into()).map(drop)
}
