//! Parameters: what a checkpoint's tensors become on the device.

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

/// One tensor of a checkpoint, and how many of the parameter's outputs it makes up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    pub name: String,
    pub outputs: usize,
    /// It belongs to a weight's bias row.
    pub bias: bool,
}

/// A parameter: tensors of a checkpoint stacked along their outputs (q, k and v become one weight, as do all time
/// projections), in the layout that kernels read.
#[derive(Clone, Debug)]
pub struct Param {
    pub kind: ParamKind,
    pub parts: Vec<Part>,
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
        let out = layers.iter().map(|(_, outputs)| outputs).sum();
        let parts = [("weight", false), ("bias", true)]
            .into_iter()
            .flat_map(|(role, bias)| {
                layers.iter().map(move |(layer, outputs)| Part {
                    name: format!("{layer}.{role}"),
                    outputs: *outputs,
                    bias,
                })
            })
            .collect();
        Self {
            kind: ParamKind::Weight { out, input, kernel },
            parts,
        }
    }

    /// A vector that is one tensor.
    pub fn vector(name: impl Into<String>, len: usize) -> Self {
        Self {
            kind: ParamKind::Vector { len },
            parts: vec![Part {
                name: name.into(),
                outputs: len,
                bias: false,
            }],
        }
    }

    /// An embedding table that is one tensor.
    pub fn table(name: impl Into<String>, rows: usize, dim: usize) -> Self {
        Self {
            kind: ParamKind::Table { rows, dim },
            parts: vec![Part {
                name: name.into(),
                outputs: rows,
                bias: false,
            }],
        }
    }

    /// The shape of part `i` in the checkpoint; sizes of 1 at the end do not count, so that a 1×1 weight may be a
    /// convolution's or a linear layer's.
    pub fn part_shape(&self, i: usize) -> Vec<usize> {
        let outputs = self.parts[i].outputs;
        match self.kind {
            ParamKind::Weight { .. } if self.parts[i].bias => vec![outputs],
            ParamKind::Weight {
                input, kernel: 1, ..
            } => vec![outputs, input],
            ParamKind::Weight { input, kernel, .. } => vec![outputs, input, kernel, kernel],
            ParamKind::Vector { .. } => vec![outputs],
            ParamKind::Table { dim, .. } => vec![outputs, dim],
        }
    }

    /// Writes part `i`, as the checkpoint holds it, into `storage` (of [`ParamKind::storage_len`]).
    pub fn store(&self, i: usize, tensor: &[f32], storage: &mut [f32]) {
        self.each(i, |from, to| storage[to] = tensor[from]);
    }

    /// The inverse of [`Param::store`].
    pub fn load(&self, i: usize, storage: &[f32], tensor: &mut [f32]) {
        self.each(i, |from, to| tensor[from] = storage[to]);
    }

    /// Calls `f(index in the tensor, index in storage)` for every element of part `i`.
    fn each(&self, i: usize, mut f: impl FnMut(usize, usize)) {
        let Part { outputs, bias, .. } = self.parts[i];
        let before = self.parts[..i].iter().filter(|p| p.bias == bias);
        let first: usize = before.map(|p| p.outputs).sum();
        match self.kind {
            ParamKind::Weight { out, input, kernel } => {
                let (inner, stride) = (input * kernel * kernel, pad4(out));
                if bias {
                    return (0..outputs).for_each(|o| f(o, inner * stride + first + o));
                }
                for o in 0..outputs {
                    for k in 0..inner {
                        f(o * inner + k, k * stride + first + o);
                    }
                }
            }
            ParamKind::Vector { .. } => (0..outputs).for_each(|o| f(o, first + o)),
            ParamKind::Table { dim, .. } => (0..outputs * dim).for_each(|k| f(k, first * dim + k)),
        }
    }
}
