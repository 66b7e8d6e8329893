//! Files in and out: tensors, pictures, and writing that leaves nothing half-done.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use pollen::model::export;
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};

/// A file to be, complete in memory.
pub struct Output {
    pub path: PathBuf,
    pub bytes: Vec<u8>,
}

/// Writes all of `outputs`, each under a temporary name first.
pub fn write(outputs: Vec<Output>) -> anyhow::Result<()> {
    for output in outputs {
        let name = match output.path.file_name() {
            Some(name) => name.to_string_lossy().into_owned(),
            None => bail!("{} is no file name", output.path.display()),
        };
        let folder = match output.path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        if !folder.is_dir() {
            bail!(
                "{}: the folder {} does not exist",
                output.path.display(),
                folder.display()
            );
        }
        export::write(folder, &[(name, output.bytes)])?;
    }
    Ok(())
}

/// An early check, so that a long run does not end at a path that cannot be.
pub fn writable(path: &Path) -> anyhow::Result<()> {
    let folder = path.parent().filter(|f| !f.as_os_str().is_empty());
    if path.is_dir() {
        bail!(
            "{} is a folder, and a file is to be written there",
            path.display()
        );
    }
    match folder {
        Some(folder) if !folder.is_dir() => {
            bail!(
                "{}: the folder {} does not exist",
                path.display(),
                folder.display()
            )
        }
        _ => Ok(()),
    }
}

/// A tensor read from a file.
pub struct Tensor {
    pub shape: Vec<usize>,
    pub values: Vec<f32>,
}

/// Little-endian numbers of N bytes each.
fn numbers<const N: usize>(data: &[u8], number: impl Fn([u8; N]) -> f32) -> Vec<f32> {
    data.as_chunks().0.iter().map(|b| number(*b)).collect()
}

/// A safetensors file of inputs.
pub struct Tensors {
    path: PathBuf,
    bytes: Vec<u8>,
}

impl Tensors {
    pub fn open(path: &Path) -> anyhow::Result<Self> {
        let bytes = std::fs::read(path).with_context(|| path.display().to_string())?;
        SafeTensors::deserialize(&bytes).map_err(|e| {
            anyhow::anyhow!(
                "{} is not a readable safetensors file ({e})",
                path.display()
            )
        })?;
        Ok(Self {
            path: path.to_owned(),
            bytes,
        })
    }

    /// A tensor of one of the types `allowed`, as F32; `None` if the file has none of that name.
    pub fn get(&self, name: &str, allowed: &[Dtype]) -> anyhow::Result<Option<Tensor>> {
        let file = self.path.display();
        let Ok(tensors) = SafeTensors::deserialize(&self.bytes) else {
            bail!("{file} is not a readable safetensors file");
        };
        let Ok(view) = tensors.tensor(name) else {
            return Ok(None);
        };
        if !allowed.contains(&view.dtype()) {
            bail!(
                "{file}: the tensor {name} is {:?}, and must be one of {allowed:?}",
                view.dtype()
            );
        }
        let data = view.data();
        let values = match view.dtype() {
            Dtype::I64 => numbers(data, |b| i64::from_le_bytes(b) as f32),
            Dtype::I32 => numbers(data, |b| i32::from_le_bytes(b) as f32),
            Dtype::F64 => numbers(data, |b| f64::from_le_bytes(b) as f32),
            Dtype::F16 => numbers(data, |b| half::f16::from_le_bytes(b).to_f32()),
            Dtype::BF16 => numbers(data, |b| half::bf16::from_le_bytes(b).to_f32()),
            Dtype::F32 => numbers(data, f32::from_le_bytes),
            other => bail!("{file}: the tensor {name} is {other:?}, which is not read"),
        };
        Ok(Some(Tensor {
            shape: view.shape().to_vec(),
            values,
        }))
    }

    /// A tensor that must be there.
    pub fn need(&self, name: &str, allowed: &[Dtype]) -> anyhow::Result<Tensor> {
        let tensor = self.get(name, allowed)?;
        tensor.with_context(|| format!("{} has no tensor {name}", self.path.display()))
    }
}

/// A safetensors file of one F32 tensor.
pub fn tensor_bytes(name: &str, shape: &[usize], values: &[f32]) -> anyhow::Result<Vec<u8>> {
    let bytes: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
    let view = TensorView::new(Dtype::F32, shape.to_vec(), &bytes)?;
    Ok(safetensors::serialize([(name, view)], None)?)
}

/// round((x/2 + 0.5)·255) with ties to even, as numpy rounds.
pub fn byte(x: f32) -> u8 {
    ((x / 2.0 + 0.5).clamp(0.0, 1.0) * 255.0).round_ties_even() as u8
}

/// `samples` `[K,C,H,W]` side by side in `columns`, as a PNG: grey for one channel, RGB for three, with the last
/// as alpha for two and four, and the first three of any more as RGB.
pub fn grid_png(
    samples: &[f32],
    (count, c, h, w): (usize, usize, usize, usize),
    columns: usize,
) -> anyhow::Result<Vec<u8>> {
    let (shown, color) = match c {
        1 => (1, png::ColorType::Grayscale),
        2 => (2, png::ColorType::GrayscaleAlpha),
        4 => (4, png::ColorType::Rgba),
        _ => (3, png::ColorType::Rgb),
    };
    let rows = count.div_ceil(columns);
    let (width, height) = (columns * w, rows * h);
    let mut pixels = vec![0u8; width * height * shown];
    for k in 0..count {
        for (y, x) in (0..h * w).map(|p| (p / w, p % w)) {
            let at = ((k / columns * h + y) * width + k % columns * w + x) * shown;
            for (channel, pixel) in pixels[at..at + shown].iter_mut().enumerate() {
                *pixel = byte(samples[((k * c + channel) * h + y) * w + x]);
            }
        }
    }
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width as u32, height as u32);
    encoder.set_color(color);
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&pixels)?;
    writer.finish()?;
    Ok(bytes)
}
