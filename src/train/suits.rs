//! Whether pictures and network fit together: what contradicts each other is an error, what is left over a sentence.

use super::data::DataSet;
use crate::Error;
use crate::model::{ClassLabels, Config, Labels};

/// What the network's labels stand for after a training on `data`; the first that no class has means any.
pub fn labels(config: &Config, data: &DataSet) -> Option<Labels> {
    let ClassLabels::Table(rows) = config.class_labels() else {
        return None;
    };
    Some(Labels {
        classes: data.classes.clone(),
        any: (rows > data.classes.len()).then_some(data.classes.len()),
    })
}

/// Sentences on what one of the two has and the other does not use.
pub fn left_over(config: &Config, data: &DataSet) -> Vec<String> {
    let found = data.classes.len();
    match config.class_labels() {
        ClassLabels::None if found > 0 => vec![format!(
            "the network has no classes, so the labels of the pictures are not used; num_class_embeds = {} in its configuration makes one with them",
            found + 1
        )],
        ClassLabels::Table(rows) if found > 0 && rows == found => vec![format!(
            "num_class_embeds = {rows} leaves no label for \"any\" beside the {found} classes, so there will be no guidance; {} has room for it",
            found + 1
        )],
        ClassLabels::Table(rows) if found > 0 && rows > found + 1 => vec![format!(
            "num_class_embeds is {rows}, and the pictures have {found} classes: {found} means \"any\", and the labels from {} on are never trained",
            found + 1
        )],
        _ => Vec::new(),
    }
}

/// Refuses pictures that the network `config`, of `h`×`w` images, cannot be trained on.
///
/// # Errors
/// The message says what does not fit, and what to do.
pub fn check(config: &Config, (h, w): (usize, usize), data: &DataSet) -> Result<(), Error> {
    if data.is_empty() {
        return Err(Error::input("there are no pictures to train on"));
    }
    if data.channels != config.in_channels || data.height < h || data.width < w {
        return Err(Error::input(format!(
            "the pictures are {}×{}×{}, and the network wants {}×{h}×{w}",
            data.channels, data.height, data.width, config.in_channels
        )));
    }
    if config.out_channels != config.in_channels {
        return Err(Error::input(format!(
            "the network makes {} channels of {}; a learned variance cannot be trained here, set out_channels = {}",
            config.out_channels, config.in_channels, config.in_channels
        )));
    }
    if let Some(shape) = config.time_table() {
        return Err(Error::input(match shape.len() {
            1 => {
                "time_embedding_type = fourier takes the logarithm of the timestep, and training draws timestep 0; choose positional"
            }
            _ => "time_embedding_type = learned cannot be trained here; choose positional",
        }));
    }
    match config.class_labels() {
        ClassLabels::None => Ok(()),
        ClassLabels::Table(rows) if data.labels.is_none() => Err(Error::input(format!(
            "the network has classes (num_class_embeds = {rows}), and the pictures have no labels: give them labels (a folder for each class, at least two of them; names like rose_001.png with --labels prefix; or an array of labels), or remove num_class_embeds from the network's configuration"
        ))),
        ClassLabels::Table(rows) if rows >= data.classes.len() => Ok(()),
        ClassLabels::Table(rows) => Err(Error::input(format!(
            "the pictures have {} classes, and the network's num_class_embeds is {rows}; one more than the classes leaves room for \"any\"",
            data.classes.len()
        ))),
        _ => Err(Error::input(
            "class_embed_type cannot be trained here; use num_class_embeds",
        )),
    }
}
