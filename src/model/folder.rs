//! Which files of a model folder are what: a flat folder, or a pipeline's or training run's with `unet/` or `unet_ema/` and
//! `scheduler/`, the last possibly one level up, where a run keeps it for all its checkpoints.

use super::ModelError;
use super::names::averaged;
use super::source::NamedSource;
use crate::order::order;

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
    /// Sentences on what lies beside what is used.
    pub warnings: Vec<String>,
}

/// Where the weights are.
#[derive(Debug)]
pub(super) enum WeightFiles {
    /// Nowhere; what was left out, as the end of a sentence.
    None {
        ignored: String,
    },
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
        let (weights, mut warnings) = find_weights(files, model).map_err(error)?;
        if part == Some(RAW) {
            warnings.extend(average_without_config(files, pipeline));
        }
        Ok(Self {
            config,
            scheduler: own
                .or_else(|| at(format!("{above}scheduler/scheduler_config.json")))
                .or_else(|| at("../../scheduler/scheduler_config.json".into())),
            scheduler_is_above: own.is_none(),
            index: at(format!("{pipeline}model_index.json"))
                .or_else(|| at(format!("{above}model_index.json"))),
            unaveraged: match part {
                Some(RAW) | None => None,
                Some(_) => at(format!("{pipeline}{RAW}/config.json")),
            },
            labels: at(format!("{model}labels.json"))
                .or_else(|| at(format!("{pipeline}labels.json"))),
            weights,
            warnings,
        })
    }
}

/// Folders of a pipeline or training run that hold a U-Net, the one that is taken first before the others: averages, under the
/// names that programs give them, and the network itself.
pub(super) const PARTS: [&str; 4] = ["unet_ema", "ema_unet", "ema", RAW];
const RAW: &str = "unet";

/// A sentence on averaged weights beside the network that is used, whose folder has no config.json.
fn average_without_config(files: &[NamedSource], pipeline: &str) -> Option<String> {
    let averages = PARTS.into_iter().filter(|part| *part != RAW);
    let mut folders = averages.map(|part| format!("{pipeline}{part}/"));
    let of = |folder: &String| {
        let inside = |f: &&NamedSource| parent(&f.name) == folder && is_weights(&f.name);
        files.iter().find(inside)
    };
    let file = folders.find_map(|folder| of(&folder))?;
    Some(format!(
        "{} may be averaged weights of the network, and lies in a folder without a config.json: put a copy of {RAW}/config.json \
         beside it to have it used.",
        file.shown
    ))
}

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
    let found: Vec<_> = (0..files.len())
        .filter(|i| {
            let name = &files[*i].name;
            &name[parent(name).len()..] == "config.json"
        })
        .collect();
    let rank = |i: &usize| rank(&files[*i].name);
    let found = order(found.len(), &|a, b| rank(&found[a]).cmp(&rank(&found[b])))
        .into_iter()
        .map(|i| found[i]);
    match &found.collect::<Vec<_>>()[..] {
        [] => Err(match files.iter().find(|f| is_weights(&f.name)) {
            Some(weights) => format!(
                "{} may be weights, but the config.json of their UNet2DModel is missing; {}",
                weights.name,
                match files.iter().find(|f| is_renamed_config(&f.name)) {
                    Some(renamed) => format!("if it is {}, rename that to config.json", renamed.name),
                    None => "diffusers saves it beside them, in a pipeline's folder unet: open the folder, or both files \
                             together"
                        .into(),
                }
            ),
            None => {
                "there is no config.json of a UNet2DModel in it, nor in a folder named unet".into()
            }
        }),
        [a, b, ..] if rank(a) == rank(b) => Err(format!(
            "it holds several models ({} and {}); {}open one of them",
            parent(&files[*a].name),
            parent(&files[*b].name),
            match files[*a].name.contains(".zip/") {
                true => "unpack the zip file and ",
                false => "",
            }
        )),
        [first, ..] => Ok(*first),
    }
}

/// Whether a file is named as one of PyTorch's.
pub(super) fn is_pytorch(name: &str) -> bool {
    [".bin", ".pt", ".pth", ".ckpt"]
        .iter()
        .any(|end| name.ends_with(end))
}

/// Whether a file may be a config.json that a browser or a person has named otherwise, such as `config (1).json`.
fn is_renamed_config(name: &str) -> bool {
    let name = &name[parent(name).len()..];
    name.starts_with("config") && name.ends_with(".json")
}

/// What a run of training leaves beside the weights.
fn is_state(name: &str) -> bool {
    let name = &name[parent(name).len()..];
    let stem = &name[..name.find('.').unwrap_or(name.len())];
    let stem = stem.trim_end_matches(|c: char| c.is_ascii_digit() || c == '_' || c == '-');
    [
        "optimizer",
        "optimizer_state",
        "optim",
        "opt",
        "scheduler",
        "lr_scheduler",
        "scaler",
        "sampler",
        "rng_state",
        "random_states",
        "training_args",
        "custom_checkpoint",
        "dl_state_dict",
    ]
    .contains(&stem)
}

/// Whether a file may hold weights.
fn is_weights(name: &str) -> bool {
    name.ends_with(".safetensors") || is_pytorch(name) && !is_state(name)
}

/// Whether a file lists the parts that weights are in: `….safetensors.index.json`, with a variant `….index.fp16.json`,
/// and `….fp16.index.json` in 2024.
fn is_index(name: &str) -> bool {
    name.ends_with(".json")
        && name.contains(".index.")
        && (name.contains(".safetensors.") || name.contains(".bin."))
}

/// Whether a file is one of several parts: `…-00001-of-00002.safetensors`.
fn is_shard(name: &str) -> bool {
    let digits = |text: &str| text.len() == 5 && text.bytes().all(|b| b.is_ascii_digit());
    name.split(['-', '.'])
        .collect::<Vec<_>>()
        .windows(3)
        .any(|w| digits(w[0]) && w[1] == "of" && digits(w[2]))
}

/// In which order weights are looked for: safetensors before PyTorch's format, diffusers' names before its F16 variant
/// before any other, and an index before the one file of its kind.
fn rank(name: &str) -> (bool, u8) {
    let pytorch = is_pytorch(name) || is_index(name) && !name.contains(".safetensors.");
    let end = if pytorch { "bin" } else { "safetensors" };
    // What changes a network's weights comes after all that may be weights.
    if name.contains("lora") {
        return (true, 6);
    }
    let own = format!("diffusion_pytorch_model.{end}");
    let rank = match name.strip_prefix(&own) {
        Some(".index.json") => 0,
        Some("") => 1,
        _ if name.contains("fp16") && is_index(name) => 2,
        _ if name.contains("fp16") => 3,
        _ if is_index(name) => 4,
        _ => 5,
    };
    (pytorch, rank)
}

/// The weights in the folder `model`, and sentences on what lies beside them.
fn find_weights(files: &[NamedSource], model: &str) -> Result<(WeightFiles, Vec<String>), String> {
    let inside: Vec<(usize, &str)> = files
        .iter()
        .enumerate()
        .filter_map(|(i, f)| Some((i, f.name.strip_prefix(model)?)))
        .filter(|(_, name)| !name.contains('/'))
        .collect();
    let candidates: Vec<_> = inside
        .iter()
        .filter(|(_, name)| is_index(name) || is_weights(name) && !is_shard(name))
        .map(|(i, name)| (rank(name), *i, *name))
        .collect();
    let in_order = order(candidates.len(), &|a, b| candidates[a].cmp(&candidates[b]));
    let mut candidates: Vec<_> = in_order.into_iter().map(|i| candidates[i]).collect();
    let mut warnings = Vec::new();
    // Of files of equal standing, the one whose name says that it is the average of the others' kind.
    let equal = candidates.iter().take_while(|c| c.0 == candidates[0].0);
    let averages: Vec<_> = equal.clone().filter(|c| averaged(c.2)).collect();
    if let ([average], 2..) = (&averages[..], equal.clone().count()) {
        let raw: Vec<_> = equal.filter(|c| !averaged(c.2)).map(|c| c.2).collect();
        warnings.push(format!(
            "The averaged weights {} lie beside {}; the averaged ones are used.",
            average.2,
            raw.join(" and ")
        ));
        let (rank, i, name) = **average;
        candidates = vec![(rank, i, name)];
    }
    if let [(_, _, used), others @ ..] = &candidates[..]
        && !averaged(used)
        && let Some((_, _, average)) = others.iter().find(|c| averaged(c.2))
    {
        warnings.push(format!(
            "The averaged weights {average} lie beside {used}, which is used; open config.json and {average} alone for those."
        ));
    }
    match candidates.as_slice() {
        [] => {}
        [(a, _, first), (b, _, second), ..] if a == b => {
            return Err(format!(
                "it holds several sets of weights ({first} and {second}); keep one, or name it \
                 diffusion_pytorch_model.safetensors"
            ));
        }
        [(of_index, i, index), rest @ ..] if is_index(index) => {
            // What diffusers does: an index goes before a file, even one that was written over it later.
            let one = (of_index.0, of_index.1 + 1);
            if let Some((_, other, single)) = rest.iter().find(|r| r.0 == one) {
                warnings.push(beside(&files[*i], index, &files[*other], single));
            }
            return Ok((WeightFiles::Sharded(*i), warnings));
        }
        [(_, i, _), ..] => return Ok((WeightFiles::One(*i), warnings)),
    }
    if let Some((_, shard)) = inside.iter().find(|(_, name)| is_weights(name)) {
        return Err(format!(
            "{shard} is one of several parts, and their index (a file named like \
             diffusion_pytorch_model.safetensors.index.json) is missing"
        ));
    }
    let state = inside.iter().find(|(_, name)| is_pytorch(name));
    let ignored = state.map_or(String::new(), |(_, name)| {
        format!("; {name} is what a training needs to go on, not weights")
    });
    Ok((WeightFiles::None { ignored }, warnings))
}

/// What is to be said of an index and its parts beside one file with the same weights.
fn beside(index: &NamedSource, listed: &str, single: &NamedSource, whole: &str) -> String {
    let newer = match (index.source.modified(), single.source.modified()) {
        (Some(a), Some(b)) if a < b => format!("{whole} is the newer one"),
        (Some(a), Some(b)) if a > b => format!("{listed} is the newer one"),
        (Some(_), Some(_)) => "they are of the same time".into(),
        _ => "which is newer is not known".into(),
    };
    format!(
        "The weights are there twice, in the parts that {listed} lists and in {whole}: {newer}. The parts are used, as \
         diffusers does; remove the index to use the one file."
    )
}
