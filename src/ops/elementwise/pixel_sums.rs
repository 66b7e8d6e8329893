//! Sums over pixels as entries of a vector: the gradient of what was added to every pixel of an image, such as the time
//! projections of the residual blocks. Where normalisations follow, the kernels of their gradients write them.

use crate::graph::{
    Defines, GraphError, Kernel, Lowering, Operation, ParamKind, Shape, Tuning, Value, mismatch,
};
use crate::ops::norm::NormGradient;
use crate::ops::shared::{shader, twins};
use crate::order::order;
use crate::real::Real;

/// e[n, offset_k + c] = Σ_q x_k[n,c,q]; entries that no image covers are 0. Inputs: the images; gives `[N,len]`.
#[derive(Debug)]
pub struct PixelSums {
    pub offsets: Vec<usize>,
    pub len: usize,
}

impl Operation for PixelSums {
    fn name(&self) -> &'static str {
        "pixel_sums"
    }

    fn shape(&self, inputs: &[Shape], _: &[&ParamKind]) -> Result<Shape, GraphError> {
        let fits = |(shape, offset): (&Shape, &usize)| offset + shape.c <= self.len;
        let ranges: Vec<(usize, usize)> = inputs
            .iter()
            .zip(&self.offsets)
            .map(|(shape, offset)| (*offset, offset + shape.c))
            .collect();
        let rising = order(ranges.len(), &|a, b| ranges[a].cmp(&ranges[b]));
        let apart = rising
            .windows(2)
            .all(|pair| ranges[pair[0]].1 <= ranges[pair[1]].0);
        if inputs.len() != self.offsets.len()
            || !inputs.iter().zip(&self.offsets).all(fits)
            || !apart
        {
            return Err(mismatch(
                self.name(),
                format!("the images do not fit {} entries side by side", self.len),
            ));
        }
        Ok(Shape::vector(self.len))
    }

    fn lower(&self, cx: &mut Lowering, node: Value) -> Result<(), GraphError> {
        let inputs = &cx.node(node).inputs;
        let filled = NormGradient::fill(cx, node);
        let reads = inputs
            .iter()
            .map(|v| cx.value(*v))
            .collect::<Result<Vec<_>, _>>()?;
        if filled {
            return Ok(());
        }
        for (k, read) in reads.into_iter().enumerate() {
            let shape = cx.shape(inputs[k]);
            let kernel = PixelSumsKernel {
                batch: cx.batch,
                channels: shape.c,
                pixels: shape.pixels(),
                offset: self.offsets[k],
                len: self.len,
                clear: k == 0,
            };
            cx.emit(kernel, vec![read], vec![node])?;
        }
        Ok(())
    }
}

/// Operand: x. Writes its entries, and with `clear` zeros to all others.
#[derive(Debug)]
pub struct PixelSumsKernel {
    pub batch: usize,
    pub channels: usize,
    pub pixels: usize,
    pub offset: usize,
    pub len: usize,
    pub clear: bool,
}

impl PixelSumsKernel {
    fn twin<R: Real>(&self, reads: &[&[R]], writes: &mut [&mut [R]]) {
        for n in 0..self.batch {
            let row = &mut writes[0][n * self.len..(n + 1) * self.len];
            if self.clear {
                row.fill(R::ZERO);
            }
            for c in 0..self.channels {
                let plane = &reads[0][(n * self.channels + c) * self.pixels..][..self.pixels];
                row[self.offset + c] = plane.iter().copied().sum();
            }
        }
    }
}

impl Kernel for PixelSumsKernel {
    fn name(&self) -> &'static str {
        "pixel_sums"
    }

    fn shader(&self, _: Tuning) -> &'static str {
        shader!("elementwise/pixel_sums")
    }

    fn defines(&self, tuning: Tuning) -> Defines {
        vec![("WG", if tuning.is_software() { 8 } else { 64 })]
    }

    fn params(&self) -> Vec<u32> {
        let first = if self.clear { 0 } else { self.offset };
        [
            self.channels,
            self.pixels,
            self.offset,
            self.len,
            first,
            0,
            0,
            0,
        ]
        .map(|v| v as u32)
        .to_vec()
    }

    fn grid(&self, _: Tuning) -> [u32; 3] {
        let entries = if self.clear { self.len } else { self.channels };
        [entries as u32, self.batch as u32, 1]
    }

    /// The twin in f64, since in f32 sums over many pixels lose digits.
    fn compute(&self, reads: &[&[f32]], writes: &mut [&mut [f32]]) {
        crate::ops::shared::in_f64(reads, writes, &|reads, writes| self.twin(reads, writes));
    }

    twins!(own);
}
