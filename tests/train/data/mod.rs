//! Training data: every format, what is understood of it, and what is said to bad files.

mod arrangements;
mod arrays;
mod avif;
mod damage;
mod digits;
mod folders;
mod hostile;
mod pictures;
mod table;

use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};

use flate2::{Compression, write::GzEncoder};
use image::{GrayAlphaImage, GrayImage, ImageFormat, LumaA, Rgb, RgbImage, Rgba, RgbaImage};
use pollen::train::data::{Asked, DataSet, open};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

pub struct Folder(pub PathBuf);

impl Folder {
    pub fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("pollen-data-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).expect("a folder");
        Self(path)
    }

    /// Writes a file, with the folders that it needs.
    pub fn file(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.0.join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(&path, bytes).expect("a file");
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

pub fn flat(width: u32, height: u32, colour: [u8; 3]) -> Vec<u8> {
    png(RgbImage::from_pixel(width, height, Rgb(colour)).into())
}

pub fn png(picture: image::DynamicImage) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, ImageFormat::Png).expect("PNG");
    bytes.into_inner()
}

pub fn zipped(files: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        zip.start_file(*name, SimpleFileOptions::default())
            .expect("an entry");
        zip.write_all(bytes).expect("its bytes");
    }
    zip.finish().expect("a zip file").into_inner()
}

pub fn gzipped(bytes: &[u8]) -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(bytes).expect("bytes");
    gzip.finish().expect("gzip")
}

pub fn idx(shape: &[u32], bytes: &[u8]) -> Vec<u8> {
    let mut file = vec![0, 0, 8, shape.len() as u8];
    file.extend(shape.iter().flat_map(|n| n.to_be_bytes()));
    file.extend(bytes);
    file
}

pub fn npy(descr: &str, shape: &str, bytes: &[u8]) -> Vec<u8> {
    let mut header =
        format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}").into_bytes();
    header.resize((header.len() + 11).next_multiple_of(64) - 11, b' ');
    header.push(b'\n');
    let mut file = b"\x93NUMPY\x01\x00".to_vec();
    file.extend((header.len() as u16).to_le_bytes());
    file.extend(header);
    file.extend(bytes);
    file
}

/// `count` digits' worth of bytes, all different.
pub fn digits(count: usize) -> Vec<u8> {
    let mut state = 1u32;
    let mut next = || {
        state = state.wrapping_mul(1664525).wrapping_add(1013904223);
        (state >> 24) as u8
    };
    (0..count * 28 * 28).map(|_| next()).collect()
}

pub fn read(path: &Path, size: usize, channels: usize) -> (DataSet, String) {
    read_as(path, size, channels, Asked::default())
}

pub fn read_as(path: &Path, size: usize, channels: usize, asked: Asked) -> (DataSet, String) {
    match open(path, (size, size), channels, asked) {
        Ok((data, notes)) => (data, notes.join("\n")),
        Err(e) => panic!("{}: {e}", path.display()),
    }
}

pub fn refusal(path: &Path) -> String {
    match open(path, (28, 28), 1, Asked::default()) {
        Ok(_) => panic!("{} was read", path.display()),
        Err(e) => {
            let text = e.to_string();
            assert!(text.contains(&path.display().to_string()), "{text}");
            text
        }
    }
}
