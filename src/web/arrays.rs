//! Training data out of the files that a visitor chose: arrays of numbers, and what is in zip files.

use js_sys::{Function, Object, Uint8Array};
use serde::{Deserialize, Serialize};
use wasm_bindgen::prelude::*;

use super::files::ModelFile;
use super::js;
use crate::train::data::{Asked, LabelSource, MAX_ARRAY, Wanted, members, open_upload, whole};

/// What `readArrays` takes beside the files.
#[derive(Deserialize)]
struct ArrayOptions {
    channels: usize,
    height: usize,
    width: usize,
    #[serde(default)]
    labels: LabelSource,
    #[serde(default)]
    unlabelled: bool,
}

/// What it gives beside the pixels.
#[derive(Serialize)]
struct Read {
    channels: usize,
    height: usize,
    width: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    labels: Option<Vec<u32>>,
    classes: Vec<String>,
    notes: Vec<String>,
}

/// The pictures and labels of the arrays (NPZ, NPY, IDX) among `files`, as the command line reads them; null where they are
/// pictures.
#[wasm_bindgen(js_name = readArrays)]
pub async fn read_arrays(files: Vec<ModelFile>, options: JsValue) -> Result<JsValue, JsValue> {
    let options: ArrayOptions = js::options(&options)?;
    let asked = Asked {
        labels: options.labels,
        unlabelled: options.unlabelled,
        ..Asked::default()
    };
    let wanted = Wanted::new((options.height, options.width), options.channels, asked);
    let files = files.into_iter().map(ModelFile::source).collect();
    let read = open_upload(files, wanted.map_err(js::failure)?).await;
    let Some((data, notes)) = read.map_err(js::failure)? else {
        return Ok(JsValue::NULL);
    };
    let made = js::object(&Read {
        channels: data.channels,
        height: data.height,
        width: data.width,
        labels: data.labels,
        classes: data.classes,
        notes,
    })?;
    js::set(&made, "pixels", Uint8Array::from(&data.pixels[..]))?;
    Ok(made.into())
}

/// What is in a zip file: `write(name, bytes)` is given each member, in the order of the names. Gives the sentences on those
/// that are damaged.
#[wasm_bindgen]
pub async fn unzip(file: ModelFile, write: Function) -> Result<Object, JsValue> {
    let file = file.source();
    let shown = file.shown.clone();
    let members = members(vec![file]).map_err(js::failure)?;
    let bytes = members.iter().map(|(_, file)| file.source.len());
    let bytes = bytes.fold(0, u64::saturating_add);
    if bytes > MAX_ARRAY {
        return Err(js::input(format!(
            "{shown} says that {bytes} bytes come of it, and {MAX_ARRAY} are unpacked here; unpack it and choose the folder"
        )));
    }
    let mut damaged = Vec::new();
    for (name, file) in members {
        let arrival = file.source.arrive(0, file.source.len());
        if let Some(arrival) = arrival {
            arrival.await;
        }
        match whole(&file, MAX_ARRAY) {
            Ok(bytes) => {
                let bytes = Uint8Array::from(&bytes[..]);
                write.call2(&JsValue::NULL, &name.into(), &bytes)?;
            }
            Err(why) => damaged.push(format!("{why}; it is left out")),
        }
    }
    js::object(&damaged)
}

/// What is missing of a picture file, as the end of a sentence that begins with its name; undefined where it is whole.
#[wasm_bindgen(js_name = pictureDamage)]
pub fn picture_damage(bytes: &[u8]) -> Option<String> {
    crate::picture::damage::damage(bytes)
}

/// How many frames or pages a picture file has.
#[wasm_bindgen(js_name = pictureFrames)]
pub fn picture_frames(bytes: &[u8]) -> usize {
    crate::picture::frames::frames(bytes)
}
