//! PyTorch's CPU generator, so that a seed gives the numbers that `torch.manual_seed` gives.
//!
//! The engine is the Mersenne Twister MT19937 (Matsumoto & Nishimura 1998); what is drawn from it, and in which
//! order, is PyTorch's: 24-bit uniforms for `rand`, and for `randn` two different Box-Muller transforms, one for
//! fewer than 16 numbers and one for more.

use std::f64::consts::PI;

use serde::de::{Deserialize, Deserializer, Error as _};
use serde_json::Value;

const WORDS: usize = 624;
const SHIFT: usize = 397;
/// Below this many numbers `randn` draws one by one in double precision; from here on in blocks of this many.
const BLOCK: usize = 16;

/// The seeds that `torch.manual_seed` takes, as an error names them.
pub const SEEDS: &str = "a whole number from -9223372036854775808 to 18446744073709551615";

/// A seed as `torch.manual_seed` takes it: those below 0 count from 2^64 down, so that −1 is 2^64 − 1. `None` where the
/// number is none of [`SEEDS`].
pub fn seed(number: f64) -> Option<u64> {
    let end = 2f64.powi(64);
    let fits = number.fract() == 0.0 && (-end / 2.0..end).contains(&number);
    fits.then_some(match number < 0.0 {
        true => (number as i64).cast_unsigned(),
        false => number as u64,
    })
}

/// [`seed`] of digits, all of which count.
pub fn seed_of_text(text: &str) -> Option<u64> {
    let below = || text.parse().ok().map(i64::cast_unsigned);
    text.parse().ok().or_else(below)
}

/// [`seed`] for fields that serde reads out of JSON.
///
/// # Errors
/// If it is no whole number, or none of [`SEEDS`].
pub fn seed_field<'de, D: Deserializer<'de>>(from: D) -> Result<u64, D::Error> {
    let value = Value::deserialize(from)?;
    (value.as_u64())
        .or_else(|| value.as_i64().map(i64::cast_unsigned))
        .or_else(|| seed(value.as_f64()?))
        .ok_or_else(|| D::Error::custom(format!("the seed is {value}, and must be {SEEDS}")))
}

/// A `torch.Generator(device="cpu")`.
#[derive(Clone, Debug, PartialEq)]
pub struct Generator {
    words: [u32; WORDS],
    next: usize,
    /// The second number of a double-precision Box-Muller pair, kept for the next short `randn`.
    spare: Option<f64>,
}

impl Generator {
    /// `manual_seed(seed)`; as in PyTorch the low 32 bits count.
    pub fn new(seed: u64) -> Generator {
        let mut words = [0; WORDS];
        words[0] = seed as u32;
        for i in 1..WORDS {
            let before: u32 = words[i - 1];
            words[i] = 1812433253u32
                .wrapping_mul(before ^ (before >> 30))
                .wrapping_add(i as u32);
        }
        Generator {
            words,
            next: WORDS,
            spare: None,
        }
    }

    fn twist(&mut self) {
        for i in 0..WORDS {
            let joined =
                (self.words[i] & 0x8000_0000) | (self.words[(i + 1) % WORDS] & 0x7fff_ffff);
            let odd = if joined & 1 == 1 { 0x9908_b0df } else { 0 };
            self.words[i] = self.words[(i + SHIFT) % WORDS] ^ (joined >> 1) ^ odd;
        }
        self.next = 0;
    }

    /// 32 uniform bits.
    pub fn next_u32(&mut self) -> u32 {
        if self.next == WORDS {
            self.twist();
        }
        let mut y = self.words[self.next];
        self.next += 1;
        y ^= y >> 11;
        y ^= (y << 7) & 0x9d2c_5680;
        y ^= (y << 15) & 0xefc6_0000;
        y ^ (y >> 18)
    }

    /// 64 uniform bits, high word first.
    pub fn next_u64(&mut self) -> u64 {
        let high = u64::from(self.next_u32());
        high << 32 | u64::from(self.next_u32())
    }

    fn uniform_single(&mut self) -> f32 {
        (self.next_u32() & 0x00ff_ffff) as f32 / (1 << 24) as f32
    }

    fn uniform_double(&mut self) -> f64 {
        (self.next_u64() & ((1 << 53) - 1)) as f64 / (1u64 << 53) as f64
    }

    /// `torch.rand`: uniform numbers in \[0, 1).
    pub fn rand(&mut self, out: &mut [f32]) {
        for value in out {
            *value = self.uniform_single();
        }
    }

    /// `torch.randn`: standard normal numbers. The split into calls matters: two calls of 100 numbers are not one
    /// of 200.
    pub fn randn(&mut self, out: &mut [f32]) {
        if out.len() < BLOCK {
            for value in out {
                *value = self.normal() as f32;
            }
            return;
        }
        self.rand(out);
        let mut blocks = out.chunks_exact_mut(BLOCK);
        for block in blocks.by_ref() {
            box_muller(block);
        }
        if !blocks.into_remainder().is_empty() {
            // The last 16 numbers are drawn again, over those that the last whole block has already filled.
            let start = out.len() - BLOCK;
            let tail = &mut out[start..];
            self.rand(tail);
            box_muller(tail);
        }
    }

    fn normal(&mut self) -> f64 {
        if let Some(spare) = self.spare.take() {
            return spare;
        }
        let angle = 2.0 * PI * self.uniform_double();
        let radius = (-2.0 * libm::log1p(-self.uniform_double())).sqrt();
        self.spare = Some(radius * libm::sin(angle));
        radius * libm::cos(angle)
    }

    /// One number of `torch.randint(high)`, uniform in 0…high−1; 0 where `high` is 0.
    pub fn randint(&mut self, high: u64) -> u64 {
        if high > u64::from(u32::MAX) {
            self.next_u64() % high
        } else {
            u64::from(self.next_u32()) % high.max(1)
        }
    }

    /// `torch.randperm(count)`: 0…count−1 in random order.
    pub fn randperm(&mut self, count: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..count).collect();
        for i in 0..count.saturating_sub(1) {
            let other = i + self.next_u32() as usize % (count - i);
            order.swap(i, other);
        }
        order
    }

    /// The whole state, for a checkpoint; [`Generator::from_bytes`] continues from it.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes: Vec<u8> = self
            .words
            .iter()
            .flat_map(|word| word.to_le_bytes())
            .collect();
        bytes.extend((self.next as u32).to_le_bytes());
        bytes.push(u8::from(self.spare.is_some()));
        bytes.extend(self.spare.unwrap_or(0.0).to_le_bytes());
        bytes
    }

    /// The generator that [`Generator::to_bytes`] was called on; `None` where `bytes` is no such state.
    pub fn from_bytes(bytes: &[u8]) -> Option<Generator> {
        let (state, rest) = bytes.split_at_checked(4 * WORDS)?;
        let mut words = [0; WORDS];
        for (word, chunk) in words.iter_mut().zip(state.chunks_exact(4)) {
            *word = u32::from_le_bytes(chunk.try_into().ok()?);
        }
        let (next, rest) = rest.split_first_chunk::<4>()?;
        let (spare, rest) = rest.split_first()?;
        let next = u32::from_le_bytes(*next) as usize;
        let value = f64::from_le_bytes(rest.try_into().ok()?);
        let spare = (*spare == 1).then_some(value);
        (next <= WORDS).then_some(Generator { words, next, spare })
    }
}

/// Turns 16 uniform numbers into 16 normal ones: the first 8 are radii, the last 8 angles.
fn box_muller(block: &mut [f32]) {
    let (radii, angles) = block.split_at_mut(BLOCK / 2);
    for (a, b) in radii.iter_mut().zip(angles) {
        let radius = (-2.0 * libm::logf(1.0 - *a)).sqrt();
        let (sin, cos) = libm::sincosf(2.0 * std::f32::consts::PI * *b);
        (*a, *b) = (radius * cos, radius * sin);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(actual: &[f32], expected: &[f32]) {
        for (a, e) in actual.iter().zip(expected) {
            assert!((a - e).abs() <= 1e-6, "{actual:?} against {expected:?}");
        }
    }

    fn drawn(seed: u64, count: usize) -> Vec<f32> {
        let mut out = vec![0.0; count];
        Generator::new(seed).randn(&mut out);
        out
    }

    #[test]
    fn engine_is_mt19937() {
        // The reference implementation's 10,000th number for seed 5489.
        let mut generator = Generator::new(5489);
        let last = (0..10_000).map(|_| generator.next_u32()).last();
        assert_eq!(last, Some(4123659995));
    }

    #[test]
    fn rand_is_torchs() {
        let mut out = [0.0; 3];
        Generator::new(0).rand(&mut out);
        close(&out, &[0.4962566, 0.7682218, 0.0884774]);
        let mut out = [0.0; 2];
        Generator::new((1 << 32) + 7).rand(&mut out);
        close(&out, &[0.53492254, 0.19880319]);
    }

    #[test]
    fn seeds_below_zero_are_torchs() {
        let (half, end) = (2f64.powi(63), 2f64.powi(64));
        assert_eq!(seed(-1.0), Some(u64::MAX));
        assert_eq!(seed(-half), Some(1 << 63));
        assert_eq!(seed(end - 2048.0), Some(u64::MAX - 2047));
        for none in [-half - 2048.0, end, 0.5, f64::NAN, f64::INFINITY] {
            assert_eq!(seed(none), None, "{none}");
        }
        assert_eq!(seed_of_text("18446744073709551615"), Some(u64::MAX));
        assert_eq!(seed_of_text("-9223372036854775808"), Some(1 << 63));
        assert_eq!(seed_of_text("-9223372036854775809"), None);
        assert_eq!(seed_of_text("18446744073709551616"), None);
        // The low 32 bits count: −5 is 4294967291.
        let mut numbers = [[0.0; 3]; 2];
        Generator::new(seed(-5.0).unwrap()).rand(&mut numbers[0]);
        Generator::new(4_294_967_291).rand(&mut numbers[1]);
        assert_eq!(numbers[0], numbers[1]);
        #[derive(Debug, serde::Deserialize)]
        struct Options {
            #[serde(deserialize_with = "seed_field")]
            seed: u64,
        }
        let field = |text: &str| {
            let options = serde_json::from_str::<Options>(&format!("{{\"seed\": {text}}}"));
            options.map(|options| options.seed)
        };
        assert_eq!(field("-7").unwrap(), u64::MAX - 6);
        assert_eq!(field("18446744073709551615").unwrap(), u64::MAX);
        assert!(field("18446744073709551616").is_err() && field("0.5").is_err());
    }

    #[test]
    fn randn_is_torchs() {
        close(
            &drawn(0, 768),
            &[-1.1258398, -1.1523602, -0.2505786, -0.4338788],
        );
        close(
            &drawn(0, 4),
            &[1.5409961, -0.2934289, -2.1787894, 0.5684313],
        );
    }

    #[test]
    fn randn_of_odd_lengths_in_a_row() {
        // torch.manual_seed(7): rand(2), randn(3), the last three of randn(17), randn(3).
        let mut generator = Generator::new(7);
        let mut short = [0.0; 3];
        let mut long = [0.0; 17];
        generator.rand(&mut short[..2]);
        generator.randn(&mut short);
        close(&short, &[-0.29524603, 1.9685478, -1.2514001]);
        generator.randn(&mut long);
        close(&long[14..], &[-1.4012508, 1.2973358, 1.6409332]);
        generator.randn(&mut short);
        close(&short, &[-1.8840675, -1.0586685, 0.33437195]);
    }

    #[test]
    fn integers_are_torchs() {
        let mut generator = Generator::new(3);
        let drawn: Vec<u64> = (0..6).map(|_| generator.randint(1000)).collect();
        assert_eq!(drawn, [986, 48, 737, 667, 360, 280]);
        let mut generator = Generator::new(3);
        assert_eq!(generator.randint((1 << 63) - 1), 937055941807507097);
        let mut generator = Generator::new(3);
        assert_eq!(generator.randperm(10), [6, 0, 3, 7, 8, 5, 1, 9, 2, 4]);
        assert_eq!(generator.randperm(10), [9, 8, 5, 3, 0, 6, 7, 2, 1, 4]);
    }

    #[test]
    fn state_continues() {
        let mut generator = Generator::new(11);
        generator.randn(&mut [0.0; 701]);
        generator.randn(&mut [0.0; 3]);
        let mut copy = Generator::from_bytes(&generator.to_bytes()).unwrap();
        assert_eq!(copy, generator);
        let (mut a, mut b) = ([0.0; 33], [0.0; 33]);
        generator.randn(&mut a);
        copy.randn(&mut b);
        assert_eq!(a, b);
        assert_eq!(Generator::from_bytes(&generator.to_bytes()[1..]), None);
    }

    #[test]
    fn normal_moments() {
        let numbers = drawn(1, 1 << 16);
        let count = numbers.len() as f64;
        let moment = |power| {
            numbers
                .iter()
                .map(|&z| f64::from(z).powi(power))
                .sum::<f64>()
                / count
        };
        assert!(
            moment(1).abs() < 0.015
                && (moment(2) - 1.0).abs() < 0.02
                && (moment(4) - 3.0).abs() < 0.15
        );
    }
}
