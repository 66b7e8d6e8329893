//! Linear layers and tables.

use crate::support::builder::Builder;
use pollen::graph::Param;
use pollen::ops::elementwise::Add;
use pollen::ops::linear::Embedding;

#[test]
fn linear_with_a_row_of_a_table() {
    for (n, i, o, rows) in [(1, 1, 1, 1), (5, 37, 130, 11), (3, 128, 64, 4)] {
        let mut b = Builder::forward(n);
        let (x, labels) = (b.input(i, 1, 1), b.input(1, 1, 1));
        b.inputs[1].1 = (0..n).map(|k| (k % rows) as f32).collect();
        let y = b.linear(x, o);
        let table = b.graph.param(Param::table("table", rows, o));
        let row = b
            .graph
            .push(Embedding { rows }, &[labels], &[table])
            .unwrap();
        let sum = b.op(Add { scale: 1.0 }, &[y, row]);
        let other = b.linear(x, o);
        let sum = b.op(Add { scale: 1.0 }, &[other, sum]);
        b.check(&format!("linear {n}×{i} to {o}"), &[sum]);
    }
}

#[test]
fn gradients_of_vectors_and_tables() {
    // 4 rows of 6 are less than a workgroup, 23 rows more.
    for rows in [4, 23] {
        let mut b = Builder::backward(5);
        let labels = b.input(1, 1, 1);
        b.inputs[0].1 = vec![2.0, 0.0, 2.0, rows as f32 - 1.0, 2.0];
        let e = b.vector(7);
        let active = b.silu(e);
        let e = b.linear(active, 6);
        let table = b.graph.param(Param::table("table", rows, 6));
        let row = b
            .graph
            .push(Embedding { rows }, &[labels], &[table])
            .unwrap();
        let y = b.op(Add { scale: 1.0 }, &[e, row]);
        b.check_gradient("time and class embedding", y);
    }
}

/// Each layer's parts take 4 MB, and 8 MB of them wait at a time.
#[test]
fn gradients_that_are_added_up_in_several_dispatches() {
    let mut b = Builder::backward(2);
    let mut x = b.vector(1024);
    for _ in 0..3 {
        x = b.linear(x, 1024);
    }
    b.check_gradient("wide layers", x);
}
