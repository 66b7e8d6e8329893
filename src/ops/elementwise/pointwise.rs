//! y = scale·(source + r) + offset, for what no neighbour absorbs: a lone addition, activation, concat, upsampling.

use crate::graph::{Defines, GraphError, Kernel, Lowering, Tuning, Value};
use crate::ops::norm::group_stats::lower_image;
use crate::ops::shared::{Source, linear_grid, shader, twins};
use crate::real::Real;

/// Operands: the source's, then r if there is one; writes y.
#[derive(Debug)]
pub struct Pointwise {
    pub source: Source,
    pub residual: bool,
    pub scale: f32,
    pub offset: f32,
}

/// Materialises a node that a [`Source`] describes.
pub fn lower_source(cx: &mut Lowering, node: Value) -> Result<(), GraphError> {
    match lower_image(cx, node)? {
        true => Ok(()),
        false => lower(cx, node, node, None, 1.0, 0.0),
    }
}

/// Emits `node` = scale·(`x` + `residual`) + offset.
pub fn lower(
    cx: &mut Lowering,
    node: Value,
    x: Value,
    residual: Option<Value>,
    scale: f32,
    offset: f32,
) -> Result<(), GraphError> {
    let (source, mut reads) = Source::absorb(cx, x)?;
    if let Some(r) = residual {
        reads.push(cx.value(r)?);
    }
    let kernel = Pointwise {
        source,
        residual: residual.is_some(),
        scale,
        offset,
    };
    cx.emit(kernel, reads, vec![node])
}

impl Pointwise {
    fn len(&self) -> usize {
        let (h, w) = self.source.size();
        self.source.batch * self.source.channels() * h * w
    }

    #[cfg_attr(
        target_arch = "wasm32",
        allow(dead_code, reason = "only tests ask for it")
    )]
    fn twin<R: Real>(&self, reads: &[&[R]], writes: &mut [&mut [R]]) {
        let (h, w) = self.source.size();
        for (i, y) in writes[0].iter_mut().enumerate().take(self.len()) {
            let (nc, p) = (i / (h * w), i % (h * w));
            let (n, c) = (nc / self.source.channels(), nc % self.source.channels());
            let mut v = self.source.at(reads, n, c, p / w, p % w);
            if self.residual {
                v += reads[self.source.operands()][i];
            }
            *y = R::from_f64(self.scale.into()) * v + R::from_f64(self.offset.into());
        }
    }
}

impl Kernel for Pointwise {
    fn name(&self) -> &'static str {
        "pointwise"
    }

    fn shader(&self, _: Tuning) -> &'static str {
        shader!("elementwise/pointwise")
    }

    fn defines(&self, _: Tuning) -> Defines {
        let mut defines = self.source.defines();
        defines.push(("RESIDUAL", i64::from(self.residual)));
        defines
    }

    fn params(&self) -> Vec<u32> {
        let mut words = self.source.params().to_vec();
        words.extend([
            self.len() as u32,
            self.scale.to_bits(),
            self.offset.to_bits(),
            0,
        ]);
        words
    }

    fn grid(&self, _: Tuning) -> [u32; 3] {
        linear_grid(self.len())
    }

    fn compute(&self, reads: &[&[f32]], writes: &mut [&mut [f32]]) {
        let (h, w) = self.source.size();
        let channels = self.source.channels();
        for (i, y) in writes[0][..self.len()].chunks_exact_mut(h * w).enumerate() {
            self.source.plane(reads, i / channels, i % channels, y);
            if self.residual {
                let r = &reads[self.source.operands()][i * h * w..][..h * w];
                y.iter_mut().zip(r).for_each(|(y, r)| *y += r);
            }
            if (self.scale, self.offset) != (1.0, 0.0) {
                for y in y.iter_mut() {
                    *y = self.scale * *y + self.offset;
                }
            }
        }
    }

    twins!(own);
}
