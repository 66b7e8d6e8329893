//! Values across the border: options and results travel as JSON, numbers in bulk as typed arrays.

use std::collections::VecDeque;
use std::pin::Pin;

use js_sys::{Error as JsError, Function, JSON, Object, Promise, Reflect, Uint8ClampedArray};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

use crate::Error;
use crate::diffusion::noise;
use crate::engine::{Frame, PendingFrame};
use crate::gpu::GpuError;
use crate::json::{self, Fields};

/// An exception with a `name` that docs/api.md lists.
fn error(name: &str, message: &str) -> JsValue {
    let error = JsError::new(message);
    error.set_name(name);
    error.into()
}

/// An exception about an argument.
pub fn input(message: impl std::fmt::Display) -> JsValue {
    error("InputError", &message.to_string())
}

/// The library's error as an exception: its sentence, under the name of its kind.
pub fn failure(failed: impl Into<Error>) -> JsValue {
    thrown(&failed.into())
}

/// The same for every kind, which the page's download has but once.
fn thrown(failed: &Error) -> JsValue {
    let name = match failed {
        Error::Gpu(GpuError::Lost(_)) => "DeviceLostError",
        Error::Model(_) | Error::Graph(_) => "ModelError",
        Error::Input(_) | Error::Schedule(_) => "InputError",
        Error::Diverged { .. } => "DivergedError",
        Error::Gpu(_) => "EngineError",
    };
    error(name, &failed.to_string())
}

/// Options given as a plain object; missing fields take their defaults, unknown ones are ignored.
pub fn options<T: DeserializeOwned>(value: &JsValue) -> Result<T, JsValue> {
    json::fields(&text(value)?).map_err(wrong_option)
}

/// A field that is a struct of options itself, for serde's `deserialize_with`.
pub fn fields<'de, D: Deserializer<'de>, T: Deserialize<'de>>(within: D) -> Result<T, D::Error> {
    T::deserialize(Fields(within))
}

fn text(value: &JsValue) -> Result<String, JsValue> {
    match value.is_undefined() {
        true => Ok("{}".to_owned()),
        false => Ok(String::from(JSON::stringify(value)?)),
    }
}

fn wrong_option(error: serde_json::Error) -> JsValue {
    input(format!("An option is wrong: {error}."))
}

/// A seed out of a JavaScript number.
pub fn seed(number: f64) -> Result<u64, JsValue> {
    noise::seed(number).ok_or_else(|| {
        input(format!(
            "The seed is {number}, and must be {}.",
            noise::SEEDS
        ))
    })
}

/// A plain object from anything that serde writes.
pub fn object<T: Serialize>(value: &T) -> Result<Object, JsValue> {
    parsed(serde_json::to_string(value))
}

fn parsed(text: serde_json::Result<String>) -> Result<Object, JsValue> {
    let text = text.map_err(|e| error("EngineError", &e.to_string()))?;
    JSON::parse(&text)?.dyn_into()
}

/// Adds a field to an object: typed arrays, which JSON would slow down.
pub fn set(object: &Object, field: &str, value: impl Into<JsValue>) -> Result<(), JsValue> {
    Reflect::set(object, &field.into(), &value.into()).map(drop)
}

/// Bytes as `ImageData` takes them.
pub fn bytes(rgba: &[u8]) -> Uint8ClampedArray {
    Uint8ClampedArray::from(rgba)
}

/// Hands `value` to `callback` and waits for the promise it may return; what the promise rejects with ends the chain.
pub async fn deliver(callback: &Function, value: impl AsRef<JsValue>) -> Result<(), JsValue> {
    let answer = callback.call1(&JsValue::NULL, value.as_ref())?;
    JsFuture::from(Promise::resolve(&answer)).await.map(drop)
}

type Arriving = Pin<Box<dyn Future<Output = Result<Frame, Error>>>>;

/// Frames on their way from the device: delivered in order, a step or two behind the chain, which waits for none that
/// is younger.
pub struct Frames<'a, F> {
    callback: &'a Function,
    describe: F,
    arriving: VecDeque<(usize, Arriving)>,
}

/// Frames that may be on their way: two, and the one that has just been asked for.
const BEHIND: usize = 2;

impl<'a, F: FnMut(usize, Frame) -> Result<Object, JsValue>> Frames<'a, F> {
    /// `describe` makes the object that `callback` gets, from the step's number and its frame.
    pub fn new(callback: &'a Function, describe: F) -> Self {
        Self {
            callback,
            describe,
            arriving: VecDeque::new(),
        }
    }

    /// The frame of step `number`; the oldest is delivered once more than two are on their way. For a step that
    /// was not drawn, null is delivered at once.
    pub async fn push(
        &mut self,
        number: usize,
        frame: Option<PendingFrame>,
    ) -> Result<(), JsValue> {
        let Some(frame) = frame else {
            return deliver(self.callback, JsValue::NULL).await;
        };
        self.arriving.push_back((number, Box::pin(frame.arrive())));
        self.drain(BEHIND).await
    }

    /// Delivers what is left.
    pub async fn finish(&mut self) -> Result<(), JsValue> {
        self.drain(0).await
    }

    async fn drain(&mut self, down_to: usize) -> Result<(), JsValue> {
        while self.arriving.len() > down_to
            && let Some((number, frame)) = self.arriving.pop_front()
        {
            let frame = frame.await.map_err(failure)?;
            deliver(self.callback, (self.describe)(number, frame)?).await?;
        }
        Ok(())
    }
}
