//! A model folder as diffusers writes it, opened: configuration, scheduler, labels and weights.

use safetensors::Dtype;

use super::folder::{Folder, WeightFiles, normalize, parent};
use super::source::{Arrival, NamedSource};
use super::weights::{TensorInfo, Weights};
use super::{Config, Labels, ModelError, archive};
use crate::graph::{Graph, Held};
use crate::json;

/// Files of settings are a few kilobytes; what is longer is refused unread.
const MAX_SETTINGS: usize = 1 << 20;

/// A model that has been opened. Its headers are checked, its tensors are read when they are asked for.
pub struct Checkpoint {
    pub config: Config,
    /// The text of `scheduler_config.json`, where there is one.
    pub scheduler: Option<String>,
    pub labels: Option<Labels>,
    /// Sentences on what was ignored.
    pub warnings: Vec<String>,
    /// The files that it is made of, out of those that were given.
    pub files: Vec<UsedFile>,
    weights: Result<Weights, NoWeights>,
}

/// A file of a checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsedFile {
    /// As errors call it: its path, or the name under which it was given.
    pub name: String,
    pub bytes: u64,
}

impl UsedFile {
    pub(super) fn of(file: &NamedSource) -> Self {
        Self {
            name: file.shown.clone(),
            bytes: file.source.len(),
        }
    }
}

/// Why there are no weights; a configuration alone is enough to look at a model.
struct NoWeights {
    folder: String,
    /// What was left out, as the end of a sentence.
    ignored: String,
}

impl Checkpoint {
    /// Opens a flat folder (`config.json`, `*.safetensors` or PyTorch's `.bin`, `.pt`, `.pth` or `.ckpt`, optionally `scheduler_config.json` and `labels.json`), a
    /// pipeline's (`unet/`, `scheduler/`), or a zip file of one. A shipped model must be the one recorded.
    #[cfg(not(target_arch = "wasm32"))]
    pub fn open(folder: &std::path::Path) -> Result<Self, ModelError> {
        let files = super::source::native::files(folder)?;
        if let Some((index, shipped)) = super::Shipped::of(folder) {
            shipped.check(&index.display().to_string(), &files)?;
        }
        Self::from_sources(files, &folder.display().to_string())
    }

    /// Opens a model whose files are in memory, under their names (`config.json`, or with folders: `unet/config.json`).
    #[cfg(not(target_arch = "wasm32"))]
    pub fn from_files(files: Vec<(String, Vec<u8>)>) -> Result<Self, ModelError> {
        let files = files
            .into_iter()
            .map(|(name, bytes)| NamedSource::memory(name, bytes));
        Self::from_sources(files.collect(), "The model")
    }

    /// Opens a model out of `files`, wherever their bytes are; errors call the whole `shown`.
    pub fn from_sources(mut files: Vec<NamedSource>, shown: &str) -> Result<Self, ModelError> {
        let is_config =
            |file: &NamedSource| file.name.rsplit(['/', '\\']).next() == Some("config.json");
        if !files.iter().any(is_config) {
            archive::unpack(&mut files)?;
        }
        for file in &mut files {
            file.name = normalize(&file.name);
        }
        let folder = Folder::find(&files, shown)?;
        let config = &files[folder.config];
        let (config, mut warnings) =
            Config::parse(&config.shown, &config.read_small(MAX_SETTINGS)?)?;
        if folder.unaveraged.is_some() {
            warnings.push(format!(
                "{} are the averaged weights, beside those of unet: they are opened; for the others open the folder unet \
                 itself.",
                parent(&files[folder.config].name)
            ));
        }
        if let Some(file) = folder
            .scheduler
            .map(|i| &files[i])
            .filter(|_| folder.scheduler_is_above)
        {
            warnings.push(format!(
                "{} was taken: the model's folder has no scheduler of its own.",
                file.shown
            ));
        }
        if let Some(file) = folder.index.map(|i| &files[i]) {
            warnings.extend(latents(file));
        }
        let labels = match folder.labels.map(|i| &files[i]) {
            None => None,
            Some(file) => {
                let json = file.read_small(MAX_SETTINGS)?;
                Some(Labels::parse(&file.shown, &json, config.class_labels())?)
            }
        };
        let scheduler = match folder.scheduler.map(|i| &files[i]) {
            None => None,
            Some(file) => Some(
                String::from_utf8(file.read_small(MAX_SETTINGS)?.into_owned()).map_err(|e| {
                    ModelError::Json {
                        file: file.shown.clone(),
                        reason: e.to_string(),
                    }
                })?,
            ),
        };
        let settings = [
            Some(folder.config),
            folder.scheduler,
            folder.labels,
            folder.index,
        ];
        let settings = settings.into_iter().flatten();
        let mut used: Vec<_> = settings.map(|i| UsedFile::of(&files[i])).collect();
        let mut weights = match folder.weights {
            WeightFiles::One(i) => Ok(Weights::single(files.swap_remove(i))?),
            WeightFiles::Sharded(i) => {
                let index = files.swap_remove(i);
                used.push(UsedFile::of(&index));
                Ok(Weights::sharded(&index, files)?)
            }
            WeightFiles::None { ignored } => Err(NoWeights {
                folder: shown.to_string(),
                ignored,
            }),
        };
        warnings.extend(folder.warnings);
        if let Ok(weights) = &mut weights {
            warnings.append(&mut weights.notes);
            used.extend(weights.files());
        }
        Ok(Self {
            config,
            scheduler,
            labels,
            warnings,
            files: used,
            weights,
        })
    }

    pub fn has_weights(&self) -> bool {
        self.weights.is_ok()
    }

    /// The tensors by name; none where there are no weights.
    pub fn tensors(&self) -> impl Iterator<Item = TensorInfo<'_>> {
        self.weights.iter().flat_map(Weights::iter)
    }

    /// Checks that every tensor in `expected` (name and shape) is there, in its shape and a type that weights have,
    /// without reading any. The result is a sentence for each other tensor.
    pub fn check<'a>(
        &self,
        expected: impl IntoIterator<Item = (&'a str, Vec<usize>)>,
    ) -> Result<Vec<String>, ModelError> {
        let weights = self.weights()?;
        let mut extra: Vec<&str> = weights.iter().map(|t| t.name).collect();
        for (name, shape) in expected {
            weights.find(name, &shape)?;
            extra.retain(|other| *other != name);
        }
        Ok(extra
            .into_iter()
            .map(|name| format!("The tensor {name} is not part of the network and was ignored."))
            .collect())
    }

    /// The values of a tensor, row-major, as F32. `shape` is what the configuration makes it; sizes of 1 at the end
    /// do not count. An infinite value or NaN is an error.
    pub fn tensor_f32(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>, ModelError> {
        self.weights()?.tensor_f32(name, shape)
    }

    /// Has a GPU hold the weights of `graph` as their files have them: in 16 bits where all tensors of one are of that type,
    /// which loses nothing.
    pub fn hold(&self, graph: &mut Graph) {
        graph.hold(|_, param| {
            let dtype = |name: &str| self.weights.as_ref().ok()?.dtype(name);
            let mut types = param.parts.iter().map(|part| dtype(&part.name));
            let first = types.next().flatten();
            match first {
                _ if !types.all(|other| other == first) => Held::F32,
                Some(Dtype::F16) => Held::F16,
                Some(Dtype::BF16) => Held::BF16,
                _ => Held::F32,
            }
        });
    }

    /// Where the tensor lies: its file's position and its own in that.
    pub(crate) fn place(&self, name: &str) -> (usize, u64) {
        let weights = self.weights.as_ref().ok();
        weights.map_or((0, 0), |weights| weights.place(name))
    }

    /// Resolves when the tensor can be read, where its file is still on its way. Tensors are waited for in the order of
    /// their places.
    pub(crate) fn arrival(&self, name: &str) -> Option<Arrival> {
        self.weights.as_ref().ok()?.arrival(name)
    }

    fn weights(&self) -> Result<&Weights, ModelError> {
        self.weights.as_ref().map_err(|none| ModelError::NoWeights {
            folder: none.folder.clone(),
            ignored: none.ignored.clone(),
        })
    }
}

/// The sentence on a network whose images are no pictures, where the pipeline's `index` names a part that makes them such.
fn latents(index: &NamedSource) -> Option<String> {
    let json = index.read_small(MAX_SETTINGS).ok()?;
    let parts: serde_json::Map<String, serde_json::Value> = json::from_bytes(&json).ok()?;
    let class = parts.get("_class_name").and_then(|class| class.as_str());
    let decoder = DECODERS.iter().find(|part| {
        let named = parts.get(**part).and_then(|part| part.as_array());
        named.is_some_and(|part| part.iter().any(|name| !name.is_null()))
    });
    if decoder.is_none() && class != Some("LDMPipeline") {
        return None;
    }
    Some(format!(
        "{} names {}: the network makes latents, which its {} would turn into the picture; what is shown are the latents, and the \
         picture is not.",
        index.shown,
        class.unwrap_or("a pipeline"),
        decoder.unwrap_or(&"vqvae")
    ))
}

/// Parts of a pipeline that turn latents into pictures.
const DECODERS: [&str; 4] = ["vqvae", "vae", "movq", "vqgan"];
