//! The directory of a zip file: where its members lie. PyTorch stores them as they are, so that each can be read by
//! range; nothing is unpacked here.
//!
//! Source: PKWARE's APPNOTE 6.3.10, sections 4.3.7, 4.3.12, 4.3.14 to 4.3.16 and 4.5.3.

use std::borrow::Cow;

use super::header::shorten;
use super::source::NamedSource;
use crate::order::order;

/// The longest directory that is read. One of 10,000 tensors has about a megabyte.
const MAX_DIRECTORY: u64 = 16 << 20;
/// The most members. A U-Net has a thousand; the state of its optimizer three times as many.
const MAX_MEMBERS: usize = 100_000;

const END: usize = 22;
const LOCATOR: usize = 20;
const END_64: usize = 56;
const ENTRY: usize = 46;
const LOCAL: u64 = 30;

/// One file in the zip.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Member {
    /// Where its own header is.
    header: u64,
    /// Its bytes in the zip, and when they are unpacked.
    pub packed: u64,
    pub size: u64,
    /// The checksum of its bytes when they are unpacked.
    pub crc: u32,
    /// How they are packed: [`STORED`] or [`DEFLATED`], or as is not read here.
    pub method: u64,
}

pub(super) const STORED: u64 = 0;
pub(super) const DEFLATED: u64 = 8;
const ENCRYPTED: u64 = 99;

/// All files in the zip.
pub(super) struct Directory<'a> {
    file: &'a NamedSource,
    /// Where it begins, which is where the members end.
    pub start: u64,
    /// In the order of their names.
    pub members: Vec<(String, Member)>,
}

fn u16_at(bytes: &[u8], at: usize) -> u64 {
    bytes
        .get(at..at + 2)
        .map_or(0, |b| u64::from(b[0]) | u64::from(b[1]) << 8)
}

fn u32_at(bytes: &[u8], at: usize) -> u64 {
    u16_at(bytes, at) | u16_at(bytes, at + 2) << 16
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u32_at(bytes, at) | u32_at(bytes, at + 4) << 32
}

impl<'a> Directory<'a> {
    /// Reads and checks the directory of `file`.
    pub fn read(file: &'a NamedSource) -> Result<Self, String> {
        let length = file.source.len();
        let (start, len, count) = place(file)?;
        if len > MAX_DIRECTORY {
            return Err(format!(
                "its directory has {len} bytes, and {MAX_DIRECTORY} is the most that one may have"
            ));
        }
        if start.checked_add(len).is_none_or(|end| end > length) {
            return Err("its directory lies outside of it".into());
        }
        let bytes = file.source.read(start, len as usize)?;
        let mut members = Vec::new();
        let mut at = 0;
        while at < bytes.len() {
            if members.len() == MAX_MEMBERS {
                return Err(format!("it has more than {MAX_MEMBERS} members"));
            }
            let (name, member, end) = member(&bytes, at)?;
            members.push((name, member));
            at = end;
        }
        let by_name = order(members.len(), &|a, b| members[a].0.cmp(&members[b].0));
        if let Some(pair) = by_name
            .windows(2)
            .find(|pair| members[pair[0]].0 == members[pair[1]].0)
        {
            let shown = shorten(&members[pair[0]].0);
            return Err(format!("its member {shown} is there twice"));
        }
        let members: Vec<_> = by_name
            .into_iter()
            .map(|i| std::mem::take(&mut members[i]))
            .collect();
        if members.len() as u64 != count {
            return Err(format!(
                "its directory lists {} members and claims {count}",
                members.len()
            ));
        }
        Ok(Self {
            file,
            start,
            members,
        })
    }

    /// The members' names, in any order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.members.iter().map(|(name, _)| name.as_str())
    }

    /// Where the bytes of the member `name` begin in the file, and how many they are.
    pub fn find(&self, name: &str) -> Result<(u64, u64), String> {
        let shown = shorten(name);
        let at = self.members.partition_point(|(of, _)| of.as_str() < name);
        let member = self.members.get(at).filter(|(of, _)| of == name);
        let (_, member) = member.ok_or_else(|| format!("its member {shown} is missing"))?;
        if member.method != STORED || member.packed != member.size {
            return Err(format!(
                "its member {shown} is compressed or encrypted, which PyTorch does not do"
            ));
        }
        let begin = member.begin(self.file, self.start);
        let begin = begin.map_err(|why| format!("its member {shown}: {why}"))?;
        Ok((begin, member.size))
    }

    /// The bytes of the member `name`, of at most `limit`.
    pub fn bytes(&self, name: &str, limit: u64) -> Result<Cow<'a, [u8]>, String> {
        let (begin, size) = self.find(name)?;
        if size > limit {
            return Err(format!(
                "its member {} has {size} bytes, and {limit} is the most that it may have",
                shorten(name)
            ));
        }
        self.file.source.read(begin, size as usize)
    }
}

impl Member {
    /// Where its bytes begin in `file`, whose directory begins at `limit`, or a clause on what is wrong.
    pub fn begin(&self, file: &NamedSource, limit: u64) -> Result<u64, &'static str> {
        const OUTSIDE: &str = "it lies outside of the zip file, which may have been cut short";
        let within = |end: &u64| *end <= limit;
        let body = self.header.checked_add(LOCAL).filter(within);
        let body = body.ok_or(OUTSIDE)?;
        // The names' lengths may differ from the directory's: the header is padded, so that the bytes are aligned.
        let local = file.source.read(self.header, LOCAL as usize);
        let local = local.unwrap_or_default();
        if !local.starts_with(b"PK\x03\x04") {
            return Err("it is not where the directory says");
        }
        let begin = body + u16_at(&local, 26) + u16_at(&local, 28);
        let end = begin.checked_add(self.packed).filter(within);
        end.map(|_| begin).ok_or(OUTSIDE)
    }
}

/// Where the directory begins, its bytes and its members, from the record at the end of the file.
fn place(file: &NamedSource) -> Result<(u64, u64, u64), String> {
    let length = file.source.len();
    let tail_len = length.min((LOCATOR + END + usize::from(u16::MAX)) as u64);
    let tail_start = length - tail_len;
    let tail = file.source.read(tail_start, tail_len as usize)?;
    let end = (0..(tail.len() + 1).saturating_sub(END))
        .rev()
        .find(|at| {
            tail[*at..].starts_with(b"PK\x05\x06")
                && u16_at(&tail, at + 20) == (tail.len() - at - END) as u64
        })
        .ok_or("it has no directory at its end; it may have been cut short")?;
    let (mut start, mut len, mut count) = (
        u32_at(&tail, end + 16),
        u32_at(&tail, end + 12),
        u16_at(&tail, end + 10),
    );
    if let Some(locator) = end.checked_sub(LOCATOR)
        && tail[locator..].starts_with(b"PK\x06\x07")
    {
        let at = u64_at(&tail, locator + 8);
        if at.checked_add(END_64 as u64).is_none_or(|end| end > length) {
            return Err("the second record of its directory lies outside of it".into());
        }
        let record = file.source.read(at, END_64)?;
        if !record.starts_with(b"PK\x06\x06") {
            return Err("the second record of its directory is damaged".into());
        }
        (start, len, count) = (
            u64_at(&record, 48),
            u64_at(&record, 40),
            u64_at(&record, 32),
        );
    }
    Ok((start, len, count))
}

/// The name and the entry in the directory at `at`, and where the next begins.
fn member(bytes: &[u8], at: usize) -> Result<(String, Member, usize), String> {
    let damaged = || "its directory is damaged".to_string();
    let entry = bytes.get(at..at + ENTRY).ok_or_else(damaged)?;
    if !entry.starts_with(b"PK\x01\x02") {
        return Err(damaged());
    }
    let name = at + ENTRY..at + ENTRY + u16_at(entry, 28) as usize;
    let extra = name.end..name.end + u16_at(entry, 30) as usize;
    let end = extra.end + u16_at(entry, 32) as usize;
    let mut extra = bytes.get(extra).ok_or_else(damaged)?;
    if end > bytes.len() {
        return Err(damaged());
    }
    let (packed, size, header) = (u32_at(entry, 20), u32_at(entry, 24), u32_at(entry, 42));
    let mut large = [size, packed, header];
    while extra.len() >= 4 {
        let (id, len) = (u16_at(extra, 0), u16_at(extra, 2) as usize);
        let body = extra.get(4..4 + len).ok_or_else(damaged)?;
        if id == 1 {
            let mut fields = body.as_chunks::<8>().0.iter();
            for value in large.iter_mut().filter(|v| **v == u64::from(u32::MAX)) {
                *value = fields
                    .next()
                    .map(|b| u64::from_le_bytes(*b))
                    .ok_or_else(damaged)?;
            }
        }
        extra = &extra[4 + len..];
    }
    let [size, packed, header] = large;
    let member = Member {
        header,
        packed,
        size,
        crc: u32_at(entry, 16) as u32,
        method: match u16_at(entry, 8) & 1 {
            0 => u16_at(entry, 10),
            _ => ENCRYPTED,
        },
    };
    let name = bytes.get(name).ok_or_else(damaged)?;
    Ok((String::from_utf8_lossy(name).into_owned(), member, end))
}
