//! One step of any chain, as numbers: the form in which every solver and the forward process reach the kernel.
//!
//! A step predicts x̂0 from x_t and the model's output, clips it, and writes x_{t'} and the history as linear
//! combinations of what is known. All rows read the old values; results are written afterwards, element by
//! element, so a kernel may work in place. Every coefficient is finite.

use std::ops::{Add, Mul, Sub};

pub use super::quantile::{quantile_rank, threshold};
use crate::real::Real;

/// Tensors that a solver may carry from step to step.
pub const HISTORY: usize = 4;

/// A linear combination: x·x_t + model·m + x0·x̂0 + noise·z + Σ history\[i\]·h_i.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Row {
    pub x: f64,
    pub model: f64,
    pub x0: f64,
    pub noise: f64,
    pub history: [f64; HISTORY],
}

/// x̂0 before clipping: x·x_t + model·m.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Prediction {
    pub x: f64,
    pub model: f64,
}

/// What is done to x̂0 before it is used.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Clip {
    #[default]
    None,
    /// Clamp to ±limit.
    Fixed(f64),
    /// Dynamic thresholding (Saharia et al. 2022): with s the `ratio`-quantile of |x̂0| over one sample, clamped to
    /// \[1, max\], x̂0 becomes clamp(x̂0, −s, s)/s.
    Dynamic { ratio: f64, max: f64 },
}

/// The second half of the model's channels gives the standard deviation of each element, which multiplies the noise
/// term of [`Step::next`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LearnedVariance {
    pub min_log: f64,
    pub max_log: f64,
    /// True: with f = (v + 1)/2, exp(½·(f·max_log + (1 − f)·min_log)) (Nichol & Dhariwal 2021, eq. 15).
    /// False: v is the variance itself, √max(v, 0).
    pub range: bool,
}

/// From x_t to the next x.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Step {
    /// The network's timestep input: 0…T−1, possibly fractional, or a function of ln σ where the class has that.
    pub timestep: f64,
    /// The network's input is input_scale·x_t.
    pub input_scale: f64,
    pub x0: Prediction,
    pub clip: Clip,
    pub next: Row,
    /// New values of the history, computed from the old ones; `None` leaves a value as it is.
    pub keep: [Option<Row>; HISTORY],
    pub variance: Option<LearnedVariance>,
    /// Noise is drawn here even where its coefficient is 0, because diffusers draws it: the generator's later numbers
    /// depend on it.
    pub draws: bool,
    /// The element is computed in double precision and rounded once, by executors that have it: at a great σ, x loses digits
    /// in every sum.
    pub wide: bool,
}

/// The values that one element of a step is computed from.
#[derive(Clone, Copy, Debug, Default)]
pub struct Element<R> {
    pub x: R,
    pub model: R,
    /// The model's second half at this element; read where the step has a [`LearnedVariance`].
    pub variance: R,
    /// A standard normal number; read where the step draws noise.
    pub noise: R,
    pub history: [R; HISTORY],
    /// s of [`threshold`] for this element's sample; read where the step has [`Clip::Dynamic`].
    pub threshold: R,
}

/// What a step makes of an [`Element`].
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Stepped<R> {
    /// x̂0, clipped.
    pub x0: R,
    pub next: R,
    pub history: [R; HISTORY],
}

impl Row {
    /// Zero, to build from.
    pub const ZERO: Row = Row {
        x: 0.0,
        model: 0.0,
        x0: 0.0,
        noise: 0.0,
        history: [0.0; HISTORY],
    };
    /// x_t
    pub const X: Row = Row {
        x: 1.0,
        ..Row::ZERO
    };
    /// The model's output.
    pub const MODEL: Row = Row {
        model: 1.0,
        ..Row::ZERO
    };
    /// x̂0
    pub const X0: Row = Row {
        x0: 1.0,
        ..Row::ZERO
    };
    /// The drawn noise.
    pub const NOISE: Row = Row {
        noise: 1.0,
        ..Row::ZERO
    };

    /// The history value `index` (below [`HISTORY`]).
    pub fn history(index: usize) -> Row {
        let mut row = Row::ZERO;
        row.history[index] = 1.0;
        row
    }

    /// True where every coefficient is finite.
    pub fn is_finite(&self) -> bool {
        [self.x, self.model, self.x0, self.noise]
            .iter()
            .chain(&self.history)
            .all(|c| c.is_finite())
    }

    fn apply<R: Real>(&self, element: &Element<R>, x0: R, noise: R) -> R {
        // A coefficient of zero skips its term: what it would multiply may be unset.
        let mut sum = R::ZERO;
        let terms = [
            (self.x, element.x),
            (self.model, element.model),
            (self.x0, x0),
            (self.noise, noise),
        ];
        for (coefficient, value) in terms
            .into_iter()
            .chain(self.history.into_iter().zip(element.history))
        {
            if coefficient != 0.0 {
                sum += R::from_f64(coefficient) * value;
            }
        }
        sum
    }
}

impl Add for Row {
    type Output = Row;
    fn add(self, other: Row) -> Row {
        Row {
            x: self.x + other.x,
            model: self.model + other.model,
            x0: self.x0 + other.x0,
            noise: self.noise + other.noise,
            history: std::array::from_fn(|i| self.history[i] + other.history[i]),
        }
    }
}

impl Mul<Row> for f64 {
    type Output = Row;
    fn mul(self, row: Row) -> Row {
        Row {
            x: self * row.x,
            model: self * row.model,
            x0: self * row.x0,
            noise: self * row.noise,
            history: row.history.map(|coefficient| self * coefficient),
        }
    }
}

impl Sub for Row {
    type Output = Row;
    fn sub(self, other: Row) -> Row {
        self + -1.0 * other
    }
}

impl LearnedVariance {
    /// The standard deviation that the model's value `v` stands for.
    pub fn std<R: Real>(&self, v: R) -> R {
        if self.range {
            let half = R::from_f64(0.5);
            let f = (v + R::ONE) * half;
            let log = f * R::from_f64(self.max_log) + (R::ONE - f) * R::from_f64(self.min_log);
            (half * log).exp()
        } else {
            v.max(R::ZERO).sqrt()
        }
    }
}

impl Clip {
    /// Clips one x̂0; `threshold` is read by [`Clip::Dynamic`] alone.
    pub fn apply<R: Real>(&self, x0: R, threshold: R) -> R {
        match *self {
            Clip::None => x0,
            Clip::Fixed(limit) => clamp(x0, R::from_f64(limit)),
            Clip::Dynamic { .. } => clamp(x0, threshold) / threshold,
        }
    }
}

/// x0 within ±limit; NaN stays NaN, so that a broken network is seen.
fn clamp<R: Real>(x0: R, limit: R) -> R {
    if x0 > limit {
        limit
    } else if x0 < -limit {
        -limit
    } else {
        x0
    }
}

impl Step {
    /// True where the step takes a tensor of standard normal numbers from the generator.
    pub fn draws_noise(&self) -> bool {
        self.draws || self.next.noise != 0.0
    }

    /// True where no coefficient is infinite or NaN; solvers yield nothing else.
    pub fn is_finite(&self) -> bool {
        [self.timestep, self.input_scale, self.x0.x, self.x0.model]
            .iter()
            .all(|c| c.is_finite())
            && self.next.is_finite()
            && self.keep.iter().flatten().all(Row::is_finite)
            && self
                .variance
                .is_none_or(|v| v.min_log.is_finite() && v.max_log.is_finite())
    }

    /// x̂0 of one element, not yet clipped.
    pub fn predict<R: Real>(&self, x: R, model: R) -> R {
        R::from_f64(self.x0.x) * x + R::from_f64(self.x0.model) * model
    }
}

/// The kernel's scalar twin: one element of one step.
pub fn apply<R: Real>(step: &Step, element: &Element<R>) -> Stepped<R> {
    if !step.wide {
        return apply_in(step, element);
    }
    let wide = apply_in::<f64>(
        step,
        &Element {
            x: element.x.to_f64(),
            model: element.model.to_f64(),
            variance: element.variance.to_f64(),
            noise: element.noise.to_f64(),
            history: element.history.map(R::to_f64),
            threshold: element.threshold.to_f64(),
        },
    );
    Stepped {
        x0: R::from_f64(wide.x0),
        next: R::from_f64(wide.next),
        history: wide.history.map(R::from_f64),
    }
}

fn apply_in<R: Real>(step: &Step, element: &Element<R>) -> Stepped<R> {
    let x0 = step
        .clip
        .apply(step.predict(element.x, element.model), element.threshold);
    let noise = match &step.variance {
        Some(variance) if step.draws_noise() => variance.std(element.variance) * element.noise,
        _ => element.noise,
    };
    let mut history = element.history;
    for (value, row) in history.iter_mut().zip(&step.keep) {
        if let Some(row) = row {
            *value = row.apply(element, x0, noise);
        }
    }
    Stepped {
        x0,
        next: step.next.apply(element, x0, noise),
        history,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clipping_keeps_what_is_within() {
        for (clip, x0, expected) in [
            (Clip::None, 7.0, 7.0),
            (Clip::Fixed(0.5), 0.75, 0.5),
            (Clip::Fixed(0.5), -0.75, -0.5),
            (Clip::Fixed(0.5), -0.25, -0.25),
        ] {
            assert_eq!(clip.apply(x0, 9.0), expected);
        }
        let bound = Clip::Dynamic {
            ratio: 0.9,
            max: 3.0,
        };
        assert_eq!((bound.apply(4.0, 2.0), bound.apply(-1.0, 2.0)), (1.0, -0.5));
        assert!(Clip::Fixed(1.0).apply(f64::NAN, 1.0).is_nan());
    }

    /// Every term with its own number, so that none can stand for another.
    #[test]
    fn a_step_is_its_rows() {
        let row = Row {
            x: 2.0,
            model: 3.0,
            x0: 5.0,
            noise: 7.0,
            history: [11.0, 13.0, 17.0, 19.0],
        };
        let element = Element {
            x: 0.5,
            model: -1.0,
            variance: 4.0,
            noise: 0.25,
            history: [0.1, 0.2, 0.3, 0.4],
            threshold: 1.0,
        };
        let mut step = Step {
            x0: Prediction {
                x: 1.5,
                model: -0.5,
            },
            clip: Clip::Fixed(1.0),
            next: row,
            keep: [None, Some(Row::X0), Some(Row::history(0) - Row::X), None],
            ..Step::default()
        };
        // x̂0 = 0.75 + 0.5, clipped to 1.
        let history = 1.1 + 2.6 + 5.1 + 7.6;
        let stepped = apply(&step, &element);
        assert_eq!(stepped.x0, 1.0);
        assert!((stepped.next - (1.0 - 3.0 + 5.0 + 1.75 + history)).abs() < 1e-12);
        assert_eq!(stepped.history[..2], [0.1, 1.0]);
        assert!((stepped.history[2] + 0.4).abs() < 1e-12 && stepped.history[3] == 0.4);
        // A learned standard deviation √4 multiplies the noise alone.
        step.variance = Some(LearnedVariance {
            min_log: -2.0,
            max_log: 4.0,
            range: false,
        });
        let learned = apply(&step, &element).next;
        assert!((learned - stepped.next - 1.75).abs() < 1e-12);
        // As a range: f = (0.5 + 1)/2, so the logarithm is 0.75·4 − 0.25·2.
        let range = LearnedVariance {
            min_log: -2.0,
            max_log: 4.0,
            range: true,
        };
        assert!((range.std(0.5f64) - f64::exp(1.25)).abs() < 1e-12);
        assert_eq!(step.variance.unwrap().std(-3.0f64), 0.0);
    }

    #[test]
    fn one_infinite_coefficient_is_found_anywhere() {
        assert!(Step::default().is_finite());
        let broken: [fn(&mut Step); 8] = [
            |step| step.timestep = f64::NAN,
            |step| step.input_scale = f64::INFINITY,
            |step| step.x0.x = f64::NAN,
            |step| step.x0.model = f64::NAN,
            |step| step.next.noise = f64::NAN,
            |step| step.next.history[3] = f64::NAN,
            |step| step.keep[2] = Some(f64::NAN * Row::X),
            |step| {
                step.variance = Some(LearnedVariance {
                    min_log: 0.0,
                    max_log: f64::INFINITY,
                    range: true,
                });
            },
        ];
        for change in broken {
            let mut step = Step::default();
            change(&mut step);
            assert!(!step.is_finite(), "{step:?}");
        }
    }
}
