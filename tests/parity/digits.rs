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

/// DDIM, 20 steps, seeds 0–9 of each digit.
#[test]
fn digits_are_as_asked() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("www/models/mnist");
    let checkpoint = Checkpoint::open(&folder).expect("the shipped model");
    let text = checkpoint.scheduler.clone().expect("its scheduler");
    let (scheduler, _) =
        SchedulerConfig::parse(&text, Some(SolverName::Ddim)).expect("a scheduler");
    let load = Network::load(&Device::Cpu, &checkpoint, None, |_| {});
    let (network, _) = pollster::block_on(load).expect("a network");
    let classifier = Classifier::open();
    let mut right = 0;
    for (digit, seed) in (0..100usize).map(|i| (i / 10, i as u64 % 10)) {
        let request = SamplerRequest {
            scheduler: scheduler.clone(),
            solver: SamplingRequest::new(20),
            seed,
            count: 1,
            class: Some(digit),
            guidance: 1.0,
            noise: None,
            image: None,
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
    println!("{right} of 100 read as asked");
    assert!(right >= 92, "only {right} of 100 digits read as asked");
}
