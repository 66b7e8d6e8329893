//! `config.json` of a diffusers `UNet2DModel`: its fields under their own names, with diffusers' defaults.

use serde_json::Value;

use super::ModelError;
use super::fields::Fields;

/// The largest number of channels of a block. With it, and with the limits below, no product of a tensor's sizes
/// overflows 32 bits.
pub const MAX_CHANNELS: usize = 8192;
/// The most levels, blocks a level and samples an image may have in one direction.
pub const MAX_LEVELS: usize = 12;
/// The most residual blocks of a level.
pub const MAX_LAYERS: usize = 64;
/// The largest height or width of an image.
pub const MAX_SIZE: usize = 16384;
/// The longest time embedding.
pub const MAX_TIME_DIM: usize = 32768;
/// The most rows of a table of class or time embeddings.
pub const MAX_ROWS: usize = 100_000;

/// How a block changes the resolution where it does so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resampling {
    /// A convolution: of stride 2 downwards, after nearest upsampling upwards.
    Conv,
    /// A residual block with average pooling or nearest upsampling inside.
    Resnet,
}

/// A level's block on the way down or up: `DownBlock2D`, `AttnDownBlock2D`, `ResnetDownsampleBlock2D` and their
/// counterparts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Block {
    /// Residual blocks, then a resampling convolution.
    Plain,
    /// Residual blocks with attention after each, then what `downsample_type` or `upsample_type` says.
    Attention,
    /// Residual blocks, then a resampling residual block.
    Resnet,
}

/// How a network embeds the timestep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeEmbedding {
    /// Sines and cosines of the timestep.
    Positional,
    /// Sines and cosines of its logarithm times learned frequencies; the output is divided by the timestep.
    Fourier,
    /// A table of `num_train_timesteps` rows.
    Learned,
}

/// The activation of the residual blocks; the time embedding and the output always have SiLU.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activation {
    Silu,
    Mish,
    Gelu,
    Relu,
}

/// How the time embedding enters a residual block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeScaleShift {
    /// Added before the second normalisation.
    Default,
    /// As gain and offset after the second normalisation.
    ScaleShift,
}

/// `class_embed_type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClassEmbedding {
    Timestep,
    Identity,
}

/// The configuration of a `UNet2DModel`.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// Height and width that the network was trained at.
    pub sample_size: Option<(usize, usize)>,
    pub in_channels: usize,
    pub out_channels: usize,
    /// Whether the input is mapped from x to 2x − 1.
    pub center_input_sample: bool,
    pub time_embedding_type: TimeEmbedding,
    /// `None` is four times the first block's channels.
    pub time_embedding_dim: Option<usize>,
    pub freq_shift: f64,
    pub flip_sin_to_cos: bool,
    pub down_block_types: Vec<Block>,
    /// Whether there is a `UNetMidBlock2D`.
    pub mid_block: bool,
    pub up_block_types: Vec<Block>,
    pub block_out_channels: Vec<usize>,
    /// Residual blocks of a level on the way down, 0 where no level changes the channels; one more on the way up.
    pub layers_per_block: usize,
    /// Sums of the middle block's residual connections are divided by it.
    pub mid_block_scale_factor: f64,
    /// 1, or 0 for one row and column at the bottom and right; any where no convolution halves the image.
    pub downsample_padding: usize,
    pub downsample_type: Resampling,
    pub upsample_type: Resampling,
    /// Probability, in training.
    pub dropout: f64,
    pub act_fn: Activation,
    /// Channels of an attention head; `None` is one head.
    pub attention_head_dim: Option<usize>,
    pub norm_num_groups: usize,
    /// Groups of the middle attention's normalisation, see [`Config::mid_attention_groups`].
    pub attn_norm_num_groups: Option<usize>,
    pub norm_eps: f64,
    pub resnet_time_scale_shift: TimeScaleShift,
    /// Whether the middle block has attention.
    pub add_attention: bool,
    pub class_embed_type: Option<ClassEmbedding>,
    pub num_class_embeds: Option<usize>,
    pub num_train_timesteps: Option<usize>,
}

impl Default for Config {
    /// diffusers' defaults.
    fn default() -> Self {
        use Block::{Attention, Plain};
        Self {
            sample_size: None,
            in_channels: 3,
            out_channels: 3,
            center_input_sample: false,
            time_embedding_type: TimeEmbedding::Positional,
            time_embedding_dim: None,
            freq_shift: 0.0,
            flip_sin_to_cos: true,
            down_block_types: vec![Plain, Attention, Attention, Attention],
            mid_block: true,
            up_block_types: vec![Attention, Attention, Attention, Plain],
            block_out_channels: vec![224, 448, 672, 896],
            layers_per_block: 2,
            mid_block_scale_factor: 1.0,
            downsample_padding: 1,
            downsample_type: Resampling::Conv,
            upsample_type: Resampling::Conv,
            dropout: 0.0,
            act_fn: Activation::Silu,
            attention_head_dim: Some(8),
            norm_num_groups: 32,
            attn_norm_num_groups: None,
            norm_eps: 1e-5,
            resnet_time_scale_shift: TimeScaleShift::Default,
            add_attention: true,
            class_embed_type: None,
            num_class_embeds: None,
            num_train_timesteps: None,
        }
    }
}

pub(super) const DOWN: [(&str, Block); 3] = [
    ("DownBlock2D", Block::Plain),
    ("AttnDownBlock2D", Block::Attention),
    ("ResnetDownsampleBlock2D", Block::Resnet),
];
pub(super) const UP: [(&str, Block); 3] = [
    ("UpBlock2D", Block::Plain),
    ("AttnUpBlock2D", Block::Attention),
    ("ResnetUpsampleBlock2D", Block::Resnet),
];
pub(super) const RESAMPLING: [(&str, Resampling); 2] =
    [("conv", Resampling::Conv), ("resnet", Resampling::Resnet)];
pub(super) const TIME_EMBEDDING: [(&str, TimeEmbedding); 3] = [
    ("positional", TimeEmbedding::Positional),
    ("fourier", TimeEmbedding::Fourier),
    ("learned", TimeEmbedding::Learned),
];
pub(super) const ACTIVATION: [(&str, Activation); 5] = [
    ("silu", Activation::Silu),
    ("swish", Activation::Silu),
    ("mish", Activation::Mish),
    ("gelu", Activation::Gelu),
    ("relu", Activation::Relu),
];
pub(super) const SCALE_SHIFT: [(&str, TimeScaleShift); 2] = [
    ("default", TimeScaleShift::Default),
    ("scale_shift", TimeScaleShift::ScaleShift),
];
pub(super) const CLASS_EMBEDDING: [(&str, Option<ClassEmbedding>); 2] = [
    ("timestep", Some(ClassEmbedding::Timestep)),
    ("identity", Some(ClassEmbedding::Identity)),
];
/// What diffusers' `EMAModel` notes in the config.json of an average.
const AVERAGE: [&str; 7] = [
    "decay",
    "min_decay",
    "optimization_step",
    "update_after_step",
    "use_ema_warmup",
    "inv_gamma",
    "power",
];
const CONDITIONAL: &str = "it is the U-Net of a model that takes text, as Stable Diffusion is; a UNet2DModel opens here, a U-Net of \
    pixels without text, such as google/ddpm-cifar10-32";
const OPENS: &str = "a UNet2DModel opens here, a U-Net of pixels without text";
const MID: [(&str, bool); 1] = [("UNetMidBlock2D", true)];

/// The name in a table of names, of which every value has one.
pub(super) fn name<T: PartialEq>(table: &[(&'static str, T)], value: &T) -> &'static str {
    table.iter().find(|e| e.1 == *value).map_or("", |e| e.0)
}

impl Config {
    /// Reads the text of a `config.json`; `file` is what errors call it. Beside the configuration come warnings,
    /// one for each field that is not known.
    pub fn parse(file: &str, json: &[u8]) -> Result<(Self, Vec<String>), ModelError> {
        let mut f = Fields::parse(file, json)?;
        if let Some(class) = f.take("_class_name")
            && !["UNet2DModel", "UNetUnconditionalModel"]
                .map(Value::from)
                .contains(&class)
        {
            return Err(f.error(
                "_class_name",
                &class,
                match class.as_str() {
                    Some("UNet2DConditionModel") => CONDITIONAL,
                    _ => OPENS,
                },
            ));
        }
        // Fields that diffusers wrote down only because they had their defaults at the time.
        for field in f.list("_use_default_values")?.unwrap_or_default() {
            field.as_str().and_then(|field| f.take(field));
        }
        let d = Self::default();
        let act_fn = match f.take("act_fn") {
            None => d.act_fn,
            Some(v) => activation(&f, &v)?,
        };
        let config = Self {
            sample_size: sample_size(&mut f)?,
            in_channels: f.usize("in_channels", d.in_channels, 1..=MAX_CHANNELS)?,
            out_channels: f.usize("out_channels", d.out_channels, 1..=MAX_CHANNELS)?,
            center_input_sample: f.bool("center_input_sample", d.center_input_sample)?,
            time_embedding_type: f.choice(
                "time_embedding_type",
                d.time_embedding_type,
                None,
                &TIME_EMBEDDING,
            )?,
            time_embedding_dim: f
                .optional_usize("time_embedding_dim", None, 0..=MAX_TIME_DIM)?
                .filter(|n| *n > 0),
            freq_shift: f.number("freq_shift", d.freq_shift, -1e6..=1e6)?,
            flip_sin_to_cos: f.bool("flip_sin_to_cos", d.flip_sin_to_cos)?,
            down_block_types: blocks(&mut f, "down_block_types", &DOWN, d.down_block_types)?,
            mid_block: f.choice("mid_block_type", d.mid_block, Some(false), &MID)?,
            up_block_types: blocks(&mut f, "up_block_types", &UP, d.up_block_types)?,
            block_out_channels: channels(&mut f)?.unwrap_or(d.block_out_channels),
            layers_per_block: f.usize("layers_per_block", d.layers_per_block, 0..=MAX_LAYERS)?,
            mid_block_scale_factor: f.number(
                "mid_block_scale_factor",
                d.mid_block_scale_factor,
                1e-6..=1e6,
            )?,
            downsample_padding: f.usize(
                "downsample_padding",
                d.downsample_padding,
                0..=MAX_SIZE,
            )?,
            downsample_type: f.choice(
                "downsample_type",
                d.downsample_type,
                Some(Resampling::Conv),
                &RESAMPLING,
            )?,
            upsample_type: f.choice(
                "upsample_type",
                d.upsample_type,
                Some(Resampling::Conv),
                &RESAMPLING,
            )?,
            dropout: f.number("dropout", d.dropout, 0.0..=1.0)?,
            act_fn,
            attention_head_dim: f.optional_usize(
                "attention_head_dim",
                d.attention_head_dim,
                1..=MAX_CHANNELS,
            )?,
            norm_num_groups: f.usize("norm_num_groups", d.norm_num_groups, 1..=MAX_CHANNELS)?,
            attn_norm_num_groups: f.optional_usize(
                "attn_norm_num_groups",
                None,
                1..=MAX_CHANNELS,
            )?,
            norm_eps: f.number("norm_eps", d.norm_eps, 0.0..=1e30)?,
            resnet_time_scale_shift: f.choice(
                "resnet_time_scale_shift",
                d.resnet_time_scale_shift,
                None,
                &SCALE_SHIFT,
            )?,
            add_attention: f.bool("add_attention", d.add_attention)?,
            class_embed_type: f.choice("class_embed_type", None, Some(None), &CLASS_EMBEDDING)?,
            num_class_embeds: f.optional_usize("num_class_embeds", None, 1..=MAX_ROWS)?,
            num_train_timesteps: f.optional_usize("num_train_timesteps", None, 1..=MAX_ROWS)?,
        };
        config.check().map_err(|reason| ModelError::Config {
            file: file.to_string(),
            reason,
        })?;
        let warnings = f
            .into_names()
            .filter(|field| !field.starts_with('_') && !AVERAGE.contains(&field.as_str()))
            .map(|field| format!("{file}: the field {field} is not known and was ignored."))
            .collect();
        Ok((config, warnings))
    }
}

fn activation(f: &Fields, value: &Value) -> Result<Activation, ModelError> {
    let name = value.as_str().map(str::to_ascii_lowercase);
    ACTIVATION
        .iter()
        .find(|a| Some(a.0) == name.as_deref())
        .map(|a| a.1)
        .ok_or_else(|| {
            f.error(
                "act_fn",
                value,
                "known are silu (also called swish), mish, gelu and relu",
            )
        })
}

fn sample_size(f: &mut Fields) -> Result<Option<(usize, usize)>, ModelError> {
    const FIELD: &str = "sample_size";
    let range = 1..=MAX_SIZE;
    match f.take(FIELD) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Array(hw)) if hw.len() == 2 => Ok(Some((
            f.integer(FIELD, &hw[0], &range)?,
            f.integer(FIELD, &hw[1], &range)?,
        ))),
        Some(v @ Value::Number(_)) => f.integer(FIELD, &v, &range).map(|n| Some((n, n))),
        Some(v) => Err(f.error(FIELD, &v, "it must be a size, or height and width")),
    }
}

fn channels(f: &mut Fields) -> Result<Option<Vec<usize>>, ModelError> {
    const FIELD: &str = "block_out_channels";
    let Some(list) = f.list(FIELD)? else {
        return Ok(None);
    };
    let range = 1..=MAX_CHANNELS;
    list.iter()
        .map(|v| f.integer(FIELD, v, &range))
        .collect::<Result<_, _>>()
        .map(Some)
}

fn blocks(
    f: &mut Fields,
    field: &str,
    known: &[(&str, Block)],
    default: Vec<Block>,
) -> Result<Vec<Block>, ModelError> {
    let Some(list) = f.list(field)? else {
        return Ok(default);
    };
    list.iter()
        .map(|v| {
            let name = v.as_str().unwrap_or_default();
            let name = name.strip_prefix("UNetRes").unwrap_or(name);
            known.iter().find(|k| k.0 == name).map(|k| k.1).ok_or_else(|| {
                let names: Vec<_> = known.iter().map(|k| k.0).collect();
                let reason = if name.contains("Skip") {
                    format!("{name} belongs to NCSN++ with its FIR resampling, which is not run here")
                } else {
                    format!("known are {}", names.join(", "))
                };
                f.error(field, v, reason)
            })
        })
        .collect()
}
