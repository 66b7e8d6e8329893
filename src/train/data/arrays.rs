//! Arrays of numbers as pictures and labels.

use super::DataSet;
use super::classes::{LabelSource, counted};
use super::npy::{Array, Kind, shown_shape};
use super::pictures::{Collected, Wanted};
use crate::Error;
use crate::json;
use crate::picture::MAX_PIXELS;

/// The largest number of classes.
const MAX_CLASSES: usize = 1 << 16;

/// How far floats may leave their range, as a part of it: resampling overshoots. They are clamped.
const OVERSHOOT: f64 = 0.05;

/// Floats in \[−1, 1\] are known by one below this, less than those in \[−0.5, 0.5\] overshoot to.
const MIDDLE: f64 = -0.5 - OVERSHOOT;

/// Whole numbers from here on have no number of bits that would be their range.
const MOST_WHOLE: f64 = 4_294_967_296.0;

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
    /// byte = round((v − low)·scale), clamped
    Reals {
        low: f64,
        scale: f64,
    },
}

/// The data set of an array of pictures, `[N,H,W]`, `[N,H,W,C]` or `[N,C,H,W]`, with `labels` `[N]`, `[N,1]` or one-hot
/// `[N,K]`. The last of the sentences says what was understood.
pub fn data_set(
    pictures: Array,
    labels: Option<Result<Array, Error>>,
    wanted: Wanted,
    mut notes: Vec<String>,
) -> Result<(DataSet, Vec<String>), Error> {
    let layout = layout(&pictures, wanted.channels)?;
    let (values, description) = values(&pictures)?;
    let (c, h, w) = layout.shape;
    let mut collected = Collected::new(wanted, layout.count)?;
    let mut sentence = format!(
        "{}: {} {} pictures of {w}×{h}, {description}",
        pictures.name,
        layout.count,
        match c {
            1 => "grey",
            2 => "grey and transparent",
            3 => "colour",
            _ => "colour and transparent",
        },
    );
    let labels = labels.filter(|_| wanted.asked.labels != LabelSource::None);
    let read = |labels: Array| Ok((classes(&labels, layout.count)?, labels.name));
    let labels = match labels.map(|labels| labels.and_then(read)) {
        None => None,
        Some(read) => labelled(read, wanted, &mut sentence)?,
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

/// `wanted` is the network's number of channels: 2 and 4 are channels only where it has as many.
fn layout(array: &Array, wanted: usize) -> Result<Layout, Error> {
    let alpha = wanted.is_multiple_of(2);
    let colours = |n: usize| n == 1 || n == 3 || n == wanted;
    let refuse = |why: &str| {
        Err(Error::input(format!(
            "{} has the shape {}{why}; pictures are N×H×W, N×H×W×C or N×C×H×W with 1 or 3 channels, or with the network's {wanted}",
            array.name,
            shown_shape(&array.shape)
        )))
    };
    let (count, shape, channels_last) = match array.shape[..] {
        [n, h, w] => (n, (1, h, w), false),
        [n, h, w, c] if alpha && c == wanted && h != wanted => (n, (c, h, w), true),
        [n, c, h, w] if alpha && c == wanted && w != wanted => (n, (c, h, w), false),
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

/// How the array's numbers become bytes, and a description of that. A remedy is a line of NumPy: `numpy.interp` takes any
/// array, and clamps.
fn values(array: &Array) -> Result<(Values, String), Error> {
    let reals = |low: f64, high: f64| Values::Reals {
        low,
        scale: 255.0 / (high - low),
    };
    if array.kind == Kind::Bool {
        return Ok((reals(0.0, 1.0), "bool, true is white".into()));
    }
    let (mut low, mut high, mut whole) = (f64::INFINITY, f64::NEG_INFINITY, true);
    for i in 0..array.len() {
        let value = array.number(i);
        if !value.is_finite() {
            return Err(Error::input(format!(
                "{} holds {value}, which is no brightness",
                array.name
            )));
        }
        (low, high) = (low.min(value), high.max(value));
        whole &= value.fract() == 0.0;
    }
    let name = array.kind.name();
    let float = matches!(array.kind, Kind::Float(_));
    let from = format!("{name} from {} to {}", array.shown(low), array.shown(high));
    let remedy = |black: f64, white: f64| {
        let [black, white] = [black, white].map(|v| array.shown(v));
        format!("numpy.interp(images, [{black}, {white}], [0, 1])")
    };
    let dark = |black: f64, white: f64| match high > black && high - black <= (white - black) / 2.0
    {
        true => format!(
            "; that is dark where {white} is white: {} makes {} white",
            remedy(black, high),
            array.shown(high)
        ),
        false => String::new(),
    };
    // Bytes, or what became larger numbers on the way; floats that are 1 at most are in [0, 1].
    if whole && low >= 0.0 && high <= 255.0 && (!float || high > 1.0) {
        let dark = dark(0.0, 255.0);
        let said = match array.kind {
            Kind::Unsigned(1) if dark.is_empty() => name,
            _ => format!("{from}, taken as bytes{dark}"),
        };
        let values = match array.kind {
            Kind::Unsigned(1) => Values::Bytes,
            _ => reals(0.0, 255.0),
        };
        return Ok((values, said));
    }
    let mut power = 1.0;
    while power <= high && power < MOST_WHOLE {
        power *= 2.0;
    }
    let whole_range = power - 1.0;
    if array.kind == Kind::Unsigned(2) {
        // 10, 12 or 14 bits in 16 would be black, and dark pictures of 16 bits too bright: who has them knows.
        if high <= 32767.0 {
            return Err(Error::input(format!(
                "{} holds {from}, which is dark where 65535 is white: {} makes {whole_range} white, and {} leaves it as dark",
                array.name,
                remedy(0.0, whole_range),
                remedy(0.0, 65535.0)
            )));
        }
        let said = format!("{name} in [0, 65535], from {low} to {high}, rounded to bytes");
        return Ok((reals(0.0, 65535.0), said));
    }
    let within = |black: f64| {
        let most = OVERSHOOT * (1.0 - black);
        float && low >= black - most && high <= 1.0 + most
    };
    let black = match within(0.0) {
        true => 0.0,
        false => -1.0,
    };
    if within(black) && (black == 0.0 || low < MIDDLE) {
        let outside = |v: f64| v < black || v > 1.0;
        let clamped = (0..array.len()).filter(|i| outside(array.number(*i)));
        let clamped = match clamped.count() {
            0 => String::new(),
            count => format!(
                "; it goes from {} to {}, and {count} of its numbers are clamped",
                array.shown(low),
                array.shown(high)
            ),
        };
        let said = format!(
            "{name} in [{black}, 1], rounded to bytes{clamped}{}",
            dark(black, 1.0)
        );
        return Ok((reals(black, 1.0), said));
    }
    if within(-1.0) && low < -OVERSHOOT {
        return Err(Error::input(format!(
            "{} holds {from}, where black may be 0, -0.5 or -1: {} if it is in [0, 1], {} if in [-0.5, 0.5], {} if in [-1, 1]",
            array.name,
            remedy(0.0, 1.0),
            remedy(-0.5, 0.5),
            remedy(-1.0, 1.0)
        )));
    }
    let white = match low >= 0.0 {
        true if whole && high < power => whole_range,
        true if high > 127.5 && high < 255.0 => 255.0,
        // the same everywhere
        _ if high == low && high < 0.0 => 0.0,
        _ => high,
    };
    Err(Error::input(format!(
        "{} holds {from}; pictures are whole numbers in [0, 255], uint16, bool, or floats in [0, 1] or [-1, 1]: {} makes them so, if these are its black and white",
        array.name,
        remedy(low.min(0.0), white)
    )))
}

/// A label a picture; the classes are called by their numbers.
fn classes(array: &Array, count: usize) -> Result<Labelled, Error> {
    if let [rows, columns] = array.shape[..]
        && rows == count
        && columns > 1
    {
        return one_hot(array, columns);
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

/// A label a picture, and the classes' names.
pub type Labelled = (Vec<u32>, Vec<String>);

/// The labels that were `read`, with the name of their file, which `sentence` goes on with. Those that cannot be read are no
/// error for a network without classes.
pub fn labelled(
    read: Result<(Labelled, String), Error>,
    wanted: Wanted,
    sentence: &mut String,
) -> Result<Option<Labelled>, Error> {
    match read {
        Ok((labels, name)) => {
            let counted = counted(&labels.1, labels.0.iter().copied());
            *sentence += &format!("; {counted}, in {name}");
            Ok(Some(labels))
        }
        Err(why) if wanted.asked.unlabelled => {
            *sentence +=
                &format!("; its labels are not read ({why}), and the network has no classes");
            Ok(None)
        }
        Err(why) => Err(why),
    }
}

/// The place of the only 1 in each row.
fn one_hot(array: &Array, columns: usize) -> Result<Labelled, Error> {
    if columns > MAX_CLASSES {
        return Err(Error::input(format!(
            "{} has {columns} columns, and there can be {MAX_CLASSES} classes",
            array.name
        )));
    }
    let mut labels = Vec::new();
    for row in 0..array.shape[0] {
        let mut numbers = (0..columns).map(|column| array.number(row * columns + column));
        let ones: Vec<usize> = (numbers.clone().enumerate())
            .filter_map(|(column, number)| (number == 1.0).then_some(column))
            .collect();
        let (&[label], true) = (&ones[..], numbers.all(|n| n == 0.0 || n == 1.0)) else {
            return Err(Error::input(format!(
                "{} has the shape {}, and its row {row} is not one-hot (a 1 among zeros); a picture has one label",
                array.name,
                shown_shape(&array.shape)
            )));
        };
        labels.push(label as u32);
    }
    let names = (0..columns).map(|class| class.to_string()).collect();
    Ok((labels, names))
}

/// Labels that are numbers from 0; `name` is what an error calls the file they are from.
pub fn number_classes(numbers: impl Iterator<Item = f64>, name: &str) -> Result<Labelled, Error> {
    let mut labels = Vec::new();
    let mut count = 0;
    for number in numbers {
        if !(0.0..MAX_CLASSES as f64).contains(&number) {
            return Err(Error::input(format!(
                "{name} holds the label {}; labels are 0 to {}",
                json::number(number),
                MAX_CLASSES - 1
            )));
        }
        if number.fract() != 0.0 {
            return Err(Error::input(format!(
                "{name} holds the label {number}; labels are whole numbers"
            )));
        }
        labels.push(number as u32);
        count = count.max(number as usize + 1);
    }
    Ok((labels, (0..count).map(|class| class.to_string()).collect()))
}
