//! Everything that can go wrong, as sentences.

/// Any error of the library.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Graph(#[from] crate::graph::GraphError),
    #[error(transparent)]
    Gpu(#[from] crate::gpu::GpuError),
    #[error(transparent)]
    Model(#[from] crate::model::ModelError),
    #[error(transparent)]
    Schedule(#[from] crate::diffusion::error::ScheduleError),
    /// A training's step whose numbers are not finite.
    #[error(
        "the training diverged at step {step}: the loss is {loss} and the gradient's norm {norm}; the average of the \
         weights before it is kept, go on with a smaller learning rate"
    )]
    Diverged { step: u64, loss: f64, norm: f64 },
    /// An argument out of range; the message names it and the range.
    #[error("{0}")]
    Input(String),
}

impl Error {
    pub fn input(message: impl Into<String>) -> Self {
        Self::Input(message.into())
    }
}
