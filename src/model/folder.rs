//! Which files of a model folder are what: a flat folder, or a pipeline's with `unet/` and `scheduler/`.

use super::ModelError;
use super::source::NamedSource;

/// The files of a model, as positions in the list of all files.
#[derive(Debug)]
pub(super) struct Folder {
    pub config: usize,
    pub scheduler: Option<usize>,
    pub labels: Option<usize>,
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
        let pipeline = match model.strip_suffix("unet/") {
            Some(root) if root.is_empty() || root.ends_with('/') => root,
            _ => model,
        };
        Ok(Self {
            config,
            scheduler: at(format!("{model}scheduler_config.json"))
                .or_else(|| at(format!("{pipeline}scheduler/scheduler_config.json")))
                .or_else(|| at(format!("{pipeline}scheduler_config.json"))),
            labels: at(format!("{model}labels.json"))
                .or_else(|| at(format!("{pipeline}labels.json"))),
            weights: find_weights(files, model).map_err(error)?,
        })
    }
}

/// The `config.json` nearest to the top; of several equally near, that of a `unet` folder.
fn find_config(files: &[NamedSource]) -> Result<usize, String> {
    let rank = |name: &str| {
        let folder = parent(name);
        (
            folder.matches('/').count(),
            !(folder == "unet/" || folder.ends_with("/unet/")),
        )
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
