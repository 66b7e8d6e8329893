//! The operations, a folder a family: shapes, what an operation absorbs of its neighbours, its kernel's parameters and
//! dispatch, its scalar twin, its gradient and its way on the processor are together. The kernels themselves are
//! the shaders in the folder of the same name in `shaders/`.

pub mod adam;
pub mod attention;
pub mod chain;
pub mod conv2d;
pub mod elementwise;
pub mod linear;
pub mod loss;
pub mod norm;
pub mod resample;
pub mod shared;

use std::rc::Rc;

use crate::graph::{GradientSums, Graph, GraphError, Operation, Value, gradient};
use elementwise::{Add, PixelSums, ScaleOffset};

/// How gradients are added up, by the operations here.
struct Sums;

impl GradientSums for Sums {
    fn add(&self) -> Rc<dyn Operation> {
        Rc::new(Add { scale: 1.0 })
    }

    fn double(&self) -> Rc<dyn Operation> {
        Rc::new(ScaleOffset {
            scale: 2.0,
            offset: 0.0,
        })
    }

    fn pixel_sums(&self, offsets: Vec<usize>, len: usize) -> Rc<dyn Operation> {
        Rc::new(PixelSums { offsets, len })
    }
}

/// [`gradient::backward`] with sums of these operations: gives the one node that makes all gradients of parameters.
///
/// # Errors
/// The error names an operation that has no gradient.
pub fn backward(graph: &mut Graph, output: Value, seed: Value) -> Result<Value, GraphError> {
    let learned = gradient::backward(graph, &Sums, output, seed)?;
    graph.push(shared::GradientSums, &learned, &[])
}
