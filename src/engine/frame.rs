//! A step's pictures, drawn on the device batch by batch.

use super::readback::Readback;
use crate::Error;
use crate::ops::chain::PackRgba;

/// Two pictures in RGBA8, grids of ⌈√K⌉ columns: x after the step, and the x̂0 that the step predicted.
pub struct Frame {
    pub width: usize,
    pub height: usize,
    pub xt: Vec<u8>,
    pub x0: Vec<u8>,
    /// ε̂ of a chain that [keeps](super::Sampler::keeping) it.
    pub eps: Vec<f32>,
}

/// A frame that the device may still be drawing. The chain goes on meanwhile.
pub struct PendingFrame {
    batches: Vec<(PackRgba, Readback)>,
    pub(super) eps: Vec<f32>,
}

impl PendingFrame {
    /// A frame of one batch.
    pub(super) fn new(grid: Readback, pack: PackRgba) -> Self {
        Self {
            batches: vec![(pack, grid)],
            eps: Vec::new(),
        }
    }

    /// Appends the pictures of the batch after this one.
    pub(super) fn append(&mut self, mut next: Self) {
        self.batches.append(&mut next.batches);
    }

    /// Begins the read-back at once; the future resolves when the frame is there.
    pub fn arrive(self) -> impl Future<Output = Result<Frame, Error>> {
        let (batches, eps) = (self.batches.into_iter(), self.eps);
        let arriving: Vec<_> = batches.map(|(pack, grid)| (pack, grid.bytes())).collect();
        async move {
            let mut grids = Vec::with_capacity(arriving.len());
            for (pack, bytes) in arriving {
                grids.push((pack, bytes.await?));
            }
            let (pack, mut xt) = joined(grids)?;
            let (width, height) = pack.size();
            let x0 = xt.split_off(4 * width * height);
            Ok(Frame {
                width,
                height,
                xt,
                x0,
                eps,
            })
        }
    }
}

/// The batches' grids, two pictures of RGBA8 each, as one of all.
fn joined(mut grids: Vec<(PackRgba, Vec<u8>)>) -> Result<(PackRgba, Vec<u8>), Error> {
    if grids.len() == 1
        && let Some(one) = grids.pop()
    {
        return Ok(one);
    }
    let Some((first, _)) = grids.first() else {
        return Err(Error::input("a frame has no pictures"));
    };
    let all = PackRgba {
        count: grids.iter().map(|(pack, _)| pack.count).sum(),
        ..first.clone()
    };
    let (width, height) = all.size();
    let mut whole = vec![0; 2 * 4 * width * height];
    let mut before = 0;
    for (pack, grid) in &grids {
        let (part_width, part_height) = pack.size();
        let rows = (0..2).flat_map(|half| (0..pack.count).map(move |i| (half, i)));
        for (half, i) in rows {
            let (x, y) = all.place(before + i);
            let (part_x, part_y) = pack.place(i);
            for row in 0..all.h {
                let to = 4 * ((half * height + y + row) * width + x);
                let from = 4 * ((half * part_height + part_y + row) * part_width + part_x);
                if let Some(pixels) = grid.get(from..from + 4 * all.w) {
                    whole[to..to + 4 * all.w].copy_from_slice(pixels);
                }
            }
        }
        before += pack.count;
    }
    Ok((all, whole))
}
