//! Parameters: what a checkpoint's tensors become on the device.

/// A parameter of a graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ParamId(pub(crate) usize);

/// How a parameter lies in memory. `out` is padded to a multiple of 4, so that kernels load it as `vec4`; the
/// padding holds zeros.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ParamKind {
    /// A convolution's or a linear layer's weight, `[in][kernel][kernel][out]`; linear layers have `kernel = 1`.
    Weight {
        out: usize,
        input: usize,
        kernel: usize,
    },
    /// A bias, or a normalisation's gain or offset, `[len]`.
    Vector { len: usize },
    /// An embedding table, `[rows][dim]`, not padded.
    Table { rows: usize, dim: usize },
}

/// One tensor of a checkpoint, and how many of the parameter's outputs it makes up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    pub name: String,
    pub outputs: usize,
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
            Self::Weight { out, input, kernel } => input * kernel * kernel * pad4(out),
            Self::Vector { len } => pad4(len),
            Self::Table { rows, dim } => rows * dim,
        }
    }

    /// Elements that the checkpoint holds.
    pub fn count(&self) -> usize {
        match *self {
            Self::Weight { out, input, kernel } => input * kernel * kernel * out,
            Self::Vector { len } => len,
            Self::Table { rows, dim } => rows * dim,
        }
    }

    fn outputs(&self) -> usize {
        match *self {
            Self::Weight { out, .. } => out,
            Self::Vector { len } => len,
            Self::Table { rows, .. } => rows,
        }
    }
}

impl Param {
    /// A parameter that is one tensor.
    pub fn new(kind: ParamKind, name: impl Into<String>) -> Self {
        let outputs = kind.outputs();
        Self {
            kind,
            parts: vec![Part {
                name: name.into(),
                outputs,
            }],
        }
    }

    /// A parameter that stacks several tensors; `parts` are names with the outputs of each.
    pub fn stacked(kind: ParamKind, parts: Vec<Part>) -> Self {
        debug_assert_eq!(
            kind.outputs(),
            parts.iter().map(|p| p.outputs).sum::<usize>()
        );
        Self { kind, parts }
    }

    /// The shapes that the checkpoint may give part `i`; a 1×1 weight may be a convolution's or a linear layer's.
    pub fn part_shapes(&self, i: usize) -> Vec<Vec<usize>> {
        let outputs = self.parts[i].outputs;
        match self.kind {
            ParamKind::Weight {
                input, kernel: 1, ..
            } => vec![vec![outputs, input], vec![outputs, input, 1, 1]],
            ParamKind::Weight { input, kernel, .. } => vec![vec![outputs, input, kernel, kernel]],
            ParamKind::Vector { .. } => vec![vec![outputs]],
            ParamKind::Table { dim, .. } => vec![vec![outputs, dim]],
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
        let first: usize = self.parts[..i].iter().map(|p| p.outputs).sum();
        let outputs = self.parts[i].outputs;
        match self.kind {
            ParamKind::Weight { out, input, kernel } => {
                let (inner, stride) = (input * kernel * kernel, pad4(out));
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
