//! Where the time of a pass goes: each kernel's, by the device's own timestamps.

/// How a pass is done when it is to be timed.
#[derive(Clone, Copy, Debug, Default)]
pub struct Timing {
    /// How often once more, before anything is read back: what a pass takes is the difference.
    pub again: usize,
    /// After these, once with every kernel by itself, timed: by the device, on the processor by this clock, in milliseconds.
    pub clock: Option<fn() -> f64>,
}
