//! Filling in: the order of the steps, the way back, the known part.

use pollen::diffusion::config::SchedulerConfig;
use pollen::diffusion::fill::{Back, MOST_AGAIN, Resampling, add, put_known};
use pollen::diffusion::solvers::{SamplingRequest, SolverName, solve};

fn levels(steps: usize, jump: usize, times: usize) -> Vec<usize> {
    let levels = Resampling { jump, times }.levels(steps);
    levels.expect("an order")
}

/// Figure 9 of the paper in small, worked out by hand; as many are left as the paper counts.
#[test]
fn the_order_of_the_steps() {
    let left = |steps, jump, times| -> Vec<usize> {
        let levels = levels(steps, jump, times);
        levels.iter().map(|done| steps - done).collect()
    };
    assert_eq!(left(5, 2, 2), [5, 4, 3, 2, 3, 4, 3, 2, 1, 0, 1, 2, 1, 0]);
    assert_eq!(left(3, 1, 3), [3, 2, 1, 2, 1, 2, 1, 0, 1, 0, 1, 0]);
    // As far as the chain is long, nothing is left to go back from; and once is once.
    for (jump, times) in [(4, 9), (9, 9), (usize::MAX, usize::MAX), (1, 1)] {
        assert_eq!(left(4, jump, times), [4, 3, 2, 1, 0]);
    }
    // Network passes, the first with diffusers' defaults.
    let passes = |steps, jump, times| {
        let levels = levels(steps, jump, times);
        levels.windows(2).filter(|pair| pair[0] < pair[1]).count()
    };
    assert_eq!(passes(250, 10, 10), 250 + 24 * 9 * 10);
    assert_eq!(passes(20, 4, 4), 68);
}

#[test]
fn an_order_has_its_bounds() {
    let said = |jump, times| {
        let refused = Resampling { jump, times }.levels(1000);
        refused.unwrap_err().to_string()
    };
    for (jump, times) in [(0, 1), (1, 0), (10, 100), (10, usize::MAX)] {
        let said = said(jump, times);
        assert!(said.contains("at least 1") && said.contains(&MOST_AGAIN.to_string()));
    }
    let default = Resampling::default();
    assert_eq!(default.levels(1000).map(|of| of.len()), Ok(18_821));
}

/// The way back leads to the noise level where the step began that is done again, however long a step is.
#[test]
fn ddpm_goes_back_to_where_it_was() {
    let config = SchedulerConfig::new(SolverName::Ddpm);
    let schedule = config.schedule().expect("a schedule");
    for steps in [7, 50, 1000] {
        let chain = solve(&config, &SamplingRequest::new(steps)).expect("a chain");
        let after = |i: usize| match chain.t.get(i + 1) {
            Some(&t) => (t, chain.alpha_bar[i + 1]),
            None => (chain.end.t, chain.end.alpha_bar),
        };
        for (i, &t) in chain.t.iter().enumerate() {
            let (from, alpha_bar) = after(i);
            let between = Back::ToWhereItWas.timesteps((from, t), 1000 / steps, 1000);
            assert_eq!(between.len() as f64, t - from);
            let kept: f64 = between.map(|t| 1.0 - schedule.beta(t)).product();
            assert!((alpha_bar * kept - chain.alpha_bar[i]).abs() < 1e-6, "{i}");
        }
    }
}

#[test]
fn one_step_back_is_the_forward_step() {
    let mut x = [0.5, -2.0];
    add(&mut x, 0.64, &[1.0, 0.25], 0.36);
    assert!((x[0] - (0.8 * 0.5 + 0.6)).abs() < 1e-6 && (x[1] - (-1.6 + 0.15)).abs() < 1e-6);
}

#[test]
fn the_known_part_is_as_noisy_as_the_chain() {
    // Two pictures of two channels of 1×2.
    let image = [1.0, -1.0, 0.5, 0.25];
    let noise: Vec<f32> = (0..8).map(|i| i as f32 / 8.0).collect();
    let mut x = vec![9.0f32; 8];
    put_known(&mut x, &image, &[1.0, 0.0], &noise, 0.64);
    for i in 0..8 {
        let known = 0.8 * image[i % 4] + 0.6 * noise[i];
        let expected = if i % 2 == 0 { known } else { 9.0 };
        assert!((x[i] - expected).abs() < 1e-6, "{i}");
    }
    // Half known is half of each; at the end what is known is the picture itself, to the bit.
    let mut half = [3.0];
    put_known(&mut half, &[1.0], &[0.5], &[7.0], 1.0);
    assert_eq!(half, [2.0]);
    let mut whole = [f32::MAX; 4];
    put_known(&mut whole, &image, &[1.0, 1.0], &noise, 1.0);
    assert_eq!(whole, image);
}
