//! A kernel's text as a device compiles it.

use super::preprocess::{PreprocessError, preprocess};
use crate::graph::{Kernel, Tuning};

/// The WGSL of `kernel` for adapters of `tuning`.
///
/// # Errors
/// If its directives are wrong; the sentence names the line.
pub fn wgsl(kernel: &dyn Kernel, tuning: Tuning) -> Result<String, PreprocessError> {
    preprocess(kernel.shader(tuning), &kernel.defines(tuning))
}

/// The same for lavapipe, see [`opaque`](super::opaque::opaque); `None` if it has no uniform block of the usual name.
#[cfg(not(target_arch = "wasm32"))]
pub fn wgsl_for_lavapipe(wgsl: &str) -> Option<String> {
    super::opaque::opaque(wgsl)
}

/// Threads of a workgroup: the product of its `@workgroup_size`; `None` where that is not written out in numbers.
pub fn workgroup_threads(wgsl: &str) -> Option<u32> {
    let (_, after) = wgsl.split_once("@workgroup_size(")?;
    let (sizes, _) = after.split_once(')')?;
    let sizes = sizes.split(',').filter(|size| !size.trim().is_empty());
    sizes.map(|size| size.trim().parse::<u32>().ok()).product()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_are_the_product_of_the_sizes() {
        assert_eq!(
            workgroup_threads("@compute @workgroup_size(64)\nfn"),
            Some(64)
        );
        assert_eq!(workgroup_threads("@workgroup_size(8, 4,2,)"), Some(64));
        assert_eq!(workgroup_threads("@workgroup_size(WG)"), None);
        assert_eq!(workgroup_threads("fn main() {}"), None);
    }
}
