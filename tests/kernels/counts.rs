//! What a plan says of itself: names, FLOPs, places and bytes, counted by hand.

use crate::support::builder::Builder;
use pollen::graph::arena::Slot;
use pollen::graph::plan::{Limits, Place};
use pollen::graph::{Input, Plan, Shape, Value};
use pollen::ops::attention::Attention;
use pollen::ops::backward;
use pollen::ops::conv2d::Conv2d;
use pollen::ops::elementwise::{Add, Concat, Slice};
use pollen::ops::loss::{LossGradient, LossKind};
use pollen::ops::resample::Upsample;

const BATCH: usize = 2;

fn plan(b: &Builder, outputs: &[Value]) -> Plan {
    Plan::new(&b.graph, BATCH, outputs, &Limits::default()).unwrap()
}

/// Names and FLOPs of the kernels that count any, in order.
fn flops(plan: &Plan) -> Vec<(&'static str, u64)> {
    let all = plan
        .calls
        .iter()
        .map(|c| (c.kernel.name(), c.kernel.flops()));
    all.filter(|(_, flops)| *flops > 0).collect()
}

#[test]
fn flops_are_two_for_a_multiply_add() {
    let mut b = Builder::forward(BATCH);
    let x = b.input(5, 6, 7);
    let y = b.conv(Conv2d::SAME, x, 9);
    let v = b.input(6, 1, 1);
    let linear = b.linear(v, 11);
    let q = b.conv(Conv2d::POINT, y, 24);
    let attention = b.op(Attention { heads: 2 }, &[q]);
    let plan = plan(&b, &[linear, attention]);
    let pixels = 6 * 7;
    let mut found = flops(&plan);
    found.sort_unstable();
    let mut expected = vec![
        ("linear", 2 * 2 * 6 * 11),
        ("conv2d", 2 * 2 * pixels * 9 * 5 * 9),
        ("conv2d", 2 * 2 * pixels * 24 * 9),
        // q·k and p·v, 8 channels of each
        ("attention", 2 * 2 * 2 * 8 * pixels * pixels),
    ];
    expected.sort_unstable();
    assert_eq!(found, expected);
    assert_eq!(plan.flops(), expected.iter().map(|(_, f)| f).sum::<u64>());
}

/// A residual's 1×1 shortcut is part of the convolution that it is added to.
#[test]
fn a_shortcut_counts_with_its_convolution() {
    let mut b = Builder::forward(BATCH);
    let (x, source) = (b.input(5, 4, 4), b.input(6, 4, 4));
    let h = b.conv(Conv2d::SAME, x, 7);
    let short = b.conv(Conv2d::POINT, source, 7);
    let sum = b.op(Add { scale: 1.0 }, &[h, short]);
    let found = flops(&plan(&b, &[sum]));
    assert_eq!(found, [("conv2d", 2 * 2 * 16 * 7 * (5 * 9 + 6))]);
}

/// ∂L/∂weight of both layers, and ∂L/∂x of the second alone: nothing that learns lies before the first.
#[test]
fn gradients_that_nobody_needs_are_not_computed() {
    let mut b = Builder::backward(BATCH);
    let x = b.input(5, 6, 6);
    let h = b.conv(Conv2d::SAME, x, 8);
    let q = b.conv(Conv2d::POINT, h, 24);
    let y = b.op(Attention { heads: 1 }, &[q]);
    let (target, weight) = (b.input(8, 6, 6), b.input(1, 1, 1));
    let seed = b.op(LossGradient(LossKind::Squared), &[y, target, weight]);
    let sums = backward(&mut b.graph, y, seed).unwrap();
    let plan = plan(&b, &[sums]);
    let pixels = 6 * 6;
    let (point, same) = (2 * 2 * pixels * 24 * 8, 2 * 2 * pixels * 8 * 5 * 9);
    let (forward, tokens) = ("conv2d", pixels * pixels);
    let mut expected = vec![
        (forward, same),
        (forward, point),
        ("attention", 2 * 2 * 2 * 8 * tokens),
        ("attention_gradient", 2 * 2 * 2 * 2 * 8 * tokens),
        ("conv2d_weight_gradient", point),
        ("conv2d_weight_gradient", same),
        ("conv2d_input_gradient", point),
    ];
    let mut found = flops(&plan);
    found.sort_unstable();
    expected.sort_unstable();
    assert_eq!(found, expected);
}

#[test]
fn a_plan_knows_its_places() {
    let mut b = Builder::forward(BATCH);
    let x = b.input(5, 6, 7);
    let y = b.conv(Conv2d::SAME, x, 9);
    let z = b.op(Upsample, &[y]);
    let plan = plan(&b, &[y, z]);
    let last = plan.calls.len() - 1;
    assert_eq!(plan.call_writing(y), Some(0));
    assert_eq!(plan.call_writing(z), Some(last));
    assert_eq!(plan.call_writing(x), None);
    let elements: usize = plan.arena.iter().sum();
    assert!(elements >= BATCH * (5 + 9) * 42 && elements.is_multiple_of(64));
    assert_eq!(plan.arena_bytes(), 4 * elements as u64);
    // 5·9 rows and the bias, of 9 outputs padded to 12; buffers are filled up to 64.
    let weights = (5 * 9 + 1) * 12;
    assert_eq!(plan.weights.slots[0].len, weights);
    assert_eq!(plan.weights.buffers, [usize::next_multiple_of(weights, 64)]);
    assert_eq!(plan.weights.bytes(), 4 * plan.weights.buffers[0] as u64);
    let whole = Slot {
        buffer: 0,
        offset: 0,
        len: plan.weights.buffers[0],
    };
    assert_eq!(plan.weights.whole(0), whole);
    let lens: Vec<usize> = plan.calls[0]
        .reads
        .iter()
        .map(|place: &Place| place.len(&plan.weights))
        .collect();
    assert_eq!(lens, [BATCH * 5 * 42, weights]);
    let bound = Limits {
        max_buffer: 1024,
        max_binding: 400,
    };
    assert_eq!(bound.bound_elements(), 100);
    let buffer = Limits {
        max_buffer: 1024,
        max_binding: 4000,
    };
    assert_eq!(buffer.bound_elements(), 256);
}

/// Every operation that a sentence names is called what its shader's folder or kernel is called.
#[test]
fn mistakes_are_named() {
    let mut b = Builder::forward(BATCH);
    let (x, y) = (b.input(5, 6, 7), b.input(5, 3, 7));
    let mut refused = |op: &str, inputs: &[Value]| {
        let made = match op {
            "concat" => b.graph.push(Concat, inputs, &[]),
            "slice" => b.graph.push(Slice { first: 4, count: 2 }, inputs, &[]),
            _ => b.graph.push(Add { scale: 1.0 }, inputs, &[]),
        };
        made.unwrap_err().to_string()
    };
    for (op, inputs) in [("concat", [x, y]), ("add", [x, y]), ("slice", [x, x])] {
        let inputs = if op == "slice" { &inputs[..1] } else { &inputs };
        let sentence = refused(op, inputs);
        assert!(sentence.contains(op), "{sentence}");
    }
    let sentence = refused("concat", &[x, y]);
    assert!(
        sentence.contains("N×5×6×7") && sentence.contains("N×5×3×7"),
        "{sentence}"
    );
    assert_eq!(Shape::fixed(3).to_string(), "3×1×1");
    let empty = b.graph.push(
        Input {
            shape: Shape::image(0, 1, 1),
        },
        &[],
        &[],
    );
    assert!(empty.unwrap_err().to_string().contains("input"));
}
