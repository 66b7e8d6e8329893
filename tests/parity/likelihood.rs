//! The bound of a picture under a network, on both executors, against the same sums in PyTorch with diffusers' networks
//! and `torch.distributions` in double precision. T = 20, β from 0.005 to 0.5, `manual_seed(4)`, one noise a timestep
//! drawn from T down.

use std::path::Path;

use crate::support::devices;
use crate::support::fixtures::fixtures;
use pollen::diffusion::choices::{PredictionType, VarianceType};
use pollen::diffusion::config::SchedulerConfig;
use pollen::diffusion::likelihood::{BoundRequest, Term};
use pollen::diffusion::solvers::SolverName;
use pollen::diffusion::step::Clip;
use pollen::engine::{Device, Likelihood, Network};
use pollen::model::Checkpoint;
use pollen::train::data::centred;

struct Expected {
    folder: &'static str,
    prediction: PredictionType,
    variance: VarianceType,
    clip: bool,
    prior: f64,
    /// t and L_{t−1} in nats.
    terms: [(usize, f64); 6],
    total: f64,
}

const CASES: [Expected; 4] = [
    Expected {
        folder: "mnist",
        prediction: PredictionType::Epsilon,
        variance: VarianceType::FixedLarge,
        clip: true,
        prior: 0.2600648380037,
        terms: [
            (1, 3557.4388257976525),
            (2, 1238.0402242674118),
            (3, 687.9956776329498),
            (8, 116.67366131437865),
            (14, 17.96174105411049),
            (20, 1.0189085481945859),
        ],
        total: 7005.977838169585,
    },
    Expected {
        folder: "mnist",
        prediction: PredictionType::Epsilon,
        variance: VarianceType::FixedSmall,
        clip: true,
        prior: 0.2600648380037,
        terms: [
            (1, 3675.9154277249536),
            (2, 5763.103476096717),
            (3, 1421.0123889822025),
            (8, 133.42807591243402),
            (14, 18.353997577441017),
            (20, 1.0201525870731922),
        ],
        total: 12863.107298667444,
    },
    Expected {
        folder: "model",
        prediction: PredictionType::Velocity,
        variance: VarianceType::FixedLarge,
        clip: false,
        prior: 0.07015357577818668,
        terms: [
            (1, 874.3160693572613),
            (2, 305.7772901810432),
            (3, 162.1469606530616),
            (8, 41.929301872367404),
            (14, 9.268247723297533),
            (20, 0.5917483468960463),
        ],
        total: 1844.8451765308716,
    },
    Expected {
        folder: "model-learned",
        prediction: PredictionType::Epsilon,
        variance: VarianceType::LearnedRange,
        clip: true,
        prior: 0.07015357577818668,
        terms: [
            (1, 875.359395964195),
            (2, 420.79740472599354),
            (3, 181.72199004901498),
            (8, 32.95874058077415),
            (14, 4.227567566770448),
            (20, 0.2634466537586471),
        ],
        total: 1903.185621814395,
    },
];

fn network(device: &Device, folder: &str) -> Network {
    let path = match folder {
        "mnist" => Path::new(env!("CARGO_MANIFEST_DIR")).join("www/models/mnist"),
        other => fixtures().join("chains").join(other),
    };
    let checkpoint = Checkpoint::open(&path).expect("a model");
    let load = Network::load(device, &checkpoint, None, |_| {});
    pollster::block_on(load).expect("a network").0
}

fn picture(network: &Network) -> Vec<f32> {
    let (c, h, w) = network.image();
    (0..c * h * w)
        .map(|i| centred(((i * i * 7 + i / w * 31) % 256) as u8))
        .collect()
}

fn request(variance: VarianceType) -> BoundRequest {
    let mut scheduler = SchedulerConfig::new(SolverName::Ddpm);
    scheduler.num_train_timesteps = 20;
    (scheduler.beta_start, scheduler.beta_end) = (0.005, 0.5);
    BoundRequest {
        scheduler,
        variance: Some(variance),
        seed: 4,
        samples: 1,
        timesteps: None,
    }
}

/// L_T and all terms.
fn measure(network: &Network, request: &BoundRequest, x0: &[f32]) -> (f64, Vec<Term>) {
    pollster::block_on(async {
        let mut likelihood = Likelihood::new(network, request, None, x0)
            .await
            .expect("a start");
        let mut terms = Vec::new();
        while let Some(term) = likelihood.next().await.expect("a term") {
            terms.push(term);
        }
        assert_eq!(terms.len(), likelihood.measurement().terms());
        (likelihood.measurement().prior(), terms)
    })
}

#[test]
fn terms_are_pytorchs() {
    let mut worst: f64 = 0.0;
    for (name, device) in devices() {
        for case in &CASES {
            // Making the kernels of the larger network takes a software GPU a minute.
            if case.folder == "mnist" && name == "gpu" {
                continue;
            }
            let network = network(&device, case.folder);
            let mut request = request(case.variance);
            request.scheduler.prediction_type = case.prediction;
            if !case.clip {
                request.scheduler.clip = Clip::None;
            }
            let (prior, terms) = measure(&network, &request, &picture(&network));
            let order: Vec<usize> = terms.iter().map(|term| term.t).collect();
            assert_eq!(order, (1..=20).rev().collect::<Vec<_>>());
            assert!(terms.iter().all(|term| term.weight == 1.0));
            let mut close = |what: &str, actual: f64, expected: f64| {
                let off = (actual / expected - 1.0).abs();
                worst = worst.max(off);
                let case = format!("{} {} on {name}", case.folder, case.variance.name());
                assert!(off < 2e-5, "{case}, {what}: {actual}, expected {expected}");
            };
            for (t, expected) in case.terms {
                close(&format!("t = {t}"), terms[20 - t].nats, expected);
            }
            close("L_T", prior, case.prior);
            let sum: f64 = terms.iter().map(|term| term.nats).sum();
            close("the total", prior + sum, case.total);
        }
    }
    println!("worst relative difference {worst:.1e}");
}

#[test]
fn some_timesteps_stand_for_all() {
    let network = network(&Device::Cpu, "model");
    let x0 = picture(&network);
    let all = |seed: u64, timesteps: Option<usize>, samples: usize| {
        let mut request = request(VarianceType::FixedLarge);
        request.scheduler.prediction_type = PredictionType::Velocity;
        (request.seed, request.timesteps, request.samples) = (seed, timesteps, samples);
        let (prior, terms) = measure(&network, &request, &x0);
        let sum = terms.iter().map(|term| term.weight * term.nats);
        (prior + sum.sum::<f64>(), terms)
    };
    let (expected, _) = all(1, None, 40);
    for timesteps in [6, 12] {
        let mut totals = Vec::new();
        for seed in 0..40 {
            let (total, terms) = all(seed, Some(timesteps), 1);
            assert_eq!(terms.len(), timesteps);
            let stood_for: f64 = terms.iter().map(|term| term.weight).sum();
            assert_eq!(stood_for, 20.0);
            assert!(terms.windows(2).all(|pair| pair[1].t < pair[0].t));
            totals.push(total);
        }
        let count = totals.len() as f64;
        let mean = totals.iter().sum::<f64>() / count;
        let variance = totals.iter().map(|t| (t - mean).powi(2)).sum::<f64>() / (count - 1.0);
        let error = (variance / count).sqrt();
        assert!(
            (mean - expected).abs() < 4.0 * error,
            "{timesteps}: {mean} ± {error}, {expected}"
        );
    }
}

#[test]
fn what_does_not_fit_is_refused() {
    let network = network(&Device::Cpu, "model");
    let x0 = picture(&network);
    let refused = |request: &BoundRequest, x0: &[f32], class, what: &str| {
        let started = pollster::block_on(async {
            let mut started = Likelihood::new(&network, request, class, x0).await?;
            started.next().await
        });
        let text = started.expect_err("a refusal").to_string();
        assert!(text.contains(what), "{text}");
    };
    let good = request(VarianceType::FixedLarge);
    refused(&good, &x0[1..], None, "191 numbers");
    refused(&request(VarianceType::Learned), &x0, None, "learned");
    let with = |change: fn(&mut BoundRequest)| {
        let mut request = good.clone();
        change(&mut request);
        request
    };
    refused(
        &with(|r| r.timesteps = Some(21)),
        &x0,
        None,
        "1 to 20 timesteps",
    );
    refused(
        &with(|r| r.timesteps = Some(0)),
        &x0,
        None,
        "1 to 20 timesteps",
    );
    refused(&with(|r| r.samples = 0), &x0, None, "at least 1");
    refused(&good, &x0, Some(1), "the model has none");
    // A picture of NaN makes the network say NaN.
    let started = pollster::block_on(Likelihood::new(&network, &good, None, &[f32::NAN; 192]));
    let next = pollster::block_on(started.expect("a start").next()).map(drop);
    assert!(next.expect_err("NaN").to_string().contains("t = 20 is NaN"));
}
