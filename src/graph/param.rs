//! Parameters: what a checkpoint's tensors become on the device.

use std::borrow::Cow;

/// A parameter of a graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ParamId(pub(crate) usize);

/// How a parameter lies in memory. `out` is padded to a multiple of 4, so that kernels load it as `vec4`; the
/// padding holds zeros.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ParamKind {
    /// A convolution's or a linear layer's weight and bias, `[in·kernel·kernel + 1][out]`, the bias being the last
    /// row; linear layers have `kernel = 1`.
    Weight {
        out: usize,
        input: usize,
        kernel: usize,
    },
    /// A normalisation's gain or offset, `[len]`.
    Vector { len: usize },
    /// An embedding table, `[rows][dim]`, not padded.
    Table { rows: usize, dim: usize },
}

/// What the numbers of a parameter are on the device; kernels compute with F32 whatever they are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Held {
    #[default]
    F32 = 0,
    F16 = 1,
    BF16 = 2,
}

/// One tensor of a checkpoint, or a range of its outputs: what it makes up of the parameter's. A table's outputs are
/// its columns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    pub name: String,
    pub outputs: usize,
    /// The first of them in the tensor, which has `of`.
    pub first: usize,
    pub of: usize,
    /// It belongs to a weight's bias row.
    pub bias: bool,
}

/// Outputs `first` … `first + count` of a layer that has `of`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outputs<'a> {
    pub layer: &'a str,
    pub first: usize,
    pub count: usize,
    pub of: usize,
}

impl<'a> Outputs<'a> {
    /// All outputs of a layer.
    pub fn all(layer: &'a str, of: usize) -> Self {
        Self {
            layer,
            first: 0,
            count: of,
            of,
        }
    }
}

/// A parameter: tensors of a checkpoint stacked along their outputs (q, k and v become one weight, as do all time
/// projections), or a range of one too large for a binding, in the layout that kernels read.
#[derive(Clone, Debug)]
pub struct Param {
    pub kind: ParamKind,
    pub parts: Vec<Part>,
    /// Of 16 bits only where [`Graph::hold`](super::Graph::hold) was asked for them, and then of a weight's alone.
    pub held: Held,
}

/// `n` rounded up to a multiple of 4.
pub const fn pad4(n: usize) -> usize {
    n.div_ceil(4) * 4
}

impl ParamKind {
    /// Elements held, padding included.
    pub fn storage_len(&self) -> usize {
        match *self {
            Self::Weight { out, input, kernel } => (input * kernel * kernel + 1) * pad4(out),
            Self::Vector { len } => pad4(len),
            Self::Table { rows, dim } => rows * dim,
        }
    }

    /// Elements that the checkpoint holds.
    pub fn count(&self) -> usize {
        match *self {
            Self::Weight { out, input, kernel } => (input * kernel * kernel + 1) * out,
            Self::Vector { len } => len,
            Self::Table { rows, dim } => rows * dim,
        }
    }
}

impl Param {
    /// A weight and its bias: `<layer>.weight` and `<layer>.bias` of each layer, stacked along the outputs.
    pub fn weight(layers: &[(&str, usize)], input: usize, kernel: usize) -> Self {
        let all: Vec<_> = layers.iter().map(|(l, of)| Outputs::all(l, *of)).collect();
        Self::weight_of(&all, input, kernel)
    }

    /// The same of ranges of the layers' outputs.
    pub fn weight_of(ranges: &[Outputs], input: usize, kernel: usize) -> Self {
        let out = ranges.iter().map(|range| range.count).sum();
        let parts = [("weight", false), ("bias", true)]
            .into_iter()
            .flat_map(|(role, bias)| {
                ranges.iter().map(move |range| Part {
                    name: format!("{}.{role}", range.layer),
                    outputs: range.count,
                    first: range.first,
                    of: range.of,
                    bias,
                })
            })
            .collect();
        Self {
            kind: ParamKind::Weight { out, input, kernel },
            parts,
            held: Held::F32,
        }
    }

    /// A vector that is one tensor.
    pub fn vector(name: impl Into<String>, len: usize) -> Self {
        Self {
            kind: ParamKind::Vector { len },
            parts: vec![Part {
                name: name.into(),
                outputs: len,
                first: 0,
                of: len,
                bias: false,
            }],
            held: Held::F32,
        }
    }

    /// An embedding table that is one tensor.
    pub fn table(name: impl Into<String>, rows: usize, dim: usize) -> Self {
        Self::table_of(name, rows, 0..dim, dim)
    }

    /// Some columns of an embedding table that has `of`.
    pub fn table_of(
        name: impl Into<String>,
        rows: usize,
        columns: std::ops::Range<usize>,
        of: usize,
    ) -> Self {
        let dim = columns.len();
        Self {
            kind: ParamKind::Table { rows, dim },
            parts: vec![Part {
                name: name.into(),
                outputs: dim,
                first: columns.start,
                of,
                bias: false,
            }],
            held: Held::F32,
        }
    }

    /// Words of four bytes that it takes on the device.
    pub fn words(&self) -> usize {
        match self.held {
            Held::F32 => self.kind.storage_len(),
            Held::F16 | Held::BF16 => self.kind.storage_len() / 2,
        }
    }

    /// The bytes that the device holds of `storage`, two to a word the lower first; exact where the numbers are of that type.
    pub fn bytes<'a>(&self, storage: &'a [f32]) -> Cow<'a, [u8]> {
        let halves = |half: fn(f32) -> u16| {
            let bytes = storage.iter().flat_map(|x| half(*x).to_le_bytes());
            Cow::Owned(bytes.collect())
        };
        match self.held {
            Held::F32 => Cow::Borrowed(bytemuck::cast_slice(storage)),
            Held::F16 => halves(|x| half::f16::from_f32(x).to_bits()),
            Held::BF16 => halves(|x| half::bf16::from_f32(x).to_bits()),
        }
    }

    /// The storage that the device's `bytes` hold, the inverse of [`Param::bytes`].
    pub fn storage(&self, bytes: &[u8]) -> Vec<f32> {
        let halves = |number: fn(u16) -> f32| {
            let pairs = bytes.as_chunks::<2>().0.iter();
            pairs
                .map(|pair| number(u16::from_le_bytes(*pair)))
                .collect()
        };
        match self.held {
            Held::F32 => bytemuck::pod_collect_to_vec(bytes),
            Held::F16 => halves(|x| half::f16::from_bits(x).to_f32()),
            Held::BF16 => halves(|x| half::bf16::from_bits(x).to_f32()),
        }
    }

    /// The shape of part `i` in the checkpoint; sizes of 1 at the end do not count, so that a 1×1 weight may be a
    /// convolution's or a linear layer's.
    pub fn part_shape(&self, i: usize) -> Vec<usize> {
        let outputs = self.parts[i].of;
        match self.kind {
            ParamKind::Weight { .. } if self.parts[i].bias => vec![outputs],
            ParamKind::Weight {
                input, kernel: 1, ..
            } => vec![outputs, input],
            ParamKind::Weight { input, kernel, .. } => vec![outputs, input, kernel, kernel],
            ParamKind::Vector { .. } => vec![outputs],
            ParamKind::Table { rows, .. } => vec![rows, outputs],
        }
    }

    /// Writes part `i` of the tensor that the checkpoint holds into `storage` (of [`ParamKind::storage_len`]).
    pub fn store(&self, i: usize, tensor: &[f32], storage: &mut [f32]) {
        self.each(i, |from, to| storage[to] = tensor[from]);
    }

    /// The inverse of [`Param::store`]; what part `i` does not hold of the tensor is left as it is.
    pub fn load(&self, i: usize, storage: &[f32], tensor: &mut [f32]) {
        self.each(i, |from, to| tensor[from] = storage[to]);
    }

    /// Calls `f(index in the tensor, index in storage)` for every element of part `i`.
    fn each(&self, i: usize, mut f: impl FnMut(usize, usize)) {
        let Part {
            outputs,
            first: skipped,
            of,
            bias,
            ..
        } = self.parts[i];
        let before = self.parts[..i].iter().filter(|p| p.bias == bias);
        let first: usize = before.map(|p| p.outputs).sum();
        match self.kind {
            ParamKind::Weight { out, input, kernel } => {
                let (inner, stride) = (input * kernel * kernel, pad4(out));
                if bias {
                    return (0..outputs).for_each(|o| f(skipped + o, inner * stride + first + o));
                }
                for o in 0..outputs {
                    for k in 0..inner {
                        f((skipped + o) * inner + k, k * stride + first + o);
                    }
                }
            }
            ParamKind::Vector { .. } => (0..outputs).for_each(|o| f(skipped + o, first + o)),
            ParamKind::Table { rows, dim } => {
                for row in 0..rows {
                    (0..outputs).for_each(|o| f(row * of + skipped + o, row * dim + first + o));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Where each element of part `i` is held, by the tensor 0, 1, 2, …; what is not held is −1.
    fn held(param: &Param, i: usize) -> Vec<f32> {
        let len: usize = param.part_shape(i).iter().product();
        let tensor: Vec<f32> = (0..len).map(|v| v as f32).collect();
        let mut storage = vec![-1.0; param.kind.storage_len()];
        param.store(i, &tensor, &mut storage);
        let mut back = vec![-1.0; len];
        param.load(i, &storage, &mut back);
        let kept = back.iter().zip(&tensor).filter(|(b, t)| b == t).count();
        let stored = storage.iter().filter(|v| **v >= 0.0).count();
        assert_eq!(kept, stored, "{back:?}");
        storage
    }

    /// Two layers of 2 and 1 outputs, 1×1 over 3 inputs: rows of inputs, then the biases' row; outputs padded to 4.
    #[test]
    fn stacked_weights_lie_input_by_input() {
        let param = Param::weight(&[("a", 2), ("b", 1)], 3, 1);
        let names: Vec<&str> = param.parts.iter().map(|p| p.name.as_str()).collect();
        assert_eq!(names, ["a.weight", "b.weight", "a.bias", "b.bias"]);
        assert_eq!((param.kind.storage_len(), param.kind.count()), (16, 12));
        const N: f32 = -1.0;
        let a = [[0.0, 3.0, N, N], [1.0, 4.0, N, N], [2.0, 5.0, N, N], [N; 4]];
        assert_eq!(held(&param, 0), a.as_flattened());
        let b = [[N, N, 0.0, N], [N, N, 1.0, N], [N, N, 2.0, N], [N; 4]];
        assert_eq!(held(&param, 1), b.as_flattened());
        assert_eq!(held(&param, 2)[12..], [0.0, 1.0, N, N]);
        assert_eq!(held(&param, 3)[12..], [N, N, 0.0, N]);
        assert_eq!(param.part_shape(0), [2, 3]);
        let square = Param::weight(&[("a", 5)], 3, 2);
        assert_eq!(square.part_shape(0), [5, 3, 2, 2]);
        assert_eq!(
            (square.kind.storage_len(), square.kind.count()),
            (13 * 8, 13 * 5)
        );
    }

    /// Outputs 1 and 2 of a layer of 4, and the same columns of a table: the rest of the tensor is another parameter's.
    #[test]
    fn ranges_hold_their_own_outputs() {
        let range = Outputs {
            layer: "a",
            first: 1,
            count: 2,
            of: 4,
        };
        let param = Param::weight_of(&[range], 2, 1);
        assert_eq!(param.part_shape(0), [4, 2]);
        const N: f32 = -1.0;
        let weight = [[2.0, 4.0, N, N], [3.0, 5.0, N, N], [N; 4]];
        assert_eq!(held(&param, 0), weight.as_flattened());
        assert_eq!(held(&param, 1)[8..], [1.0, 2.0, N, N]);
        let table = Param::table_of("t", 3, 1..3, 4);
        assert_eq!((table.kind.storage_len(), table.kind.count()), (6, 6));
        assert_eq!(held(&table, 0), [1.0, 2.0, 5.0, 6.0, 9.0, 10.0]);
        assert_eq!(table.part_shape(0), [3, 4]);
    }

    #[test]
    fn vectors_are_padded() {
        let vector = Param::vector("v", 5);
        assert_eq!((vector.kind.storage_len(), vector.kind.count()), (8, 5));
        assert_eq!(held(&vector, 0)[..5], [0.0, 1.0, 2.0, 3.0, 4.0]);
    }
}
