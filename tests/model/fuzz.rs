//! Mutations of valid headers and configurations: whatever they say, they are understood or refused, never worse.
//!
//! `tests/corpus` holds the files that mutation starts from, and under `found` those that once broke something. The
//! tests try [`CASES`] mutations each; `POLLEN_FUZZ_CASES=1000000 cargo test --release --test model fuzz` tries more.

use std::ops::Range;
use std::path::Path;

use pollen::model::{Config, UNet};
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{Config as Settings, FileFailurePersistence, TestRunner};

use super::{file, fixture_configs, open};

const CASES: u32 = 20_000;

/// Every file under `tests/corpus/<kind>`, and for `config` the configurations of all fixtures.
fn corpus(kind: &str) -> Vec<Vec<u8>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/corpus")
        .join(kind);
    let mut files = Vec::new();
    for folder in [root.clone(), root.join("found")] {
        let Ok(entries) = std::fs::read_dir(folder) else {
            continue;
        };
        let mut paths: Vec<_> = entries.map(|e| e.unwrap().path()).collect();
        paths.sort();
        files.extend(
            paths
                .iter()
                .filter(|p| p.is_file())
                .map(|p| std::fs::read(p).unwrap()),
        );
    }
    if kind == "config" {
        files.extend(fixture_configs().into_iter().map(|(_, bytes)| bytes));
    }
    assert!(!files.is_empty(), "no corpus of {kind}");
    files
}

#[derive(Clone, Debug)]
enum Mutation {
    Flip(Index, u8),
    Set(Index, u8),
    Insert(Index, u8),
    Delete(Index, u8),
    Repeat(Index, u8),
    Truncate(Index),
    /// A number or name becomes another.
    Token(Index, &'static str),
    /// A number or name becomes one from elsewhere in the file.
    Swap(Index, Index),
}

const TOKENS: [&str; 24] = [
    "0",
    "1",
    "2",
    "3",
    "7",
    "255",
    "65536",
    "2147483648",
    "4294967295",
    "4294967296",
    "9223372036854775808",
    "18446744073709551615",
    "18446744073709551616",
    "-1",
    "0.5",
    "1e400",
    "1e-400",
    "null",
    "true",
    "F32",
    "BF16",
    "I64",
    "__metadata__",
    "shape",
];

fn mutation() -> impl Strategy<Value = Mutation> {
    let at = any::<Index>;
    prop_oneof![
        (at(), 0..8u8).prop_map(|(i, b)| Mutation::Flip(i, b)),
        (at(), any::<u8>()).prop_map(|(i, b)| Mutation::Set(i, b)),
        (at(), any::<u8>()).prop_map(|(i, b)| Mutation::Insert(i, b)),
        (at(), 1..32u8).prop_map(|(i, n)| Mutation::Delete(i, n)),
        (at(), 1..64u8).prop_map(|(i, n)| Mutation::Repeat(i, n)),
        at().prop_map(Mutation::Truncate),
        (at(), prop::sample::select(&TOKENS[..])).prop_map(|(i, t)| Mutation::Token(i, t)),
        (at(), at()).prop_map(|(i, j)| Mutation::Swap(i, j)),
    ]
}

/// Where the numbers and names of `text` are.
fn tokens(text: &[u8]) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    for (i, byte) in text.iter().enumerate() {
        if byte.is_ascii_alphanumeric() || b"_.-+".contains(byte) {
            match found.last_mut() {
                Some(last) if last.end == i => last.end += 1,
                _ => found.push(i..i + 1),
            }
        }
    }
    found
}

impl Mutation {
    fn apply(&self, text: &mut Vec<u8>) {
        if text.is_empty() {
            return;
        }
        let span = |at: &Index, len: u8| {
            let start = at.index(text.len());
            start..(start + usize::from(len)).min(text.len())
        };
        match self {
            Self::Flip(i, bit) => {
                let i = i.index(text.len());
                text[i] ^= 1 << bit;
            }
            Self::Set(i, byte) => {
                let i = i.index(text.len());
                text[i] = *byte;
            }
            Self::Insert(i, byte) => text.insert(i.index(text.len()), *byte),
            Self::Delete(i, len) => drop(text.drain(span(i, *len))),
            Self::Repeat(i, len) => {
                let span = span(i, *len);
                let copy = text[span.clone()].to_vec();
                text.splice(span.start..span.start, copy);
            }
            Self::Truncate(i) => text.truncate(i.index(text.len())),
            Self::Token(i, token) => {
                let found = tokens(text);
                if !found.is_empty() {
                    text.splice(i.get(&found).clone(), token.bytes());
                }
            }
            Self::Swap(i, j) => {
                let found = tokens(text);
                if !found.is_empty() {
                    let from = text[j.get(&found).clone()].to_vec();
                    text.splice(i.get(&found).clone(), from);
                }
            }
        }
    }
}

/// Runs `check` on mutations of the files in `corpus`, with a random position beside each.
pub fn fuzz(corpus: Vec<Vec<u8>>, check: impl Fn(&[u8], &Index)) {
    let cases = std::env::var("POLLEN_FUZZ_CASES").map_or(CASES, |n| n.parse().unwrap());
    let settings = Settings {
        cases,
        failure_persistence: Some(Box::new(FileFailurePersistence::Off)),
        ..Settings::default()
    };
    let strategy = (
        prop::sample::select(corpus),
        prop::collection::vec(mutation(), 1..6),
        any::<Index>(),
    );
    TestRunner::new(settings)
        .run(&strategy, |(mut text, mutations, index)| {
            mutations.iter().for_each(|m| m.apply(&mut text));
            check(&text, &index);
            Ok(())
        })
        .unwrap_or_else(|e| panic!("{e}"));
}

/// Opens a file of weights with this header; whatever it lists must lie in the file, in its shape.
fn check_header(header: &[u8], data: usize) {
    let mut bytes = file("", &[]);
    bytes[..8].copy_from_slice(&(header.len() as u64).to_le_bytes());
    bytes.extend(header);
    bytes.resize(bytes.len() + data, 0);
    check_file(bytes, data);
}

fn check_file(bytes: Vec<u8>, data: usize) {
    let Ok(checkpoint) = open(bytes) else {
        return;
    };
    let mut total = 0;
    for tensor in checkpoint.tensors() {
        let elements: usize = tensor.shape.iter().product();
        total += elements * tensor.dtype.bitsize() / 8;
        if let Ok(values) = checkpoint.tensor_f32(tensor.name, tensor.shape) {
            assert_eq!(values.len(), elements);
        }
    }
    assert_eq!(total, data);
}

/// What a header would need if its offsets were right, so that mutation does not end at the first check.
fn plausible_data(header: &[u8]) -> usize {
    let parsed: Option<serde_json::Value> = serde_json::from_slice(header).ok();
    let ends = parsed
        .iter()
        .filter_map(|p| p.as_object())
        .flat_map(|o| o.values());
    let ends = ends.filter_map(|e| e["data_offsets"][1].as_u64());
    ends.max().unwrap_or(0).min(1 << 20) as usize
}

#[test]
fn headers() {
    fuzz(corpus("header"), |header, index| {
        let data = plausible_data(header);
        check_header(header, data);
        if index.index(8) == 0 {
            check_header(header, data + 1);
            // The length of the header is a number like any other.
            let mut bytes = file(&String::from_utf8_lossy(header), &[0; 16]);
            bytes[index.index(8)] ^= 1 << index.index(8);
            let _ = open(bytes);
        }
    });
}

/// Parses a configuration; what is accepted must be consistent, and survive being written.
fn check_config(text: &[u8]) {
    let Ok((config, _)) = Config::parse("config.json", text) else {
        return;
    };
    assert!(config.time_dim() > 0 && config.time_features() > 0);
    assert_eq!(
        config.block_out_channels.len(),
        config.down_block_types.len()
    );
    for channels in &config.block_out_channels {
        assert_eq!(channels % config.norm_num_groups, 0);
    }
    let (mut again, warnings) = Config::parse("config.json", config.to_json().as_bytes()).unwrap();
    assert!(warnings.is_empty());
    // Reading a decimal number is exact to the last bit but one.
    for (read, written) in [
        (&mut again.norm_eps, config.norm_eps),
        (&mut again.dropout, config.dropout),
        (&mut again.freq_shift, config.freq_shift),
        (
            &mut again.mid_block_scale_factor,
            config.mid_block_scale_factor,
        ),
    ] {
        assert!((*read - written).abs() <= 1e-15 * written.abs() + f64::MIN_POSITIVE);
        *read = written;
    }
    assert_eq!(again, config);
    let _ = config.image_size(None);
    // The smallest image; a network of thousands of layers takes its time to build and says nothing new.
    if config.layers_per_block <= 4 && config.block_out_channels.len() <= 6 {
        let size = 1 << (config.block_out_channels.len() - 1);
        if let Ok(unet) = UNet::new(&config, size, size) {
            assert!(unet.parameters() > 0);
        }
    }
}

#[test]
fn configs() {
    fuzz(corpus("config"), |text, _| check_config(text));
}

#[test]
fn the_corpus_itself() {
    for text in corpus("config") {
        check_config(&text);
    }
    for header in corpus("header") {
        check_header(&header, plausible_data(&header));
    }
}
