//! What kernels of several families share: the image that a load reads, sums of gradients, the grid of one element a
//! thread, and how twins become a kernel's methods. Their shaders are in `shaders/shared/`.

pub mod gradient_sums;
pub mod source;

pub use gradient_sums::GradientSums;
pub use source::Source;

/// The name of a shader: its path in `shaders/` without the ending. That there is one is checked as this is compiled.
macro_rules! shader {
    ($name:literal) => {{
        const _: &str = include_str!(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/shaders/",
            $name,
            ".wgsl"
        ));
        $name
    }};
}
pub(crate) use shader;

/// The object-safe forms of a kernel's generic `twin`; `own` where the kernel has a `compute` of its own.
macro_rules! twins {
    () => {
        fn compute(&self, reads: &[&[f32]], writes: &mut [&mut [f32]]) {
            self.twin(reads, writes);
        }

        twins!(own);
    };
    (own) => {
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
pub(crate) use twins;

/// A kernel's twin in f64.
type Twin<'a> = dyn Fn(&[&[f64]], &mut [&mut [f64]]) + 'a;

/// Runs a twin in f64 on operands in f32; the page's download has it but once.
pub(crate) fn in_f64(reads: &[&[f32]], writes: &mut [&mut [f32]], twin: &Twin) {
    let wide = |data: &[f32]| -> Vec<f64> { data.iter().map(|v| f64::from(*v)).collect() };
    let read: Vec<Vec<f64>> = reads.iter().map(|r| wide(r)).collect();
    let read: Vec<&[f64]> = read.iter().map(Vec::as_slice).collect();
    let mut written: Vec<Vec<f64>> = writes.iter().map(|w| wide(w)).collect();
    let mut outputs: Vec<&mut [f64]> = written.iter_mut().map(Vec::as_mut_slice).collect();
    twin(&read, &mut outputs);
    for (to, from) in writes.iter_mut().zip(&written) {
        to.iter_mut().zip(from).for_each(|(t, f)| *t = *f as f32);
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
