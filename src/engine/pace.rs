//! How many steps go to the device in one submit.

/// Milliseconds that a submit may take: with two under way, a cancel is effective within twice that, or two steps.
const SUBMIT_MS: f64 = 8.0;

/// Steps that go into one submit at most.
const MOST: usize = 16;

/// Begins with a step a submit; where a device is done with them sooner than the host hears of it, takes more.
pub(super) struct Pace {
    pub steps: usize,
    ended: f64,
}

impl Pace {
    /// So many steps a submit, to begin with.
    pub fn of(steps: usize) -> Self {
        Self {
            steps,
            ended: f64::NEG_INFINITY,
        }
    }

    /// A submit was done at `now`, in milliseconds, and the next was under way before.
    pub fn submit_ended(&mut self, now: f64) {
        self.steps = next(self.steps, now - self.ended);
        self.ended = now;
    }
}

fn next(steps: usize, ms: f64) -> usize {
    if ms < SUBMIT_MS / 2.0 {
        (2 * steps).min(MOST)
    } else if ms > SUBMIT_MS {
        steps.div_ceil(2)
    } else {
        steps
    }
}

/// Milliseconds since some time or other.
pub(super) fn now() -> f64 {
    #[cfg(target_arch = "wasm32")]
    return js_sys::Date::now();
    #[cfg(not(target_arch = "wasm32"))]
    {
        use std::sync::LazyLock;
        use std::time::Instant;
        static BEGAN: LazyLock<Instant> = LazyLock::new(Instant::now);
        BEGAN.elapsed().as_secs_f64() * 1e3
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Steps a submit once `submits` are done on a device that takes `ms` a step, and `host` between two submits at least.
    fn after(submits: usize, ms: f64, host: f64) -> usize {
        let (mut pace, mut now) = (Pace::of(1), 0.0);
        for _ in 0..submits {
            now += (pace.steps as f64 * ms).max(host);
            pace.submit_ended(now);
        }
        pace.steps
    }

    #[test]
    fn slow_devices_get_a_step_a_submit_fast_ones_as_many_as_take_8_ms() {
        assert_eq!(after(50, 30.0, 0.0), 1);
        assert_eq!(after(50, 5.0, 0.0), 1);
        assert_eq!(after(50, 2.5, 0.0), 2);
        assert_eq!(after(50, 0.8, 0.0), 8);
        assert_eq!(after(50, 0.4, 1.5), 16);
        assert_eq!(after(50, 0.01, 0.0), MOST);
    }

    #[test]
    fn a_device_that_becomes_slower_gets_fewer_again() {
        let mut pace = Pace::of(MOST);
        for i in 1..=4 {
            pace.submit_ended(300.0 * f64::from(i));
        }
        assert_eq!(pace.steps, 1);
    }
}
