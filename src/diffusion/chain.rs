//! A chain on plain slices: the twin of what an executor does with a list of steps.

use super::step::{Clip, Element, HISTORY, Step, apply, threshold};
use crate::real::Real;

/// x_t and what the solver carries, for a batch.
#[derive(Clone, Debug)]
pub struct Chain<R> {
    /// \[samples, …\], row-major.
    pub x: Vec<R>,
    /// x̂0 of the last step taken, clipped; empty before the first.
    pub x0: Vec<R>,
    history: [Vec<R>; HISTORY],
    samples: usize,
}

impl<R: Real> Chain<R> {
    /// A chain of `samples` equal parts that starts at `x`.
    pub fn new(x: Vec<R>, samples: usize) -> Chain<R> {
        let history = std::array::from_fn(|_| vec![R::ZERO; x.len()]);
        Chain {
            x,
            x0: Vec::new(),
            history,
            samples: samples.max(1),
        }
    }

    /// The network's input at `step`.
    pub fn model_input(&self, step: &Step) -> Vec<R> {
        let scale = R::from_f64(step.input_scale);
        self.x.iter().map(|&x| scale * x).collect()
    }

    /// Takes `step`. `model` is the network's output, of the size of x, or of twice the size where each sample's second
    /// half is the variance's; `noise` is as large as x and read where [`Step::draws_noise`].
    pub fn advance(&mut self, step: &Step, model: &[R], noise: &[R]) {
        let size = self.x.len() / self.samples;
        let stride = model.len() / self.samples;
        self.x0.resize(self.x.len(), R::ZERO);
        for sample in 0..self.samples {
            let model = &model[sample * stride..];
            let range = sample * size..(sample + 1) * size;
            let limit = match step.clip {
                Clip::Dynamic { ratio, max } => {
                    let predicted = self.x[range.clone()].iter().zip(model);
                    let magnitudes: Vec<R> =
                        predicted.map(|(&x, &m)| step.predict(x, m).abs()).collect();
                    threshold(&magnitudes, ratio, max)
                }
                Clip::None | Clip::Fixed(_) => R::ONE,
            };
            for (k, i) in range.enumerate() {
                let stepped = apply(
                    step,
                    &Element {
                        x: self.x[i],
                        model: model[k],
                        variance: model
                            .get(size + k)
                            .copied()
                            .filter(|_| stride > size)
                            .unwrap_or_default(),
                        noise: noise.get(i).copied().unwrap_or_default(),
                        history: std::array::from_fn(|h| self.history[h][i]),
                        threshold: limit,
                    },
                );
                self.x[i] = stepped.next;
                self.x0[i] = stepped.x0;
                for (values, value) in self.history.iter_mut().zip(stepped.history) {
                    values[i] = value;
                }
            }
        }
    }
}
