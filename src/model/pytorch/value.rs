//! What a pickle of PyTorch may hold, as a list of values that refer to one another by position: cycles are harmless,
//! and nothing is as deep as the file says.

use safetensors::Dtype;

use super::MAX_DIMENSIONS;

/// The longest string that is looked at, in bytes.
const MAX_TEXT: u32 = 4096;

/// The most elements of a tensor that has more of them than its storage. A convolution's weight between 600 channels has
/// three million; in 64 bits and as F32 beside it they take less than the 64 MB that opening a file may.
const MAX_REPEATED: u64 = 4 << 20;

/// A value's position in [`Pickle::values`].
pub(super) type Id = u32;

/// The globals that are known. Any other is refused by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Global {
    OrderedDict,
    Size,
    Parameter,
    ParameterWithState,
    Tensor,
    TensorV2,
    TensorV3,
    /// A storage, of bytes where no type is given.
    Storage(Option<Dtype>),
    Dtype(Dtype),
}

impl Global {
    pub fn named(module: &str, name: &str) -> Option<Self> {
        Some(match (module, name) {
            ("collections", "OrderedDict") => Self::OrderedDict,
            ("torch", "Size") => Self::Size,
            ("torch._utils", "_rebuild_parameter") => Self::Parameter,
            ("torch._utils", "_rebuild_parameter_with_state") => Self::ParameterWithState,
            ("torch._utils", "_rebuild_tensor") => Self::Tensor,
            ("torch._utils", "_rebuild_tensor_v2") => Self::TensorV2,
            ("torch._utils", "_rebuild_tensor_v3") => Self::TensorV3,
            ("torch.storage" | "torch", "UntypedStorage") => Self::Storage(None),
            ("torch", storage) if storage.ends_with("Storage") => {
                Self::Storage(Some(match storage {
                    "FloatStorage" => Dtype::F32,
                    "HalfStorage" => Dtype::F16,
                    "BFloat16Storage" => Dtype::BF16,
                    "DoubleStorage" => Dtype::F64,
                    "LongStorage" => Dtype::I64,
                    "IntStorage" => Dtype::I32,
                    "ShortStorage" => Dtype::I16,
                    "CharStorage" => Dtype::I8,
                    "ByteStorage" => Dtype::U8,
                    "BoolStorage" => Dtype::BOOL,
                    _ => return None,
                }))
            }
            ("torch", dtype) => Self::Dtype(match dtype {
                "float32" => Dtype::F32,
                "float16" => Dtype::F16,
                "bfloat16" => Dtype::BF16,
                "float64" => Dtype::F64,
                "int64" => Dtype::I64,
                "int32" => Dtype::I32,
                "int16" => Dtype::I16,
                "int8" => Dtype::I8,
                "uint8" => Dtype::U8,
                "bool" => Dtype::BOOL,
                _ => return None,
            }),
            _ => return None,
        })
    }
}

/// A stretch of the pickle's own bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Text {
    pub at: u32,
    pub len: u32,
}

#[derive(Clone, Debug)]
pub(super) enum Value {
    /// None, a fraction, a number beyond 64 bits, or bytes: data of which nothing is needed.
    Other,
    Bool(bool),
    Int(i64),
    Str(Text),
    List(Vec<Id>),
    Tuple(Vec<Id>),
    Dict(Vec<(Id, Id)>),
    Global(Global),
    Storage(Storage),
    /// A position in [`Pickle::tensors`].
    Tensor(u32),
}

/// A stretch of bytes that tensors share: the zip's member `data/<key>`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Storage {
    pub dtype: Option<Dtype>,
    pub key: Text,
    /// How many elements it has.
    pub len: u64,
}

/// A view of a storage.
#[derive(Clone, Debug)]
pub(super) struct Tensor {
    pub storage: Storage,
    pub dtype: Dtype,
    /// In elements, as the strides.
    pub offset: u64,
    pub shape: Vec<usize>,
    /// None where the elements lie one after another.
    pub strides: Option<Vec<usize>>,
    /// How many elements from the first to the last.
    pub span: u64,
}

impl Tensor {
    /// A view that stays within `storage`. It may have elements several times, as `expand` makes them, up to
    /// [`MAX_REPEATED`].
    pub fn new(
        storage: Storage,
        dtype: Dtype,
        offset: u64,
        shape: Vec<usize>,
        strides: Vec<usize>,
    ) -> Result<Self, String> {
        let size = dtype.bitsize() as u64 / 8;
        let held = match storage.dtype {
            Some(own) if own != dtype => {
                return Err(format!("a tensor of {dtype} lies in a storage of {own}"));
            }
            Some(_) => storage.len,
            None => storage.len / size,
        };
        if shape.len() > MAX_DIMENSIONS || shape.len() != strides.len() {
            return Err(format!(
                "a tensor has {} dimensions and {} strides, and {MAX_DIMENSIONS} is the most",
                shape.len(),
                strides.len()
            ));
        }
        let elements = shape
            .iter()
            .try_fold(1u64, |n, size| n.checked_mul(*size as u64));
        let outside = || {
            format!(
                "a tensor of shape {shape:?} and strides {strides:?} at element {offset} does not lie in its storage \
                 of {held} elements"
            )
        };
        let elements = elements.ok_or_else(outside)?;
        if elements > held.max(MAX_REPEATED) {
            return Err(format!(
                "a tensor of shape {shape:?} repeats the {held} elements of its storage, and {MAX_REPEATED} is the most that \
                 are made so: save it with .contiguous()"
            ));
        }
        let span = if elements == 0 {
            0
        } else {
            shape
                .iter()
                .zip(&strides)
                .try_fold(1u64, |end, (size, stride)| {
                    end.checked_add((*size as u64 - 1).checked_mul(*stride as u64)?)
                })
                .ok_or_else(outside)?
        };
        if span
            .checked_add(offset)
            .is_none_or(|end| end > held || end.checked_mul(size).is_none())
        {
            return Err(outside());
        }
        let mut next = 1usize;
        let dense = shape.iter().zip(&strides).rev().all(|(size, stride)| {
            let fits = *size == 1 || *stride == next;
            next = next.saturating_mul(*size);
            fits
        });
        // Along an axis of one element any stride is as good.
        let strides = strides.iter().zip(&shape);
        let strides = strides.map(|(stride, size)| if *size == 1 { 0 } else { *stride });
        let strides = strides.collect();
        Ok(Self {
            storage,
            dtype,
            offset,
            shape,
            strides: (!dense && elements > 0).then_some(strides),
            span,
        })
    }
}

/// A pickle that was read.
pub(super) struct Pickle<'a> {
    /// The program, from its beginning to its end.
    pub bytes: &'a [u8],
    pub pushes: usize,
    pub values: Vec<Value>,
    pub tensors: Vec<Tensor>,
    pub root: Id,
}

impl Pickle<'_> {
    /// A string, if it is not longer than any name is: one of megabytes may be referred to many times.
    pub fn text(&self, text: Text) -> Option<&str> {
        let at = text.at as usize;
        if text.len > MAX_TEXT {
            return None;
        }
        std::str::from_utf8(self.bytes.get(at..at + text.len as usize)?).ok()
    }

    pub fn str(&self, id: Id) -> Option<&str> {
        match self.values[id as usize] {
            Value::Str(text) => self.text(text),
            _ => None,
        }
    }
}
