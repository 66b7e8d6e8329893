//! AVIF pictures: the container's boxes, then the AV1 frame that they hold, whose luma and chroma become colours.

use image::{DynamicImage, Rgba, Rgba32FImage};
use re_rav1d::dav1d::pixel::{MatrixCoefficients, YUVRange};
use re_rav1d::dav1d::{Decoder, PixelLayout, PlanarImageComponent, Settings};
use zenavif_parse::{AvifParser, ColorInformation};

use super::decode::refuse_huge;
use super::{MAX_PIXELS, Picture};
use crate::Error;

/// Whether the file says that it holds an AV1 picture, a still or a moving one.
pub(super) fn is_avif(bytes: &[u8]) -> bool {
    matches!(
        bytes,
        [
            _,
            _,
            _,
            _,
            b'f',
            b't',
            b'y',
            b'p',
            b'a',
            b'v',
            b'i',
            b'f' | b's',
            ..
        ]
    )
}

/// The picture, upright.
///
/// # Errors
/// If the file is damaged, or its picture is of a kind that is not read: a grid of several, or one of many colours beyond
/// what a screen shows.
pub(super) fn decode(bytes: &[u8], name: &str) -> Result<Picture, Error> {
    let unreadable = |e: &dyn std::fmt::Display| {
        Error::input(format!("{name} is no AVIF picture that can be read ({e})"))
    };
    let file = AvifParser::from_bytes(bytes).map_err(|e| unreadable(&e))?;
    if file.grid_config().is_some() || file.clean_aperture().is_some() {
        return Err(unreadable(
            &"it is a grid of pictures or a part of one; save it as PNG or WebP",
        ));
    }
    let data = file.primary_data().map_err(|e| unreadable(&e))?;
    let seen = file.color_info();
    let colour = Frame::decode(data.into_owned(), name)?;
    let (w, h) = (colour.width, colour.height);
    let alpha = match file.alpha_data() {
        None => None,
        Some(data) => {
            let alpha = Frame::decode(data.map_err(|e| unreadable(&e))?.into_owned(), name)?;
            if (alpha.width, alpha.height) != (w, h) {
                return Err(unreadable(&"its transparency is of another size"));
            }
            Some(alpha)
        }
    };
    let (matrix, full) = match seen {
        Some(ColorInformation::Nclx {
            matrix_coefficients,
            full_range,
            ..
        }) => (*matrix_coefficients, *full_range),
        _ => (colour.matrix, colour.full),
    };
    let convert = colour.conversion(matrix, full).ok_or_else(|| {
        unreadable(&format!(
            "its colours are in matrix {matrix} of H.273; save it as PNG or WebP"
        ))
    })?;
    let premultiplied = file.premultiplied_alpha();
    let rgba = Rgba32FImage::from_fn(w, h, |x, y| {
        let alpha = alpha
            .as_ref()
            .map_or(1.0, |a| a.planes[0].at(x, y) / a.most);
        let mut rgb = convert(x, y);
        if premultiplied && alpha > 0.0 {
            rgb = rgb.map(|v| (v / alpha).min(1.0));
        }
        let [r, g, b] = rgb;
        Rgba([r, g, b, alpha])
    });
    let mut picture = DynamicImage::ImageRgba32F(rgba);
    picture = match file.rotation().map_or(0, |rotation| rotation.angle) {
        90 => picture.rotate270(),
        180 => picture.rotate180(),
        270 => picture.rotate90(),
        _ => picture,
    };
    picture = match file.mirror().map(|mirror| mirror.axis) {
        Some(0) => picture.flipv(),
        Some(_) => picture.fliph(),
        None => picture,
    };
    let grey = colour.planes.len() == 1;
    Ok(Picture::of(picture.into_rgba32f(), grey))
}

/// The numbers of luma, or of a chroma, which may have half as many columns and rows.
struct Plane {
    values: Vec<u16>,
    width: usize,
    halves: (u32, u32),
}

impl Plane {
    /// The number at the middle of a pixel of the picture, between the nearest four.
    fn at(&self, x: u32, y: u32) -> f32 {
        let place = |pixel: u32, halves: u32, count: usize| {
            let at = (pixel as f32 + 0.5) / (1 << halves) as f32 - 0.5;
            let at = at.clamp(0.0, (count - 1) as f32);
            (at as usize, (at as usize + 1).min(count - 1), at.fract())
        };
        let (left, right, dx) = place(x, self.halves.0, self.width);
        let (top, bottom, dy) = place(y, self.halves.1, self.values.len() / self.width);
        let value = |x: usize, y: usize| f32::from(self.values[y * self.width + x]);
        let row = |y: usize| value(left, y) * (1.0 - dx) + value(right, y) * dx;
        row(top) * (1.0 - dy) + row(bottom) * dy
    }
}

/// A decoded AV1 frame: luma, and the two chromas where it has any.
struct Frame {
    width: u32,
    height: u32,
    /// The largest number of its bit depth.
    most: f32,
    planes: Vec<Plane>,
    /// As H.273 counts them.
    matrix: u16,
    full: bool,
}

impl Frame {
    fn decode(data: Vec<u8>, name: &str) -> Result<Self, Error> {
        let broken = |e: re_rav1d::dav1d::Error| {
            Error::input(format!("{name} is no AVIF picture that can be read ({e})"))
        };
        let mut settings = Settings::new();
        settings.set_n_threads(1);
        settings.set_max_frame_delay(1);
        settings.set_frame_size_limit(MAX_PIXELS as u32);
        let mut decoder = Decoder::with_settings(&settings).map_err(broken)?;
        match decoder.send_data(data, None, None, None) {
            Err(e) if !e.is_again() => return Err(broken(e)),
            _ => {}
        }
        let picture = decoder.get_picture().map_err(broken)?;
        let (width, height) = (picture.width(), picture.height());
        refuse_huge(name, width, height)?;
        let bits = picture.bits_per_component().map_or(8, |bits| bits.0);
        use PlanarImageComponent::{U, V, Y};
        let (kinds, halves) = match picture.pixel_layout() {
            PixelLayout::I400 => (&[Y][..], (0, 0)),
            PixelLayout::I420 => (&[Y, U, V][..], (1, 1)),
            PixelLayout::I422 => (&[Y, U, V][..], (1, 0)),
            PixelLayout::I444 => (&[Y, U, V][..], (0, 0)),
        };
        let mut planes = Vec::new();
        for kind in kinds {
            let halves = if *kind == Y { (0, 0) } else { halves };
            let half = |n: u32, halves: u32| ((n + halves) >> halves) as usize;
            let (w, h) = (half(width, halves.0), half(height, halves.1));
            let (plane, stride) = (picture.plane(*kind), picture.stride(*kind) as usize);
            let mut values = Vec::with_capacity(w * h);
            for row in plane.chunks(stride.max(1)).take(h) {
                match bits {
                    8 => values.extend(row.iter().take(w).map(|v| u16::from(*v))),
                    _ => {
                        let words = row.as_chunks().0.iter().take(w);
                        values.extend(words.map(|word| u16::from_ne_bytes(*word)));
                    }
                }
            }
            if values.len() != w * h {
                return Err(broken(re_rav1d::dav1d::Error::InvalidArgument));
            }
            planes.push(Plane {
                values,
                width: w,
                halves,
            });
        }
        Ok(Self {
            width,
            height,
            most: ((1u32 << bits) - 1) as f32,
            planes,
            matrix: match picture.matrix_coefficients() {
                MatrixCoefficients::Identity => 0,
                MatrixCoefficients::BT709 => 1,
                MatrixCoefficients::BT2020NonConstantLuminance => 9,
                MatrixCoefficients::BT470BG | MatrixCoefficients::ST170M => 6,
                MatrixCoefficients::Unspecified => 2,
                _ => u16::MAX,
            },
            full: picture.color_range() == YUVRange::Full,
        })
    }

    /// What makes red, green and blue in \[0, 1\] of a pixel; `None` for a matrix that is not known.
    fn conversion(&self, matrix: u16, full: bool) -> Option<impl Fn(u32, u32) -> [f32; 3]> {
        // the parts of red and blue in luma
        let (red, blue) = match matrix {
            _ if self.planes.len() == 1 => (0.0, 0.0),
            0 => (0.0, 0.0),
            1 => (0.2126, 0.0722),
            2 | 5 | 6 => (0.299, 0.114),
            9 => (0.2627, 0.0593),
            _ => return None,
        };
        let step = (self.most + 1.0) / 256.0;
        let (low, luma, chroma) = match full {
            true => (0.0, self.most, self.most),
            false => (16.0 * step, 219.0 * step, 224.0 * step),
        };
        let middle = 128.0 * step;
        Some(move |x: u32, y: u32| {
            let luma = |plane: &Plane| (plane.at(x, y) - low) / luma;
            let rgb = match &self.planes[..] {
                [_, u, v] if matrix != 0 => {
                    let y0 = luma(&self.planes[0]);
                    let [u, v] = [u, v].map(|plane| (plane.at(x, y) - middle) / chroma);
                    let (r, b) = (y0 + 2.0 * (1.0 - red) * v, y0 + 2.0 * (1.0 - blue) * u);
                    [r, (y0 - red * r - blue * b) / (1.0 - red - blue), b]
                }
                [g, b, r] => [r, g, b].map(luma),
                planes => [luma(&planes[0]); 3],
            };
            rgb.map(|v| v.clamp(0.0, 1.0))
        })
    }
}
