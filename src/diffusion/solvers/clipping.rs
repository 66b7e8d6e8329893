//! The fields by which diffusers' classes clip x̂0.

use serde_json::{Map, Value, json};

use super::SolverName;
use crate::diffusion::error::ScheduleError;
use crate::diffusion::fields::Fields;
use crate::diffusion::step::Clip;

/// The fields of [`thresholding`].
pub(super) const THRESHOLDING: &[&str] = &[
    "thresholding",
    "dynamic_thresholding_ratio",
    "sample_max_value",
];

/// The fields of [`clip_sample`].
pub(super) const CLIP_SAMPLE: &[&str] = &["clip_sample", "clip_sample_range"];

/// Dynamic thresholding, where the fields switch it on.
pub(super) fn thresholding(fields: &Fields) -> Result<Option<Clip>, ScheduleError> {
    if !fields.flag("thresholding", false)? {
        return Ok(None);
    }
    let ratio = fields.number("dynamic_thresholding_ratio", 0.995)?;
    if !(0.0..=1.0).contains(&ratio) {
        return Err(fields.wrong("dynamic_thresholding_ratio", "a number from 0 to 1"));
    }
    let max = fields.positive("sample_max_value")?.unwrap_or(1.0);
    Ok(Some(Clip::Dynamic { ratio, max }))
}

/// Clipping to a fixed range; `default` is what the class does where the field is absent.
pub(super) fn clip_sample(fields: &Fields, default: bool) -> Result<Clip, ScheduleError> {
    if !fields.flag("clip_sample", default)? {
        return Ok(Clip::None);
    }
    let limit = fields.positive("clip_sample_range")?.unwrap_or(1.0);
    Ok(Clip::Fixed(limit))
}

impl SolverName {
    /// The fields that keep x̂0 within \[−1, 1\], thresholding with 1 as its largest limit; `None` where the class cannot, or
    /// does so by default.
    pub fn clip_fields(self) -> Option<Map<String, Value>> {
        let about = self.about();
        if about.clip != Clip::None || !about.takes.thresholding {
            return None;
        }
        json!({ "thresholding": true, "sample_max_value": 1 })
            .as_object()
            .cloned()
    }
}
