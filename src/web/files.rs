//! Files that JavaScript holds, read by ranges: of a model only what is needed comes into the engine's memory.

use std::borrow::Cow;
use std::time::Duration;

use js_sys::{Error, Promise};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

use crate::model::{Arrival, NamedSource, Source};

#[wasm_bindgen]
extern "C" {
    /// A file of a model, of which nothing has been read yet.
    pub type ModelFile;

    #[wasm_bindgen(method, getter)]
    fn path(this: &ModelFile) -> String;

    #[wasm_bindgen(method, getter)]
    fn size(this: &ModelFile) -> f64;

    /// Milliseconds since 1970, where it is known.
    #[wasm_bindgen(method, getter)]
    fn modified(this: &ModelFile) -> Option<f64>;

    /// Puts the bytes from `begin` on into `bytes` and says how many they were: fewer where the file has become shorter.
    #[wasm_bindgen(method, catch)]
    fn read(this: &ModelFile, begin: f64, bytes: &mut [u8]) -> Result<usize, Error>;

    /// Resolves when the bytes from `begin` to `end` can be read; nothing where all can.
    #[wasm_bindgen(method)]
    fn arrive(this: &ModelFile, begin: f64, end: f64) -> Option<Promise>;

    /// Bytes `begin` to `end` as a file of its own, with the checksum of all of it; where they are deflated, they become `size`
    /// bytes.
    #[wasm_bindgen(method)]
    fn member(
        this: &ModelFile,
        path: &str,
        begin: f64,
        end: f64,
        size: Option<f64>,
        crc: u32,
    ) -> ModelFile;
}

impl ModelFile {
    pub fn source(self) -> NamedSource {
        let name = self.path();
        NamedSource {
            shown: name.clone(),
            name,
            source: Box::new(self),
        }
    }
}

impl Source for ModelFile {
    fn len(&self) -> u64 {
        self.size() as u64
    }

    fn arrive(&self, offset: u64, len: u64) -> Option<Arrival> {
        let arrival = ModelFile::arrive(self, offset as f64, (offset + len) as f64)?;
        Some(Box::pin(async {
            // Why it failed is known where it was made.
            let _ = JsFuture::from(arrival).await;
        }))
    }

    fn member(
        &self,
        shown: &str,
        begin: u64,
        packed: u64,
        deflated: Option<u64>,
        crc: u32,
    ) -> Option<Box<dyn Source>> {
        let (end, size) = ((begin + packed) as f64, deflated.map(|size| size as f64));
        Some(Box::new(ModelFile::member(
            self,
            shown,
            begin as f64,
            end,
            size,
            crc,
        )))
    }

    fn modified(&self) -> Option<Duration> {
        Some(Duration::from_millis(ModelFile::modified(self)? as u64))
    }

    fn read(&self, offset: u64, len: usize) -> Result<Cow<'_, [u8]>, String> {
        let mut bytes = vec![0; len];
        let read = ModelFile::read(self, offset as f64, &mut bytes)
            .map_err(|e| format!("it cannot be read ({})", String::from(e.message())))?;
        if read != len {
            return Err("it ends early; it has become shorter since it was opened".into());
        }
        Ok(Cow::Owned(bytes))
    }
}
