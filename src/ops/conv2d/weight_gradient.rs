//! The gradient of a convolution with respect to its weight and bias: a sum over samples and pixels, in parts that a
//! [`GradientSums`](crate::ops::shared::GradientSums) adds up in their order, so that the same numbers give the same bytes.

use crate::graph::param::pad4;
use crate::graph::{
    Backward, Defines, GraphError, Kernel, Lowering, Operation, ParamKind, Shape, Tuning, Value,
    mismatch,
};
use crate::ops::conv2d::Conv2dInputGradient;
use crate::ops::shared::{Source, linear_grid, shader, twins};
use crate::real::Real;

/// The rule of convolutions and linear layers, `pad` being the zeros before the first row and column.
pub fn conv2d_gradient(
    cx: &mut Backward,
    node: Value,
    dy: Value,
    kernel: usize,
    stride: usize,
    pad: usize,
) -> Result<(), GraphError> {
    let (x, params) = (cx.node(node).inputs[0], cx.node(node).params);
    let op = Conv2dWeightGradient {
        kernel,
        stride,
        pad,
    };
    let learned = cx.push(op, &[dy, x], &params)?;
    cx.learned(learned);
    if cx.needs(x) {
        let op = Conv2dInputGradient {
            kernel,
            stride,
            pad,
            input: cx.graph().shape(x),
        };
        let dx = cx.push(op, &[dy], &params)?;
        cx.add(x, dx);
    }
    Ok(())
}

/// dw[i,k,o] += Σ_n Σ_q x[n,i, stride·q + k − pad]·dy[n,o,q], db[o] += Σ_n Σ_q dy[n,o,q]. Inputs: dy, x; parameter: the
/// weight. Yields nothing of its own.
#[derive(Debug)]
pub struct Conv2dWeightGradient {
    pub kernel: usize,
    pub stride: usize,
    pub pad: usize,
}

/// Workgroups that keep a GPU busy: each part is written once and read once more, to be summed.
const WORKGROUPS: usize = 128;

/// Threads along the input channels of the tiled kernel's workgroup, and all of them.
const INPUTS: usize = 8;
const THREADS: usize = 256;

impl Operation for Conv2dWeightGradient {
    fn name(&self) -> &'static str {
        "conv2d_weight_gradient"
    }

    fn shape(&self, inputs: &[Shape], params: &[&ParamKind]) -> Result<Shape, GraphError> {
        match *params[0] {
            ref kind @ ParamKind::Weight { out, input, kernel }
                if out == inputs[0].c && input == inputs[1].c && kernel == self.kernel =>
            {
                Ok(Shape::fixed(kind.storage_len()))
            }
            ref other => Err(mismatch(
                self.name(),
                format!(
                    "a parameter of {} numbers does not fit {} and {}",
                    other.count(),
                    inputs[0],
                    inputs[1]
                ),
            )),
        }
    }

    fn lower(&self, cx: &mut Lowering, node: Value) -> Result<(), GraphError> {
        let inner = cx.node(node);
        let (dy, x) = (cx.shape(inner.inputs[0]), cx.shape(inner.inputs[1]));
        let mut reads = vec![cx.value(inner.inputs[0])?];
        let (source, images) = Source::plain(cx, inner.inputs[1])?;
        reads.extend(images);
        let mut kernel = Conv2dWeightGradientKernel {
            batch: cx.batch,
            out: dy.c,
            oh: dy.h,
            ow: dy.w,
            input: x.c,
            second: source.c1,
            h: x.h,
            w: x.w,
            kernel: self.kernel,
            stride: self.stride,
            pad: self.pad,
            parts: 1,
        };
        // Neighbours do not matter to a 1×1 convolution; square images keep their rows, for the parts to share.
        let rows = kernel.batch * kernel.oh;
        let [x, y] = kernel.tiles();
        let parts = (WORKGROUPS / (x * y).max(1)).max(1);
        // No part is empty, and none leaves threads of a workgroup without a row.
        let split = THREADS / INPUTS / kernel.outputs();
        let each = rows.div_ceil(split * parts) * split;
        kernel.parts = rows.div_ceil(each);
        let parts = cx.gradient_parts(&[(inner.params[0], kernel.parts, kernel.elements())]);
        cx.emit(kernel, reads, vec![parts])
    }
}

/// Operands: dy, x in one image or two. Writes the sums of each part, `[parts][in·k·k + 1][out padded to 4]`, zeros in the padding.
#[derive(Debug)]
pub struct Conv2dWeightGradientKernel {
    pub batch: usize,
    /// Channels and size of dy.
    pub out: usize,
    pub oh: usize,
    pub ow: usize,
    /// Channels and size of x.
    pub input: usize,
    /// Of them those of a second image.
    pub second: usize,
    pub h: usize,
    pub w: usize,
    pub kernel: usize,
    pub stride: usize,
    pub pad: usize,
    /// Rows of pixels, counted over the batch, are shared among this many parts, each a run of ⌈rows/parts⌉.
    pub parts: usize,
}

impl Conv2dWeightGradientKernel {
    /// Elements of one part.
    pub fn elements(&self) -> usize {
        (self.input * self.kernel * self.kernel + 1) * pad4(self.out)
    }

    /// Rows of pixels of one part.
    pub fn rows(&self) -> usize {
        (self.batch * self.oh).div_ceil(self.parts)
    }

    /// `vec4`s of output channels that a thread makes for each of its taps.
    fn vectors(&self) -> usize {
        if self.kernel == 1 { 4 } else { 1 }
    }

    /// Threads of the tiled kernel along the output channels; what is left of a workgroup shares out the rows of pixels.
    fn outputs(&self) -> usize {
        if self.out > 16 { 8 } else { 4 }
    }

    /// Tiles of the tiled kernel along the input and the output channels, of which a thread has one and one `vec4`, or two in
    /// a 1×1 convolution.
    fn tiles(&self) -> [usize; 2] {
        let each = if self.kernel == 1 { 2 } else { 1 };
        [
            self.input.div_ceil(INPUTS * each),
            self.out.div_ceil(4 * self.outputs() * each),
        ]
    }

    /// Whether an adapter of `tuning` gets the tiled kernel, in whose memory a pixel of larger kernels does not fit.
    fn tiled(&self, tuning: Tuning) -> bool {
        !tuning.is_software() && self.kernel <= 3
    }

    /// Threads of one part: input channels and one more for the bias, times groups of output channels.
    fn threads(&self) -> usize {
        (self.input + 1) * (pad4(self.out) / 4).div_ceil(self.vectors())
    }

    #[cfg_attr(
        target_arch = "wasm32",
        allow(dead_code, reason = "only tests ask for it")
    )]
    fn twin<R: Real>(&self, reads: &[&[R]], writes: &mut [&mut [R]]) {
        let (k, stride) = (self.kernel, pad4(self.out));
        for (index, dw) in writes[0].iter_mut().enumerate() {
            let (part, row, o) = (
                index / self.elements(),
                index % self.elements() / stride,
                index % stride,
            );
            *dw = R::ZERO;
            if o >= self.out || part >= self.parts {
                continue;
            }
            let (i, ky, kx) = (row / (k * k), row / k % k, row % k);
            let rows = part * self.rows()..((part + 1) * self.rows()).min(self.batch * self.oh);
            for (n, oy) in rows.map(|r| (r / self.oh, r % self.oh)) {
                for ox in 0..self.ow {
                    let dy = reads[0][((n * self.out + o) * self.oh + oy) * self.ow + ox];
                    if i == self.input {
                        *dw += dy;
                        continue;
                    }
                    let (y, x) = (oy * self.stride + ky, ox * self.stride + kx);
                    if (self.pad..self.pad + self.h).contains(&y)
                        && (self.pad..self.pad + self.w).contains(&x)
                    {
                        let c0 = self.input - self.second;
                        let (x_of, i, channels) = match i < c0 {
                            true => (reads[1], i, c0),
                            false => (reads[2], i - c0, self.second),
                        };
                        let at = ((n * channels + i) * self.h + y - self.pad) * self.w;
                        *dw += dy * x_of[at + x - self.pad];
                    }
                }
            }
        }
    }
}

impl Kernel for Conv2dWeightGradientKernel {
    fn name(&self) -> &'static str {
        "conv2d_weight_gradient"
    }

    fn shader(&self, tuning: Tuning) -> &'static str {
        match self.tiled(tuning) {
            true => shader!("conv2d/weight_gradient_tiled"),
            false => shader!("conv2d/weight_gradient"),
        }
    }

    fn defines(&self, _: Tuning) -> Defines {
        vec![
            ("K", self.kernel as i64),
            ("S", self.stride as i64),
            ("CONCAT", i64::from(self.second > 0)),
            ("OG", self.outputs() as i64),
        ]
    }

    fn params(&self) -> Vec<u32> {
        [
            self.out,
            self.oh,
            self.ow,
            self.input,
            self.h,
            self.w,
            self.pad,
            self.batch * self.oh,
            self.rows(),
            self.parts,
            self.input - self.second,
            0,
        ]
        .map(|v| v as u32)
        .to_vec()
    }

    fn grid(&self, tuning: Tuning) -> [u32; 3] {
        let [x, y] = self.tiles();
        match self.tiled(tuning) {
            true => [x, y, self.parts].map(|n| n as u32),
            false => linear_grid(self.threads() * self.parts),
        }
    }

    fn flops(&self) -> u64 {
        let terms = self.input * self.kernel * self.kernel * self.out;
        2 * (self.batch * self.oh * self.ow) as u64 * terms as u64
    }

    fn compute(&self, reads: &[&[f32]], writes: &mut [&mut [f32]]) {
        crate::ops::conv2d::cpu_gradient::weight_gradient(self, reads, writes);
    }

    twins!(own);
}
