//! From a graph to the graph of its gradients. Each operation brings its own rule, [`Operation::gradient`]; here they
//! are applied from the output back, and what several readers contribute to one value is added up.
//!
//! The new nodes are in the same graph, so that one plan runs forward and back: what the backward pass reads of the
//! forward pass is kept in the arena as long.

use std::rc::Rc;

use super::{Graph, GraphError, Node, Operation, ParamId, Value};

/// The operations that add up what several readers contribute to one value's gradient; the graph itself knows none.
pub trait GradientSums {
    /// a + b of one shape; the value may be read in place.
    fn add(&self) -> Rc<dyn Operation>;
    /// 2·a: a kernel must not read one value under two names.
    fn double(&self) -> Rc<dyn Operation>;
    /// A vector of `len` entries: those from `offsets[k]` on are the sums over the pixels of image k.
    fn pixel_sums(&self, offsets: Vec<usize>, len: usize) -> Rc<dyn Operation>;
}

/// What one reader contributes to a value's gradient.
enum Contribution {
    Whole(Value),
    /// The entries of a vector from `offset` on, as an image whose pixels are to be summed.
    Entries {
        offset: usize,
        image: Value,
    },
}

/// The state of going back through one graph.
pub struct Backward<'g> {
    graph: &'g mut Graph,
    sums: &'g dyn GradientSums,
    /// Of each forward node: a parameter lies upstream, or it was asked for.
    needs: Vec<bool>,
    contributions: Vec<Vec<Contribution>>,
    learned: Vec<Value>,
}

/// Appends to `graph` what computes, from `seed` = ∂L/∂`output`, the gradients of all parameters that `output` depends
/// on. Asking a plan for the nodes that this gives makes it add them to
/// [`Store::Gradients`](super::lower::Store::Gradients), or leave parts that [`take_parts`](super::Lowering::take_parts) gives.
/// The error names an operation that has no gradient.
pub fn backward(
    graph: &mut Graph,
    sums: &dyn GradientSums,
    output: Value,
    seed: Value,
) -> Result<Vec<Value>, GraphError> {
    let mut needs = vec![false; output.0 + 1];
    for (i, node) in graph.nodes[..=output.0].iter().enumerate() {
        needs[i] = !node.params.is_empty() || node.inputs.iter().any(|v| needs[v.0]);
    }
    let mut cx = Backward {
        graph,
        sums,
        contributions: needs.iter().map(|_| Vec::new()).collect(),
        needs,
        learned: Vec::new(),
    };
    cx.add(output, seed);
    for i in (0..=output.0).rev() {
        let node = Value(i);
        if let Some(dy) = cx.sum(node)? {
            let op = Rc::clone(&cx.graph.node(node).op);
            op.gradient(&mut cx, node, dy)?;
        }
    }
    Ok(cx.learned)
}

impl Backward<'_> {
    pub fn graph(&self) -> &Graph {
        self.graph
    }

    /// The node of `v`.
    pub fn node(&self, v: Value) -> Node {
        self.graph.node(v).clone()
    }

    /// Whether anybody wants to know the gradient of `v`.
    pub fn needs(&self, v: Value) -> bool {
        self.needs[v.0]
    }

    pub fn push(
        &mut self,
        op: impl Operation,
        inputs: &[Value],
        params: &[ParamId],
    ) -> Result<Value, GraphError> {
        self.graph.push(op, inputs, params)
    }

    /// Adds the term `dv` to ∂L/∂`v`.
    pub fn add(&mut self, v: Value, dv: Value) {
        if self.needs(v) {
            self.contributions[v.0].push(Contribution::Whole(dv));
        }
    }

    /// Adds Σ_pixels `image` to the gradient of the entries of the vector `v` from `offset` on.
    pub fn add_entries(&mut self, v: Value, offset: usize, image: Value) {
        if self.needs(v) {
            self.contributions[v.0].push(Contribution::Entries { offset, image });
        }
    }

    /// Notes a node that adds to a parameter's gradient.
    pub fn learned(&mut self, node: Value) {
        self.learned.push(node);
    }

    /// The sum of all contributions to ∂L/∂`v`; `None` if there is none.
    fn sum(&mut self, v: Value) -> Result<Option<Value>, GraphError> {
        let (mut wholes, mut offsets, mut images) = (Vec::new(), Vec::new(), Vec::new());
        for contribution in std::mem::take(&mut self.contributions[v.0]) {
            match contribution {
                Contribution::Whole(dv) => wholes.push(dv),
                Contribution::Entries { offset, image } => {
                    offsets.push(offset);
                    images.push(image);
                }
            }
        }
        if !images.is_empty() {
            let len = self.graph.shape(v).c;
            let op = self.sums.pixel_sums(offsets, len);
            wholes.push(self.graph.push_shared(op, &images, &[])?);
        }
        let mut sum: Option<Value> = None;
        for dv in wholes {
            sum = Some(match sum {
                None => dv,
                Some(before) => self.plus(before, dv)?,
            });
        }
        Ok(sum)
    }

    fn plus(&mut self, a: Value, b: Value) -> Result<Value, GraphError> {
        match a == b {
            true => self.graph.push_shared(self.sums.double(), &[a], &[]),
            false => self.graph.push_shared(self.sums.add(), &[a, b], &[]),
        }
    }
}
