//! The CNN that reads digits, plainly; `tests/fixtures/classifier/README.md` describes it.

use super::fixtures::{Tensors, fixtures};

pub struct Classifier(Tensors);

/// `[channels][side][side]`
struct Image {
    channels: usize,
    side: usize,
    values: Vec<f32>,
}

impl Classifier {
    pub fn open() -> Self {
        Self(Tensors::open(
            &fixtures().join("classifier/classifier.safetensors"),
        ))
    }

    /// Ten logits of a 28×28 picture in [−1, 1].
    pub fn logits(&self, picture: &[f32]) -> Vec<f32> {
        let mut image = Image {
            channels: 1,
            side: 28,
            values: picture.iter().map(|v| v.clamp(-1.0, 1.0)).collect(),
        };
        for (layer, pooled) in [(1, false), (2, true), (3, false), (4, true), (5, true)] {
            image = self.convolve(layer, &image);
            if pooled {
                image = pool(&image);
            }
        }
        let (weight, bias) = (self.0.need("linear.weight"), self.0.need("linear.bias"));
        weight
            .values
            .chunks_exact(image.values.len())
            .zip(&bias.values)
            .map(|(row, bias)| {
                bias + row
                    .iter()
                    .zip(&image.values)
                    .map(|(w, v)| w * v)
                    .sum::<f32>()
            })
            .collect()
    }

    /// The digit that the picture shows.
    pub fn digit(&self, picture: &[f32]) -> usize {
        let logits = self.logits(picture);
        (0..10)
            .max_by(|a, b| logits[*a].total_cmp(&logits[*b]))
            .expect("ten logits")
    }

    fn convolve(&self, layer: usize, x: &Image) -> Image {
        let weight = self.0.need(&format!("conv{layer}.weight"));
        let bias = self.0.need(&format!("conv{layer}.bias")).values;
        let n = x.side as isize;
        let mut values = Vec::with_capacity(bias.len() * x.side * x.side);
        for (o, bias) in bias.iter().enumerate() {
            for (i, j) in (0..n * n).map(|p| (p / n, p % n)) {
                let mut sum = *bias;
                for c in 0..x.channels {
                    for (k, w) in weight.values[(o * x.channels + c) * 9..][..9]
                        .iter()
                        .enumerate()
                    {
                        let (y, z) = (i + k as isize / 3 - 1, j + k as isize % 3 - 1);
                        if (0..n).contains(&y) && (0..n).contains(&z) {
                            sum += w * x.values[c * x.side * x.side + (y * n + z) as usize];
                        }
                    }
                }
                values.push(sum.max(0.0));
            }
        }
        Image {
            channels: bias.len(),
            side: x.side,
            values,
        }
    }
}

fn pool(x: &Image) -> Image {
    let side = x.side / 2;
    let values = (0..x.channels * side * side)
        .map(|i| {
            let (c, y, z) = (i / (side * side), i / side % side, i % side);
            let at = (c * x.side + 2 * y) * x.side + 2 * z;
            [at, at + 1, at + x.side, at + x.side + 1]
                .into_iter()
                .fold(f32::MIN, |m, k| m.max(x.values[k]))
        })
        .collect();
    Image {
        channels: x.channels,
        side,
        values,
    }
}
