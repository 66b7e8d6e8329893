//! Residual additions. A convolution before one takes it into its epilogue, and with it the 1×1 convolution of a
//! shortcut.

use crate::graph::{Backward, GraphError, Lowering, Operation, ParamKind, Shape, Value, mismatch};
use crate::ops::conv2d::{self, Conv2d, Conv2dInputGradient, Epilogue};
use crate::ops::elementwise::{AddChannels, ScaleOffset, pointwise};
use crate::ops::linear::{self, Embedding, Linear};
use crate::ops::norm::NormGradient;

/// y = scale·(a + b), of two values of one shape. `scale` is diffusers' 1/`output_scale_factor`.
#[derive(Debug)]
pub struct Add {
    pub scale: f32,
}

impl Operation for Add {
    fn name(&self) -> &'static str {
        "add"
    }

    fn numbers(&self) -> Vec<(&'static str, f64)> {
        vec![("scale", self.scale.into())]
    }

    fn shape(&self, inputs: &[Shape], _: &[&ParamKind]) -> Result<Shape, GraphError> {
        if inputs[0] != inputs[1] {
            return Err(mismatch(
                self.name(),
                format!("{} and {} differ", inputs[0], inputs[1]),
            ));
        }
        Ok(inputs[0])
    }

    fn lower(&self, cx: &mut Lowering, node: Value) -> Result<(), GraphError> {
        let (a, b) = (cx.node(node).inputs[0], cx.node(node).inputs[1]);
        // The 3×3 convolution hosts the addition; a 1×1 beside it becomes its shortcut.
        let hosts = [(b, a), (a, b)]
            .into_iter()
            .filter_map(|(main, other)| Some((host(cx, main)?, main, other)));
        if let Some((_, main, other)) = hosts.max_by_key(|(kernel, ..)| *kernel) {
            let epilogue = Epilogue {
                residual: Some(other),
                scale: self.scale,
            };
            return conv2d::lower(cx, node, main, epilogue);
        }
        if self.scale == 1.0 {
            for (main, other) in [(a, b), (b, a)] {
                let only_here = cx.made_by::<Embedding>(other).is_some();
                if cx.made_by::<Linear>(main).is_some() && (only_here || cx.read_once(main)) {
                    return linear::lower(cx, node, main, Some(other));
                }
            }
            if NormGradient::lower(cx, node, node)? {
                return Ok(());
            }
            for (main, other) in [(b, a), (a, b)] {
                if cx.made_by::<Conv2dInputGradient>(main).is_some() && cx.read_once(main) {
                    return conv2d::input_gradient::lower(cx, node, main, None, Some(other));
                }
            }
        }
        pointwise::lower(cx, node, a, Some(b), self.scale, 0.0)
    }

    fn gradient(&self, cx: &mut Backward, node: Value, dy: Value) -> Result<(), GraphError> {
        let dy = match self.scale == 1.0 {
            true => dy,
            false => cx.push(
                ScaleOffset {
                    scale: self.scale,
                    offset: 0.0,
                },
                &[dy],
                &[],
            )?,
        };
        for v in cx.node(node).inputs {
            cx.add(v, dy);
        }
        Ok(())
    }
}

/// The kernel size of the convolution that can take in an addition to `v`.
fn host(cx: &Lowering, v: Value) -> Option<usize> {
    let mut v = v;
    if let Some((_, node)) = cx.made_by::<AddChannels>(v) {
        if !cx.read_once(v) {
            return None;
        }
        v = node.inputs[0];
    }
    let (conv, _) = cx.made_by::<Conv2d>(v)?;
    cx.read_once(v).then_some(conv.kernel)
}
