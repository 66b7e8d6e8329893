//! What a kernel reads an image from: act(a·concat(x, x2) + b), upsampled - a chain of operations that the load
//! absorbs. Its shader is `shaders/shared/source.wgsl`.

use crate::graph::lower::Operand;
use crate::graph::{Defines, GraphError, Lowering, Shape, Value};
use crate::ops::elementwise::{Activation, Concat, Function};
use crate::ops::norm::{Affine, Moments};
use crate::ops::resample::Upsample;
use crate::real::Real;

/// The sizes of a source. Operands: x, then x2 if `c1 > 0`, then the statistics if `norm`, or γ
/// and β if `moments`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Source {
    pub batch: usize,
    /// Channels of x.
    pub c0: usize,
    /// Channels of x2; 0 where there is none.
    pub c1: usize,
    /// Height and width of x, before upsampling.
    pub h: usize,
    pub w: usize,
    pub norm: bool,
    /// The same, with statistics that the load merges itself; only convolutions can.
    pub moments: Option<Moments>,
    pub function: Function,
    pub up: bool,
}

impl Source {
    pub fn channels(&self) -> usize {
        self.c0 + self.c1
    }

    /// Height and width as the reader sees them.
    pub fn size(&self) -> (usize, usize) {
        let k = 1 + usize::from(self.up);
        (k * self.h, k * self.w)
    }

    /// Operands that are images.
    pub fn images(&self) -> usize {
        1 + usize::from(self.c1 > 0)
    }

    pub fn operands(&self) -> usize {
        self.images() + usize::from(self.norm) + 2 * usize::from(self.moments.is_some())
    }

    pub fn defines(&self) -> Defines {
        vec![
            ("CONCAT", i64::from(self.c1 > 0)),
            ("NORM", i64::from(self.norm)),
            ("ACT", self.function as i64),
            ("UP", i64::from(self.up)),
        ]
    }

    /// The words of the shader's `Source` struct: c0, c1, h, w.
    pub fn params(&self) -> [u32; 4] {
        [self.c0, self.c1, self.h, self.w].map(|v| v as u32)
    }

    /// `v` as it is, or the two values that it is made of, one after the other along the channels.
    pub fn plain(cx: &mut Lowering, v: Value) -> Result<(Self, Vec<Operand>), GraphError> {
        let concat = cx.made_by::<Concat>(v);
        Self::beside(cx, concat.map_or(vec![v], |(_, node)| node.inputs.clone()))
    }

    /// `v` as it is.
    pub fn whole(cx: &mut Lowering, v: Value) -> Result<(Self, Vec<Operand>), GraphError> {
        Self::beside(cx, vec![v])
    }

    /// One or two values, one after the other along the channels.
    fn beside(cx: &mut Lowering, parts: Vec<Value>) -> Result<(Self, Vec<Operand>), GraphError> {
        let shapes: Vec<Shape> = parts.iter().map(|p| cx.shape(*p)).collect();
        let source = Self {
            batch: if shapes[0].batched { cx.batch } else { 1 },
            c0: shapes[0].c,
            c1: shapes.get(1).map_or(0, |s| s.c),
            h: shapes[0].h,
            w: shapes[0].w,
            norm: false,
            moments: None,
            function: Function::Identity,
            up: false,
        };
        let operands = parts
            .into_iter()
            .map(|p| cx.value(p))
            .collect::<Result<_, _>>()?;
        Ok((source, operands))
    }

    /// Looks behind `v` and takes in what a load can do; the operands are in the shader's order.
    pub fn absorb(cx: &mut Lowering, v: Value) -> Result<(Self, Vec<Operand>), GraphError> {
        Self::take(cx, v, 0)
    }

    /// The same, for a load that can merge moments, which takes γ and β, as long as it has no more than `most` operands.
    pub fn take(
        cx: &mut Lowering,
        v: Value,
        most: usize,
    ) -> Result<(Self, Vec<Operand>), GraphError> {
        let (mut v, mut norm, mut function, mut up) = (v, None, Function::Identity, false);
        if let Some((_, node)) = cx.made_by::<Upsample>(v) {
            (v, up) = (node.inputs[0], true);
        }
        if let Some((activation, node)) = cx.made_by::<Activation>(v) {
            (v, function) = (node.inputs[0], activation.0);
        }
        if let Some((_, node)) = cx.made_by::<Affine>(v) {
            (v, norm) = (node.inputs[0], Some((v, node.inputs[1])));
        }
        let (mut source, mut operands) = Self::plain(cx, v)?;
        (source.function, source.up) = (function, up);
        if let Some((affine, stats)) = norm {
            let room = operands.len() + 2 <= most;
            let merged = room.then(|| Moments::of(cx, affine, &operands)).flatten();
            if let Some((moments, params)) = merged {
                source.moments = Some(moments);
                operands.extend(params);
            } else {
                source.norm = true;
                operands.push(cx.value(stats)?);
            }
        }
        Ok((source, operands))
    }

    /// The scalar twin of `source`: channel `c` of sample `n` at (y, x) as the reader sees it.
    pub fn at<R: Real>(&self, reads: &[&[R]], n: usize, c: usize, y: usize, x: usize) -> R {
        self.function.apply(self.before(reads, n, c, y, x))
    }

    /// Channel `c` of sample `n` as the reader sees it, on the processor: what [`at`](Self::at) says of each pixel.
    pub fn plane(&self, reads: &[&[f32]], n: usize, c: usize, to: &mut [f32]) {
        let (from, (scale, shift)) = self.line(reads, n, c);
        let hw = from.len();
        // Upsampled, it is made at the end of its place and then spread from the front.
        let first = to.len() - hw;
        let small = &mut to[first..];
        match (self.norm, self.function) {
            (false, Function::Identity) => small.copy_from_slice(from),
            _ => self.function.apply_all(from, (scale, shift), small),
        }
        if self.up {
            let w = 2 * self.w;
            for y in 0..self.h {
                for x in 0..self.w {
                    let v = to[first + y * self.w + x];
                    to[2 * y * w + 2 * x] = v;
                    to[2 * y * w + 2 * x + 1] = v;
                }
                to.copy_within(2 * y * w..(2 * y + 1) * w, (2 * y + 1) * w);
            }
        }
    }

    /// y *= the slope of the function at channel `c` of sample `n`, on the processor. Nothing that it is asked of is
    /// upsampled.
    pub fn slope(&self, reads: &[&[f32]], n: usize, c: usize, y: &mut [f32]) {
        let (from, (scale, shift)) = self.line(reads, n, c);
        match self.function {
            Function::Identity => {}
            // The page trains where there is a GPU: its module goes without.
            Function::Silu if cfg!(not(target_arch = "wasm32")) => {
                pollen_dense::functions::slope(
                    from,
                    (scale, shift),
                    pollen_dense::Activation::Silu,
                    y,
                );
            }
            function => {
                for (y, x) in y.iter_mut().zip(from) {
                    *y *= function.slope(x * scale + shift);
                }
            }
        }
    }

    /// Channel `c` of sample `n` as it is stored, and the normalisation's factor and offset for it.
    pub fn line<'a>(&self, reads: &[&'a [f32]], n: usize, c: usize) -> (&'a [f32], (f32, f32)) {
        let hw = self.h * self.w;
        let from = match c.checked_sub(self.c0) {
            None => &reads[0][(n * self.c0 + c) * hw..][..hw],
            Some(c) => &reads[1][(n * self.c1 + c) * hw..][..hw],
        };
        let channels = self.channels();
        let affine = match self.norm {
            true => {
                let stats = &reads[self.operands() - 1][n * 2 * channels..];
                (stats[c], stats[channels + c])
            }
            false => (1.0, 0.0),
        };
        (from, affine)
    }

    /// The slope of the function there, the scalar twin of `source_slope`.
    pub fn slope_at<R: Real>(&self, reads: &[&[R]], n: usize, c: usize, y: usize, x: usize) -> R {
        self.function.slope(self.before(reads, n, c, y, x))
    }

    /// What the function is applied to.
    fn before<R: Real>(&self, reads: &[&[R]], n: usize, c: usize, y: usize, x: usize) -> R {
        let (y, x) = if self.up { (y / 2, x / 2) } else { (y, x) };
        let p = y * self.w + x;
        let hw = self.h * self.w;
        let mut v = if c < self.c0 {
            reads[0][(n * self.c0 + c) * hw + p]
        } else {
            reads[1][(n * self.c1 + c - self.c0) * hw + p]
        };
        if self.norm {
            let channels = self.channels();
            let stats = &reads[self.operands() - 1][n * 2 * channels..];
            v = v * stats[c] + stats[channels + c];
        }
        v
    }
}
