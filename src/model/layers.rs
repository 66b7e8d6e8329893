//! What a configuration's network consists of: its layers in the order in which an image passes them, which is also
//! the order in which diffusers makes them.

use super::config::{Block, Config, Resampling};

/// A residual block.
#[derive(Clone, Debug)]
pub(super) struct Resnet {
    pub name: String,
    /// Channels that come in, those of the skip connection included.
    pub input: usize,
    pub output: usize,
    pub resampling: Option<Direction>,
    /// The sum is divided by it.
    pub divisor: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Direction {
    Down,
    Up,
}

/// Attention over the pixels, with its residual connection.
#[derive(Clone, Debug)]
pub(super) struct Attention {
    pub name: String,
    pub channels: usize,
    /// Of the normalisation before it, where there is one.
    pub groups: Option<usize>,
    pub divisor: f64,
}

/// A step on an image's way between the first and the last convolution.
#[derive(Clone, Debug)]
pub(super) enum Layer {
    Resnet(Resnet),
    Attention(Attention),
    /// A resampling convolution with this many channels.
    Resample {
        name: String,
        channels: usize,
        direction: Direction,
    },
    /// Keeps the image for the way up.
    Save,
    /// Joins what was saved last to the image's channels.
    Join,
}

impl Direction {
    /// The part of a block's tensor names.
    fn sampler(self) -> &'static str {
        match self {
            Self::Down => "downsamplers.0",
            Self::Up => "upsamplers.0",
        }
    }
}

/// All layers of `config`.
pub(super) fn layers(config: &Config) -> Vec<Layer> {
    let mut layers = vec![Layer::Save];
    let channels = &config.block_out_channels;
    let last = channels.len() - 1;
    let mut before = channels[0];
    for (i, block) in config.down_block_types.iter().enumerate() {
        let name = format!("down_blocks.{i}");
        for layer in 0..config.layers_per_block {
            blocks(
                &mut layers,
                config,
                *block,
                &name,
                layer,
                (before, channels[i]),
            );
            layers.push(Layer::Save);
            before = channels[i];
        }
        if i < last {
            let kind = config.downsample_type;
            layers.push(resample(*block, kind, &name, channels[i], Direction::Down));
            layers.push(Layer::Save);
        }
    }
    if config.mid_block {
        middle(&mut layers, config, channels[last]);
    }
    for (i, block) in config.up_block_types.iter().enumerate() {
        let name = format!("up_blocks.{i}");
        let output = channels[last - i];
        for layer in 0..=config.layers_per_block {
            // The last block of a level meets what the level below it began with.
            let skip = if layer == config.layers_per_block {
                channels[last.saturating_sub(i + 1)]
            } else {
                output
            };
            layers.push(Layer::Join);
            blocks(
                &mut layers,
                config,
                *block,
                &name,
                layer,
                (before + skip, output),
            );
            before = output;
        }
        if i < last {
            layers.push(resample(
                *block,
                config.upsample_type,
                &name,
                output,
                Direction::Up,
            ));
        }
    }
    layers
}

/// Residual block `layer` of the level `name`, with attention after it if the level has any.
fn blocks(
    layers: &mut Vec<Layer>,
    config: &Config,
    block: Block,
    name: &str,
    layer: usize,
    (input, output): (usize, usize),
) {
    layers.push(Layer::Resnet(Resnet {
        name: format!("{name}.resnets.{layer}"),
        input,
        output,
        resampling: None,
        divisor: 1.0,
    }));
    if block == Block::Attention {
        layers.push(Layer::Attention(Attention {
            name: format!("{name}.attentions.{layer}"),
            channels: output,
            groups: Some(config.norm_num_groups),
            divisor: 1.0,
        }));
    }
}

fn resample(
    block: Block,
    attention_kind: Resampling,
    name: &str,
    channels: usize,
    direction: Direction,
) -> Layer {
    let name = format!("{name}.{}", direction.sampler());
    let resnet = match block {
        Block::Plain => false,
        Block::Attention => attention_kind == Resampling::Resnet,
        Block::Resnet => true,
    };
    if resnet {
        Layer::Resnet(Resnet {
            name,
            input: channels,
            output: channels,
            resampling: Some(direction),
            divisor: 1.0,
        })
    } else {
        Layer::Resample {
            name: format!("{name}.conv"),
            channels,
            direction,
        }
    }
}

fn middle(layers: &mut Vec<Layer>, config: &Config, channels: usize) {
    let divisor = config.mid_block_scale_factor;
    let resnet = |layer| {
        Layer::Resnet(Resnet {
            name: format!("mid_block.resnets.{layer}"),
            input: channels,
            output: channels,
            resampling: None,
            divisor,
        })
    };
    layers.push(resnet(0));
    if config.add_attention {
        layers.push(Layer::Attention(Attention {
            name: "mid_block.attentions.0".into(),
            channels,
            groups: config.mid_attention_groups(),
            divisor,
        }));
    }
    layers.push(resnet(1));
}
