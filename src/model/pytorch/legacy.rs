//! The format of before PyTorch 1.6, which it still writes when asked: five pickles one after another (a number that
//! is always the same, a version, the machine, what was saved, the storages' keys), then each storage as the number of
//! its elements and their bytes.
//!
//! Source: torch/serialization.py, `_legacy_save`.

use super::pickle::{self, damaged};
use super::value::{Pickle, Value};
use super::{Contents, MAX_PICKLE, Place, contents_of, shorten};
use crate::model::source::NamedSource;
use crate::order::order;

/// The first pickle, but for its protocol and, from protocol 4 on, its frame.
const MAGIC: &[u8] = b"\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.";
/// Where [`MAGIC`] begins: after the protocol, or after a frame's length.
const BEFORE: [usize; 2] = [2, 11];

/// Where the second pickle begins of a file that begins with `start`; `None` where it is of another format.
pub(super) fn begins(start: &[u8]) -> Option<usize> {
    let after = |at: &usize| start.get(*at..).is_some_and(|rest| rest.starts_with(MAGIC));
    let found = BEFORE.into_iter().find(after);
    found
        .filter(|_| matches!(start, [0x80, 2..=5, ..]))
        .map(|at| at + MAGIC.len())
}
/// How much is read at first. Nothing says how long the pickles are.
const FIRST: u64 = 1 << 20;

/// The weights in `file`, whose second pickle begins `at`.
pub(super) fn contents(file: &NamedSource, at: usize) -> Result<Contents, String> {
    let most = file.source.len().min(MAX_PICKLE);
    let start = file.source.read(0, most.min(FIRST) as usize)?;
    match read(file, &start, at) {
        Err(_) if most > FIRST => {
            drop(start);
            read(file, &file.source.read(0, most as usize)?, at)
        }
        result => result,
    }
}

fn read(file: &NamedSource, start: &[u8], mut at: usize) -> Result<Contents, String> {
    let mut pushes = 0;
    let mut next = || {
        let pickle = pickle::read(&start[at..], pushes)?;
        (at, pushes) = (at + pickle.bytes.len(), pickle.pushes);
        Ok::<_, String>(pickle)
    };
    next()?;
    if big_endian(&next()?) {
        return Err("its numbers are big-endian, which are not read".into());
    }
    let (saved, keys) = (next()?, next()?);
    let places = places(file, &saved, &keys, at as u64)?;
    drop(keys);
    contents_of(file, &saved, |key| {
        let place = position(&places, key).map(|i| places[i].1);
        let place = place.filter(|place| place.0 > 0);
        place.ok_or_else(|| format!("its storage {} is missing", shorten(key)))
    })
}

fn big_endian(machine: &Pickle) -> bool {
    let Value::Dict(items) = &machine.values[machine.root as usize] else {
        return false;
    };
    items.iter().any(|(key, value)| {
        machine.str(*key) == Some("little_endian")
            && matches!(machine.values[*value as usize], Value::Bool(false))
    })
}

/// Where `key` stands in `places`, which are in the order of their keys.
fn position(places: &[(&str, Place)], key: &str) -> Option<usize> {
    let at = places.partition_point(|(of, _)| *of < key);
    places.get(at).filter(|(of, _)| *of == key).map(|_| at)
}

/// Where each storage of `saved` is in the file, in the order of their keys. The first, with the number before it, begins `at`.
fn places<'a>(
    file: &NamedSource,
    saved: &'a Pickle,
    keys: &Pickle,
    mut at: u64,
) -> Result<Vec<(&'a str, Place)>, String> {
    let Value::List(listed) = &keys.values[keys.root as usize] else {
        return Err(damaged("it has no list of its storages"));
    };
    // At first with the bytes of an element, and without a place.
    let storages = saved.values.iter().filter_map(|value| match value {
        Value::Storage(storage) => {
            let size = storage.dtype.map_or(1, |dtype| dtype.bitsize() as u64 / 8);
            Some((saved.text(storage.key)?, (0, size)))
        }
        _ => None,
    });
    let storages: Vec<(&str, Place)> = storages.collect();
    let by_key = order(storages.len(), &|a, b| storages[a].0.cmp(storages[b].0));
    let mut places: Vec<(&str, Place)> = by_key.into_iter().map(|i| storages[i]).collect();
    places.dedup_by_key(|(key, _)| *key);
    for key in listed {
        let key = keys.str(*key).unwrap_or_default();
        let place = position(&places, key).map(|i| &mut places[i].1);
        let Some(place) = place.filter(|place| place.0 == 0) else {
            return Err(damaged("its list of storages is not that of its tensors"));
        };
        let end = (|| {
            let begin = at.checked_add(8).filter(|at| *at <= file.source.len())?;
            let number = file.source.read(at, 8).ok()?;
            let bytes =
                u64::from_le_bytes(*number.as_chunks::<8>().0.first()?).checked_mul(place.1)?;
            *place = (begin, bytes);
            begin.checked_add(bytes)
        })();
        at = end.filter(|end| *end <= file.source.len()).ok_or_else(|| {
            format!(
                "its storage {} lies outside of it; it may have been cut short",
                shorten(key)
            )
        })?;
    }
    Ok(places)
}
