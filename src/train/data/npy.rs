//! NumPy's file format: one array (NPY), or a zip file of named ones (NPZ).

use half::f16;

use super::pictures::{MAX_ARRAY, Wanted};
use super::{DataSet, arrays};
use crate::Error;
use crate::json;

/// The longest header that is read, in bytes.
const MAX_HEADER: usize = 1 << 16;

/// An array in the file's own layout.
pub struct Array {
    /// What errors and notes call it.
    pub name: String,
    pub kind: Kind,
    pub shape: Vec<usize>,
    data: Vec<u8>,
    offset: usize,
    big_endian: bool,
}

/// The types of numbers that are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Bool,
    Unsigned(usize),
    Signed(usize),
    Float(usize),
}

impl Kind {
    fn bytes(self) -> usize {
        match self {
            Self::Bool => 1,
            Self::Unsigned(bytes) | Self::Signed(bytes) | Self::Float(bytes) => bytes,
        }
    }

    /// As NumPy names it.
    pub fn name(self) -> String {
        match self {
            Self::Bool => "bool".to_owned(),
            Self::Unsigned(bytes) => format!("uint{}", 8 * bytes),
            Self::Signed(bytes) => format!("int{}", 8 * bytes),
            Self::Float(bytes) => format!("float{}", 8 * bytes),
        }
    }
}

/// What the arrays of pictures and of their labels are called, by those who publish such files; in capitals too.
const NAMES: [[&str; 2]; 10] = [
    ["x_train", "y_train"],
    ["train_images", "train_labels"],
    ["train_x", "train_y"],
    ["images_train", "labels_train"],
    ["images", "labels"],
    ["image", "label"],
    ["data", "labels"],
    ["data", "label"],
    ["x", "y"],
    ["arr_0", "arr_1"],
];

/// The name of an array, out of that of its file in any folder.
fn stem(name: &str) -> Option<&str> {
    let file = name.rsplit('/').next().unwrap_or(name);
    file.strip_suffix(".npy")
}

/// The file of labels that is beside that of the pictures, by the names of both.
#[cfg(not(target_arch = "wasm32"))]
pub fn labels_beside(path: &std::path::Path) -> Option<std::path::PathBuf> {
    let name = path.file_name()?.to_str()?;
    let is = |name: &str, wanted: &str| stem(name).is_some_and(|n| n.eq_ignore_ascii_case(wanted));
    let folder = path.parent().filter(|folder| folder.is_dir());
    let folder = std::fs::read_dir(folder.unwrap_or(std::path::Path::new("."))).ok()?;
    let beside = folder.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let beside: Vec<String> = beside.collect();
    let pairs = NAMES.into_iter().filter(|[x, _]| is(name, x));
    let mut found = pairs.filter_map(|[_, y]| beside.iter().find(|name| is(name, y)));
    Some(path.with_file_name(found.next()?))
}

/// Which of the arrays `names` are training data, pictures and labels: the first pair of [`NAMES`] that is there, else the
/// first pictures without labels, else the only array. `shown` is what errors call them together.
///
/// # Errors
/// If none are.
pub fn training(shown: &str, names: &[String]) -> Result<(usize, Option<usize>), Error> {
    let place = |name: &str| {
        names
            .iter()
            .position(|n| stem(n).is_some_and(|n| n.eq_ignore_ascii_case(name)))
    };
    let pair = |[x, y]: [&str; 2]| Some((place(x)?, Some(place(y)?)));
    let alone = |[x, _]: [&str; 2]| Some((place(x)?, None));
    let found = (NAMES.into_iter().find_map(pair)).or_else(|| NAMES.into_iter().find_map(alone));
    match (found, names) {
        (Some(found), _) => Ok(found),
        (None, [_]) => Ok((0, None)),
        (None, _) => {
            let mut pictures = NAMES.map(|[x, _]| x).to_vec();
            pictures.dedup();
            Err(Error::input(format!(
                "{shown} has no array of pictures by its name ({}); it has {}",
                pictures.join(", "),
                names.join(", ").replace(".npy", "")
            )))
        }
    }
}

/// Reads those of the arrays `names`, an NPZ file's or NPY files, that are [`training`] data. `read(i, most)` gives the bytes
/// of `names[i]`.
pub fn open(
    shown: &str,
    wanted: Wanted,
    names: &[String],
    read: impl Fn(usize, u64) -> Result<Vec<u8>, Error>,
) -> Result<(DataSet, Vec<String>), Error> {
    let (pictures, labels) = training(shown, names)?;
    let within = |name: &str| match shown {
        "" => name.to_owned(),
        _ => format!("{shown}/{name}"),
    };
    let array = |i: usize| Array::parse(read(i, MAX_ARRAY)?, &within(&names[i]));
    let unused: Vec<&str> = (0..names.len())
        .filter(|i| *i != pictures && Some(*i) != labels)
        .map(|i| names[i].trim_end_matches(".npy"))
        .collect();
    let mut notes = Vec::new();
    if !unused.is_empty() {
        let of = if shown.is_empty() { "" } else { ": " };
        let are = if unused.len() == 1 { "is" } else { "are" };
        notes.push(format!("{shown}{of}{} {are} not used", unused.join(", ")));
    }
    let pictures = array(pictures)?;
    arrays::data_set(pictures, labels.map(array), wanted, notes)
}

impl Array {
    fn parse(data: Vec<u8>, name: &str) -> Result<Self, Error> {
        let damaged =
            |what: &str| Error::input(format!("{name} is no NPY file that can be read: {what}"));
        let (start, length) = match data[..] {
            [0x93, b'N', b'U', b'M', b'P', b'Y', 1, _, a, b, ..] => {
                (10, usize::from(u16::from_le_bytes([a, b])))
            }
            [0x93, b'N', b'U', b'M', b'P', b'Y', 2 | 3, _, a, b, c, d, ..] => {
                (12, u32::from_le_bytes([a, b, c, d]) as usize)
            }
            _ => return Err(damaged("it does not begin as one")),
        };
        if length > MAX_HEADER {
            return Err(damaged("its header is absurdly long"));
        }
        let header = data
            .get(start..start + length)
            .and_then(|header| std::str::from_utf8(header).ok())
            .ok_or_else(|| damaged("its header is cut short"))?;
        let field = |field: &str| {
            let (_, after) = header.split_once(&format!("'{field}':"))?;
            Some(after.trim_start())
        };
        let descr = field("descr")
            .and_then(|text| text.strip_prefix('\'')?.split_once('\''))
            .map(|(descr, _)| descr)
            .ok_or_else(|| damaged("its header has no descr of one type"))?;
        let kind = match descr.get(1..).unwrap_or_default() {
            "b1" => Kind::Bool,
            "u1" => Kind::Unsigned(1),
            "u2" => Kind::Unsigned(2),
            "u4" => Kind::Unsigned(4),
            "u8" => Kind::Unsigned(8),
            "i1" => Kind::Signed(1),
            "i2" => Kind::Signed(2),
            "i4" => Kind::Signed(4),
            "i8" => Kind::Signed(8),
            "f2" => Kind::Float(2),
            "f4" => Kind::Float(4),
            "f8" => Kind::Float(8),
            // text, or any objects of Python's
            kind if kind.starts_with(['U', 'S', 'O']) => {
                return Err(Error::input(format!(
                    "{name} is an array of {descr}, and numbers are read; numpy.unique(list(labels), return_inverse=True)[1] makes numbers of labels that are text, in the order of the alphabet"
                )));
            }
            _ => {
                return Err(Error::input(format!(
                    "{name} is an array of {descr}; uint8, uint16, bool and floats are read for pictures, whole numbers or one-hot rows for labels"
                )));
            }
        };
        if field("fortran_order").is_some_and(|text| text.starts_with("True")) {
            return Err(Error::input(format!(
                "{name} is in Fortran order; save it with numpy.ascontiguousarray"
            )));
        }
        let shape = field("shape")
            .and_then(|text| text.strip_prefix('(')?.split_once(')'))
            .and_then(|(shape, _)| {
                let numbers = shape.split(',').map(str::trim).filter(|n| !n.is_empty());
                numbers
                    .map(|n| n.parse::<usize>().ok())
                    .collect::<Option<Vec<_>>>()
            })
            .ok_or_else(|| damaged("its header has no shape"))?;
        let need = shape
            .iter()
            .try_fold(kind.bytes(), |product, n| product.checked_mul(*n));
        let offset = start + length;
        if need != Some(data.len() - offset) {
            return Err(Error::input(format!(
                "{name} should hold {} of {}, and has {} bytes for them; it is cut short or damaged",
                shown_shape(&shape),
                kind.name(),
                data.len() - offset
            )));
        }
        Ok(Self {
            name: name.to_string(),
            kind,
            shape,
            big_endian: descr.starts_with('>'),
            data,
            offset,
        })
    }

    /// A number of this array, with no more digits than it has.
    pub fn shown(&self, value: f64) -> String {
        match self.kind {
            Kind::Float(2 | 4) => (value as f32).to_string(),
            _ => json::number(value),
        }
    }

    /// How many numbers there are.
    pub fn len(&self) -> usize {
        (self.data.len() - self.offset) / self.kind.bytes()
    }

    /// Number `i` of an array of bytes.
    pub fn byte(&self, i: usize) -> u8 {
        self.data[self.offset + i]
    }

    /// Number `i`; whole numbers above 2^53 lose their last digits.
    pub fn number(&self, i: usize) -> f64 {
        let bytes = self.kind.bytes();
        let at = self.offset + i * bytes;
        let mut word = [0; 8];
        word[..bytes].copy_from_slice(&self.data[at..at + bytes]);
        if self.big_endian {
            word[..bytes].reverse();
        }
        let bits = u64::from_le_bytes(word);
        match self.kind {
            Kind::Bool | Kind::Unsigned(_) => bits as f64,
            Kind::Signed(_) => {
                let unused = 64 - 8 * bytes as u32;
                ((bits << unused) as i64 >> unused) as f64
            }
            Kind::Float(2) => f16::from_bits(bits as u16).to_f64(),
            Kind::Float(4) => f64::from(f32::from_bits(bits as u32)),
            Kind::Float(_) => f64::from_bits(bits),
        }
    }
}

/// 60000×28×28
pub fn shown_shape(shape: &[usize]) -> String {
    let numbers: Vec<String> = shape.iter().map(usize::to_string).collect();
    numbers.join("×")
}
