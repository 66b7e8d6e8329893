//! Convolution, 3×3 or 1×1, with everything around it that one kernel can do: normalisation, activation, concat and
//! upsampling in the load; bias, time embedding, residual or 1×1 shortcut, and a scale in the epilogue.

pub mod cpu;
pub mod cpu_gradient;
pub mod input_gradient;
pub mod padding;
pub mod tile;
pub mod weight_gradient;

pub use input_gradient::Conv2dInputGradient;
pub use padding::Padding;
pub use weight_gradient::{Conv2dWeightGradient, conv2d_gradient};

use self::tile::{Layer, Variant};

use crate::graph::lower::Operand;
use crate::graph::param::pad4;
use crate::graph::{
    Backward, Defines, GraphError, Held, Kernel, Lowering, Operation, ParamKind, Shape, Tuning,
    Value, mismatch,
};
use crate::ops::elementwise::{Activation, AddChannels, Function};
use crate::ops::norm::{Affine, moments};
use crate::ops::shared::{Source, twins};
use crate::real::Real;

/// y[n,o,q] = b[o] + Σ_i Σ_k w[i,k,o]·x[n,i, stride·q + k − pad]. Parameter: the weight with its bias.
#[derive(Clone, Copy, Debug)]
pub struct Conv2d {
    pub kernel: usize,
    pub stride: usize,
    /// Zeros on every side; diffusers' `downsample_padding` 0 pads one to the right and below instead.
    pub padding: Padding,
}

impl Conv2d {
    /// The 1×1 convolution.
    pub const POINT: Self = Self {
        kernel: 1,
        stride: 1,
        padding: Padding::Same(0),
    };

    /// The 3×3 convolution that keeps the size.
    pub const SAME: Self = Self {
        kernel: 3,
        stride: 1,
        padding: Padding::Same(1),
    };
}

impl Operation for Conv2d {
    fn name(&self) -> &'static str {
        "conv2d"
    }

    fn numbers(&self) -> Vec<(&'static str, f64)> {
        vec![
            ("kernel", self.kernel as f64),
            ("stride", self.stride as f64),
            ("padding", self.padding.before() as f64),
        ]
    }

    fn shape(&self, inputs: &[Shape], params: &[&ParamKind]) -> Result<Shape, GraphError> {
        let x = inputs[0];
        let &ParamKind::Weight { out, input, kernel } = params[0] else {
            return Err(mismatch(self.name(), "its first parameter is no weight"));
        };
        let (h, w) = (x.h + self.padding.total(), x.w + self.padding.total());
        if input != x.c || kernel != self.kernel || h < kernel || w < kernel {
            return Err(mismatch(
                self.name(),
                format!("a {kernel}×{kernel} weight over {input} channels does not fit {x}"),
            ));
        }
        Ok(Shape {
            c: out,
            h: (h - kernel) / self.stride + 1,
            w: (w - kernel) / self.stride + 1,
            ..x
        })
    }

    fn lower(&self, cx: &mut Lowering, node: Value) -> Result<(), GraphError> {
        lower(cx, node, node, Epilogue::default())
    }

    fn gradient(&self, cx: &mut Backward, node: Value, dy: Value) -> Result<(), GraphError> {
        conv2d_gradient(
            cx,
            node,
            dy,
            self.kernel,
            self.stride,
            self.padding.before(),
        )
    }
}

/// What is added to a convolution's output, and the factor on the sum.
#[derive(Debug)]
pub struct Epilogue {
    pub residual: Option<Value>,
    pub scale: f32,
}

impl Default for Epilogue {
    fn default() -> Self {
        Self {
            residual: None,
            scale: 1.0,
        }
    }
}

/// The residual of a lowered convolution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Residual {
    None,
    /// One operand of the output's shape.
    Value,
    /// A 1×1 convolution of one or two operands, with these channel counts.
    Shortcut {
        c0: usize,
        c1: usize,
    },
}

/// A convolution with its surroundings. Operands: the source's; weight; the time embedding; the residual's (for a
/// shortcut its sources and weight). Writes y, and if `moments` those behind it.
#[derive(Clone, Copy, Debug)]
pub struct Conv2dKernel {
    pub source: Source,
    pub out: usize,
    pub kernel: usize,
    pub stride: usize,
    pub pad: usize,
    pub oh: usize,
    pub ow: usize,
    /// Offset and row length of the embedding.
    pub embedding: Option<(usize, usize)>,
    pub residual: Residual,
    pub scale: f32,
    pub moments: bool,
    /// The weights, a shortcut's too.
    pub held: Held,
}

/// Emits the convolution behind `main` (a convolution, or an [`AddChannels`] of one) so that it computes `node`.
pub fn lower(
    cx: &mut Lowering,
    node: Value,
    main: Value,
    epilogue: Epilogue,
) -> Result<(), GraphError> {
    let (mut conv, mut embedding) = (main, None);
    if let Some((add, inner)) = cx.made_by::<AddChannels>(main) {
        conv = inner.inputs[0];
        embedding = Some((add.offset, inner.inputs[1]));
    }
    let Some((op, inner)) = cx.made_by::<Conv2d>(conv) else {
        return Err(mismatch("conv2d", "there is no convolution to lower"));
    };
    let shape = inner.shape;
    let held = cx.held(inner.params[0]);
    // Of WebGPU's eight bindings y and the weight take two, a shortcut up to three.
    let taken = usize::from(embedding.is_some()) + 3 * usize::from(epilogue.residual.is_some());
    let x = inner.inputs[0];
    let (mut source, mut reads) = match kept(cx, x) {
        true => Source::whole(cx, x)?,
        false => Source::take(cx, x, 6 - taken)?,
    };
    reads.extend(inner.params.iter().map(|p| Operand::Param(*p)));
    let embedding = match embedding {
        Some((offset, e)) => {
            reads.push(cx.value(e)?);
            Some((offset, cx.shape(e).c))
        }
        None => None,
    };
    let residual = match epilogue.residual {
        Some(r) => absorb_residual(cx, r, held, &mut reads)?,
        None => Residual::None,
    };
    let (mut oh, mut ow) = (shape.h, shape.w);
    // Neighbours do not matter to a 1×1 convolution: an image is one long row.
    if op.kernel == 1 && op.stride == 1 && !source.up {
        (source.h, source.w) = (1, source.h * source.w);
        (oh, ow) = (1, oh * ow);
    }
    let kernel = Conv2dKernel {
        source,
        out: shape.c,
        kernel: op.kernel,
        stride: op.stride,
        pad: op.padding.before(),
        oh,
        ow,
        embedding,
        residual,
        scale: epilogue.scale,
        moments: moments::wanted(cx, node),
        held,
    };
    if kernel.moments {
        cx.leave_moments(node, Tuning::ALL.map(|tuning| kernel.parts(tuning)));
    }
    cx.emit(kernel, reads, vec![node])
}

/// Whether `x` is a normalised or activated image that training makes anyway, for the weight's gradient.
fn kept(cx: &Lowering, x: Value) -> bool {
    let gradient = |v: &Value| cx.made_by::<Conv2dWeightGradient>(*v).is_some();
    let made = cx.made_by::<Activation>(x).is_some() || cx.made_by::<Affine>(x).is_some();
    made && cx.readers(x).iter().any(gradient)
}

fn absorb_residual(
    cx: &mut Lowering,
    r: Value,
    held: Held,
    reads: &mut Vec<Operand>,
) -> Result<Residual, GraphError> {
    if let Some((op, inner)) = cx.made_by::<Conv2d>(r)
        && (op.kernel, op.stride) == (1, 1)
        && cx.read_once(r)
        && cx.held(inner.params[0]) == held
    {
        let (source, operands) = Source::absorb(cx, inner.inputs[0])?;
        let plain = source.operands() == source.images()
            && !source.up
            && source.function == Function::Identity;
        if plain && operands.iter().all(|o| !reads.contains(o)) {
            reads.extend(operands);
            reads.extend(inner.params.iter().map(|p| Operand::Param(*p)));
            let (c0, c1) = (source.c0, source.c1);
            return Ok(Residual::Shortcut { c0, c1 });
        }
    }
    reads.push(cx.value(r)?);
    Ok(Residual::Value)
}

impl Conv2dKernel {
    fn layer(&self) -> Layer {
        let (r0, r1) = self.shortcut();
        Layer {
            batch: self.source.batch,
            input: self.source.channels(),
            shortcut: r0 + r1,
            out: self.out,
            kernel: self.kernel,
            stride: self.stride,
            oh: self.oh,
            ow: self.ow,
        }
    }

    /// The kernel that computes it on an adapter of `tuning`.
    pub fn variant(&self, tuning: Tuning) -> Variant {
        tile::variant(self.layer(), tuning)
    }

    /// Parts of the moments of a channel.
    fn parts(&self, tuning: Tuning) -> usize {
        self.variant(tuning).parts(&self.layer())
    }

    /// The kernel with a source that is normalised by `stats`, and its operands.
    fn settled<'a, R>(&self, reads: &[&'a [R]], stats: &'a [R]) -> (Self, Vec<&'a [R]>) {
        let mut plain = *self;
        (plain.source.moments, plain.source.norm) = (None, true);
        let (mut reads, images) = (reads.to_vec(), self.source.images());
        reads[images] = stats;
        reads.remove(images + 1);
        (plain, reads)
    }

    #[cfg_attr(
        target_arch = "wasm32",
        allow(dead_code, reason = "only tests ask for it")
    )]
    fn twin<R: Real>(&self, reads: &[&[R]], writes: &mut [&mut [R]]) {
        if let Some(moments) = self.source.moments {
            let stats = moments.affine(&self.source, reads);
            let (plain, reads) = self.settled(reads, &stats);
            return plain.twin(&reads, writes);
        }
        let s = self.source.operands();
        let weight = reads[s];
        let rest = &reads[s + 1..];
        let (ih, iw) = self.source.size();
        let (k, stride, hw) = (self.kernel, pad4(self.out), self.oh * self.ow);
        for (index, y) in writes[0].iter_mut().enumerate() {
            let (n, o, q) = (index / hw / self.out, index / hw % self.out, index % hw);
            if n >= self.source.batch {
                break;
            }
            let (oy, ox) = (q / self.ow, q % self.ow);
            let mut sum = weight[self.source.channels() * k * k * stride + o];
            for i in 0..self.source.channels() {
                for (ky, kx) in (0..k * k).map(|j| (j / k, j % k)) {
                    let (iy, ix) = (oy * self.stride + ky, ox * self.stride + kx);
                    if (self.pad..self.pad + ih).contains(&iy)
                        && (self.pad..self.pad + iw).contains(&ix)
                    {
                        let w = weight[((i * k + ky) * k + kx) * stride + o];
                        sum += w * self.source.at(reads, n, i, iy - self.pad, ix - self.pad);
                    }
                }
            }
            let mut rest = rest;
            if let Some((offset, len)) = self.embedding {
                sum += rest[0][n * len + offset + o];
                rest = &rest[1..];
            }
            match self.residual {
                Residual::None => {}
                Residual::Value => sum += rest[0][index],
                Residual::Shortcut { c0, c1 } => {
                    let sources = 1 + usize::from(c1 > 0);
                    sum += rest[sources][(c0 + c1) * stride + o];
                    for i in 0..c0 + c1 {
                        let r = if i < c0 {
                            rest[0][(n * c0 + i) * hw + q]
                        } else {
                            rest[1][(n * c1 + i - c0) * hw + q]
                        };
                        sum += rest[sources][i * stride + o] * r;
                    }
                }
            }
            *y = sum * R::from_f64(self.scale.into());
        }
    }

    fn shortcut(&self) -> (usize, usize) {
        match self.residual {
            Residual::Shortcut { c0, c1 } => (c0, c1),
            _ => (0, 0),
        }
    }
}

impl Kernel for Conv2dKernel {
    fn name(&self) -> &'static str {
        "conv2d"
    }

    fn shader(&self, tuning: Tuning) -> &'static str {
        self.variant(tuning).shader()
    }

    fn defines(&self, tuning: Tuning) -> Defines {
        let mut defines = self.source.defines();
        defines.extend(self.variant(tuning).defines());
        let (_, c1) = self.shortcut();
        defines.extend([
            ("K", self.kernel as i64),
            ("S", self.stride as i64),
            ("EMBED", i64::from(self.embedding.is_some())),
            ("RESIDUAL", i64::from(self.residual == Residual::Value)),
            (
                "SHORTCUT",
                i64::from(matches!(self.residual, Residual::Shortcut { .. })),
            ),
            ("SHORTCUT2", i64::from(c1 > 0)),
            ("MOMENTS", i64::from(self.moments)),
            ("WEIGHTS", self.held as i64),
        ]);
        if let Some(moments) = self.source.moments {
            defines.extend([("MERGE", moments.groups as i64), ("CLASS", tuning as i64)]);
        }
        defines
    }

    fn params(&self) -> Vec<u32> {
        let (offset, len) = self.embedding.unwrap_or_default();
        let (r0, r1) = self.shortcut();
        let mut words = self.source.params().to_vec();
        words.extend(
            [
                self.out,
                self.oh,
                self.ow,
                self.pad,
                offset,
                len,
                r0,
                r1,
                self.source.batch,
            ]
            .map(|v| v as u32),
        );
        words.push(self.scale.to_bits());
        let moments = self.source.moments;
        let (per, eps) = moments.map_or((0, 0), |m| (self.source.channels() / m.groups, m.eps));
        words.extend([per as u32, eps]);
        words.extend(moments.map_or([0; 8], |m| m.parts).map(|n| n as u32));
        words
    }

    fn grid(&self, tuning: Tuning) -> [u32; 3] {
        let grid = self.variant(tuning).grid(&self.layer());
        grid.map(|n| n as u32)
    }

    fn flops(&self) -> u64 {
        let (r0, r1) = self.shortcut();
        let terms = self.source.channels() * self.kernel * self.kernel + r0 + r1;
        2 * (self.source.batch * self.out * self.oh * self.ow) as u64 * terms as u64
    }

    fn compute(&self, reads: &[&[f32]], writes: &mut [&mut [f32]]) {
        if let Some(moments) = self.source.moments {
            let stats = moments.affine_f32(&self.source, reads);
            let (plain, reads) = self.settled(reads, &stats);
            return cpu::conv2d(&plain, &reads, writes);
        }
        cpu::conv2d(self, reads, writes);
    }

    twins!(own);
}
