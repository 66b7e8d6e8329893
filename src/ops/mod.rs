//! The operations: one file each, with all that is true of it - shapes, what it absorbs, its kernel's parameters and
//! dispatch, its scalar twin and its gradient. The kernel itself is the shader of the same name.
//!
//! An [`Operation`] is a node of the graph; a [`Kernel`] is what it is lowered to, with sizes filled in.

pub mod activation;
pub mod add;
pub mod add_channels;
pub mod affine;
pub mod attention;
pub mod avg_pool;
pub mod concat;
pub mod conv2d;
pub mod embedding;
pub mod group_stats;
pub mod input;
pub mod linear;
pub mod pack_rgba;
pub mod picture;
pub mod pointwise;
pub mod scale_offset;
pub mod solver_step;
pub mod source;
pub mod threshold;
pub mod upsample;

use std::any::Any;
use std::fmt::Debug;

use crate::graph::{GraphError, Lowering, ParamKind, Shape, Value};

pub use activation::{Activation, Function};
pub use add::Add;
pub use add_channels::AddChannels;
pub use affine::Affine;
pub use attention::Attention;
pub use avg_pool::AvgPool;
pub use concat::Concat;
pub use conv2d::Conv2d;
pub use embedding::Embedding;
pub use group_stats::GroupStats;
pub use input::Input;
pub use linear::Linear;
pub use pack_rgba::PackRgba;
pub use picture::Picture;
pub use scale_offset::ScaleOffset;
pub use solver_step::SolverStep;
pub use threshold::Threshold;
pub use upsample::Upsample;

/// A node of the graph.
pub trait Operation: Any + Debug {
    fn name(&self) -> &'static str;

    /// The shape of the result; the error says which shapes do not fit.
    fn shape(&self, inputs: &[Shape], params: &[&ParamKind]) -> Result<Shape, GraphError>;

    /// Emits the kernels that compute `node`, which is of this operation.
    fn lower(&self, cx: &mut Lowering, node: Value) -> Result<(), GraphError>;
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
pub trait Kernel: Debug + 'static {
    /// The shader's name, also the twin's.
    fn name(&self) -> &'static str;

    /// The text of `shaders/<name>.wgsl`.
    fn shader(&self) -> &'static str;

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

    /// The processor's way: the twin unless something faster gives the same.
    fn compute(&self, reads: &[&[f32]], writes: &mut [&mut [f32]]) {
        self.twin_f32(reads, writes);
    }

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

/// The object-safe faces of a kernel's generic `twin`.
macro_rules! twins {
    () => {
        fn twin_f32(&self, reads: &[&[f32]], writes: &mut [&mut [f32]]) {
            self.twin(reads, writes);
        }

        #[cfg(not(target_arch = "wasm32"))]
        fn twin_f64(&self, reads: &[&[f64]], writes: &mut [&mut [f64]]) {
            self.twin(reads, writes);
        }
    };
}
pub(crate) use twins;

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
