//! Layers whose weight is larger than a storage binding become several, each making a range of the outputs.

use super::unet::Builder;
use crate::graph::{GraphError, Outputs, Param, Value};
use crate::ops::conv2d::Conv2d;
use crate::ops::elementwise::{Add, AddChannels, Concat};
use crate::ops::linear::{Embedding, Linear};

/// The most elements of a parameter: 128 MiB, the storage binding that every WebGPU adapter has.
pub(super) const LARGEST: usize = 1 << 25;

/// Outputs of one layer or several, in as few parameters as hold at most `most` outputs each. A layer is divided only
/// if it has more.
fn ranges<'a>(layers: &[(&'a str, usize)], most: usize) -> Vec<Vec<Outputs<'a>>> {
    let mut groups: Vec<Vec<Outputs>> = Vec::new();
    let mut room = 0;
    for (layer, of) in layers {
        for first in (0..*of).step_by(most) {
            let range = Outputs {
                layer,
                first,
                count: most.min(of - first),
                of: *of,
            };
            match groups.last_mut().filter(|_| *of <= room) {
                Some(group) => group.push(range),
                None => {
                    groups.push(vec![range]);
                    room = most;
                }
            }
            room -= range.count;
        }
    }
    groups
}

impl Builder<'_> {
    /// The most outputs of a parameter that has `rows` numbers an output; whole vectors of four.
    fn most_outputs(&self, rows: usize) -> usize {
        (self.largest / rows / 4 * 4).max(4)
    }

    /// Stacked 1×1 or larger convolutions of `x`: a value for each parameter that they take, with the first of its
    /// outputs.
    pub(super) fn convs(
        &mut self,
        layers: &[(&str, usize)],
        x: Value,
        op: Conv2d,
    ) -> Result<Vec<(Value, usize)>, GraphError> {
        let (input, kernel) = (self.graph.shape(x).c, op.kernel);
        let mut values = Vec::new();
        let mut outputs = 0;
        for group in ranges(layers, self.most_outputs(input * kernel * kernel + 1)) {
            let param = self.graph.param(Param::weight_of(&group, input, kernel));
            values.push((self.graph.push(op, &[x], &[param])?, outputs));
            outputs += group.iter().map(|range| range.count).sum::<usize>();
        }
        Ok(values)
    }

    /// One after the other along the channels.
    pub(super) fn concat(&mut self, values: Vec<(Value, usize)>) -> Result<Value, GraphError> {
        let mut values = values.into_iter().map(|(value, _)| value);
        let Some(first) = values.next() else {
            return Err(crate::graph::mismatch("concat", "nothing is left to join"));
        };
        values.try_fold(first, |all, next| {
            self.graph.push(Concat, &[all, next], &[])
        })
    }

    /// Adds entries `offset` … of `e` to the channels that the convolutions made.
    pub(super) fn add_channels(
        &mut self,
        mut values: Vec<(Value, usize)>,
        (e, offset): (Value, usize),
    ) -> Result<Vec<(Value, usize)>, GraphError> {
        for (value, first) in &mut values {
            let offset = offset + *first;
            *value = self.graph.push(AddChannels { offset }, &[*value, e], &[])?;
        }
        Ok(values)
    }

    /// A linear layer, to which a row of a table is added where there is one: its name, rows and the labels.
    pub(super) fn linear_and_row(
        &mut self,
        name: &str,
        x: Value,
        out: usize,
        table: Option<(&str, usize, Value)>,
    ) -> Result<Value, GraphError> {
        let input = self.graph.shape(x).c;
        let rows = table.map_or(0, |(_, rows, _)| rows);
        let mut values = Vec::new();
        for group in ranges(&[(name, out)], self.most_outputs(rows.max(input + 1))) {
            let param = self.graph.param(Param::weight_of(&group, input, 1));
            let mut value = self.graph.push(Linear, &[x], &[param])?;
            if let (Some((table, rows, labels)), [range]) = (table, &group[..]) {
                let columns = range.first..range.first + range.count;
                let param = Param::table_of(table, rows, columns, out);
                let param = self.graph.param(param);
                let row = self.graph.push(Embedding { rows }, &[labels], &[param])?;
                value = self.graph.push(Add { scale: 1.0 }, &[value, row], &[])?;
            }
            values.push((value, 0));
        }
        self.concat(values)
    }

    /// Linear layers of one `x`: for each, a value and where in it the layer's outputs begin.
    pub(super) fn linears(
        &mut self,
        layers: &[(&str, usize)],
        x: Value,
    ) -> Result<Vec<(Value, usize)>, GraphError> {
        let input = self.graph.shape(x).c;
        let mut places = Vec::with_capacity(layers.len());
        let mut pieces = Vec::new();
        for group in ranges(layers, self.most_outputs(input + 1)) {
            let param = self.graph.param(Param::weight_of(&group, input, 1));
            let value = self.graph.push(Linear, &[x], &[param])?;
            let mut offset = 0;
            for range in group {
                if range.count == range.of {
                    places.push((value, offset));
                } else {
                    pieces.push((value, 0));
                    if range.first + range.count == range.of {
                        places.push((self.concat(std::mem::take(&mut pieces))?, 0));
                    }
                }
                offset += range.count;
            }
        }
        Ok(places)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(layers: &[(&str, usize)], most: usize) -> Vec<Vec<(String, usize, usize)>> {
        let groups = ranges(layers, most);
        let range = |r: &Outputs| (r.layer.to_owned(), r.first, r.count);
        groups
            .iter()
            .map(|g| g.iter().map(range).collect())
            .collect()
    }

    #[test]
    fn layers_share_a_parameter_and_large_ones_are_divided() {
        let part = |layer: &str, first, count| (layer.to_owned(), first, count);
        assert_eq!(
            shown(&[("q", 4), ("k", 4), ("v", 4)], 8),
            [
                vec![part("q", 0, 4), part("k", 0, 4)],
                vec![part("v", 0, 4)]
            ]
        );
        assert_eq!(
            shown(&[("a", 3), ("b", 10), ("c", 1)], 4),
            [
                vec![part("a", 0, 3)],
                vec![part("b", 0, 4)],
                vec![part("b", 4, 4)],
                vec![part("b", 8, 2), part("c", 0, 1)],
            ]
        );
    }
}
