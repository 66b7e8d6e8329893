//! Are the digits that are made those that were asked for? A CNN with 99.65 % on MNIST's test set reads them.

use std::path::Path;

use crate::support::classifier::Classifier;
use crate::support::fixtures::{Tensors, fixtures};
use pollen::diffusion::config::SchedulerConfig;
use pollen::diffusion::solvers::{SamplingRequest, SolverName};
use pollen::engine::{Device, Network, Sampler, SamplerRequest};
use pollen::model::Checkpoint;

#[test]
fn the_classifier_is_pytorchs() {
    let classifier = Classifier::open();
    let expected = Tensors::open(&fixtures().join("classifier/logits.safetensors"));
    let (samples, logits) = (
        expected.need("sample").values,
        expected.need("logits").values,
    );
    for (sample, logits) in samples.chunks_exact(784).zip(logits.chunks_exact(10)) {
        for (a, b) in classifier.logits(sample).iter().zip(logits) {
            assert!((a - b).abs() <= 1e-4 * b.abs().max(1.0), "{a} against {b}");
        }
    }
}

/// DDIM, 20 steps without guidance, seeds 0 and 1 of each digit.
#[test]
fn digits_are_as_asked() {
    as_asked("mnist", 20, 2, 18);
}

/// The student's two passes, seeds 0–9 of each digit: 99.7 % of a thousand were read as asked.
#[test]
fn fast_digits_are_as_asked() {
    as_asked("mnist-fast", 2, 10, 98);
}

/// At least `enough` of `seeds` pictures of each digit are read as asked.
fn as_asked(model: &str, steps: usize, seeds: usize, enough: usize) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("www/models")
        .join(model);
    let checkpoint = Checkpoint::open(&folder).expect("the shipped model");
    let text = checkpoint.scheduler.clone().expect("its scheduler");
    let (scheduler, _) =
        SchedulerConfig::parse(&text, Some(SolverName::Ddim)).expect("a scheduler");
    let load = Network::load(&Device::Cpu, &checkpoint, None, |_| {});
    let (network, _) = pollster::block_on(load).expect("a network");
    let classifier = Classifier::open();
    let mut right = 0;
    for (digit, seed) in (0..10 * seeds).map(|i| (i / seeds, (i % seeds) as u64)) {
        let request = SamplerRequest {
            scheduler: scheduler.clone(),
            solver: SamplingRequest::new(steps),
            seed,
            count: 1,
            class: Some(digit),
            guidance: 1.0,
            noise: None,
            image: None,
            mask: None,
            negative: None,
        };
        let picture = pollster::block_on(async {
            let mut sampler = Sampler::new(&network, &request).await.expect("a chain");
            while !sampler.is_over() {
                sampler.step(false).await.expect("a step");
            }
            sampler.sample().await.expect("a sample")
        });
        let read = classifier.digit(&picture);
        if read == digit {
            right += 1;
        } else {
            println!("{digit} at seed {seed} reads as {read}");
        }
    }
    let all = 10 * seeds;
    println!("{right} of {all} read as asked");
    assert!(
        right >= enough,
        "only {right} of {all} digits read as asked"
    );
}
