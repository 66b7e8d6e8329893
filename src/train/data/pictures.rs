//! Pictures on their way into a data set: each fitted to the wanted size, with notes on what was resized or left out.

use super::DataSet;
use super::classes::{LabelSource, of_pictures};
use crate::Error;
use crate::picture::{Picture, Seen, Trust, coloured};

/// Pictures that a data set may hold, in bytes of memory. www/sections/train/data.js has the page's limit, too.
const MAX_BYTES: u64 = if cfg!(target_arch = "wasm32") {
    256 << 20
} else {
    16 << 30
};

/// The largest file of arrays that is read, in bytes when it is unpacked.
pub const MAX_ARRAY: u64 = if cfg!(target_arch = "wasm32") {
    1 << 30
} else {
    16 << 30
};

/// Files that are named one by one when they cannot be read.
const NAMED: usize = 20;

/// How data is read, beside the shape that it is brought to.
#[derive(Clone, Copy, Debug, Default)]
pub struct Asked {
    pub labels: LabelSource,
    /// The network has no classes: pictures with and without labels may be mixed.
    pub unlabelled: bool,
    /// Of a single picture; of several, damaged ones are left out.
    pub trust: Trust,
}

/// The shape that all pictures are brought to, and how they are read.
#[derive(Clone, Copy, Debug)]
pub struct Wanted {
    pub size: (usize, usize),
    /// 1 is grey, 3 is colour, 2 and 4 are these with alpha.
    pub channels: usize,
    pub asked: Asked,
}

impl Wanted {
    pub fn new(
        (height, width): (usize, usize),
        channels: usize,
        asked: Asked,
    ) -> Result<Self, Error> {
        if !(1..=4).contains(&channels) {
            return Err(Error::input(format!(
                "pictures have 1 or 3 channels, or 2 or 4 with alpha, and {channels} are wanted"
            )));
        }
        if !(1..=4096).contains(&height) || !(1..=4096).contains(&width) {
            return Err(Error::input(format!(
                "pictures of {height}×{width} are wanted; 1×1 to 4096×4096 are possible"
            )));
        }
        Ok(Self {
            size: (height, width),
            channels,
            asked,
        })
    }

    pub fn sample_len(&self) -> usize {
        self.channels * self.size.0 * self.size.1
    }
}

/// A data set being filled.
pub struct Collected {
    wanted: Wanted,
    pixels: Vec<u8>,
    count: usize,
    /// Pictures of another size than the wanted one, how many of them are cropped, and the smallest and largest of their sizes.
    others: usize,
    cropped: usize,
    sizes: Option<[(usize, usize); 2]>,
    /// Pictures that have colour, and that are not opaque.
    colour: usize,
    clear: usize,
    /// Files of several pictures, with how many.
    several: Vec<String>,
    unreadable: Vec<String>,
    /// The names of the unreadable files.
    left_out: Vec<String>,
}

impl Collected {
    /// Room for `count` pictures, refused where that is absurd.
    pub fn new(wanted: Wanted, count: usize) -> Result<Self, Error> {
        let need = count as u64 * wanted.sample_len() as u64;
        if need > MAX_BYTES {
            let (h, w) = wanted.size;
            return Err(Error::input(format!(
                "{count} pictures of {}×{h}×{w} need {need} bytes of memory, and {MAX_BYTES} are allowed; use fewer or smaller ones",
                wanted.channels
            )));
        }
        let mut pixels = Vec::new();
        pixels.try_reserve_exact(need as usize).map_err(|_| {
            Error::input(format!(
                "there is no memory for {count} pictures, {need} bytes"
            ))
        })?;
        Ok(Self {
            wanted,
            pixels,
            count: 0,
            others: 0,
            cropped: 0,
            sizes: None,
            colour: 0,
            clear: 0,
            several: Vec::new(),
            unreadable: Vec::new(),
            left_out: Vec::new(),
        })
    }

    /// Adds a picture of any size.
    pub fn push(&mut self, picture: &Picture) {
        let (fitted, seen) = picture.fit_seen(self.wanted.size, self.wanted.channels);
        self.cropped += usize::from(picture.is_cropped(self.wanted.size));
        self.saw(picture.size(), seen);
        self.pixels
            .extend(fitted.into_iter().map(|v| (v * 255.0).round() as u8));
    }

    /// Adds the picture of `shape` (channels, height, width) whose bytes are `value(channel, y, x)`; where it has the
    /// wanted shape, those very bytes.
    pub fn push_bytes(
        &mut self,
        shape: (usize, usize, usize),
        value: impl Fn(usize, usize, usize) -> u8,
    ) {
        let (channels, h, w) = shape;
        let same = channels == self.wanted.channels || (channels, self.wanted.channels) == (1, 3);
        if (h, w) != self.wanted.size || !same {
            return self.push(&Picture::from_bytes(shape, value));
        }
        for c in 0..self.wanted.channels {
            let c = c.min(channels - 1);
            let plane = (0..h * w).map(|at| value(c, at / w, at % w));
            self.pixels.extend(plane);
        }
        let parts = |at: usize| [0, 1, 2].map(|c| f32::from(value(c, at / w, at % w)) / 255.0);
        let opaque = |at: usize| value(channels - 1, at / w, at % w) == 255;
        let seen = Seen {
            colour: channels > 2 && (0..h * w).any(|at| coloured(parts(at))),
            clear: channels.is_multiple_of(2) && !(0..h * w).all(opaque),
        };
        self.saw((h, w), seen);
    }

    /// Names a file of which the first of `count` pictures has been added.
    #[cfg(not(target_arch = "wasm32"))]
    pub fn first_of(&mut self, name: &str, count: usize) {
        if count > 1 {
            self.several.push(format!("{name} ({count})"));
        }
    }

    fn saw(&mut self, size: (usize, usize), seen: Seen) {
        self.count += 1;
        self.colour += usize::from(seen.colour);
        self.clear += usize::from(seen.clear);
        if size != self.wanted.size {
            self.others += 1;
            let area = |(h, w): (usize, usize)| (h * w, h, w);
            let [small, large] = self.sizes.get_or_insert([size; 2]);
            if area(size) < area(*small) {
                *small = size;
            }
            if area(size) > area(*large) {
                *large = size;
            }
        }
    }

    /// Leaves out the file `name`; `why` names it.
    #[cfg(not(target_arch = "wasm32"))]
    pub fn skip(&mut self, name: &str, why: &Error) {
        self.unreadable.push(why.to_string());
        self.left_out.push(name.to_owned());
    }

    #[cfg(not(target_arch = "wasm32"))]
    pub fn unreadable(&self) -> &[String] {
        &self.unreadable
    }

    /// The data set, with `notes` and those on sizes and unreadable files.
    pub fn finish(
        self,
        labels: Option<(Vec<u32>, Vec<String>)>,
        mut notes: Vec<String>,
    ) -> Result<(DataSet, Vec<String>), Error> {
        let skipped = self.unreadable.len();
        notes.extend(
            self.unreadable
                .iter()
                .take(NAMED)
                .map(|why| format!("{why}; it is left out")),
        );
        if skipped > NAMED {
            let more = self.left_out[NAMED..].join(", ");
            notes.push(format!(
                "{} more files cannot be read and are left out: {more}",
                skipped - NAMED
            ));
        }
        let (height, width) = self.wanted.size;
        notes.extend(self.sizes());
        notes.extend(self.channels());
        if !self.several.is_empty() {
            let several = self.several.len();
            let more = match several.checked_sub(NAMED) {
                None | Some(0) => String::new(),
                Some(more) => format!(" and {more} more"),
            };
            notes.push(format!(
                "{several} of {} {} several frames or pages, of which the first alone is taken: {}{more}",
                of_pictures(self.count),
                if several == 1 { "has" } else { "have" },
                self.several[..several.min(NAMED)].join(", ")
            ));
        }
        let (labels, classes) = labels.unzip();
        let data = DataSet {
            channels: self.wanted.channels,
            height,
            width,
            pixels: self.pixels,
            labels,
            classes: classes.unwrap_or_default(),
        };
        Ok((data, notes))
    }

    /// How many pictures had to be made another size; www/sections/train/notes.js has the same sentence.
    fn sizes(&self) -> Option<String> {
        let [small, large] = self.sizes?;
        // width first, as people say it
        let shown = |(h, w): (usize, usize)| format!("{w}×{h}");
        let to = match small == large {
            true => String::new(),
            false => format!(" to {}", shown(large)),
        };
        let how = match self.cropped {
            0 => "resized".to_owned(),
            all if all == self.others => "cropped around the middle and resized".to_owned(),
            some => format!("resized, {some} of them cropped around the middle"),
        };
        Some(format!(
            "{} of {} {} not of {} but of {}{to}: {how}",
            self.others,
            of_pictures(self.count),
            if self.others == 1 { "is" } else { "are" },
            shown(self.wanted.size),
            shown(small),
        ))
    }

    /// What the pictures have and the network has not, and the reverse; www/sections/train/notes.js has the same sentences.
    fn channels(&self) -> Vec<String> {
        let channels = self.wanted.channels;
        let mut notes = Vec::new();
        let mut say = |count: usize, what: &str| {
            if count > 0 {
                let are = if count == 1 { "is" } else { "are" };
                let of = of_pictures(self.count);
                notes.push(format!("{count} of {of} {are} {what}"));
            }
        };
        match channels > 2 {
            true => say(
                self.count - self.colour,
                "grey, and the network has colour: its three are the same",
            ),
            false => say(
                self.colour,
                "in colour, and the network has none: made grey",
            ),
        }
        match channels.is_multiple_of(2) {
            true => say(
                self.count - self.clear,
                "opaque, and the network has alpha: 1 everywhere",
            ),
            false => say(
                self.clear,
                "partly transparent, and the network has no alpha: put over white",
            ),
        }
        notes
    }
}
