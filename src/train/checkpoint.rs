//! The checkpoint of a training: a safetensors file with the numbers, and everything else in its metadata, with a checksum
//! of both.

use safetensors::Dtype;
use serde_json::{Value, json};

use super::recipe::Recipe;
use crate::Error;
use crate::diffusion::config::SchedulerConfig;
use crate::graph::Tuning;
use crate::graph::lower::Store;
use crate::json;
use crate::model::header::Metadata;
use crate::model::{Config, header, sha256};

/// A training between two steps.
#[derive(Clone, Debug)]
pub struct State {
    pub config: Config,
    pub scheduler: SchedulerConfig,
    pub recipe: Recipe,
    /// Steps done.
    pub step: u64,
    /// The class of the kernels that ran: others round differently.
    pub tuning: Tuning,
    /// SHA-256 of the pictures and their labels.
    pub data: String,
    /// `time_proj.weight`, which is not learned.
    pub features: Vec<f32>,
    /// Each store's numbers, parameter after parameter.
    pub stores: Vec<(Store, Vec<f32>)>,
}

const STORES: [(&str, Store); 4] = [
    ("weights", Store::Weights),
    ("mean", Store::Mean),
    ("square", Store::Square),
    ("ema", Store::Ema),
];
const FEATURES: &str = "time_proj.weight";
const CHECKSUM: &str = "sha256";

impl State {
    /// The numbers of `store`.
    pub fn store(&self, store: Store) -> &[f32] {
        let found = self.stores.iter().find(|(s, _)| *s == store);
        found.map_or(&[], |(_, numbers)| numbers)
    }

    /// The file's bytes.
    pub fn to_bytes(&self) -> Result<Vec<u8>, Error> {
        let (head, numbers) = self.to_pieces()?;
        Ok([head, numbers.concat()].concat())
    }

    /// The file in pieces that follow one another: its header, and the numbers of each tensor. WebAssembly's memory, which never
    /// shrinks, may have no hole for all of them in one, and grows.
    pub fn to_pieces(&self) -> Result<(Vec<u8>, Vec<&[u8]>), Error> {
        let failed = |e: serde_json::Error| {
            Error::input(format!("the training's checkpoint cannot be written ({e})"))
        };
        let stores = STORES.map(|(name, store)| (name, self.store(store)));
        let [weights, mean, square, ema] = stores;
        let features = (FEATURES, &self.features[..]);
        // In the order of their names, as the crate's own writer has tensors of one type; every platform that it runs on is
        // little-endian, as the format is.
        let tensors = [ema, mean, square, features, weights];
        let mut pieces: Vec<&[u8]> = Vec::new();
        let (mut header, mut end) = (Metadata::new(), 0);
        for (name, numbers) in tensors {
            let begin = end;
            end += size_of_val(numbers);
            let info =
                json!({ "dtype": "F32", "shape": [numbers.len()], "data_offsets": [begin, end] });
            header.insert(name.into(), info);
            pieces.push(bytemuck::cast_slice(numbers));
        }
        let mut metadata = Metadata::new();
        for (name, text) in [
            ("config", self.config.to_json()),
            ("scheduler", self.scheduler.to_json().to_string()),
            (
                "recipe",
                serde_json::to_string(&self.recipe).map_err(failed)?,
            ),
            ("step", self.step.to_string()),
            ("class", self.tuning.name().into()),
            ("data", self.data.clone()),
        ] {
            metadata.insert(name.into(), text.into());
        }
        let checksum = checksum(&metadata, &pieces);
        metadata.insert(CHECKSUM.into(), checksum.into());
        header.insert("__metadata__".into(), metadata.into());
        // Without serde_json's feature "preserve_order", its objects are sorted.
        let mut text = Value::from(header).to_string();
        while text.len() % 8 != 0 {
            text.push(' ');
        }
        let head = [&(text.len() as u64).to_le_bytes(), text.as_bytes()].concat();
        Ok((head, pieces))
    }

    /// Reads what [`State::to_bytes`] wrote; `file` is what errors call it. Files from before there were checksums are
    /// taken as they are.
    ///
    /// # Errors
    /// If it is not whole, or a byte of it has changed.
    pub fn from_bytes(file: &str, bytes: &[u8]) -> Result<Self, Error> {
        let broken = |what: &str| {
            Error::input(format!(
                "{file} is no complete checkpoint of a training ({what})"
            ))
        };
        let (tensors, mut metadata) = header::of_bytes(bytes).map_err(|what| broken(&what))?;
        if let Some(written) = metadata.remove(CHECKSUM) {
            let begin = tensors.first().map_or(bytes.len(), |t| t.offset as usize);
            if written.as_str() != Some(&checksum(&metadata, &[&bytes[begin..]])) {
                return Err(Error::input(format!(
                    "{file} is damaged, as its checksum shows"
                )));
            }
        }
        let text = |name: &str| {
            let text = metadata.get(name).and_then(|text| text.as_str());
            text.ok_or_else(|| broken(&format!("its metadata lack {name}")))
        };
        let (config, _) = Config::parse(file, text("config")?.as_bytes())?;
        let (scheduler, _) = SchedulerConfig::parse(text("scheduler")?, None)?;
        let numbers = |name: &str| {
            let tensor = tensors
                .iter()
                .find(|t| t.name == name && t.dtype == Dtype::F32);
            tensor
                .map(|t| {
                    let numbers = &bytes[t.offset as usize..][..t.bytes as usize];
                    bytemuck::pod_collect_to_vec::<u8, f32>(numbers)
                })
                .ok_or_else(|| broken(&format!("the numbers {name} are missing")))
        };
        let stores = STORES
            .iter()
            .map(|(name, store)| Ok((*store, numbers(name)?)));
        // Before there were classes, a file said whether the adapter was a processor.
        let class = match text("software") {
            Ok("true") => "software",
            Ok(_) => "large",
            Err(_) => text("class")?,
        };
        let tuning = Tuning::named(class).ok_or_else(|| broken("its class is unknown"))?;
        Ok(Self {
            config,
            scheduler,
            recipe: json::fields(text("recipe")?).map_err(|e| broken(&e.to_string()))?,
            step: text("step")?
                .parse()
                .map_err(|_| broken("its step is no number"))?,
            tuning,
            data: text("data")?.to_owned(),
            features: numbers(FEATURES)?,
            stores: stores.collect::<Result<_, Error>>()?,
        })
    }
}

/// SHA-256 of the metadata, without the checksum itself, and of the tensors' bytes.
fn checksum(metadata: &Metadata, numbers: &[&[u8]]) -> String {
    // Of texts alone: that cannot fail.
    let text = serde_json::to_string(metadata).unwrap_or_default();
    sha256(&[(text + &sha256(numbers)).as_bytes()])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diffusion::solvers::SolverName;

    #[test]
    fn a_state_has_one_form() {
        let config = r#"{"sample_size":8,"block_out_channels":[8],"down_block_types":["DownBlock2D"],
            "up_block_types":["UpBlock2D"],"norm_num_groups":4}"#;
        let numbers = |first: f32| (0..5).map(|i| first + i as f32).collect::<Vec<f32>>();
        let state = State {
            config: Config::parse("config.json", config.as_bytes()).unwrap().0,
            scheduler: SchedulerConfig::new(SolverName::Ddpm),
            recipe: Recipe::default(),
            step: 7,
            tuning: Tuning::Small,
            data: "of these pictures".into(),
            features: Vec::new(),
            stores: STORES
                .map(|(_, store)| (store, numbers(store as u8 as f32)))
                .to_vec(),
        };
        let bytes = state.to_bytes().unwrap();
        for _ in 0..20 {
            assert_eq!(state.to_bytes().unwrap(), bytes);
        }
        let again = State::from_bytes("it", &bytes).unwrap();
        assert_eq!(again.to_bytes().unwrap(), bytes);
        assert_eq!(
            (again.step, again.store(Store::Ema)),
            (7, &numbers(4.0)[..])
        );

        // No bit can change without a word.
        for bit in 0..8 * bytes.len() {
            let mut other = bytes.clone();
            other[bit / 8] ^= 1 << (bit % 8);
            if let Ok(read) = State::from_bytes("it", &other) {
                // the checksum's own name, or what stands between the fields
                assert!(read.to_bytes().unwrap() == bytes, "bit {bit}");
            }
        }
        let mut other = bytes.clone();
        *other.last_mut().unwrap() ^= 1;
        let why = State::from_bytes("it", &other).unwrap_err().to_string();
        assert!(why.starts_with("it is damaged"), "{why}");

        // One without a checksum is read, and of before there were classes, when it said whether the adapter was a processor.
        let len = usize::from_le_bytes(bytes[..8].try_into().unwrap());
        let header = String::from_utf8(bytes[8..8 + len].to_vec()).unwrap();
        let with = |header: String| {
            let its = (header.len() as u64).to_le_bytes();
            [&its[..], header.as_bytes(), &bytes[8 + len..]].concat()
        };
        let unsigned = header.replace("\"sha256\"", "\"old256\"");
        let read = |class: &str| {
            let header = unsigned.replace("\"class\":\"small\"", class);
            State::from_bytes("it", &with(header)).map(|state| state.tuning)
        };
        assert_eq!(read("\"class\":\"small\"").unwrap(), Tuning::Small);
        assert_eq!(read("\"software\":\"true\"").unwrap(), Tuning::Software);
        assert_eq!(read("\"software\":\"false\"").unwrap(), Tuning::Large);
        for unknown in ["\"class\":\"tiny\"", "\"other\":\"true\""] {
            let why = read(unknown).unwrap_err().to_string();
            assert!(why.contains("class"), "{why}");
        }
    }
}
