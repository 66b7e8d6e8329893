//! What can be wrong with a model folder, each as a sentence.

use crate::graph::GraphError;
use crate::json::number;

/// Why a model cannot be read, built or written. The text names the file, field or tensor, and where there is
/// something to be done about it, says what.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// A file that is missing or cannot be read or written.
    #[error("{file}: {reason}.")]
    File { file: String, reason: String },
    /// A JSON file that does not parse.
    #[error("{file} is not valid JSON: {reason}.")]
    Json { file: String, reason: String },
    /// A field of a JSON file whose value is refused.
    #[error("{file}: {field} = {value} is not supported: {reason}.")]
    Field {
        file: String,
        field: String,
        value: String,
        reason: String,
    },
    /// Fields of a configuration that do not fit one another.
    #[error("{file}: {reason}.")]
    Config { file: String, reason: String },
    /// A safetensors header that contradicts its file or itself.
    #[error("{file} is damaged or is not a safetensors file: {reason}.")]
    Header { file: String, reason: String },
    /// A file of PyTorch's that is damaged, or holds more than data.
    #[error("{file} cannot be read as weights that PyTorch saved: {reason}.")]
    PyTorch { file: String, reason: String },
    /// A folder without weights.
    #[error(
        "{folder} has a config.json but no weights: diffusion_pytorch_model.safetensors is missing, and so is any other \
         file of weights (.safetensors, .bin, .pt, .pth, .ckpt){ignored}."
    )]
    NoWeights { folder: String, ignored: String },
    /// A tensor that the configuration asks for and the files lack.
    #[error(
        "The tensor {name} is missing from {file}: the weights do not belong to this config.json, or were cut short."
    )]
    Missing { name: String, file: String },
    /// A tensor of another shape than the configuration says.
    #[error(
        "The tensor {name} in {file} has the shape {found:?}, and config.json makes it {expected:?}."
    )]
    Shape {
        name: String,
        file: String,
        found: Vec<usize>,
        expected: Vec<usize>,
    },
    /// A tensor of integers or of another type that weights do not have.
    #[error("The tensor {name} in {file} has the type {dtype}; weights are F64, F32, F16 or BF16.")]
    Dtype {
        name: String,
        file: String,
        dtype: String,
    },
    /// A weight that is infinite or not a number.
    #[error(
        "The tensor {name} in {file} holds {value} at element {index}: the training that made it diverged, or the file is damaged."
    )]
    NotFinite {
        name: String,
        file: String,
        index: usize,
        value: f32,
    },
    /// A weight that a type cannot hold.
    #[error(
        "The tensor {name} holds {} at element {index}, which {dtype} cannot store.",
        number(*value)
    )]
    Unstorable {
        name: String,
        index: usize,
        value: f64,
        dtype: String,
    },
    /// A file that is not the one its record describes.
    #[error(
        "{file} is not the file that {record} records ({reason}): download it again, or remove {record} if the change is meant."
    )]
    Record {
        file: String,
        record: String,
        reason: String,
    },
    /// A timestep that the network's time embedding has nothing for.
    #[error("The network's {embedding} time embedding has nothing for the timestep {t}: {reason}.")]
    Timestep {
        t: f32,
        embedding: &'static str,
        reason: String,
    },
    /// A network that the configuration describes and the engine refuses.
    #[error("config.json describes a network that cannot be built: {0}.")]
    Graph(#[from] GraphError),
}
