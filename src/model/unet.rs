//! The U-Net of a configuration as a graph.

use super::config::{Activation, Config, TimeEmbedding, TimeScaleShift};
use super::layers::{Attention, Direction, Layer, Resnet, layers};
use super::spread::LARGEST;
use super::{ClassLabels, ModelError};
use crate::graph::Input;
use crate::graph::{Graph, GraphError, Param, ParamId, Shape, Value, mismatch};
use crate::ops::conv2d::Conv2d;
use crate::ops::conv2d::Padding;
use crate::ops::elementwise::{Add, Concat, Function, ScaleOffset};
use crate::ops::norm::{Affine, GroupStats};
use crate::ops::resample::{Pool, Upsample};
use crate::ops::{attention, elementwise};

/// The most elements of one sample's largest value; a buffer of four times as many bytes is more than any adapter has.
const MAX_ELEMENTS: u64 = 1 << 30;

/// The network as a graph, with the values that the host writes and reads.
#[derive(Clone, Debug)]
pub struct UNet {
    pub graph: Graph,
    /// Input `[N,in_channels,H,W]`: the noisy image.
    pub sample: Value,
    /// Input `[N,features]`: each timestep as [`TimeFeatures`](super::TimeFeatures).
    pub time: Value,
    /// Input, where the network has classes: `[N,1]`, each a whole number (a row of the table); `[N,features]`, what
    /// `TimeFeatures` makes of each label (`class_embed_type` timestep); or `[N,E]` (identity).
    pub labels: Option<Value>,
    /// Input `[N,2·out_channels]` of Fourier time embeddings, whose output is divided by the timestep t: out_channels
    /// times 1/t, then as many zeros.
    pub gain: Option<Value>,
    /// `[N,out_channels,H,W]`: the prediction.
    pub output: Value,
    /// The checkpoint's tensors, names and shapes, in the order in which diffusers makes them.
    pub tensors: Vec<(String, Vec<usize>)>,
}

impl UNet {
    /// What [`UNet::gain`] takes at each of `timesteps`.
    pub(crate) fn gain_rows(&self, timesteps: &[f32]) -> Vec<f32> {
        let channels = self.graph.shape(self.output).c;
        let rows = timesteps.iter().flat_map(|t| {
            let gains = std::iter::repeat_n(1.0 / t, channels);
            gains.chain(std::iter::repeat_n(0.0, channels))
        });
        rows.collect()
    }

    /// The network for images of `height` × `width`.
    ///
    /// # Errors
    /// If the configuration does not allow that size.
    pub fn new(config: &Config, height: usize, width: usize) -> Result<Self, ModelError> {
        Self::spread(config, height, width, LARGEST)
    }

    /// The same where a parameter has at most `largest_parameter` elements: a larger layer becomes several, side by side.
    pub fn spread(
        config: &Config,
        height: usize,
        width: usize,
        largest_parameter: usize,
    ) -> Result<Self, ModelError> {
        let (height, width) = config.image_size(Some((height, width)))?;
        let largest = config
            .block_out_channels
            .iter()
            .enumerate()
            .map(|(level, channels)| {
                2 * (*channels as u64) * (height >> level) as u64 * (width >> level) as u64
            });
        if largest
            .max()
            .is_some_and(|elements| elements > MAX_ELEMENTS)
        {
            return Err(ModelError::Config {
                file: "config.json".into(),
                reason: format!("at {height}×{width} a level needs more than 4 GiB"),
            });
        }
        Ok(Builder::build(config, (height, width), largest_parameter)?)
    }

    /// Numbers that the network learns, or in a Fourier embedding has drawn.
    pub fn parameters(&self) -> u64 {
        let count = |shape: &[usize]| shape.iter().map(|n| *n as u64).product::<u64>();
        self.tensors.iter().map(|(_, shape)| count(shape)).sum()
    }
}

pub(super) struct Builder<'c> {
    config: &'c Config,
    pub(super) graph: Graph,
    /// The most elements of a parameter.
    pub(super) largest: usize,
    tensors: Vec<(String, Vec<usize>)>,
    /// For each residual block, its time projection: a value, and where in it the block's entries begin.
    projections: std::vec::IntoIter<(Value, usize)>,
}

impl<'c> Builder<'c> {
    fn build(
        config: &'c Config,
        (h, w): (usize, usize),
        largest: usize,
    ) -> Result<UNet, GraphError> {
        let mut b = Self {
            config,
            graph: Graph::new(),
            largest,
            tensors: Vec::new(),
            projections: Vec::new().into_iter(),
        };
        let sample = b.input(Shape::image(config.in_channels, h, w))?;
        let time = b.input(Shape::vector(config.time_features()))?;
        let labels = match config.class_labels() {
            ClassLabels::None => None,
            ClassLabels::Table(_) => Some(b.input(Shape::vector(1))?),
            ClassLabels::Timestep => Some(b.input(Shape::vector(config.time_features()))?),
            ClassLabels::Identity(dim) => Some(b.input(Shape::vector(dim))?),
        };
        let mut x = sample;
        if config.center_input_sample {
            x = b.graph.push(
                ScaleOffset {
                    scale: 2.0,
                    offset: -1.0,
                },
                &[x],
                &[],
            )?;
        }
        let channels = config.block_out_channels[0];
        x = b.conv("conv_in", x, channels, Conv2d::SAME)?;
        let layers = layers(config);
        let embedding = b.time_embedding(time, labels)?;
        b.project(embedding, &layers)?;
        let mut saved = Vec::new();
        for layer in &layers {
            x = match layer {
                Layer::Resnet(resnet) => b.resnet(resnet, x)?,
                Layer::Attention(attention) => b.attention(attention, x)?,
                Layer::Resample {
                    name,
                    channels,
                    direction,
                } => b.resample(name, *channels, *direction, x)?,
                Layer::Save => {
                    saved.push(x);
                    x
                }
                Layer::Join => b.join(x, saved.pop())?,
            };
        }
        x = b.norm("conv_norm_out", x, config.norm_num_groups, None)?;
        x = b
            .graph
            .push(elementwise::Activation(Function::Silu), &[x], &[])?;
        let mut output = b.conv("conv_out", x, config.out_channels, Conv2d::SAME)?;
        let mut gain = None;
        if config.time_embedding_type == TimeEmbedding::Fourier {
            let v = b.input(Shape::vector(2 * config.out_channels))?;
            output = b.graph.push(Affine, &[output, v], &[])?;
            gain = Some(v);
        }
        Ok(UNet {
            graph: b.graph,
            sample,
            time,
            labels,
            gain,
            output,
            tensors: b.tensors,
        })
    }

    fn input(&mut self, shape: Shape) -> Result<Value, GraphError> {
        self.graph.push(Input { shape }, &[], &[])
    }

    /// The function that `act_fn` names.
    fn function(&self) -> Function {
        match self.config.act_fn {
            Activation::Silu => Function::Silu,
            Activation::Mish => Function::Mish,
            Activation::Gelu => Function::Gelu,
            Activation::Relu => Function::Relu,
        }
    }

    /// Notes the tensors of a layer with weight and bias.
    fn note(&mut self, name: &str, shape: Vec<usize>) {
        let bias = vec![shape[0]];
        self.tensors.push((format!("{name}.weight"), shape));
        self.tensors.push((format!("{name}.bias"), bias));
    }

    /// Notes a convolution's tensors and makes it, in as many pieces as it takes.
    fn pieces(
        &mut self,
        name: &str,
        x: Value,
        out: usize,
        op: Conv2d,
    ) -> Result<Vec<(Value, usize)>, GraphError> {
        let (input, kernel) = (self.graph.shape(x).c, op.kernel);
        self.note(name, vec![out, input, kernel, kernel]);
        self.convs(&[(name, out)], x, op)
    }

    fn conv(&mut self, name: &str, x: Value, out: usize, op: Conv2d) -> Result<Value, GraphError> {
        let pieces = self.pieces(name, x, out, op)?;
        self.concat(pieces)
    }

    fn linear(&mut self, name: &str, x: Value, out: usize) -> Result<Value, GraphError> {
        self.note(name, vec![out, self.graph.shape(x).c]);
        self.linear_and_row(name, x, out, None)
    }

    /// Two linear layers with SiLU between, whatever `act_fn` says; the second with a row of `table` added.
    fn time_mlp(
        &mut self,
        name: &str,
        x: Value,
        table: Option<(&str, usize, Value)>,
    ) -> Result<Value, GraphError> {
        let dim = self.config.time_dim();
        let hidden = self.linear(&format!("{name}.linear_1"), x, dim)?;
        let hidden = self
            .graph
            .push(elementwise::Activation(Function::Silu), &[hidden], &[])?;
        let last = format!("{name}.linear_2");
        self.note(&last, vec![dim, dim]);
        self.linear_and_row(&last, hidden, dim, table)
    }

    fn time_embedding(&mut self, time: Value, labels: Option<Value>) -> Result<Value, GraphError> {
        if let Some(shape) = self.config.time_table() {
            self.tensors.push(("time_proj.weight".into(), shape));
        }
        const NAME: &str = "time_embedding";
        if let (ClassLabels::Table(rows), Some(labels)) = (self.config.class_labels(), labels) {
            const TABLE: &str = "class_embedding.weight";
            let embedding = self.time_mlp(NAME, time, Some((TABLE, rows, labels)))?;
            let shape = vec![rows, self.config.time_dim()];
            self.tensors.push((TABLE.into(), shape));
            return Ok(embedding);
        }
        let embedding = self.time_mlp(NAME, time, None)?;
        let class = match (self.config.class_labels(), labels) {
            (ClassLabels::Timestep, Some(labels)) => {
                self.time_mlp("class_embedding", labels, None)?
            }
            (ClassLabels::Identity(_), Some(labels)) => labels,
            _ => return Ok(embedding),
        };
        self.add(embedding, class, 1.0)
    }

    /// Projects the time embedding for every residual block among `layers`, in as few linear layers as the size of a
    /// binding allows.
    fn project(&mut self, embedding: Value, layers: &[Layer]) -> Result<(), GraphError> {
        let active =
            self.graph
                .push(elementwise::Activation(self.function()), &[embedding], &[])?;
        let widths: Vec<(String, usize)> = layers
            .iter()
            .filter_map(|layer| match layer {
                Layer::Resnet(r) => Some((format!("{}.time_emb_proj", r.name), self.projected(r))),
                _ => None,
            })
            .collect();
        let stack: Vec<(&str, usize)> = widths.iter().map(|(n, w)| (n.as_str(), *w)).collect();
        self.projections = self.linears(&stack, active)?.into_iter();
        Ok(())
    }

    /// Entries of a residual block's time projection.
    fn projected(&self, resnet: &Resnet) -> usize {
        match self.config.resnet_time_scale_shift {
            TimeScaleShift::Default => resnet.output,
            TimeScaleShift::ScaleShift => 2 * resnet.output,
        }
    }

    /// Group normalisation, where `modulation` gives each channel's gain and offset beside the learned ones.
    fn norm(
        &mut self,
        name: &str,
        x: Value,
        groups: usize,
        modulation: Option<(Value, usize)>,
    ) -> Result<Value, GraphError> {
        let channels = self.graph.shape(x).c;
        self.note(name, vec![channels]);
        let params: [ParamId; 2] = ["weight", "bias"].map(|role| {
            self.graph
                .param(Param::vector(format!("{name}.{role}"), channels))
        });
        let mut inputs = vec![x];
        inputs.extend(modulation.map(|(value, _)| value));
        let op = GroupStats {
            groups,
            eps: self.config.norm_eps as f32,
            modulation: modulation.map(|(_, offset)| offset),
        };
        let stats = self.graph.push(op, &inputs, &params)?;
        self.graph.push(Affine, &[x, stats], &[])
    }

    fn resnet(&mut self, r: &Resnet, input: Value) -> Result<Value, GraphError> {
        let name = |part: &str| format!("{}.{part}", r.name);
        let groups = self.config.norm_num_groups;
        let activation = elementwise::Activation(self.function());
        let mut h = self.norm(&name("norm1"), input, groups, None)?;
        h = self.graph.push(activation, &[h], &[])?;
        let mut shortcut = input;
        if let Some(direction) = r.resampling {
            for x in [&mut h, &mut shortcut] {
                *x = match direction {
                    Direction::Down => self.graph.push(Pool::MEAN, &[*x], &[])?,
                    Direction::Up => self.graph.push(Upsample, &[*x], &[])?,
                };
            }
        }
        let pieces = self.pieces(&name("conv1"), h, r.output, Conv2d::SAME)?;
        self.note(
            &name("time_emb_proj"),
            vec![self.projected(r), self.config.time_dim()],
        );
        let Some(projection) = self.projections.next() else {
            return Err(mismatch("linear", "a time projection is missing"));
        };
        h = match self.config.resnet_time_scale_shift {
            TimeScaleShift::Default => {
                let pieces = self.add_channels(pieces, projection)?;
                let h = self.concat(pieces)?;
                self.norm(&name("norm2"), h, groups, None)?
            }
            TimeScaleShift::ScaleShift => {
                let h = self.concat(pieces)?;
                self.norm(&name("norm2"), h, groups, Some(projection))?
            }
        };
        h = self.graph.push(activation, &[h], &[])?;
        h = self.conv(&name("conv2"), h, r.output, Conv2d::SAME)?;
        if r.input != r.output {
            shortcut = self.conv(&name("conv_shortcut"), shortcut, r.output, Conv2d::POINT)?;
        }
        self.add(h, shortcut, r.divisor)
    }

    fn attention(&mut self, a: &Attention, input: Value) -> Result<Value, GraphError> {
        let name = |part: &str| format!("{}.{part}", a.name);
        let heads = self.config.heads(a.channels);
        let inner = heads.count * heads.dim;
        let x = match a.groups {
            Some(groups) => self.norm(&name("group_norm"), input, groups, None)?,
            None => input,
        };
        let parts = ["to_q", "to_k", "to_v"].map(name);
        parts
            .iter()
            .for_each(|part| self.note(part, vec![inner, a.channels]));
        let stack = [0, 1, 2].map(|i: usize| (parts[i].as_str(), inner));
        let qkv = self.convs(&stack, x, Conv2d::POINT)?;
        let qkv = self.concat(qkv)?;
        let mixed = self
            .graph
            .push(attention::Attention { heads: heads.count }, &[qkv], &[])?;
        let out = name("to_out.0");
        self.note(&out, vec![a.channels, inner]);
        let out = self.convs(&[(&out, a.channels)], mixed, Conv2d::POINT)?;
        let out = self.concat(out)?;
        self.add(out, input, a.divisor)
    }

    fn resample(
        &mut self,
        name: &str,
        channels: usize,
        direction: Direction,
        x: Value,
    ) -> Result<Value, GraphError> {
        match direction {
            Direction::Down => {
                let padding = match self.config.downsample_padding {
                    0 => Padding::BottomRight,
                    p => Padding::Same(p),
                };
                let op = Conv2d {
                    kernel: 3,
                    stride: 2,
                    padding,
                };
                self.conv(name, x, channels, op)
            }
            Direction::Up => {
                let x = self.graph.push(Upsample, &[x], &[])?;
                self.conv(name, x, channels, Conv2d::SAME)
            }
        }
    }

    /// The channels of `x`, then those of what was saved.
    fn join(&mut self, mut x: Value, saved: Option<Value>) -> Result<Value, GraphError> {
        let Some(skip) = saved else {
            return Err(mismatch("concat", "nothing is left to join"));
        };
        if skip == x {
            // Without a middle block an image meets itself; a kernel must not read one value under two names.
            let copy = ScaleOffset {
                scale: 1.0,
                offset: 0.0,
            };
            x = self.graph.push(copy, &[x], &[])?;
        }
        self.graph.push(Concat, &[x, skip], &[])
    }

    /// (a + b) / divisor
    fn add(&mut self, a: Value, b: Value, divisor: f64) -> Result<Value, GraphError> {
        let scale = (1.0 / divisor) as f32;
        self.graph.push(Add { scale }, &[a, b], &[])
    }
}
