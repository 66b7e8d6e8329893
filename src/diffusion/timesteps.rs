//! Which of the T timesteps a chain visits (Lin et al. 2023, table 2).
//!
//! Rounding follows diffusers, because a timestep that falls on the other side of a half is another timestep.

use super::choices::Spacing;
use super::config::SchedulerConfig;
use super::error::ScheduleError;
use super::schedule::Schedule;

/// `count` timesteps 0…T−1, falling, for a chain that visits entries of the table alone.
///
/// # Errors
/// If `count` exceeds T.
pub fn visited(config: &SchedulerConfig, count: usize) -> Result<Vec<i64>, ScheduleError> {
    let total = config.num_train_timesteps;
    if count > total {
        return Err(ScheduleError::Request(format!(
            "{} takes at most as many steps as the network was trained on, {total}; {count} were asked for",
            config.solver().name()
        )));
    }
    let rounded = spaced(config, count).into_iter();
    Ok(rounded.map(|t| t.round_ties_even() as i64).collect())
}

/// A list of timesteps as it was asked for.
///
/// # Errors
/// If it is empty, does not fall all the way, or leaves 0…T−1.
pub(super) fn given(config: &SchedulerConfig, list: &[i64]) -> Result<Vec<i64>, ScheduleError> {
    let total = config.num_train_timesteps;
    if list.is_empty() || list.iter().any(|t| !(0..total as i64).contains(t)) {
        return Err(ScheduleError::Request(format!(
            "timesteps must be numbers from 0 to {}",
            total - 1
        )));
    }
    if list.windows(2).any(|pair| pair[1] >= pair[0]) {
        return Err(ScheduleError::Request(
            "timesteps must be in descending order".into(),
        ));
    }
    Ok(list.to_vec())
}

/// diffusers' ᾱ at each timestep.
///
/// # Errors
/// If a timestep is not one of the schedule's.
pub fn alphas_cumprod(schedule: &Schedule, timesteps: &[i64]) -> Result<Vec<f32>, ScheduleError> {
    let table = schedule.alphas_cumprod();
    let at = |&t: &i64| usize::try_from(t).ok().and_then(|t| table.get(t)).copied();
    timesteps
        .iter()
        .map(|t| {
            at(t).ok_or_else(|| {
                ScheduleError::Request(format!(
                    "the chain visits timestep {t}, the schedule has 0 to {}; with steps_offset 0, num_train_timesteps {T} and \
                     at most {T} steps it stays within",
                    table.len() - 1,
                    T = table.len()
                ))
            })
        })
        .collect()
}

/// Timesteps in equal distances, falling; fractional for linspace.
pub(super) fn spaced(config: &SchedulerConfig, count: usize) -> Vec<f64> {
    let total = config.num_train_timesteps;
    match config.timestep_spacing {
        Spacing::Linspace => reversed(linspace(0.0, (total - 1) as f64, count)),
        Spacing::Leading => {
            let ratio = (total / count) as f64;
            (0..count)
                .rev()
                .map(|i| i as f64 * ratio + config.steps_offset as f64)
                .collect()
        }
        Spacing::Trailing => trailing(total, total, count),
    }
}

/// The timesteps of multistep solvers, of `last` in all: the final one of `count` steps ends at t = 0, which is not
/// visited itself.
pub(super) fn spaced_multistep(config: &SchedulerConfig, last: usize, count: usize) -> Vec<f64> {
    match config.timestep_spacing {
        Spacing::Linspace => {
            let points = linspace(0.0, last as f64 - 1.0, count + 1);
            points
                .into_iter()
                .skip(1)
                .rev()
                .map(f64::round_ties_even)
                .collect()
        }
        Spacing::Leading => {
            let ratio = (last / (count + 1)) as f64;
            (1..=count)
                .rev()
                .map(|i| i as f64 * ratio + config.steps_offset as f64)
                .collect()
        }
        Spacing::Trailing => trailing(config.num_train_timesteps, last, count),
    }
}

/// Counted down from the end in steps of total/count. Rounding can make `numpy.arange` yield one element too many, a
/// timestep −1 that no table has; it is left out.
fn trailing(total: usize, last: usize, count: usize) -> Vec<f64> {
    arange_trailing(total, last, count)
        .filter(|t| *t >= 0.0)
        .collect()
}

/// The timesteps as `numpy.arange` and its rounding give them.
fn arange_trailing(total: usize, last: usize, count: usize) -> impl Iterator<Item = f64> {
    let ratio = total as f64 / count as f64;
    let length = (last as f64 / ratio).ceil() as usize;
    let last = last as f64;
    let difference = last - ratio - last;
    (0..length).map(move |i| (last + i as f64 * difference).round_ties_even() - 1.0)
}

/// A sentence where diffusers' chain of `count` steps from timestep `last` down has the timestep −1 that is left out here.
pub(super) fn left_out(config: &SchedulerConfig, last: usize, count: usize) -> Option<String> {
    let mut timesteps = arange_trailing(config.num_train_timesteps, last, count);
    let found = config.timestep_spacing == Spacing::Trailing && timesteps.any(|t| t < 0.0);
    found.then(|| {
        format!(
            "with trailing spacing and {count} steps diffusers 0.42.1 ends in a timestep -1, which no schedule has: ddpm and \
             ddim read its noisiest entry there; that step is left out here, so the pictures differ"
        )
    })
}

/// `numpy.linspace`
pub(super) fn linspace(start: f64, end: f64, count: usize) -> Vec<f64> {
    let step = (end - start) / (count.max(2) - 1) as f64;
    (0..count)
        .map(|i| {
            if i > 0 && i + 1 == count {
                end
            } else {
                start + i as f64 * step
            }
        })
        .collect()
}

fn reversed(mut values: Vec<f64>) -> Vec<f64> {
    values.reverse();
    values
}
