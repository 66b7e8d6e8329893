//! Arrays of numbers as pictures and labels.

use super::DataSet;
use super::npy::{Array, Kind, shown_shape};
use super::pictures::{Collected, Wanted};
use crate::Error;
use crate::picture::MAX_PIXELS;

/// The largest number of classes.
const MAX_CLASSES: usize = 1 << 16;

/// N pictures in an array, as (C, H, W), and whether the channels come last.
struct Layout {
    count: usize,
    shape: (usize, usize, usize),
    channels_last: bool,
}

/// Where bytes come from.
#[derive(Clone, Copy)]
enum Values {
    Bytes,
    /// byte = round((v − low)·scale)
    Reals {
        low: f64,
        scale: f64,
    },
}

/// The data set of an array of pictures, `[N,H,W]`, `[N,H,W,C]` or `[N,C,H,W]`, with `labels` `[N]`. The last of the
/// sentences says what was understood.
pub fn data_set(
    pictures: Array,
    labels: Option<Array>,
    wanted: Wanted,
    mut notes: Vec<String>,
) -> Result<(DataSet, Vec<String>), Error> {
    let layout = layout(&pictures)?;
    let (values, description) = values(&pictures)?;
    let (c, h, w) = layout.shape;
    let mut collected = Collected::new(wanted, layout.count)?;
    let mut sentence = format!(
        "{}: {} {} pictures of {w}×{h}, {description}",
        pictures.name,
        layout.count,
        if c == 1 { "grey" } else { "colour" },
    );
    let labels = match &labels {
        None => None,
        Some(labels) => {
            let read = classes(labels, layout.count)?;
            sentence += &format!("; {} classes in {}", read.1.len(), labels.name);
            Some(read)
        }
    };
    notes.push(sentence);
    let len = c * h * w;
    for n in 0..layout.count {
        collected.push_bytes(layout.shape, |channel, y, x| {
            let within = if layout.channels_last {
                (y * w + x) * c + channel
            } else {
                (channel * h + y) * w + x
            };
            let i = n * len + within;
            match values {
                Values::Bytes => pictures.byte(i),
                Values::Reals { low, scale } => ((pictures.number(i) - low) * scale).round() as u8,
            }
        });
    }
    collected.finish(labels, notes)
}

fn layout(array: &Array) -> Result<Layout, Error> {
    let colours = |n: usize| n == 1 || n == 3;
    let refuse = |why: &str| {
        Err(Error::input(format!(
            "{} has the shape {}{why}; pictures are N×H×W, N×H×W×C or N×C×H×W with 1 or 3 channels",
            array.name,
            shown_shape(&array.shape)
        )))
    };
    let (count, shape, channels_last) = match array.shape[..] {
        [n, h, w] => (n, (1, h, w), false),
        [_, a, _, b] if colours(a) && colours(b) => {
            return refuse(", where the channels may be second or last");
        }
        [n, h, w, c] if colours(c) => (n, (c, h, w), true),
        [n, c, h, w] if colours(c) => (n, (c, h, w), false),
        _ => return refuse(""),
    };
    let (_, h, w) = shape;
    if count == 0 || h == 0 || w == 0 {
        return refuse(", which is empty");
    }
    if h as u64 * w as u64 > MAX_PIXELS {
        return refuse(", more than 100 million pixels each");
    }
    Ok(Layout {
        count,
        shape,
        channels_last,
    })
}

/// How the array's numbers become bytes, and a description of that.
fn values(array: &Array) -> Result<(Values, String), Error> {
    match array.kind {
        Kind::Unsigned(1) => return Ok((Values::Bytes, "uint8".into())),
        Kind::Float(_) => {}
        kind => {
            return Err(Error::input(format!(
                "{} holds {}; pictures are uint8, or floats in [0, 1] or [-1, 1]",
                array.name,
                kind.name()
            )));
        }
    }
    let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
    for i in 0..array.len() {
        let value = array.number(i);
        if !value.is_finite() {
            return Err(Error::input(format!(
                "{} holds {value}, which is no brightness",
                array.name
            )));
        }
        (low, high) = (low.min(value), high.max(value));
    }
    let name = array.kind.name();
    if low >= 0.0 && high <= 1.0 {
        let values = Values::Reals {
            low: 0.0,
            scale: 255.0,
        };
        return Ok((values, format!("{name} in [0, 1], rounded to bytes")));
    }
    if low >= -1.0 && high <= 1.0 {
        let values = Values::Reals {
            low: -1.0,
            scale: 127.5,
        };
        return Ok((values, format!("{name} in [-1, 1], rounded to bytes")));
    }
    Err(Error::input(format!(
        "{} holds {name} from {low} to {high}; pictures are uint8, or floats in [0, 1] or [-1, 1]",
        array.name
    )))
}

/// A label a picture, and the classes' names: their numbers.
fn classes(array: &Array, count: usize) -> Result<(Vec<u32>, Vec<String>), Error> {
    if matches!(array.kind, Kind::Float(_)) {
        return Err(Error::input(format!(
            "{} holds {}; labels are whole numbers",
            array.name,
            array.kind.name()
        )));
    }
    if array.len() != count || array.shape.first() != Some(&count) {
        return Err(Error::input(format!(
            "{} has the shape {}, and there are {count} pictures; one label each is needed",
            array.name,
            shown_shape(&array.shape)
        )));
    }
    number_classes((0..count).map(|i| array.number(i)), &array.name)
}

/// Labels that are numbers from 0; `name` is what an error calls the file they are from.
pub fn number_classes(
    numbers: impl Iterator<Item = f64>,
    name: &str,
) -> Result<(Vec<u32>, Vec<String>), Error> {
    let mut labels = Vec::new();
    let mut count = 0;
    for number in numbers {
        if !(0.0..MAX_CLASSES as f64).contains(&number) {
            return Err(Error::input(format!(
                "{name} holds the label {number}; labels are 0 to {}",
                MAX_CLASSES - 1
            )));
        }
        labels.push(number as u32);
        count = count.max(number as usize + 1);
    }
    Ok((labels, (0..count).map(|class| class.to_string()).collect()))
}
