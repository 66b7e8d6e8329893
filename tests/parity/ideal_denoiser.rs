//! How far a network is from the closed form: for one picture, the closed form's ε is the noise itself.

use crate::support::fixtures::fixtures;
use crate::support::{Lcg, devices};
use pollen::diffusion::choices::PredictionType;
use pollen::diffusion::config::SchedulerConfig;
use pollen::diffusion::ideal_denoiser;
use pollen::diffusion::noise::Generator;
use pollen::diffusion::solvers::SolverName;
use pollen::engine::{Device, Network};
use pollen::model::Checkpoint;

fn network(device: &Device) -> Network {
    let checkpoint = Checkpoint::open(&fixtures().join("chains/model")).expect("a model");
    let load = Network::load(device, &checkpoint, None, |_| {});
    pollster::block_on(load).expect("a network").0
}

/// The distance over one x_t of each picture, with the noise of seed 3.
fn distance(network: &Network, kind: PredictionType, data: &[f32], t: usize) -> f64 {
    let schedule = SchedulerConfig::new(SolverName::Ddpm).schedule();
    let alpha_bar = schedule.expect("a schedule").alpha_bar(t);
    let mut x_t = vec![0.0; data.len()];
    Generator::new(3).randn(&mut x_t);
    for (z, x) in x_t.iter_mut().zip(data) {
        *z = alpha_bar.sqrt() as f32 * x + (1.0 - alpha_bar).sqrt() as f32 * *z;
    }
    let timesteps = vec![(t - 1) as f32; data.len() / 192];
    let outputs = pollster::block_on(network.predict(&x_t, &timesteps, None));
    let outputs = outputs.expect("outputs");
    ideal_denoiser::distance(kind, &x_t, &outputs, data, 192, alpha_bar)
}

#[test]
fn one_pictures_noise_is_the_ideal_output() {
    let schedule = SchedulerConfig::new(SolverName::Ddpm)
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

/// Two pictures, at noise levels where neither is certain: the posterior by hand from Bayes' rule, in f64.
#[test]
fn two_pictures_are_weighed_by_their_likelihood() {
    let network = network(&Device::Cpu);
    let mut numbers = Lcg(9);
    let pictures = [numbers.vec(192), numbers.vec(192)];
    let data = pictures.concat();
    let schedule = SchedulerConfig::new(SolverName::Ddpm)
        .schedule()
        .expect("a schedule");
    let mut noise = vec![0.0; data.len()];
    Generator::new(3).randn(&mut noise);
    for t in [700, 800, 900] {
        let alpha_bar = schedule.alpha_bar(t);
        let (signal, sigma) = (alpha_bar.sqrt(), (1.0 - alpha_bar).sqrt());
        let x_t: Vec<f32> = data
            .iter()
            .zip(&noise)
            .map(|(x, z)| signal as f32 * x + sigma as f32 * z)
            .collect();
        let timesteps = [(t - 1) as f32; 2];
        let outputs = pollster::block_on(network.predict(&x_t, &timesteps, None)).expect("outputs");
        let mut squares = 0.0;
        for (x_t, output) in x_t.chunks(192).zip(outputs.chunks(192)) {
            let likelihoods = pictures.each_ref().map(|picture| {
                let far = x_t.iter().zip(picture).map(|(&x, &y)| {
                    let z = (f64::from(x) - signal * f64::from(y)) / sigma;
                    z * z
                });
                far.sum::<f64>() / -2.0
            });
            let second = 1.0 / (1.0 + (likelihoods[0] - likelihoods[1]).exp());
            assert!(
                (0.01..0.99).contains(&second),
                "{t}: one of them is certain"
            );
            for (i, (&x, &output)) in x_t.iter().zip(output).enumerate() {
                let [a, b] = pictures.each_ref().map(|picture| f64::from(picture[i]));
                let x0 = (1.0 - second) * a + second * b;
                let epsilon = (f64::from(x) - signal * x0) / sigma;
                squares += (f64::from(output) - epsilon).powi(2);
            }
        }
        let expected = (squares / data.len() as f64).sqrt();
        let actual = distance(&network, PredictionType::Epsilon, &data, t);
        let off = (actual / expected - 1.0).abs();
        assert!(off < 1e-6, "{t}: {actual}, {expected}");
    }
}
