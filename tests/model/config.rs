use pollen::model::{
    Activation, Block, ClassLabels, Config, Heads, Labels, Resampling, TimeEmbedding,
    TimeScaleShift,
};
use serde_json::{Value, json};

use super::{fixture_configs, refused};

fn parse(json: Value) -> Result<Config, pollen::model::ModelError> {
    Config::parse("config.json", json.to_string().as_bytes()).map(|(config, _)| config)
}

#[track_caller]
fn good(json: Value) -> Config {
    parse(json).unwrap_or_else(|e| panic!("{e}"))
}

#[test]
fn an_empty_object_is_the_default_of_diffusers() {
    let config = good(json!({}));
    assert_eq!(config, Config::default());
    assert_eq!(config.block_out_channels, [224, 448, 672, 896]);
    assert_eq!(config.time_dim(), 896);
    assert_eq!(config.heads(448), Heads { count: 56, dim: 8 });
    assert_eq!(config.mid_attention_groups(), Some(32));
    assert_eq!(config.class_labels(), ClassLabels::None);
}

#[test]
fn every_field_is_read_and_written_back() {
    let text = json!({
        "_class_name": "UNet2DModel",
        "_diffusers_version": "0.42.1",
        "sample_size": [16, 24],
        "in_channels": 1,
        "out_channels": 2,
        "center_input_sample": true,
        "time_embedding_type": "fourier",
        "time_embedding_dim": 48,
        "freq_shift": 1,
        "flip_sin_to_cos": false,
        "down_block_types": ["ResnetDownsampleBlock2D", "AttnDownBlock2D"],
        "mid_block_type": null,
        "up_block_types": ["AttnUpBlock2D", "ResnetUpsampleBlock2D"],
        "block_out_channels": [8, 16],
        "layers_per_block": 3,
        "mid_block_scale_factor": 1.5,
        "downsample_padding": 0,
        "downsample_type": "resnet",
        "upsample_type": "resnet",
        "dropout": 0.25,
        "act_fn": "gelu",
        "attention_head_dim": null,
        "norm_num_groups": 4,
        "attn_norm_num_groups": 2,
        "norm_eps": 1e-6,
        "resnet_time_scale_shift": "scale_shift",
        "add_attention": false,
        "class_embed_type": "timestep",
        "num_class_embeds": 7,
        "num_train_timesteps": 100
    });
    let config = good(text.clone());
    let expected = Config {
        sample_size: Some((16, 24)),
        in_channels: 1,
        out_channels: 2,
        center_input_sample: true,
        time_embedding_type: TimeEmbedding::Fourier,
        time_embedding_dim: Some(48),
        freq_shift: 1.0,
        flip_sin_to_cos: false,
        down_block_types: vec![Block::Resnet, Block::Attention],
        mid_block: false,
        up_block_types: vec![Block::Attention, Block::Resnet],
        block_out_channels: vec![8, 16],
        layers_per_block: 3,
        mid_block_scale_factor: 1.5,
        downsample_padding: 0,
        downsample_type: Resampling::Resnet,
        upsample_type: Resampling::Resnet,
        dropout: 0.25,
        act_fn: Activation::Gelu,
        attention_head_dim: None,
        norm_num_groups: 4,
        attn_norm_num_groups: Some(2),
        norm_eps: 1e-6,
        resnet_time_scale_shift: TimeScaleShift::ScaleShift,
        add_attention: false,
        class_embed_type: Some(pollen::model::ClassEmbedding::Timestep),
        num_class_embeds: Some(7),
        num_train_timesteps: Some(100),
    };
    assert_eq!(config, expected);
    let written: Value = serde_json::from_str(&config.to_json()).unwrap();
    assert_eq!(written, text);
}

#[test]
fn what_follows_from_the_fields() {
    let config = good(json!({ "time_embedding_dim": 0, "attention_head_dim": null }));
    assert_eq!(config.time_dim(), 896);
    assert_eq!(config.heads(896), Heads { count: 1, dim: 896 });

    let config = good(json!({ "time_embedding_type": "fourier", "class_embed_type": "identity" }));
    assert_eq!(config.time_features(), 448);
    assert_eq!(config.class_labels(), ClassLabels::Identity(896));

    let config = good(json!({ "num_class_embeds": 11 }));
    assert_eq!(config.class_labels(), ClassLabels::Table(11));
    let config = good(json!({ "num_class_embeds": 11, "class_embed_type": "timestep" }));
    assert_eq!(config.class_labels(), ClassLabels::Timestep);

    // With scale_shift the middle attention has a normalisation only if its groups are given.
    let config = good(json!({ "resnet_time_scale_shift": "scale_shift" }));
    assert_eq!(config.mid_attention_groups(), None);
    let config =
        good(json!({ "resnet_time_scale_shift": "scale_shift", "attn_norm_num_groups": 8 }));
    assert_eq!(config.mid_attention_groups(), Some(8));

    // 12 channels and heads of 8: one head, and 4 channels that attention does not have inside.
    let config = good(json!({ "block_out_channels": [4, 12], "norm_num_groups": 4,
        "down_block_types": ["DownBlock2D", "AttnDownBlock2D"],
        "up_block_types": ["AttnUpBlock2D", "UpBlock2D"] }));
    assert_eq!(config.heads(12), Heads { count: 1, dim: 8 });
}

#[test]
fn old_spellings_are_understood() {
    let config = good(json!({
        "down_block_types": ["UNetResDownBlock2D", "UNetResAttnDownBlock2D"],
        "up_block_types": ["UNetResAttnUpBlock2D", "UNetResUpBlock2D"],
        "block_out_channels": [32, 64],
        "act_fn": "Swish",
        "downsample_type": null,
        "_use_default_values": ["norm_eps"],
        "norm_eps": 0.5
    }));
    assert_eq!(config.down_block_types, [Block::Plain, Block::Attention]);
    assert_eq!(config.act_fn, Activation::Silu);
    assert_eq!(config.downsample_type, Resampling::Conv);
    assert_eq!(config.norm_eps, 1e-5);
}

/// What diffusers itself wrote for two dozen networks.
#[test]
fn every_configuration_of_the_fixtures() {
    let configs = fixture_configs();
    assert!(configs.len() >= 30);
    for (path, text) in configs {
        let (config, warnings) = Config::parse(&path, &text).unwrap_or_else(|e| panic!("{e}"));
        assert!(warnings.is_empty(), "{warnings:?}");
        assert!(config.image_size(None).is_ok(), "{path}");
    }
}

#[test]
fn unknown_fields_are_warned_of_and_private_ones_are_not() {
    let text = br#"{"_name_or_path": "x", "num_res_blocks": 2, "quantization_config": {}}"#;
    let (_, warnings) = Config::parse("unet/config.json", text).unwrap();
    assert_eq!(warnings.len(), 2);
    assert!(warnings[0].contains("unet/config.json"));
    assert!(warnings[0].contains("num_res_blocks"));
}

#[test]
fn unsupported_values_are_refused_by_field_and_value() {
    for (field, value, parts) in [
        ("act_fn", json!("tanh"), vec!["\"tanh\"", "mish"]),
        ("act_fn", json!(1), vec!["= 1"]),
        (
            "time_embedding_type",
            json!("rope"),
            vec!["\"rope\"", "fourier"],
        ),
        (
            "class_embed_type",
            json!("projection"),
            vec!["\"projection\""],
        ),
        (
            "mid_block_type",
            json!("UNetMidBlock2DCrossAttn"),
            vec!["UNetMidBlock2DCrossAttn"],
        ),
        (
            "resnet_time_scale_shift",
            json!("spatial"),
            vec!["\"spatial\""],
        ),
        ("downsample_type", json!("fir"), vec!["\"fir\""]),
        ("downsample_padding", json!(2), vec!["= 2"]),
        ("downsample_padding", json!(-1), vec!["= -1"]),
        ("sample_size", json!("64"), vec!["\"64\""]),
        ("sample_size", json!([1, 2, 3]), vec!["[1,2,3]"]),
        ("sample_size", json!(0), vec!["= 0"]),
        ("in_channels", json!(-1), vec!["= -1"]),
        ("in_channels", json!(3.5), vec!["3.5"]),
        ("in_channels", json!(null), vec!["= null"]),
        (
            "out_channels",
            json!(u64::MAX),
            vec!["18446744073709551615"],
        ),
        ("center_input_sample", json!("yes"), vec!["\"yes\""]),
        ("block_out_channels", json!([64, "128"]), vec!["\"128\""]),
        ("block_out_channels", json!(64), vec!["= 64", "a list"]),
        (
            "layers_per_block",
            json!(0),
            vec!["= 0", "[224, 448, 672, 896]"],
        ),
        ("layers_per_block", json!(-1), vec!["= -1"]),
        ("norm_eps", json!(-0.5), vec!["-0.5"]),
        ("layers_per_block", json!([2, 2]), vec!["[2,2]"]),
        ("mid_block_scale_factor", json!(0), vec!["= 0"]),
        ("norm_eps", json!("small"), vec!["\"small\""]),
        ("norm_num_groups", json!(null), vec!["= null"]),
        ("attention_head_dim", json!(0), vec!["= 0"]),
        ("num_class_embeds", json!(1_000_000_000), vec!["1000000000"]),
        ("dropout", json!(1.5), vec!["1.5"]),
        (
            "_class_name",
            json!("UNet2DConditionModel"),
            vec![
                "UNet2DConditionModel",
                "takes text, as Stable Diffusion is; a UNet2DModel opens here",
                "google/ddpm-cifar10-32",
            ],
        ),
        (
            "_class_name",
            json!("MyNet"),
            vec!["supported: a UNet2DModel opens here"],
        ),
        // no number is three hundred digits long
        (
            "norm_eps",
            json!(1e300),
            vec!["= 1e+300 is", "a number from 0 to 1e+30."],
        ),
    ] {
        let mut parts = parts;
        parts.extend(["config.json", field]);
        refused(parse(json!({ field: value })), &parts);
    }
}

#[test]
fn blocks_of_other_networks_are_refused_by_name() {
    for (field, block) in [
        ("down_block_types", "SkipDownBlock2D"),
        ("down_block_types", "AttnSkipDownBlock2D"),
        ("up_block_types", "AttnSkipUpBlock2D"),
    ] {
        refused(parse(json!({ field: [block] })), &[block, "NCSN++", "FIR"]);
    }
    refused(
        parse(json!({ "down_block_types": ["CrossAttnDownBlock2D"] })),
        &[
            "CrossAttnDownBlock2D",
            "known are DownBlock2D, AttnDownBlock2D",
        ],
    );
    refused(
        parse(json!({ "up_block_types": ["DownBlock2D"] })),
        &["DownBlock2D", "UpBlock2D"],
    );
}

#[test]
fn fields_that_do_not_fit_together_are_refused() {
    let two = |extra: Value| {
        let mut fields = json!({
            "block_out_channels": [32, 64],
            "down_block_types": ["DownBlock2D", "AttnDownBlock2D"],
            "up_block_types": ["AttnUpBlock2D", "UpBlock2D"],
        });
        fields
            .as_object_mut()
            .unwrap()
            .extend(extra.as_object().unwrap().clone());
        parse(fields)
    };
    two(json!({})).unwrap();
    let cases = [
        (
            json!({ "down_block_types": ["DownBlock2D"] }),
            vec!["down_block_types has 1", "2"],
        ),
        (
            json!({ "up_block_types": [] }),
            vec!["up_block_types has 0"],
        ),
        (json!({ "block_out_channels": [] }), vec!["0 entries"]),
        (
            json!({ "block_out_channels": [32, 70] }),
            vec!["70", "norm_num_groups = 32"],
        ),
        (
            json!({ "attention_head_dim": 65 }),
            vec!["64 channels", "attention_head_dim = 65"],
        ),
        (
            json!({ "attn_norm_num_groups": 7 }),
            vec!["attn_norm_num_groups = 7", "64"],
        ),
        (json!({ "freq_shift": 16 }), vec!["freq_shift = 16"]),
        (
            json!({ "time_embedding_type": "learned" }),
            vec!["num_train_timesteps"],
        ),
    ];
    for (extra, parts) in cases {
        refused(two(extra), &parts);
    }
    // What is not used need not fit.
    two(json!({ "attn_norm_num_groups": 7, "add_attention": false })).unwrap();
    two(json!({ "attn_norm_num_groups": 7, "mid_block_type": null })).unwrap();
    two(json!({ "time_embedding_type": "learned", "num_train_timesteps": 10 })).unwrap();
}

#[test]
fn image_sizes() {
    let config = good(
        json!({ "sample_size": 28, "block_out_channels": [32, 64, 64],
        "down_block_types": ["DownBlock2D", "DownBlock2D", "DownBlock2D"],
        "up_block_types": ["UpBlock2D", "UpBlock2D", "UpBlock2D"] }),
    );
    assert_eq!(config.image_size(None).unwrap(), (28, 28));
    assert_eq!(config.image_size(Some((32, 12))).unwrap(), (32, 12));
    refused(
        config.image_size(Some((28, 30))),
        &["28×30", "multiples of 4", "2 times"],
    );
    refused(config.image_size(Some((0, 4))), &["0×4"]);
    refused(config.image_size(Some((usize::MAX, 4))), &["outside"]);
    refused(Config::default().image_size(None), &["sample_size"]);
}

#[test]
fn files_that_are_no_configuration() {
    for text in [&b""[..], b"{", b"[]", b"\xff\xfe", b"{\"a\": NaN}", b"null"] {
        refused(Config::parse("config.json", text), &["config.json", "JSON"]);
    }
    refused(
        Config::parse("config.json", &vec![b' '; 2 << 20]),
        &["2097152 bytes"],
    );
    let deep = "[".repeat(100_000);
    refused(Config::parse("config.json", deep.as_bytes()), &["JSON"]);
}

#[test]
fn labels() {
    let parse = |json: &str, labels| Labels::parse("labels.json", json.as_bytes(), labels);
    let digits = parse(
        r#"{"classes": ["0", "1"], "any": 2}"#,
        ClassLabels::Table(3),
    )
    .unwrap();
    assert_eq!(digits.any, Some(2));
    assert_eq!(
        parse(&digits.to_json(), ClassLabels::Table(3)).unwrap(),
        digits
    );
    assert_eq!(
        parse(r#"{"classes": ["0"]}"#, ClassLabels::Table(1))
            .unwrap()
            .any,
        None
    );
    refused(
        parse(r#"{"classes": ["0", "1"]}"#, ClassLabels::Table(1)),
        &["2 classes", "num_class_embeds"],
    );
    refused(
        parse(r#"{"classes": [], "any": 5}"#, ClassLabels::Table(5)),
        &["label 5"],
    );
    refused(
        parse(r#"{"classes": []}"#, ClassLabels::None),
        &["labels.json"],
    );
    refused(
        parse(r#"{"classes": [1]}"#, ClassLabels::Table(5)),
        &["JSON"],
    );
}
