//! The gradient of a convolution with respect to its input: the transposed convolution, in whose epilogue the slope of
//! the activation before the convolution is taken in.

use crate::graph::lower::Operand;
use crate::graph::param::pad4;
use crate::graph::{
    Defines, GraphError, Kernel, Lowering, Operation, ParamKind, Shape, Tuning, Value, mismatch,
};
use crate::ops::conv2d::Conv2d;
use crate::ops::conv2d::tile::{self, Layer, Tile};
use crate::ops::shared::{Source, linear_grid, shader, twins};
use crate::real::Real;

/// dx[n,i,q] = Σ_o Σ_k w[i,k,o]·dy[n,o,(q + pad − k)/stride], over the k where that is whole. Input: dy; parameter: the
/// weight.
#[derive(Debug)]
pub struct Conv2dInputGradient {
    pub kernel: usize,
    pub stride: usize,
    /// Zeros that the convolution had before its first row and column.
    pub pad: usize,
    /// The shape of its input.
    pub input: Shape,
}

impl Operation for Conv2dInputGradient {
    fn name(&self) -> &'static str {
        "conv2d_input_gradient"
    }

    fn shape(&self, inputs: &[Shape], params: &[&ParamKind]) -> Result<Shape, GraphError> {
        match *params[0] {
            ParamKind::Weight { out, input, kernel }
                if out == inputs[0].c && input == self.input.c && kernel == self.kernel =>
            {
                Ok(self.input)
            }
            ref other => Err(mismatch(
                self.name(),
                format!(
                    "a parameter of {} numbers does not fit {}",
                    other.count(),
                    inputs[0]
                ),
            )),
        }
    }

    fn lower(&self, cx: &mut Lowering, node: Value) -> Result<(), GraphError> {
        lower(cx, node, node, None, None)
    }
}

/// Emits `node` = `main`, a [`Conv2dInputGradient`], times the slope of the function of `after`, plus `other`.
pub fn lower(
    cx: &mut Lowering,
    node: Value,
    main: Value,
    after: Option<(Source, Vec<Operand>)>,
    other: Option<Value>,
) -> Result<(), GraphError> {
    let Some((op, inner)) = cx.made_by::<Conv2dInputGradient>(main) else {
        return Err(mismatch("conv2d_input_gradient", "nothing to lower"));
    };
    let (dy, x) = (cx.shape(inner.inputs[0]), op.input);
    let mut reads = vec![cx.value(inner.inputs[0])?];
    reads.extend(inner.params.iter().map(|p| Operand::Param(*p)));
    let (mut after, operands) = match after {
        Some((source, operands)) => (Some(source), operands),
        None => (None, Vec::new()),
    };
    reads.extend(operands);
    if let Some(other) = other {
        reads.push(cx.value(other)?);
    }
    let (mut size, mut from) = ((x.h, x.w), (dy.h, dy.w));
    // Neighbours do not matter to a 1×1 convolution: an image is one long row.
    if (op.kernel, op.stride) == (Conv2d::POINT.kernel, 1) {
        (size, from) = ((1, x.h * x.w), (1, x.h * x.w));
        if let Some(source) = &mut after {
            (source.h, source.w) = size;
        }
    }
    let kernel = Conv2dInputGradientKernel {
        batch: cx.batch,
        out: dy.c,
        oh: from.0,
        ow: from.1,
        input: x.c,
        h: size.0,
        w: size.1,
        kernel: op.kernel,
        stride: op.stride,
        pad: op.pad,
        after,
        residual: other.is_some(),
    };
    cx.emit(kernel, reads, vec![node])
}

/// Operands: dy, weight, those of the source before whose function the gradient is wanted, what is added. Writes dx.
#[derive(Debug)]
pub struct Conv2dInputGradientKernel {
    pub batch: usize,
    /// Channels and size of dy.
    pub out: usize,
    pub oh: usize,
    pub ow: usize,
    /// Channels and size of dx.
    pub input: usize,
    pub h: usize,
    pub w: usize,
    pub kernel: usize,
    pub stride: usize,
    pub pad: usize,
    pub after: Option<Source>,
    pub residual: bool,
}

/// Pixels that a thread on its own makes.
const STRIP: usize = 8;

impl Conv2dInputGradientKernel {
    /// The convolution of dy that it is.
    fn layer(&self) -> Layer {
        Layer {
            batch: self.batch,
            input: self.out,
            shortcut: 0,
            out: self.input,
            kernel: self.kernel,
            stride: 1,
            oh: self.h,
            ow: self.w,
        }
    }

    fn tile(&self, tuning: Tuning) -> Option<Tile> {
        tile::tile(&self.layer(), tuning)
    }

    /// Threads: strips × groups of four input channels × batch.
    fn threads(&self) -> usize {
        self.w.div_ceil(STRIP) * self.h * self.input.div_ceil(4) * self.batch
    }

    #[cfg_attr(
        target_arch = "wasm32",
        allow(dead_code, reason = "only tests ask for it")
    )]
    fn twin<R: Real>(&self, reads: &[&[R]], writes: &mut [&mut [R]]) {
        let (k, stride, hw) = (self.kernel, pad4(self.out), self.h * self.w);
        // The place in dy that saw (y, tap) of x, if there is one.
        let place = |q: usize, tap: usize, size: usize| {
            let from = (q + self.pad).checked_sub(tap)?;
            let o = from / self.stride;
            (from.is_multiple_of(self.stride) && o < size).then_some(o)
        };
        for (index, dx) in writes[0].iter_mut().enumerate() {
            let (n, i, q) = (index / hw / self.input, index / hw % self.input, index % hw);
            if n >= self.batch {
                break;
            }
            let (y, x) = (q / self.w, q % self.w);
            let mut sum = R::ZERO;
            for (ky, kx) in (0..k * k).map(|j| (j / k, j % k)) {
                if let (Some(oy), Some(ox)) = (place(y, ky, self.oh), place(x, kx, self.ow)) {
                    for o in 0..self.out {
                        sum += reads[1][((i * k + ky) * k + kx) * stride + o]
                            * reads[0][((n * self.out + o) * self.oh + oy) * self.ow + ox];
                    }
                }
            }
            if let Some(source) = &self.after {
                sum *= source.slope_at(&reads[2..], n, i, y, x);
            }
            if self.residual {
                sum += reads[reads.len() - 1][index];
            }
            *dx = sum;
        }
    }
}

impl Kernel for Conv2dInputGradientKernel {
    fn name(&self) -> &'static str {
        "conv2d_input_gradient"
    }

    fn shader(&self, tuning: Tuning) -> &'static str {
        match self.tile(tuning) {
            Some(_) => shader!("conv2d/input_gradient_tiled"),
            None => shader!("conv2d/input_gradient"),
        }
    }

    fn defines(&self, tuning: Tuning) -> Defines {
        let mut defines = match &self.after {
            Some(source) => source.defines(),
            None => Vec::new(),
        };
        match self.tile(tuning) {
            Some(tile) => defines.extend(tile.defines()),
            None => defines.push(("PX", STRIP as i64)),
        }
        defines.extend([
            ("AFTER", i64::from(self.after.is_some())),
            ("RESIDUAL", i64::from(self.residual)),
            ("K", self.kernel as i64),
            ("S", self.stride as i64),
            ("PAD", self.pad as i64),
        ]);
        defines
    }

    fn params(&self) -> Vec<u32> {
        let mut words = match &self.after {
            Some(source) => source.params().to_vec(),
            None => vec![0; 4],
        };
        let sizes = [
            self.out,
            self.oh,
            self.ow,
            self.input,
            self.h,
            self.w,
            self.w.div_ceil(STRIP),
            self.batch,
        ];
        words.extend(sizes.map(|v| v as u32));
        words
    }

    fn grid(&self, tuning: Tuning) -> [u32; 3] {
        match self.tile(tuning) {
            Some(tile) => tile.grid(&self.layer()).map(|n| n as u32),
            None => linear_grid(self.threads()),
        }
    }

    fn flops(&self) -> u64 {
        let terms = self.input * self.kernel * self.kernel * self.out;
        2 * (self.batch * self.oh * self.ow) as u64 * terms as u64
    }

    fn compute(&self, reads: &[&[f32]], writes: &mut [&mut [f32]]) {
        crate::ops::conv2d::cpu_gradient::input_gradient(self, reads, writes);
    }

    twins!(own);
}
