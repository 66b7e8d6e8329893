//! A model in a zip file, as it is downloaded or handed on: its members are files like those of a folder, each of which is
//! read when it is needed, and then by ranges.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::rc::Rc;

use super::ModelError;
use super::source::{Arrival, NamedSource, Source};
use super::zip::{DEFLATED, Directory, Member, STORED};

/// Whether a file is named as a zip file.
pub(super) fn is_zip(name: &str) -> bool {
    name.to_ascii_lowercase().ends_with(".zip")
}

/// Puts the members of zip files, each in a folder of its zip's name, in the place of those among `files`.
pub(super) fn unpack(files: &mut Vec<NamedSource>) -> Result<(), ModelError> {
    for file in std::mem::take(files) {
        if !is_zip(&file.name) {
            files.push(file);
            continue;
        }
        let zip = Rc::new(file);
        files.extend(members(&zip).map_err(|reason| ModelError::File {
            file: zip.shown.clone(),
            reason,
        })?);
    }
    Ok(())
}

/// The files in a zip file, each in a folder of its name, sorted; or a clause on why it cannot be read.
pub fn members(zip: &Rc<NamedSource>) -> Result<Vec<NamedSource>, String> {
    let directory = Directory::read(zip)?;
    let limit = directory.start;
    let files = directory.members.into_iter();
    let files = files.filter(|(name, _)| !name.ends_with('/'));
    let files = files.map(|(name, member)| {
        let shown = format!("{}/{name}", zip.shown);
        NamedSource {
            name: format!("{}/{name}", zip.name),
            source: Box::new(Packed {
                zip: Rc::clone(zip),
                limit,
                shown: shown.clone(),
                member,
                opened: OnceCell::new(),
            }),
            shown,
        }
    });
    Ok(files.collect())
}

/// A member of a zip file, which is looked for when it is first read.
struct Packed {
    zip: Rc<NamedSource>,
    /// Where the zip's members end.
    limit: u64,
    shown: String,
    member: Member,
    opened: OnceCell<Box<dyn Source>>,
}

impl Packed {
    fn opened(&self) -> Result<&dyn Source, String> {
        if let Some(opened) = self.opened.get() {
            return Ok(&**opened);
        }
        let Member {
            method,
            packed,
            size,
            crc,
            ..
        } = self.member;
        let begin = self.member.begin(&self.zip, self.limit)?;
        let opened = match method {
            STORED if packed == size => open(&self.zip, &self.shown, begin, packed, None),
            DEFLATED => open(&self.zip, &self.shown, begin, packed, Some((size, crc))),
            _ => None,
        };
        let opened = opened
            .ok_or("it is encrypted or packed in a way that is not read; unpack the zip file")?;
        Ok(&**self.opened.get_or_init(|| opened))
    }
}

impl Source for Packed {
    fn len(&self) -> u64 {
        self.member.size
    }

    fn read(&self, offset: u64, len: usize) -> Result<Cow<'_, [u8]>, String> {
        self.opened()?.read(offset, len)
    }

    fn arrive(&self, offset: u64, len: u64) -> Option<Arrival> {
        self.opened().ok()?.arrive(offset, len)
    }
}

/// The member of `zip` whose `packed` bytes begin at `begin`; they are deflated where its size and checksum are
/// given. JavaScript unpacks.
#[cfg(target_arch = "wasm32")]
fn open(
    zip: &NamedSource,
    shown: &str,
    begin: u64,
    packed: u64,
    deflated: Option<(u64, u32)>,
) -> Option<Box<dyn Source>> {
    zip.source.member(shown, begin, packed, deflated)
}

#[cfg(not(target_arch = "wasm32"))]
use native::open;

#[cfg(not(target_arch = "wasm32"))]
mod native {
    use std::borrow::Cow;
    use std::cell::RefCell;
    use std::io::{self, Read};
    use std::rc::Rc;

    use flate2::CrcReader;
    use flate2::read::DeflateDecoder;

    use crate::model::source::{NamedSource, Source};

    /// How much of a zip file is read at a time.
    const PIECE: usize = 256 << 10;

    /// The member whose `packed` bytes begin at `begin`; they are deflated where its size and checksum
    /// are given.
    pub fn open(
        zip: &Rc<NamedSource>,
        _shown: &str,
        begin: u64,
        packed: u64,
        deflated: Option<(u64, u32)>,
    ) -> Option<Box<dyn Source>> {
        let part = Part {
            zip: Rc::clone(zip),
            begin,
            end: begin + packed,
        };
        Some(match deflated {
            None => Box::new(part),
            Some((size, crc)) => Box::new(Deflated {
                part,
                size,
                crc,
                at: RefCell::new(None),
            }),
        })
    }

    /// Bytes `begin` to `end` of a zip file.
    #[derive(Clone)]
    struct Part {
        zip: Rc<NamedSource>,
        begin: u64,
        end: u64,
    }

    impl Source for Part {
        fn len(&self) -> u64 {
            self.end - self.begin
        }

        fn read(&self, offset: u64, len: usize) -> Result<Cow<'_, [u8]>, String> {
            self.zip.source.read(self.begin + offset, len)
        }
    }

    impl Read for Part {
        fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
            let len = (self.end - self.begin).min(bytes.len() as u64) as usize;
            let read = self.zip.source.read(self.begin, len);
            bytes[..len].copy_from_slice(&read.map_err(io::Error::other)?);
            self.begin += len as u64;
            Ok(len)
        }
    }

    /// Where the reading of a member stands.
    type Reading = (u64, CrcReader<DeflateDecoder<Part>>);

    /// A member that is unpacked as it is read: forwards at no cost, and from its beginning to go back.
    struct Deflated {
        part: Part,
        size: u64,
        /// The checksum of all of it.
        crc: u32,
        at: RefCell<Option<Reading>>,
    }

    impl Source for Deflated {
        fn len(&self) -> u64 {
            self.size
        }

        fn read(&self, offset: u64, len: usize) -> Result<Cow<'_, [u8]>, String> {
            let mut slot = self.at.borrow_mut();
            let cannot = |e: io::Error| format!("it cannot be unpacked ({e})");
            let before = slot.take().filter(|(at, _)| *at <= offset);
            let (mut at, mut reader) = before.unwrap_or_else(|| {
                let buffer = vec![0; PIECE];
                let decoder = DeflateDecoder::new_with_buf(self.part.clone(), buffer);
                (0, CrcReader::new(decoder))
            });
            let ahead = &mut reader.by_ref().take(offset - at);
            at += io::copy(ahead, &mut io::sink()).map_err(cannot)?;
            let mut bytes = Vec::new();
            let most = if at == offset { len as u64 } else { 0 };
            let found = reader.by_ref().take(most).read_to_end(&mut bytes);
            at += found.map_err(cannot)? as u64;
            if at != offset + len as u64 {
                return Err(format!(
                    "it ends early: its zip file says {} bytes, and {at} come of it",
                    self.size
                ));
            }
            if at == self.size && reader.crc().sum() != self.crc {
                return Err("it is damaged: its checksum is another than its zip file says".into());
            }
            *slot = Some((at, reader));
            Ok(Cow::Owned(bytes))
        }
    }
}
