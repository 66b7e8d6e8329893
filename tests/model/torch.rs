//! Files as torch.save writes them, without Python: a pickle, the storages' bytes, and the zip around them.

/// A value that a pickle can hold.
#[derive(Clone)]
pub enum Py {
    None,
    Bool(bool),
    Int(i64),
    Float(f64),
    Str(String),
    List(Vec<Py>),
    Tuple(Vec<Py>),
    Dict(Vec<(Py, Py)>),
    /// A collections.OrderedDict, with the attribute that a state dict has.
    Ordered(Vec<(Py, Py)>),
    Global(&'static str, &'static str),
    Call(Box<Py>, Vec<Py>),
    /// A persistent id.
    Stored(Box<Py>),
}

pub fn str(text: &str) -> Py {
    Py::Str(text.into())
}

fn ints(values: &[i64]) -> Py {
    Py::Tuple(values.iter().map(|v| Py::Int(*v)).collect())
}

pub fn call(module: &'static str, name: &'static str, arguments: Vec<Py>) -> Py {
    Py::Call(Box::new(Py::Global(module, name)), arguments)
}

/// A view of the storage `key`, which has `len` elements of the type `storage`.
pub fn view(
    storage: &'static str,
    key: &str,
    len: i64,
    offset: i64,
    shape: &[i64],
    strides: &[i64],
) -> Py {
    let id = Py::Tuple(vec![
        str("storage"),
        Py::Global("torch", storage),
        str(key),
        str("cpu"),
        Py::Int(len),
    ]);
    call(
        "torch._utils",
        "_rebuild_tensor_v2",
        vec![
            Py::Stored(Box::new(id)),
            Py::Int(offset),
            ints(shape),
            ints(strides),
            Py::Bool(false),
            call("collections", "OrderedDict", vec![]),
        ],
    )
}

/// All of the storage `key`, row-major.
pub fn tensor(storage: &'static str, key: &str, shape: &[i64]) -> Py {
    let mut strides = vec![1; shape.len()];
    for i in (1..shape.len()).rev() {
        strides[i - 1] = strides[i] * shape[i];
    }
    view(storage, key, shape.iter().product(), 0, shape, &strides)
}

pub fn dict(items: Vec<(&str, Py)>) -> Py {
    Py::Dict(items.into_iter().map(|(k, v)| (str(k), v)).collect())
}

pub fn ordered(items: Vec<(&str, Py)>) -> Py {
    Py::Ordered(items.into_iter().map(|(k, v)| (str(k), v)).collect())
}

impl Py {
    /// In the operations of protocol 2, which torch.save uses.
    fn write(&self, out: &mut Vec<u8>) {
        let pairs = |items: &[(Py, Py)], out: &mut Vec<u8>| {
            out.push(b'(');
            for (key, value) in items {
                key.write(out);
                value.write(out);
            }
            out.push(b'u');
        };
        match self {
            Self::None => out.push(b'N'),
            Self::Bool(value) => out.push(if *value { 0x88 } else { 0x89 }),
            Self::Int(value) => match (u8::try_from(*value), i32::try_from(*value)) {
                (Ok(value), _) => out.extend([b'K', value]),
                (_, Ok(value)) => {
                    out.push(b'J');
                    out.extend(value.to_le_bytes());
                }
                _ => {
                    out.extend([0x8a, 8]);
                    out.extend(value.to_le_bytes());
                }
            },
            Self::Float(value) => {
                out.push(b'G');
                out.extend(value.to_be_bytes());
            }
            Self::Str(text) => {
                out.push(b'X');
                out.extend((text.len() as u32).to_le_bytes());
                out.extend(text.bytes());
            }
            Self::List(items) => {
                out.extend(b"](");
                items.iter().for_each(|item| item.write(out));
                out.push(b'e');
            }
            Self::Tuple(items) => {
                let short = match items.len() {
                    0 => Some(b')'),
                    n @ 1..=3 => Some(0x84 + n as u8),
                    _ => None,
                };
                if short.is_none() {
                    out.push(b'(');
                }
                items.iter().for_each(|item| item.write(out));
                out.push(short.unwrap_or(b't'));
            }
            Self::Dict(items) => {
                out.push(b'}');
                pairs(items, out);
            }
            Self::Ordered(items) => {
                call("collections", "OrderedDict", vec![]).write(out);
                pairs(items, out);
                dict(vec![(
                    "_metadata",
                    call("collections", "OrderedDict", vec![]),
                )])
                .write(out);
                out.push(b'b');
            }
            Self::Global(module, name) => out.extend(format!("c{module}\n{name}\n").bytes()),
            Self::Call(callee, arguments) => {
                callee.write(out);
                Self::Tuple(arguments.clone()).write(out);
                out.push(b'R');
            }
            Self::Stored(id) => {
                id.write(out);
                out.push(b'Q');
            }
        }
    }

    pub fn pickle(&self) -> Vec<u8> {
        let mut out = vec![0x80, 2];
        self.write(&mut out);
        out.push(b'.');
        out
    }
}

/// The zip file of these members, whose bytes begin at multiples of 64; with the second record at its end that files of
/// 4 GiB need, and PyTorch always writes.
pub fn zip(members: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut out: Vec<u8> = Vec::new();
    let mut directory: Vec<u8> = Vec::new();
    for (name, bytes) in members {
        let header = out.len() as u32;
        let size = (bytes.len() as u32).to_le_bytes();
        let pad = (64 - (out.len() + 34 + name.len()) % 64) % 64;
        // As PyTorch, without sizes: these stand in the directory.
        out.extend(b"PK\x03\x04\0\0\x08\x08\0\0\0\0\0\0");
        out.extend([0; 12]);
        out.extend((name.len() as u16).to_le_bytes());
        out.extend((pad as u16 + 4).to_le_bytes());
        out.extend(name.bytes());
        out.extend(b"FB");
        out.extend((pad as u16).to_le_bytes());
        out.extend(std::iter::repeat_n(b'Z', pad));
        out.extend(bytes);
        directory.extend(b"PK\x01\x02\0\0\0\0\x08\x08\0\0\0\0\0\0\0\0\0\0");
        directory.extend([size, size].concat());
        directory.extend((name.len() as u16).to_le_bytes());
        directory.extend([0; 12]);
        directory.extend(header.to_le_bytes());
        directory.extend(name.bytes());
    }
    let (start, len, count) = (
        out.len() as u64,
        directory.len() as u64,
        members.len() as u64,
    );
    out.extend(directory);
    let second = out.len() as u64;
    out.extend(b"PK\x06\x06");
    out.extend(44u64.to_le_bytes());
    out.extend([0; 12]);
    for value in [count, count, len, start] {
        out.extend(value.to_le_bytes());
    }
    out.extend(b"PK\x06\x07\0\0\0\0");
    out.extend(second.to_le_bytes());
    out.extend(1u32.to_le_bytes());
    out.extend(b"PK\x05\x06\0\0\0\0");
    out.extend([(count as u16).to_le_bytes(), (count as u16).to_le_bytes()].concat());
    out.extend((len as u32).to_le_bytes());
    out.extend((start as u32).to_le_bytes());
    out.extend([0; 2]);
    out
}

/// The file of this pickle and these storages.
pub fn saved(pickle: Vec<u8>, storages: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let names: Vec<_> = storages
        .iter()
        .map(|(key, _)| format!("archive/data/{key}"))
        .collect();
    let mut members = vec![
        ("archive/data.pkl", pickle),
        ("archive/byteorder", b"little".to_vec()),
    ];
    let bytes = storages.iter().map(|(_, bytes)| bytes.clone());
    members.extend(names.iter().map(String::as_str).zip(bytes));
    members.push(("archive/version", b"3\n".to_vec()));
    zip(&members)
}

/// What torch.save makes of `value`.
pub fn save(value: &Py, storages: &[(&str, Vec<u8>)]) -> Vec<u8> {
    saved(value.pickle(), storages)
}

pub fn f32s(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|x| x.to_le_bytes()).collect()
}
