//! How far a network is from the closed form: for one picture, the closed form's ε is the noise itself.

use crate::support::fixtures::fixtures;
use crate::support::{Lcg, devices};
use pollen::diffusion::choices::{PredictionType, Sampler};
use pollen::diffusion::config::SchedulerConfig;
use pollen::diffusion::noise::Generator;
use pollen::diffusion::optimum;
use pollen::engine::{Device, Network};
use pollen::model::Checkpoint;

fn network(device: &Device) -> Network {
    let checkpoint = Checkpoint::open(&fixtures().join("chains/model")).expect("a model");
    let load = Network::load(device, &checkpoint, None, |_| {});
    pollster::block_on(load).expect("a network").0
}

/// The distance over one x_t of each picture, with the noise of seed 3.
fn distance(network: &Network, kind: PredictionType, data: &[f32], t: usize) -> f64 {
    let schedule = SchedulerConfig::new(Sampler::Ddpm).schedule();
    let alpha_bar = schedule.expect("a schedule").alpha_bar(t);
    let mut x_t = vec![0.0; data.len()];
    Generator::new(3).randn(&mut x_t);
    for (z, x) in x_t.iter_mut().zip(data) {
        *z = alpha_bar.sqrt() as f32 * x + (1.0 - alpha_bar).sqrt() as f32 * *z;
    }
    let timesteps = vec![(t - 1) as f32; data.len() / 192];
    let outputs = pollster::block_on(network.predict(&x_t, &timesteps, None));
    optimum::distance(kind, &x_t, &outputs.expect("outputs"), data, 192, alpha_bar)
}

#[test]
fn one_pictures_noise_is_the_optimum() {
    let schedule = SchedulerConfig::new(Sampler::Ddpm)
        .schedule()
        .expect("a schedule");
    for (name, device) in devices() {
        let network = network(&device);
        let x0 = Lcg(5).vec(3 * 8 * 8);
        for t in [2, 300, 1000] {
            let alpha_bar = schedule.alpha_bar(t);
            let (signal, sigma) = (alpha_bar.sqrt() as f32, (1.0 - alpha_bar).sqrt() as f32);
            let mut z = vec![0.0; x0.len()];
            Generator::new(3).randn(&mut z);
            let x_t: Vec<f32> = x0
                .iter()
                .zip(&z)
                .map(|(x, z)| signal * x + sigma * z)
                .collect();
            let timestep = [(t - 1) as f32];
            let predict = network.predict(&x_t, &timestep, None);
            let output = pollster::block_on(predict).expect("an output");
            for kind in [PredictionType::Epsilon, PredictionType::Velocity] {
                let squares = x_t.iter().zip(&output).zip(&z).map(|((x, m), z)| {
                    let epsilon = match kind {
                        PredictionType::Epsilon => *m,
                        _ => signal * m + sigma * x,
                    };
                    f64::from(epsilon - z).powi(2)
                });
                let expected = (squares.sum::<f64>() / x0.len() as f64).sqrt();
                let actual = distance(&network, kind, &x0, t);
                let off = (actual / expected - 1.0).abs();
                // At t = 2 the closed form takes the noise from a difference of nearly equal numbers.
                assert!(
                    off < 1e-4,
                    "{name}, {} at {t}: {actual}, {expected}",
                    kind.name()
                );
            }
        }
    }
}

#[test]
fn twice_the_same_picture_is_one() {
    let network = network(&Device::Cpu);
    let x0 = Lcg(9).vec(3 * 8 * 8);
    let one = distance(&network, PredictionType::Epsilon, &x0, 500);
    // Other noise for the second copy, so the same distance but for chance.
    let two = distance(&network, PredictionType::Epsilon, &x0.repeat(2), 500);
    assert!((two / one - 1.0).abs() < 0.2);
}
