//! The operations: one file each, with all that is true of it - shapes, what it absorbs, its kernel's parameters and
//! dispatch, its scalar twin and its gradient's rule. The kernel itself is the shader of the same name.
//!
//! An [`Operation`] is a node of the graph; a [`Kernel`] is what it is lowered to, with sizes filled in.

#![cfg_attr(
    target_arch = "wasm32",
    allow(
        dead_code,
        reason = "the twins of training's kernels run natively alone"
    )
)]

pub mod activation;
pub mod activation_gradient;
pub mod adam;
pub mod add;
pub mod add_channels;
pub mod affine;
pub mod attention;
pub mod attention_gradient;
pub mod attention_rows;
pub mod concat;
pub mod conv2d;
pub mod conv2d_input_gradient;
pub mod conv2d_weight_gradient;
pub mod embedding;
pub mod gradient_norm;
pub mod group_stats;
pub mod input;
pub mod linear;
pub mod loss;
pub mod norm_gradient;
pub mod norm_input_gradient;
pub mod norm_params_gradient;
pub mod pack_rgba;
pub mod picture;
pub mod pixel_sums;
pub mod pointwise;
pub mod pool;
pub mod pool_gradient;
pub mod scale_offset;
pub mod slice;
pub mod solver_step;
pub mod source;
pub mod table_gradient;
pub mod threshold;
pub mod upsample;

use std::any::Any;
use std::fmt;

use crate::graph::{Backward, GraphError, Lowering, ParamKind, Shape, Value};

pub use activation::{Activation, Function};
pub use activation_gradient::ActivationGradient;
pub use adam::AdamStep;
pub use add::Add;
pub use add_channels::AddChannels;
pub use affine::Affine;
pub use attention::Attention;
pub use attention_gradient::AttentionGradient;
pub use concat::Concat;
pub use conv2d::Conv2d;
pub use conv2d_input_gradient::Conv2dInputGradient;
pub use conv2d_weight_gradient::{Conv2dWeightGradient, conv2d_gradient};
pub use embedding::Embedding;
pub use gradient_norm::GradientNorm;
pub use group_stats::GroupStats;
pub use input::Input;
pub use linear::Linear;
pub use loss::{Loss, LossGradient, LossKind};
pub use norm_gradient::NormGradient;
pub use norm_input_gradient::NormInputGradient;
pub use norm_params_gradient::NormParamsGradient;
pub use pack_rgba::PackRgba;
pub use picture::Picture;
pub use pixel_sums::PixelSums;
pub use pool::Pool;
pub use pool_gradient::PoolGradient;
pub use scale_offset::ScaleOffset;
pub use slice::Slice;
pub use solver_step::SolverStep;
pub use table_gradient::TableGradient;
pub use threshold::Threshold;
pub use upsample::Upsample;

/// A node of the graph.
pub trait Operation: Any {
    fn name(&self) -> &'static str;

    /// The shape of the result; the error says which shapes do not fit.
    fn shape(&self, inputs: &[Shape], params: &[&ParamKind]) -> Result<Shape, GraphError>;

    /// Emits the kernels that compute `node`, which is of this operation.
    fn lower(&self, cx: &mut Lowering, node: Value) -> Result<(), GraphError>;

    /// From `dy` = ∂L/∂`node`, says what ∂L/∂ of its inputs and parameters are. What nobody trains through has no rule.
    fn gradient(&self, _cx: &mut Backward, _node: Value, _dy: Value) -> Result<(), GraphError> {
        Err(mismatch(self.name(), "it has no gradient"))
    }
}

/// How kernels are shaped for an adapter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Tuning {
    /// The adapter is a processor: barriers are dear and wide workgroups bring nothing.
    pub software: bool,
}

/// Integers that the shader's preprocessor substitutes.
pub type Defines = Vec<(&'static str, i64)>;

/// An operation with its sizes filled in. Operands come in the order of the shader's bindings: what is read, then
/// what is written (which may also be read).
pub trait Kernel: 'static {
    /// The shader's name, also the twin's.
    fn name(&self) -> &'static str;

    /// The text of `shaders/<name>.wgsl`, or of a variant.
    fn shader(&self, tuning: Tuning) -> &'static str;

    /// The variant of the shader.
    fn defines(&self, _tuning: Tuning) -> Defines {
        Vec::new()
    }

    /// The uniform block, word by word.
    fn params(&self) -> Vec<u32>;

    /// Workgroups along x, y and z.
    fn grid(&self, tuning: Tuning) -> [u32; 3];

    /// 2 per multiply-add of convolutions, linear layers and the two products of attention; the rest counts nothing.
    fn flops(&self) -> u64 {
        0
    }

    /// The processor's way: the twin unless something faster gives the same. The kernels of training have none in the
    /// browser, which trains on a GPU alone.
    fn compute(&self, reads: &[&[f32]], writes: &mut [&mut [f32]]) {
        #[cfg(not(target_arch = "wasm32"))]
        self.twin_f32(reads, writes);
        #[cfg(target_arch = "wasm32")]
        panic!("{} of {} and {}", self.name(), reads.len(), writes.len());
    }

    #[cfg(not(target_arch = "wasm32"))]
    fn twin_f32(&self, reads: &[&[f32]], writes: &mut [&mut [f32]]);

    /// The oracle of the tests.
    #[cfg(not(target_arch = "wasm32"))]
    fn twin_f64(&self, reads: &[&[f64]], writes: &mut [&mut [f64]]);
}

/// The text of a shader, without its comments.
macro_rules! shader {
    ($name:literal) => {
        include_str!(concat!(env!("OUT_DIR"), "/shaders/", $name, ".wgsl"))
    };
}
pub(crate) use shader;

// By their names: what all of them hold would weigh several kilobytes in the browser's download.
impl fmt::Debug for dyn Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Debug for dyn Kernel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The object-safe faces of a kernel's generic `twin`; in the browser it is what [`Kernel::compute`] runs.
macro_rules! twins {
    () => {
        #[cfg(target_arch = "wasm32")]
        fn compute(&self, reads: &[&[f32]], writes: &mut [&mut [f32]]) {
            self.twin(reads, writes);
        }

        $crate::ops::native_twins!();
    };
}
pub(crate) use twins;

/// Likewise for a kernel whose twin the browser does not run: one of training's, or one with a faster way.
macro_rules! native_twins {
    () => {
        #[cfg(not(target_arch = "wasm32"))]
        fn twin_f32(&self, reads: &[&[f32]], writes: &mut [&mut [f32]]) {
            self.twin(reads, writes);
        }

        #[cfg(not(target_arch = "wasm32"))]
        fn twin_f64(&self, reads: &[&[f64]], writes: &mut [&mut [f64]]) {
            self.twin(reads, writes);
        }
    };
}
pub(crate) use native_twins;

/// Runs a twin in f64 on operands in f32.
pub(crate) fn in_f64(
    reads: &[&[f32]],
    writes: &mut [&mut [f32]],
    twin: impl FnOnce(&[&[f64]], &mut [&mut [f64]]),
) {
    let wide = |data: &[f32]| -> Vec<f64> { data.iter().map(|v| f64::from(*v)).collect() };
    let read: Vec<Vec<f64>> = reads.iter().map(|r| wide(r)).collect();
    let read: Vec<&[f64]> = read.iter().map(Vec::as_slice).collect();
    let mut written: Vec<Vec<f64>> = writes.iter().map(|w| wide(w)).collect();
    let mut lent: Vec<&mut [f64]> = written.iter_mut().map(Vec::as_mut_slice).collect();
    twin(&read, &mut lent);
    for (to, from) in writes.iter_mut().zip(&written) {
        to.iter_mut().zip(from).for_each(|(t, f)| *t = *f as f32);
    }
}

/// A [`GraphError::Shape`].
pub(crate) fn mismatch(op: &'static str, message: impl Into<String>) -> GraphError {
    GraphError::Shape {
        op,
        message: message.into(),
    }
}

/// Threads of a workgroup of the kernels that give one element to a thread.
pub(crate) const LANES: u32 = 64;

/// A grid for `threads` threads in workgroups of [`LANES`], folded so that no dimension passes 65,535; the shader
/// finds its thread with `thread_index`.
pub(crate) fn linear_grid(threads: usize) -> [u32; 3] {
    let groups = threads.div_ceil(LANES as usize).max(1);
    let x = groups.min(32_768);
    [x as u32, groups.div_ceil(x) as u32, 1]
}
