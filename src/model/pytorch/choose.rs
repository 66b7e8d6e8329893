//! Which of the dicts in a file are the weights: programs that train wrap them in others, beside counters, optimizers
//! and averages.

use std::collections::VecDeque;

use super::shorten;
use super::value::{Id, Pickle, Value};
use crate::model::names;

/// How deep the weights may lie in dicts of dicts.
const MAX_WRAPPERS: usize = 4;
/// The places in a list that are looked at, as parts of a path.
const PLACES: [&str; 8] = ["0", "1", "2", "3", "4", "5", "6", "7"];
/// How many dicts are looked at.
const MAX_DICTS: usize = 256;
/// The longest name of a tensor, in bytes.
const MAX_NAME: usize = 512;

/// The tensors of a dict by name, as positions among those of the pickle, and clauses on how they were found.
type Weights<'a> = (Vec<(&'a str, u32)>, Vec<String>);

/// A dict that holds tensors by name.
struct Found<'a> {
    /// The keys that lead to it.
    path: Vec<&'a str>,
    tensors: Vec<(&'a str, u32)>,
    /// Whether a U-Net of diffusers is among them.
    fits: bool,
}

impl Found<'_> {
    fn averaged(&self) -> bool {
        names::averaged(&self.path.join("."))
    }

    fn shown(&self) -> String {
        match &self.path[..] {
            [] => "its tensors at the top".into(),
            path => format!("`{}`", shorten(&path.join("."))),
        }
    }
}

pub(super) fn weights<'a>(pickle: &'a Pickle<'a>) -> Result<Weights<'a>, String> {
    let mut search = Search::default();
    search.run(pickle)?;
    let Search {
        mut found,
        optimizer,
        nameless,
    } = search;
    if found.iter().any(|f| f.fits) {
        found.retain(|f| f.fits);
    } else {
        let most = found.iter().map(|f| f.tensors.len()).max();
        found.retain(|f| Some(f.tensors.len()) == most);
    }
    let averaged = found.iter().filter(|f| f.averaged()).count();
    let at = match (found.len(), averaged) {
        (0, _) if optimizer => {
            return Err("it is the state of an optimizer, not the weights of a network".into());
        }
        (0, _) if nameless.is_some() => {
            return Err("it holds averaged weights as a list without names; write them into the model they are of \
                        (ema.copy_to(model.parameters())) and save that: torch.save(model.state_dict(), …)"
                .into());
        }
        (0, _) => {
            return Err(format!(
                "it holds no dict of tensors by name, at the top or in up to {MAX_WRAPPERS} dicts or lists"
            ));
        }
        (1, _) => 0,
        (_, 1) => found.iter().position(Found::averaged).unwrap_or(0),
        _ => {
            let all: Vec<_> = found.iter().map(Found::shown).collect();
            return Err(format!(
                "it holds several sets of weights ({}); keep one of them",
                all.join(" and ")
            ));
        }
    };
    let chosen = found.swap_remove(at);
    let mut notes = Vec::new();
    if !found.is_empty() {
        let raw: Vec<_> = found.iter().map(Found::shown).collect();
        notes.push(format!(
            "it holds averaged weights ({}) beside the raw ones ({}); the averaged ones are used",
            chosen.shown(),
            raw.join(" and ")
        ));
    } else if !chosen.path.is_empty() {
        notes.push(format!(
            "the weights are those in its entry {}",
            chosen.shown()
        ));
    }
    if let Some(path) = nameless.filter(|_| !chosen.averaged()) {
        notes.push(format!(
            "its averaged weights (`{}`) are a list without names, which is not read; the raw ones are used",
            shorten(&path)
        ));
    }
    Ok((chosen.tensors, notes))
}

#[derive(Default)]
struct Search<'a> {
    found: Vec<Found<'a>>,
    /// Whether there is the state of an optimizer.
    optimizer: bool,
    /// The path of averaged weights that are a list.
    nameless: Option<String>,
}

impl<'a> Search<'a> {
    fn run(&mut self, pickle: &'a Pickle<'a>) -> Result<(), String> {
        let mut seen: Vec<Id> = Vec::new();
        let mut queue = VecDeque::from([(pickle.root, Vec::new())]);
        while let Some((id, path)) = queue.pop_front() {
            let items = match &pickle.values[id as usize] {
                Value::Dict(items) => items,
                Value::List(parts) | Value::Tuple(parts) if path.len() < MAX_WRAPPERS => {
                    for (name, part) in PLACES.into_iter().zip(parts) {
                        queue.push_back((*part, [&path[..], &[name]].concat()));
                    }
                    continue;
                }
                _ => continue,
            };
            if seen.contains(&id) {
                continue;
            }
            if seen.len() == MAX_DICTS {
                break;
            }
            seen.push(id);
            let has = |key: &str| items.iter().any(|(k, _)| pickle.str(*k) == Some(key));
            if has("param_groups") {
                self.optimizer = true;
                continue;
            }
            if has("shadow_params") {
                self.nameless = Some(path.join("."));
                continue;
            }
            let mut tensors = Vec::new();
            for (key, value) in items {
                let Some(name) = pickle.str(*key) else {
                    continue;
                };
                match &pickle.values[*value as usize] {
                    Value::Tensor(tensor) => tensors.push((name, *tensor)),
                    Value::Dict(_) if path.len() < MAX_WRAPPERS && queue.len() < MAX_DICTS => {
                        let path = [&path[..], &[name]].concat();
                        queue.push_back((*value, path));
                    }
                    _ => {}
                }
            }
            if !tensors.is_empty() {
                self.found.push(found(path, tensors)?);
            }
        }
        Ok(())
    }
}

fn found<'a>(path: Vec<&'a str>, tensors: Vec<(&'a str, u32)>) -> Result<Found<'a>, String> {
    for (name, _) in &tensors {
        if name.is_empty() || name.len() > MAX_NAME {
            return Err(format!(
                "the name of a tensor has {} bytes; 1 to {MAX_NAME} are read",
                name.len()
            ));
        }
    }
    let fits = !names::prefixes(tensors.iter().map(|(name, _)| *name)).is_empty();
    Ok(Found {
        path,
        tensors,
        fits,
    })
}
