//! Which files of a model folder are what: a flat folder, or a pipeline's or training run's with `unet/` or `unet_ema/` and
//! `scheduler/`, the last possibly one level up, where a run keeps it for all its checkpoints.

use super::ModelError;
use super::source::NamedSource;

/// The files of a model, as positions in the list of all files.
#[derive(Debug)]
pub(super) struct Folder {
    pub config: usize,
    pub scheduler: Option<usize>,
    /// Whether it is outside the model's folder, one level up.
    pub scheduler_is_above: bool,
    pub labels: Option<usize>,
    /// The pipeline's list of its parts.
    pub index: Option<usize>,
    /// The `config.json` of the other weights, where averages lie beside those they are of.
    pub unaveraged: Option<usize>,
    pub weights: WeightFiles,
}

/// Where the weights are.
#[derive(Debug)]
pub(super) enum WeightFiles {
    None,
    /// In a format that is not read.
    Pickle(usize),
    One(usize),
    /// In several files, which this index lists.
    Sharded(usize),
}

/// The part of a path up to its last `/`, which it includes.
pub(super) fn parent(path: &str) -> &str {
    &path[..path.rfind('/').map_or(0, |i| i + 1)]
}

/// `\` becomes `/`, and `./` or `/` at the beginning goes.
pub(super) fn normalize(path: &str) -> String {
    let path = path.replace('\\', "/");
    path.trim_start_matches("./")
        .trim_start_matches('/')
        .to_string()
}

impl Folder {
    /// Finds the model in `files`; `shown` is what errors call the folder.
    pub fn find(files: &[NamedSource], shown: &str) -> Result<Self, ModelError> {
        let error = |reason: String| ModelError::File {
            file: shown.to_string(),
            reason,
        };
        let at = |name: String| files.iter().position(|f| f.name == name);
        let config = find_config(files).map_err(error)?;
        let model = parent(&files[config].name);
        let part = PARTS.into_iter().find(|part| is_part(model, part));
        let pipeline = &model[..model.len() - part.map_or(0, |part| part.len() + 1)];
        let above = match pipeline.strip_suffix('/') {
            Some(folder) => parent(folder),
            None => "../",
        };
        let scheduler = [
            format!("{model}scheduler_config.json"),
            format!("{pipeline}scheduler/scheduler_config.json"),
            format!("{pipeline}scheduler_config.json"),
        ];
        let own = scheduler.into_iter().find_map(at);
        Ok(Self {
            config,
            scheduler: own
                .or_else(|| at(format!("{above}scheduler/scheduler_config.json")))
                .or_else(|| at("../../scheduler/scheduler_config.json".into())),
            scheduler_is_above: own.is_none(),
            index: at(format!("{pipeline}model_index.json"))
                .or_else(|| at(format!("{above}model_index.json"))),
            unaveraged: match part {
                Some(AVERAGE) => at(format!("{pipeline}unet/config.json")),
                _ => None,
            },
            labels: at(format!("{model}labels.json"))
                .or_else(|| at(format!("{pipeline}labels.json"))),
            weights: find_weights(files, model).map_err(error)?,
        })
    }
}

/// Folders of a pipeline or training run that hold a U-Net, the one that is taken first before the other.
pub(super) const PARTS: [&str; 2] = [AVERAGE, "unet"];
const AVERAGE: &str = "unet_ema";

/// Whether `folder` is one that is named `part`.
fn is_part(folder: &str, part: &str) -> bool {
    let name = folder.strip_suffix('/');
    name.is_some_and(|path| &path[parent(path).len()..] == part)
}

/// The `config.json` nearest to the top; of several equally near, that of a folder in [`PARTS`].
fn find_config(files: &[NamedSource]) -> Result<usize, String> {
    let rank = |name: &str| {
        let folder = parent(name);
        let part = PARTS.iter().position(|part| is_part(folder, part));
        (folder.matches('/').count(), part.unwrap_or(PARTS.len()))
    };
    let mut found: Vec<_> = (0..files.len())
        .filter(|i| {
            let name = &files[*i].name;
            &name[parent(name).len()..] == "config.json"
        })
        .collect();
    found.sort_by_key(|i| rank(&files[*i].name));
    match found.as_slice() {
        [] => {
            Err("there is no config.json of a UNet2DModel in it, nor in a folder named unet".into())
        }
        [a, b, ..] if rank(&files[*a].name) == rank(&files[*b].name) => Err(format!(
            "it holds several models ({} and {}); open one of them",
            parent(&files[*a].name),
            parent(&files[*b].name)
        )),
        [first, ..] => Ok(*first),
    }
}

/// The weights in the folder `model`: an index or a file under diffusers' name, else its F16 variant, else the only
/// safetensors file there is.
fn find_weights(files: &[NamedSource], model: &str) -> Result<WeightFiles, String> {
    let inside: Vec<(usize, &str)> = files
        .iter()
        .enumerate()
        .filter_map(|(i, f)| Some((i, f.name.strip_prefix(model)?)))
        .filter(|(_, name)| !name.contains('/'))
        .collect();
    let is_index = |name: &str| name.contains(".safetensors.index") && name.ends_with(".json");
    let is_shard = |name: &str| name.contains("-of-0");
    let mut candidates: Vec<_> = inside
        .iter()
        .filter(|(_, name)| is_index(name) || name.ends_with(".safetensors") && !is_shard(name))
        .map(|(i, name)| {
            let rank = match (*name, is_index(name), name.contains("fp16")) {
                ("diffusion_pytorch_model.safetensors.index.json", ..) => 0,
                ("diffusion_pytorch_model.safetensors", ..) => 1,
                (_, true, true) => 2,
                (_, false, true) => 3,
                _ => 4,
            };
            (rank, *i, *name)
        })
        .collect();
    candidates.sort();
    match candidates.as_slice() {
        [] => {}
        [(a, _, first), (b, _, second), ..] if a == b => {
            return Err(format!(
                "it holds several sets of weights ({first} and {second}); keep one, or name it \
                 diffusion_pytorch_model.safetensors"
            ));
        }
        [(_, i, name), ..] if is_index(name) => return Ok(WeightFiles::Sharded(*i)),
        [(_, i, _), ..] => return Ok(WeightFiles::One(*i)),
    }
    if let Some((_, shard)) = inside
        .iter()
        .find(|(_, name)| name.ends_with(".safetensors"))
    {
        return Err(format!(
            "{shard} is one of several parts, and their index (a file named like \
             diffusion_pytorch_model.safetensors.index.json) is missing"
        ));
    }
    let pickle = [".bin", ".ckpt", ".pt", ".pth", ".pkl"];
    let found = inside
        .iter()
        .find(|(_, name)| pickle.iter().any(|end| name.ends_with(end)));
    Ok(found.map_or(WeightFiles::None, |(i, _)| WeightFiles::Pickle(*i)))
}
