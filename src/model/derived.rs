//! What follows from a configuration, and what in one does not fit together.

use super::config::{
    Block, ClassEmbedding, Config, MAX_LEVELS, MAX_SIZE, Resampling, TimeEmbedding, TimeScaleShift,
};
use super::{ClassLabels, ModelError};

/// How attention divides its channels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heads {
    pub count: usize,
    /// Channels of one head. `count · dim` may be less than the channels that attention reads and writes.
    pub dim: usize,
}

impl Config {
    /// Length of the time embedding that the residual blocks read.
    pub fn time_dim(&self) -> usize {
        self.time_embedding_dim
            .unwrap_or_else(|| 4 * self.block_out_channels[0])
    }

    /// Length of what enters the first layer of the time embedding.
    pub fn time_features(&self) -> usize {
        let channels = self.block_out_channels[0];
        match self.time_embedding_type {
            TimeEmbedding::Fourier => 2 * channels,
            TimeEmbedding::Positional | TimeEmbedding::Learned => channels,
        }
    }

    /// The input that the network takes beside image and timestep.
    pub fn class_labels(&self) -> ClassLabels {
        match (self.class_embed_type, self.num_class_embeds) {
            (Some(ClassEmbedding::Timestep), _) => ClassLabels::Timestep,
            (Some(ClassEmbedding::Identity), _) => ClassLabels::Identity(self.time_dim()),
            (None, Some(classes)) => ClassLabels::Table(classes),
            (None, None) => ClassLabels::None,
        }
    }

    /// The heads of attention over `channels`.
    pub fn heads(&self, channels: usize) -> Heads {
        let dim = self.attention_head_dim.unwrap_or(channels);
        Heads {
            count: channels / dim,
            dim,
        }
    }

    /// Groups of the normalisation before the middle attention; `None` where there is no normalisation, as
    /// diffusers has it with `scale_shift`.
    pub fn mid_attention_groups(&self) -> Option<usize> {
        self.attn_norm_num_groups
            .or(match self.resnet_time_scale_shift {
                TimeScaleShift::Default => Some(self.norm_num_groups),
                TimeScaleShift::ScaleShift => None,
            })
    }

    /// Whether any of the network's blocks has attention over `channels` of level `level`, the middle aside.
    fn level_has_attention(&self, level: usize) -> bool {
        let up = self.up_block_types.len() - 1 - level;
        self.down_block_types[level] == Block::Attention
            || self.up_block_types[up] == Block::Attention
    }

    /// Whether a convolution halves the image somewhere.
    fn has_downsampling_convolution(&self) -> bool {
        let halving = self.block_out_channels.len() - 1;
        let mut blocks = self.down_block_types.iter().take(halving);
        blocks.any(|block| match block {
            Block::Plain => true,
            Block::Attention => self.downsample_type == Resampling::Conv,
            Block::Resnet => false,
        })
    }

    /// Height and width to run at: those `asked` for, or those of the configuration.
    pub fn image_size(&self, asked: Option<(usize, usize)>) -> Result<(usize, usize), ModelError> {
        let error = |reason| ModelError::Config {
            file: "config.json".into(),
            reason,
        };
        let (h, w) = asked.or(self.sample_size).ok_or_else(|| {
            error("it has no sample_size, so the size of the image must be given".into())
        })?;
        let step = 1 << (self.block_out_channels.len() - 1);
        if h == 0 || w == 0 || h > MAX_SIZE || w > MAX_SIZE {
            return Err(error(format!(
                "an image of {h}×{w} is outside 1 to {MAX_SIZE}"
            )));
        }
        if h % step != 0 || w % step != 0 {
            return Err(error(format!(
                "the network halves the image {} times, so height and width must be multiples of {step}, and {h}×{w} \
                 is not",
                self.block_out_channels.len() - 1
            )));
        }
        Ok((h, w))
    }

    /// Height and width to open the model at, and where the configuration has none, the sentence that says so: 64, or the
    /// smallest that the levels allow.
    pub fn opening_size(&self) -> Result<((usize, usize), Option<String>), ModelError> {
        if self.sample_size.is_some() {
            return Ok((self.image_size(None)?, None));
        }
        let side = 64.max(1 << (self.block_out_channels.len() - 1));
        let sentence = format!(
            "config.json has no sample_size: pictures are {side}×{side} unless another size is asked for."
        );
        Ok(((side, side), Some(sentence)))
    }

    /// Refuses fields that do not fit together.
    pub(super) fn check(&self) -> Result<(), String> {
        let levels = self.block_out_channels.len();
        if levels == 0 || levels > MAX_LEVELS {
            return Err(format!(
                "block_out_channels has {levels} entries, and 1 to {MAX_LEVELS} are possible"
            ));
        }
        for (field, len) in [
            ("down_block_types", self.down_block_types.len()),
            ("up_block_types", self.up_block_types.len()),
        ] {
            if len != levels {
                return Err(format!(
                    "{field} has {len} entries and block_out_channels {levels}; they must be as many"
                ));
            }
        }
        let mut channels = self.block_out_channels.iter();
        if self.layers_per_block == 0 && channels.any(|c| *c != self.block_out_channels[0]) {
            return Err(format!(
                "layers_per_block = 0 leaves nothing that changes the channels, and block_out_channels is {:?}",
                self.block_out_channels
            ));
        }
        if self.downsample_padding > 1 && self.has_downsampling_convolution() {
            return Err(format!(
                "downsample_padding = {} makes images that the way up does not meet again; 0 and 1 halve them",
                self.downsample_padding
            ));
        }
        let groups = self.norm_num_groups;
        for (level, &channels) in self.block_out_channels.iter().enumerate() {
            if channels % groups != 0 {
                return Err(format!(
                    "block_out_channels has {channels}, which norm_num_groups = {groups} does not divide"
                ));
            }
            let middle = level + 1 == levels && self.mid_block && self.add_attention;
            if (self.level_has_attention(level) || middle) && self.heads(channels).count == 0 {
                return Err(format!(
                    "attention over {channels} channels has no room for a head of attention_head_dim = {}",
                    self.heads(channels).dim
                ));
            }
            if let (true, Some(groups)) = (middle, self.mid_attention_groups())
                && channels % groups != 0
            {
                return Err(format!(
                    "attn_norm_num_groups = {groups} does not divide the middle block's {channels} channels"
                ));
            }
        }
        let half = self.block_out_channels[0] / 2;
        match self.time_embedding_type {
            TimeEmbedding::Positional if half > 0 && half as f64 == self.freq_shift => {
                Err(format!(
                    "freq_shift = {half} is half of the first block's channels, which divides the frequencies by zero"
                ))
            }
            TimeEmbedding::Learned if self.num_train_timesteps.is_none() => Err(
                "time_embedding_type = learned needs num_train_timesteps, the rows of its table"
                    .into(),
            ),
            _ => Ok(()),
        }
    }
}
