//! What a kernel is: an operation with its sizes filled in, as a shader and as its twin on the processor.

use std::fmt;

/// The class of an adapter, by which kernels are shaped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Tuning {
    /// The adapter is a processor: barriers are expensive and wide workgroups bring nothing.
    Software,
    /// A GPU of few SIMDs, as in the package of a processor: more work for each thread pays there.
    Small,
    /// A desktop's, and what is taken where nothing is known.
    #[default]
    Large,
    /// The largest there are, which only much finer work fills.
    Huge,
}

impl Tuning {
    pub const ALL: [Self; 4] = [Self::Software, Self::Small, Self::Large, Self::Huge];

    pub fn is_software(self) -> bool {
        self == Self::Software
    }

    /// Its name in a training's checkpoint and on the page.
    pub fn name(self) -> &'static str {
        match self {
            Self::Software => "software",
            Self::Small => "small",
            Self::Large => "large",
            Self::Huge => "huge",
        }
    }

    /// The class of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.name() == name)
    }

    /// Waves that run at once on a GPU of the class.
    pub fn simds(self) -> usize {
        match self {
            Self::Small => 16,
            Self::Software | Self::Large => 160,
            Self::Huge => 512,
        }
    }
}

/// Integers that the shader's preprocessor substitutes.
pub type Defines = Vec<(&'static str, i64)>;

/// An operation with its sizes filled in. Operands come in the order of the shader's bindings: what is read, then
/// what is written (which may also be read).
pub trait Kernel: 'static {
    /// The shader's name, also the twin's.
    fn name(&self) -> &'static str;

    /// The name of its shader: `conv2d/tiled` is `shaders/conv2d/tiled.wgsl`.
    fn shader(&self, tuning: Tuning) -> &'static str;

    /// The variant of the shader.
    fn defines(&self, _tuning: Tuning) -> Defines {
        Vec::new()
    }

    /// The uniform block, word by word: a multiple of four words, since arrays of blocks are bound.
    fn params(&self) -> Vec<u32>;

    /// Workgroups along x, y and z.
    fn grid(&self, tuning: Tuning) -> [u32; 3];

    /// 2 per multiply-add of convolutions, linear layers and the two products of attention; the rest counts nothing.
    fn flops(&self) -> u64 {
        0
    }

    /// The processor's way: the twin unless something faster gives the same.
    fn compute(&self, reads: &[&[f32]], writes: &mut [&mut [f32]]);

    /// What the GPU is compared with; the page has no need of it beside [`Kernel::compute`].
    #[cfg(not(target_arch = "wasm32"))]
    fn twin_f32(&self, reads: &[&[f32]], writes: &mut [&mut [f32]]);

    /// The oracle of the tests.
    #[cfg(not(target_arch = "wasm32"))]
    fn twin_f64(&self, reads: &[&[f64]], writes: &mut [&mut [f64]]);
}

impl fmt::Debug for dyn Kernel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
