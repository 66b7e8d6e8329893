//! Tensors' names: what training programs put before them, and what diffusers called them in other years.

use super::header::shorten;

/// By these a U-Net of diffusers is known, whatever its blocks are.
const KNOWN: [&str; 3] = [
    "conv_in.weight",
    "conv_out.weight",
    "time_embedding.linear_1.weight",
];

/// How many networks are looked for in one file.
const MAX_NETWORKS: usize = 16;

/// What torch.compile puts into the names of what it was given.
const COMPILED: &str = "_orig_mod.";

/// What stands before the names of a U-Net's tensors (`""`, `module.`, `model.diffusion_model.` …), for each U-Net
/// among `names`, up to [`MAX_NETWORKS`].
pub(super) fn prefixes<'a>(names: impl Iterator<Item = &'a str> + Clone) -> Vec<&'a str> {
    let all = names.clone();
    let begins = names.filter_map(|name| name.strip_suffix(KNOWN[0]));
    begins
        .filter(|prefix| prefix.is_empty() || prefix.ends_with('.'))
        .take(MAX_NETWORKS)
        .filter(|prefix| {
            KNOWN[1..].iter().all(|known| {
                all.clone()
                    .any(|name| name.strip_prefix(prefix) == Some(known))
            })
        })
        .collect()
}

/// Whether a path or prefix says that what is there is an average over the steps of training.
pub(super) fn averaged(path: &str) -> bool {
    let path = path.to_ascii_lowercase();
    let mut denied = false; // non_ema is the raw one
    path.split(|c: char| !c.is_ascii_alphanumeric())
        .any(|part| {
            let not = std::mem::replace(&mut denied, matches!(part, "non" | "no" | "not"));
            !not && matches!(
                part,
                "ema" | "average" | "averaged" | "avg" | "swa" | "shadow"
            )
        })
}

/// What is taken off the names in a file.
pub(super) struct Naming {
    prefix: String,
}

impl Naming {
    /// Finds the one U-Net among `names`, and what is to be said of it; the average, where there is one beside a raw
    /// one. Names without a U-Net stay as they are.
    pub fn find<'a>(
        names: impl Iterator<Item = &'a str> + Clone,
    ) -> Result<(Self, Vec<String>), String> {
        let mut all = prefixes(names.clone());
        let shown = |prefix: &str| match prefix {
            "" => "the names without a prefix".to_string(),
            prefix => format!("`{}`", shorten(prefix)),
        };
        let list = |all: &[&str]| {
            let all: Vec<_> = all.iter().take(3).map(|prefix| shown(prefix)).collect();
            all.join(" and ")
        };
        let averages = all.iter().filter(|prefix| averaged(prefix)).count();
        let at = match (all.len(), averages) {
            (0, _) => {
                return Ok((
                    Self {
                        prefix: String::new(),
                    },
                    Vec::new(),
                ));
            }
            (1, _) => 0,
            (_, 1) => all.iter().position(|prefix| averaged(prefix)).unwrap_or(0),
            _ => {
                return Err(format!(
                    "it holds several networks ({}); keep one of them",
                    list(&all)
                ));
            }
        };
        let prefix = all.swap_remove(at);
        let mut notes = Vec::new();
        if !all.is_empty() {
            notes.push(format!(
                "it holds averaged weights ({}) beside the raw ones ({}); the averaged ones are used",
                shown(prefix),
                list(&all)
            ));
        }
        if !prefix.is_empty() {
            notes.push(format!(
                "the names of the network's tensors begin with {}, which was taken off",
                shown(prefix)
            ));
            let mut others = names.clone().filter(|name| !name.starts_with(prefix));
            if let Some(first) = others.next() {
                let more = match others.count() {
                    0 => String::new(),
                    more => format!(" and {more} more"),
                };
                notes.push(format!(
                    "tensors whose names begin otherwise ({}{more}) are not part of the network and were ignored",
                    shorten(first)
                ));
            }
        }
        if names.clone().any(|name| {
            name.strip_prefix(prefix)
                .is_some_and(|name| name.contains(COMPILED))
        }) {
            notes.push(format!(
                "`{COMPILED}` in the tensors' names, which torch.compile puts there, was taken out"
            ));
        }
        let prefix = prefix.to_string();
        Ok((Self { prefix }, notes))
    }

    /// What diffusers calls the tensor `name` of the file today; none where it is not the network's.
    pub fn present(&self, name: &str) -> Option<String> {
        Some(present_name(name.strip_prefix(&self.prefix)?))
    }
}

/// What diffusers calls a tensor today: attention's layers had other names until 2023.
fn present_name(name: &str) -> String {
    let name = name.replace(COMPILED, "");
    let mut parts: Vec<&str> = name.split('.').collect();
    let n = parts.len();
    if n >= 4 && parts[n - 4] == "attentions" {
        parts[n - 2] = match parts[n - 2] {
            "query" => "to_q",
            "key" => "to_k",
            "value" => "to_v",
            "proj_attn" => "to_out.0",
            other => other,
        };
    }
    parts.join(".")
}
