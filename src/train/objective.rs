//! The input and target of a step: pictures, timesteps and noise from the seed, x_t (eq. 4), the target, and each
//! sample's weight in the loss.
//!
//! A step's numbers follow from (seed, step) alone, so that a run can begin anywhere. The draws are PyTorch's, in this
//! order: `randint` of T for the timesteps; for label dropout and then for mirroring a `rand` of the batch, where the
//! recipe has them; two `rand`s of the batch for the place of the crop, where pictures are larger than the network's; one
//! `randn` of the whole batch.

use super::data::DataSet;
use super::recipe::Recipe;
use crate::diffusion::choices::PredictionType;
use crate::diffusion::forward::Noising;
use crate::diffusion::noise::Generator;
use crate::diffusion::schedule::Schedule;

/// The seed of step `step`, or of epoch `step` with another `purpose` (SplitMix64's mixing of the three).
pub fn step_seed(seed: u64, step: u64, purpose: u64) -> u64 {
    let mut z = seed
        .wrapping_mul(0x9E37_79B9_7F4A_7C15)
        .wrapping_add(step.wrapping_mul(0xD1B5_4A32_D192_ED03))
        .wrapping_add(purpose);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    (z ^ (z >> 31)) & 0xFFFF_FFFF
}

/// [`step_seed`]'s purposes.
const DRAWS: u64 = 1;
const ORDER: u64 = 2;

/// The numbers of one step.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    /// x_t, `[N,C,H,W]`.
    pub sample: Vec<f32>,
    /// The network's ideal output, likewise.
    pub target: Vec<f32>,
    /// Timesteps as diffusers counts them, 0…T−1.
    pub timesteps: Vec<f32>,
    /// Class labels, where there are classes.
    pub labels: Vec<f32>,
    /// Each sample's weight in the loss: 1, or min-SNR's.
    pub weights: Vec<f32>,
}

/// Draws batches for one training.
pub struct Objective<'d> {
    pub data: &'d DataSet,
    pub schedule: &'d Schedule,
    pub prediction: PredictionType,
    /// Channels, height and width of the network's image.
    pub image: (usize, usize, usize),
    /// The label that means any class, where the network has classes.
    pub any: Option<usize>,
    pub has_classes: bool,
}

impl Objective<'_> {
    /// The pictures of step `step`: an endless run of epochs, each in an order of its own.
    fn pictures(&self, recipe: &Recipe, step: u64) -> Vec<usize> {
        let len = self.data.len();
        let first = step.wrapping_mul(recipe.batch as u64);
        let mut order: (u64, Vec<usize>) = (u64::MAX, Vec::new());
        (0..recipe.batch)
            .map(|i| {
                let place = first.wrapping_add(i as u64);
                let epoch = place / len as u64;
                if epoch != order.0 {
                    let seed = step_seed(recipe.seed, epoch, ORDER);
                    order = (epoch, Generator::new(seed).randperm(len));
                }
                order.1[(place % len as u64) as usize]
            })
            .collect()
    }

    /// Everything of step `step`, counted from 0.
    pub fn batch(&self, recipe: &Recipe, step: u64) -> Batch {
        let n = recipe.batch;
        let (c, h, w) = self.image;
        let len = c * h * w;
        let mut generator = Generator::new(step_seed(recipe.seed, step, DRAWS));
        let total = self.schedule.timesteps();
        let uniform = |generator: &mut Generator| {
            let mut numbers = vec![0.0; n];
            generator.rand(&mut numbers);
            numbers
        };
        let t: Vec<usize> = (0..n)
            .map(|_| generator.randint(total as u64) as usize)
            .collect();
        let dropped = match self.any {
            Some(_) if recipe.label_dropout > 0.0 => uniform(&mut generator),
            _ => vec![1.0; n],
        };
        let mirrored = match recipe.flips {
            true => uniform(&mut generator),
            false => vec![1.0; n],
        };
        let room = (self.data.height - h, self.data.width - w);
        let places = match room {
            (0, 0) => [vec![0.0; n], vec![0.0; n]],
            _ => [uniform(&mut generator), uniform(&mut generator)],
        };
        let mut noise = vec![0.0; n * len];
        generator.randn(&mut noise);

        let mut batch = Batch::default();
        let (mut whole, mut x0) = (vec![0.0; self.data.sample_len()], vec![0.0; len]);
        for (i, picture) in self.pictures(recipe, step).into_iter().enumerate() {
            self.data.sample_f32(picture, &mut whole);
            let top = (places[0][i] * (room.0 + 1) as f32) as usize;
            let left = (places[1][i] * (room.1 + 1) as f32) as usize;
            for (j, x) in x0.iter_mut().enumerate() {
                let (plane, row, column) = (j / (h * w), j / w % h, j % w);
                let column = match mirrored[i] < 0.5 {
                    true => w - 1 - column,
                    false => column,
                };
                *x =
                    whole[(plane * self.data.height + top + row) * self.data.width + left + column];
            }
            self.noised(&x0, &noise[i * len..(i + 1) * len], t[i] + 1, &mut batch);
            batch.weights.push(self.weight(recipe, t[i] + 1));
            batch.timesteps.push(t[i] as f32);
            if self.has_classes {
                let own = self.data.labels.as_ref().map(|l| l[picture] as usize);
                let kept = own.filter(|_| f64::from(dropped[i]) >= recipe.label_dropout);
                batch.labels.push(kept.or(self.any).unwrap_or(0) as f32);
            }
        }
        batch
    }

    /// Appends x_t = √ᾱ_t·x0 + √(1 − ᾱ_t)·ε and the target: ε, x0, or v = √ᾱ_t·ε − √(1 − ᾱ_t)·x0 (Salimans & Ho 2022).
    fn noised(&self, x0: &[f32], epsilon: &[f32], t: usize, batch: &mut Batch) {
        // In single precision, as diffusers adds noise.
        let alpha_bar = self.schedule.alphas_cumprod()[t - 1];
        let factors = Noising::at(alpha_bar);
        for (x0, epsilon) in x0.iter().zip(epsilon) {
            batch.sample.push(factors.x_t(*x0, *epsilon));
            batch.target.push(match self.prediction {
                PredictionType::Epsilon => *epsilon,
                PredictionType::Sample => *x0,
                PredictionType::Velocity => factors.velocity(*x0, *epsilon),
            });
        }
    }

    /// min(SNR, γ) in terms of x0, so divided by what the prediction's error weighs there: SNR for ε, SNR + 1 for v.
    fn weight(&self, recipe: &Recipe, t: usize) -> f32 {
        let Some(gamma) = recipe.min_snr else {
            return 1.0;
        };
        let snr = self.schedule.snr(t);
        let capped = snr.min(gamma);
        let weight = match self.prediction {
            PredictionType::Epsilon if snr == 0.0 => 1.0,
            PredictionType::Epsilon => capped / snr,
            PredictionType::Sample => capped,
            PredictionType::Velocity => capped / (snr + 1.0),
        };
        if weight.is_finite() {
            weight as f32
        } else {
            0.0
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diffusion::schedule::BetaSchedule;

    fn data() -> DataSet {
        DataSet {
            channels: 1,
            height: 4,
            width: 5,
            pixels: (0..140).map(|v| v as u8).collect(),
            labels: Some(vec![0, 1, 2, 0, 1, 2, 0]),
            classes: vec!["a".into(), "b".into(), "c".into()],
        }
    }

    fn objective<'d>(data: &'d DataSet, schedule: &'d Schedule) -> Objective<'d> {
        Objective {
            data,
            schedule,
            prediction: PredictionType::Epsilon,
            image: (1, 4, 4),
            any: Some(3),
            has_classes: true,
        }
    }

    #[test]
    fn an_epoch_has_every_picture_once() {
        let (data, schedule) = (
            data(),
            Schedule::new(BetaSchedule::Linear, 1e-4, 0.02, 10).unwrap(),
        );
        let recipe = Recipe {
            batch: 3,
            ..Recipe::default()
        };
        let objective = objective(&data, &schedule);
        let mut seen: Vec<usize> = (0..14)
            .flat_map(|step| objective.pictures(&recipe, step))
            .collect();
        for epoch in seen.chunks_mut(7) {
            let order = epoch.to_vec();
            epoch.sort_unstable();
            assert_eq!(epoch, [0, 1, 2, 3, 4, 5, 6]);
            assert_ne!(order, epoch);
        }
    }

    #[test]
    fn a_step_is_the_same_wherever_the_run_began() {
        let (data, schedule) = (
            data(),
            Schedule::new(BetaSchedule::Linear, 1e-4, 0.02, 10).unwrap(),
        );
        let objective = objective(&data, &schedule);
        let recipe = Recipe {
            batch: 6,
            flips: true,
            ..Recipe::default()
        };
        let (a, b) = (objective.batch(&recipe, 9), objective.batch(&recipe, 9));
        assert_eq!(a.sample, b.sample);
        assert_ne!(a.sample, objective.batch(&recipe, 10).sample);
        assert!(a.labels.iter().all(|l| *l <= 3.0) && a.timesteps.iter().all(|t| *t < 10.0));
        // x_t and ε give x0 again: a byte of the data.
        for (i, (x, e)) in a.sample.iter().zip(&a.target).enumerate() {
            let alpha_bar = schedule.alphas_cumprod()[a.timesteps[i / 16] as usize];
            let x0 = (x - (1.0 - alpha_bar).sqrt() * e) / alpha_bar.sqrt();
            let byte = (x0 + 1.0) * 127.5;
            assert!((byte - byte.round()).abs() < 1e-2 && (0.0..140.0).contains(&byte.round()));
        }
    }

    #[test]
    fn min_snr_caps_the_weight() {
        let (data, schedule) = (
            data(),
            Schedule::new(BetaSchedule::Linear, 1e-4, 0.02, 1000).unwrap(),
        );
        let mut objective = objective(&data, &schedule);
        let recipe = Recipe {
            min_snr: Some(5.0),
            ..Recipe::default()
        };
        // With little noise ε counts less; with much noise its weight stays 1.
        assert!((f64::from(objective.weight(&recipe, 1)) * schedule.snr(1) - 5.0).abs() < 1e-3);
        assert_eq!(objective.weight(&recipe, 1000), 1.0);
        objective.prediction = PredictionType::Velocity;
        let snr = schedule.snr(1000);
        assert!((f64::from(objective.weight(&recipe, 1000)) - snr / (snr + 1.0)).abs() < 1e-9);
    }
}
