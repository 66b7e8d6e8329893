//! A pickle, read as data: the program that it is may make lists, dicts, tuples, strings, numbers and tensors, and
//! whatever else it names is refused. Nothing is imported and nothing called.
//!
//! Source: CPython's Lib/pickletools.py (the operations), torch/serialization.py and torch/_utils.py (what PyTorch
//! writes with them).

use super::value::{Id, Pickle, Tensor, Text, Value};

/// The most values that a program may push. A tensor takes about 30; it bounds the memory to some 40 MB.
pub(super) const MAX_PUSHES: usize = 1 << 19;
/// No value.
const NOTHING: Id = Id::MAX;
/// How many lists and dicts may be open inside one another.
const MAX_DEPTH: usize = 256;

/// A program that is being read.
pub(super) struct Machine<'a> {
    pub(super) bytes: &'a [u8],
    at: usize,
    pub(super) pushes: usize,
    stack: Vec<Id>,
    /// How long the stack was where a list or dict began.
    marks: Vec<usize>,
    /// By their numbers; [`NOTHING`] where a number was left out.
    memo: Vec<Id>,
    pub(super) values: Vec<Value>,
    pub(super) tensors: Vec<Tensor>,
}

/// Reads the program at the beginning of `bytes`; other programs of the file have made that many `pushes` of
/// [`MAX_PUSHES`] already.
pub(super) fn read(bytes: &[u8], pushes: usize) -> Result<Pickle<'_>, String> {
    if u32::try_from(bytes.len()).is_err() {
        return Err("its pickle has 4 GiB or more".into());
    }
    let mut machine = Machine {
        bytes,
        at: 0,
        pushes,
        stack: Vec::new(),
        marks: Vec::new(),
        memo: Vec::new(),
        values: Vec::new(),
        tensors: Vec::new(),
    };
    let root = machine.run()?;
    Ok(Pickle {
        bytes: &bytes[..machine.at],
        pushes: machine.pushes,
        values: machine.values,
        tensors: machine.tensors,
        root,
    })
}

fn early() -> String {
    "its pickle ends early".into()
}

pub(super) fn damaged(what: &str) -> String {
    format!("its pickle is damaged: {what}")
}

impl<'a> Machine<'a> {
    fn run(&mut self) -> Result<Id, String> {
        loop {
            let operation = self.byte()?;
            match operation {
                b'.' => return self.pop(),
                // PROTO, FRAME: what follows is read either way.
                0x80 => {
                    self.take(1)?;
                }
                0x95 => {
                    self.take(8)?;
                }
                b'(' => {
                    if self.marks.len() == MAX_DEPTH {
                        return Err(format!(
                            "its lists and dicts are more than {MAX_DEPTH} deep"
                        ));
                    }
                    self.marks.push(self.stack.len());
                }
                b'0' => {
                    // As CPython: a mark on top goes in place of a value.
                    if self.marks.last() == Some(&self.stack.len()) {
                        self.marks.pop();
                    } else {
                        self.pop()?;
                    }
                }
                b'1' => drop(self.marked()?),
                b'2' => {
                    let top = self.top()?;
                    self.push_id(top)?;
                }
                b'N' => self.push(Value::Other)?,
                0x88 | 0x89 => self.push(Value::Bool(operation == 0x88))?,
                b'G' => {
                    self.take(8)?;
                    self.push(Value::Other)?;
                }
                b'J' => {
                    let value = self.number(4)? as u32 as i32;
                    self.push(Value::Int(value.into()))?;
                }
                b'K' => {
                    let value = self.number(1)?;
                    self.push(Value::Int(value as i64))?;
                }
                b'M' => {
                    let value = self.number(2)?;
                    self.push(Value::Int(value as i64))?;
                }
                0x8a => {
                    let len = self.number(1)?;
                    self.long(len)?;
                }
                0x8b => {
                    let len = self.number(4)?;
                    self.long(len)?;
                }
                // Strings of one, four and eight bytes of length; those of Python 2 have no encoding.
                0x8c | b'U' => self.string(1)?,
                b'X' | b'T' => self.string(4)?,
                0x8d => self.string(8)?,
                b'C' => self.bytes(1)?,
                b'B' => self.bytes(4)?,
                0x8e | 0x96 => self.bytes(8)?,
                b']' => self.push(Value::List(Vec::new()))?,
                b')' => self.push(Value::Tuple(Vec::new()))?,
                b'}' => self.push(Value::Dict(Vec::new()))?,
                b'l' => {
                    let items = self.marked()?;
                    self.push(Value::List(items))?;
                }
                b't' => {
                    let items = self.marked()?;
                    self.push(Value::Tuple(items))?;
                }
                0x85..=0x87 => {
                    let from = self.stack.len().checked_sub(usize::from(operation - 0x84));
                    let items = self.above(from)?;
                    self.push(Value::Tuple(items))?;
                }
                b'd' => {
                    let items = pairs(&self.marked()?)?;
                    self.push(Value::Dict(items))?;
                }
                b'a' => {
                    let item = self.pop()?;
                    self.append(&[item])?;
                }
                b'e' => {
                    let items = self.marked()?;
                    self.append(&items)?;
                }
                b's' => {
                    let items = self.above(self.stack.len().checked_sub(2))?;
                    self.set(&items)?;
                }
                b'u' => {
                    let items = self.marked()?;
                    self.set(&items)?;
                }
                b'q' => {
                    let key = self.number(1)?;
                    self.remember(key as usize)?;
                }
                b'r' => {
                    let key = self.number(4)?;
                    self.remember(key as usize)?;
                }
                0x94 => self.remember(self.memo.len())?,
                b'h' => self.recall(1)?,
                b'j' => self.recall(4)?,
                b'c' => {
                    let (module, name) = (self.line()?, self.line()?);
                    self.global(module, name)?;
                }
                0x93 => {
                    let (name, module) = (self.pop()?, self.pop()?);
                    let (module, name) = (self.name(module)?, self.name(name)?);
                    self.global(module, name)?;
                }
                b'Q' => self.persistent()?,
                b'R' | 0x81 => {
                    let (arguments, callee) = (self.pop()?, self.pop()?);
                    self.call(callee, arguments)?;
                }
                b'b' => {
                    // The attributes of a dict: the `_metadata` that PyTorch gives a dict of weights.
                    self.pop()?;
                    let top = self.top()?;
                    if !matches!(self.values[top as usize], Value::Dict(_)) {
                        return Err(damaged(
                            "it gives attributes to something that is not a dict",
                        ));
                    }
                }
                b'i' => {
                    let (module, name) = (self.line()?, self.line()?);
                    self.global(module, name)?;
                    return Err(damaged("it makes an object in the way of Python 1"));
                }
                0x8f..=0x91 => return Err("it holds a set, which is not read".into()),
                other => {
                    return Err(format!(
                        "its pickle has the operation 0x{other:02x}, which PyTorch does not write"
                    ));
                }
            }
        }
    }

    fn take(&mut self, len: usize) -> Result<&'a [u8], String> {
        let end = self.at.checked_add(len).ok_or_else(early)?;
        let taken = self.bytes.get(self.at..end).ok_or_else(early)?;
        self.at = end;
        Ok(taken)
    }

    fn byte(&mut self) -> Result<u8, String> {
        Ok(self.take(1)?[0])
    }

    /// A little-endian number of at most eight bytes, without sign.
    fn number(&mut self, len: usize) -> Result<u64, String> {
        let bytes = self.take(len)?.iter().rev();
        Ok(bytes.fold(0, |n, byte| n << 8 | u64::from(*byte)))
    }

    /// Up to the end of a line.
    fn line(&mut self) -> Result<&'a str, String> {
        let rest = &self.bytes[self.at..];
        let len = rest.iter().position(|b| *b == b'\n').ok_or_else(early)?;
        self.at += len + 1;
        std::str::from_utf8(&rest[..len]).map_err(|_| damaged("a name is not UTF-8"))
    }

    fn text(&mut self, width: usize) -> Result<Text, String> {
        let len = usize::try_from(self.number(width)?).map_err(|_| early())?;
        let at = self.at as u32;
        self.take(len)?;
        Ok(Text {
            at,
            len: len as u32,
        })
    }

    fn string(&mut self, width: usize) -> Result<(), String> {
        let text = self.text(width)?;
        self.push(Value::Str(text))
    }

    fn bytes(&mut self, width: usize) -> Result<(), String> {
        self.text(width)?;
        self.push(Value::Other)
    }

    /// A signed number of `len` bytes.
    fn long(&mut self, len: u64) -> Result<(), String> {
        let len = usize::try_from(len).map_err(|_| early())?;
        if len > 8 {
            self.take(len)?;
            return self.push(Value::Other);
        }
        let value = self.number(len)?;
        // The sign is that of the highest byte.
        let unused = 64 - 8 * len as u32;
        let value = if len == 0 {
            0
        } else {
            (value << unused) as i64 >> unused
        };
        self.push(Value::Int(value))
    }

    pub(super) fn push(&mut self, value: Value) -> Result<(), String> {
        let id = self.values.len() as Id;
        self.push_id(id)?;
        self.values.push(value);
        Ok(())
    }

    pub(super) fn push_id(&mut self, id: Id) -> Result<(), String> {
        if self.pushes == MAX_PUSHES {
            return Err(format!(
                "its pickle holds more than {MAX_PUSHES} values, the most that are read"
            ));
        }
        self.pushes += 1;
        self.stack.push(id);
        Ok(())
    }

    /// Where the innermost open list begins on the stack: nothing below it is its own.
    fn floor(&self) -> usize {
        self.marks.last().copied().unwrap_or(0)
    }

    fn top(&self) -> Result<Id, String> {
        match self.stack.last() {
            Some(id) if self.stack.len() > self.floor() => Ok(*id),
            _ => Err(damaged("it takes a value that is not there")),
        }
    }

    pub(super) fn pop(&mut self) -> Result<Id, String> {
        let top = self.top()?;
        self.stack.pop();
        Ok(top)
    }

    /// The values of the stack from `from` on.
    fn above(&mut self, from: Option<usize>) -> Result<Vec<Id>, String> {
        match from {
            Some(from) if from >= self.floor() => Ok(self.stack.drain(from..).collect()),
            _ => Err(damaged("it takes a value that is not there")),
        }
    }

    /// The values since the last mark.
    fn marked(&mut self) -> Result<Vec<Id>, String> {
        let mark = self.marks.pop();
        let mark = mark.ok_or_else(|| damaged("it ends a list that did not begin"))?;
        Ok(self.stack.drain(mark..).collect())
    }

    fn append(&mut self, items: &[Id]) -> Result<(), String> {
        let top = self.top()?;
        match &mut self.values[top as usize] {
            Value::List(list) => list.extend(items),
            _ => return Err(damaged("it appends to something that is not a list")),
        }
        Ok(())
    }

    fn set(&mut self, items: &[Id]) -> Result<(), String> {
        let top = self.top()?;
        match &mut self.values[top as usize] {
            Value::Dict(dict) => dict.extend(pairs(items)?),
            _ => return Err(damaged("it sets an item of something that is not a dict")),
        }
        Ok(())
    }

    fn remember(&mut self, number: usize) -> Result<(), String> {
        let top = self.top()?;
        // A value may be remembered many times: without a limit, a byte of the file could cost any memory.
        if number >= MAX_PUSHES {
            return Err(format!(
                "its pickle remembers more than {MAX_PUSHES} values"
            ));
        }
        if number >= self.memo.len() {
            self.memo.resize(number + 1, NOTHING);
        }
        self.memo[number] = top;
        Ok(())
    }

    fn recall(&mut self, width: usize) -> Result<(), String> {
        let number = self.number(width)? as usize;
        match self.memo.get(number) {
            Some(id) if *id != NOTHING => self.push_id(*id),
            _ => Err(damaged("it recalls a value that it did not remember")),
        }
    }
}

fn pairs(items: &[Id]) -> Result<Vec<(Id, Id)>, String> {
    let (pairs, rest) = items.as_chunks::<2>();
    if !rest.is_empty() {
        return Err(damaged("a dict has a key without a value"));
    }
    Ok(pairs.iter().map(|[key, value]| (*key, *value)).collect())
}
