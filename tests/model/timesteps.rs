//! Timesteps that a network's embedding has nothing for.

use pollen::model::{Config, TimeFeatures};
use serde_json::{Value, json};

use super::refused;

fn features(fields: Value, table: Vec<f32>) -> TimeFeatures {
    let (config, _) = Config::parse("config.json", fields.to_string().as_bytes()).unwrap();
    TimeFeatures::with_table(&config, table)
}

#[test]
fn a_learned_table_has_whole_rows_alone() {
    let fields = json!({
        "block_out_channels": [2], "down_block_types": ["DownBlock2D"], "up_block_types": ["UpBlock2D"],
        "norm_num_groups": 1, "attention_head_dim": 1, "time_embedding_type": "learned", "num_train_timesteps": 3,
    });
    let learned = features(fields, vec![0.0, 1.0, 10.0, 11.0, 20.0, 21.0]);
    assert_eq!(learned.rows(&[2.0, 0.0]).unwrap(), [20.0, 21.0, 0.0, 1.0]);
    for t in [3.0, 999.0, -1.0, f32::NAN] {
        refused(
            learned.rows(&[0.0, t]),
            &["learned", "rows 0 to 2", "num_train_timesteps is 3"],
        );
    }
    refused(
        learned.rows(&[1.5]),
        &["learned", "1.5", "whole timesteps", "ddim"],
    );
}

#[test]
fn fourier_time_begins_above_zero() {
    let fourier = features(json!({"time_embedding_type": "fourier"}), vec![1.0; 224]);
    assert!(
        fourier
            .rows(&[0.002, 1.0])
            .unwrap()
            .iter()
            .all(|v| v.is_finite())
    );
    for t in [0.0, -1.0, f32::NAN] {
        refused(
            fourier.rows(&[t]),
            &["fourier", "logarithm", "steps_offset 1"],
        );
    }
}

#[test]
fn positional_time_is_any_number() {
    let positional = features(json!({}), Vec::new());
    assert!(positional.rows(&[0.0, -1.0, 1e6, 0.5]).is_ok());
    refused(positional.rows(&[f32::NAN]), &["positional", "NaN"]);
}
