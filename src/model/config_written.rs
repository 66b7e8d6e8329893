//! A configuration as `config.json` has it.

use serde_json::Value;

use super::config::{
    ACTIVATION, Block, CLASS_EMBEDDING, Config, DOWN, RESAMPLING, SCALE_SHIFT, TIME_EMBEDDING, UP,
    name,
};
use crate::json;

impl Config {
    /// The `config.json` that diffusers reads and [`Config::parse`] gives back unchanged.
    pub fn to_json(&self) -> String {
        let blocks = |types: &[Block], table| -> Value {
            types
                .iter()
                .map(|b| name(table, b))
                .collect::<Vec<_>>()
                .into()
        };
        let edge = match self.sample_size {
            Some((h, w)) if h == w => h.into(),
            Some((h, w)) => vec![h, w].into(),
            None => Value::Null,
        };
        let class_embedding = self
            .class_embed_type
            .map(|c| name(&CLASS_EMBEDDING, &Some(c)));
        let fields = vec![
            ("_class_name", "UNet2DModel".into()),
            ("_diffusers_version", "0.42.1".into()),
            ("sample_size", edge),
            ("in_channels", self.in_channels.into()),
            ("out_channels", self.out_channels.into()),
            ("center_input_sample", self.center_input_sample.into()),
            (
                "time_embedding_type",
                named(&TIME_EMBEDDING, &self.time_embedding_type),
            ),
            ("time_embedding_dim", self.time_embedding_dim.into()),
            ("freq_shift", number(self.freq_shift)),
            ("flip_sin_to_cos", self.flip_sin_to_cos.into()),
            ("down_block_types", blocks(&self.down_block_types, &DOWN)),
            (
                "mid_block_type",
                self.mid_block.then_some("UNetMidBlock2D").into(),
            ),
            ("up_block_types", blocks(&self.up_block_types, &UP)),
            ("block_out_channels", self.block_out_channels.clone().into()),
            ("layers_per_block", self.layers_per_block.into()),
            (
                "mid_block_scale_factor",
                number(self.mid_block_scale_factor),
            ),
            ("downsample_padding", self.downsample_padding.into()),
            ("downsample_type", named(&RESAMPLING, &self.downsample_type)),
            ("upsample_type", named(&RESAMPLING, &self.upsample_type)),
            ("dropout", self.dropout.into()),
            ("act_fn", named(&ACTIVATION, &self.act_fn)),
            ("attention_head_dim", self.attention_head_dim.into()),
            ("norm_num_groups", self.norm_num_groups.into()),
            ("attn_norm_num_groups", self.attn_norm_num_groups.into()),
            ("norm_eps", self.norm_eps.into()),
            (
                "resnet_time_scale_shift",
                named(&SCALE_SHIFT, &self.resnet_time_scale_shift),
            ),
            ("add_attention", self.add_attention.into()),
            ("class_embed_type", class_embedding.into()),
            ("num_class_embeds", self.num_class_embeds.into()),
            ("num_train_timesteps", self.num_train_timesteps.into()),
        ];
        let value = json::object(fields);
        format!("{value:#}\n")
    }
}

/// The name of a value in the file.
fn named<T: PartialEq>(table: &[(&'static str, T)], value: &T) -> Value {
    name(table, value).into()
}

/// Whole numbers without a decimal point, as Python writes an `int`.
fn number(x: f64) -> Value {
    if x.fract() == 0.0 {
        (x as i64).into()
    } else {
        x.into()
    }
}
