//! What a pickle's globals stand for, and what calling them makes: the only place where a name of the file means
//! anything.

use safetensors::Dtype;

use super::pickle::{MAX_PUSHES, Machine, damaged};
use super::shorten;
use super::value::{Global, Id, Storage, Tensor, Text, Value};

/// The most tensors.
const MAX_TENSORS: usize = 1 << 15;

impl<'a> Machine<'a> {
    /// A string on the stack that is a module's or a class's name.
    pub(super) fn name(&self, id: Id) -> Result<&'a str, String> {
        match self.values[id as usize] {
            Value::Str(Text { at, len }) => {
                std::str::from_utf8(&self.bytes[at as usize..(at + len) as usize]).ok()
            }
            _ => None,
        }
        .ok_or_else(|| damaged("a global's name is not a string"))
    }

    pub(super) fn global(&mut self, module: &str, name: &str) -> Result<(), String> {
        match Global::named(module, name) {
            Some(global) => self.push(Value::Global(global)),
            None => Err(format!(
                "it names {}: only tensors, dicts, lists, tuples, strings and numbers are read, and nothing is run; of what \
                 loaded = torch.load(…, weights_only=False) gives, save the weights alone: torch.save(loaded.state_dict(), …) \
                 of a module, torch.save(loaded[\"model\"], …) of a dict whose entry \"model\" they are",
                shorten(&format!("{module}.{name}"))
            )),
        }
    }

    /// What a persistent id stands for: `('storage', type, key, device, elements)`, in the older format with a None, in
    /// whose place a window into another storage once stood.
    pub(super) fn persistent(&mut self) -> Result<(), String> {
        let id = self.pop()?;
        let storage = match &self.values[id as usize] {
            Value::Tuple(parts) => match parts[..] {
                [kind, dtype, key, _, len, ref rest @ ..] => {
                    let kind = self.name(kind).is_ok_and(|kind| kind == "storage")
                        && rest
                            .iter()
                            .all(|id| matches!(self.values[*id as usize], Value::Other));
                    match [dtype, key, len].map(|id| &self.values[id as usize]) {
                        [
                            Value::Global(Global::Storage(dtype)),
                            Value::Str(key),
                            Value::Int(len @ 0..),
                        ] if kind => Some(Storage {
                            dtype: *dtype,
                            key: *key,
                            len: *len as u64,
                        }),
                        _ => None,
                    }
                }
                _ => None,
            },
            _ => None,
        };
        let storage =
            storage.ok_or_else(|| damaged("a storage is not described as PyTorch does"))?;
        self.push(Value::Storage(storage))
    }

    /// What calling a global makes; an object's `__new__` is called in the same way.
    pub(super) fn call(&mut self, callee: Id, arguments: Id) -> Result<(), String> {
        let wrong = || damaged("something is called in another way than PyTorch does");
        let Value::Global(callee) = self.values[callee as usize] else {
            return Err(damaged("it calls a value"));
        };
        let Value::Tuple(arguments) = &self.values[arguments as usize] else {
            return Err(wrong());
        };
        match (callee, &arguments[..]) {
            (Global::OrderedDict, []) => self.push(Value::Dict(Vec::new())),
            (Global::OrderedDict, [items]) => {
                let items = self.sequence(*items).ok_or_else(wrong)?.iter();
                let items = items.map(|pair| match self.sequence(*pair) {
                    Some([key, value]) => Ok((*key, *value)),
                    _ => Err(wrong()),
                });
                let items = items.collect::<Result<Vec<_>, _>>()?;
                // They were pushed one by one, so that their number is bounded, but not how often they come.
                self.pushes = self.pushes.saturating_add(items.len()).min(MAX_PUSHES);
                self.push(Value::Dict(items))
            }
            (Global::Size, [sizes]) => match self.sequence(*sizes) {
                Some(_) => self.push_id(*sizes),
                None => Err(wrong()),
            },
            (Global::Parameter, [data, _, _]) | (Global::ParameterWithState, [data, _, _, _]) => {
                match self.values[*data as usize] {
                    Value::Tensor(_) => self.push_id(*data),
                    _ => Err(wrong()),
                }
            }
            (Global::Tensor, [storage, offset, shape, strides])
            | (Global::TensorV2, [storage, offset, shape, strides, _, _, ..]) => {
                self.tensor([*storage, *offset, *shape, *strides], None)
            }
            (Global::TensorV3, [storage, offset, shape, strides, _, _, dtype, ..]) => {
                match self.values[*dtype as usize] {
                    Value::Global(Global::Dtype(dtype)) => {
                        self.tensor([*storage, *offset, *shape, *strides], Some(dtype))
                    }
                    _ => Err(wrong()),
                }
            }
            _ => Err(wrong()),
        }
    }

    fn tensor(&mut self, parts: [Id; 4], dtype: Option<Dtype>) -> Result<(), String> {
        let wrong = || damaged("a tensor is not described as PyTorch does");
        let [storage, offset, shape, strides] = parts;
        let (Value::Storage(storage), Value::Int(offset @ 0..)) = (
            &self.values[storage as usize],
            &self.values[offset as usize],
        ) else {
            return Err(wrong());
        };
        let (storage, offset) = (*storage, *offset as u64);
        let dtype = dtype.or(storage.dtype).unwrap_or(Dtype::U8);
        let shape = self.sizes(shape).ok_or_else(wrong)?;
        let strides = self.sizes(strides).ok_or_else(wrong)?;
        if self.tensors.len() == MAX_TENSORS {
            return Err(format!("it holds more than {MAX_TENSORS} tensors"));
        }
        let tensor = Tensor::new(storage, dtype, offset, shape, strides)?;
        self.tensors.push(tensor);
        self.push(Value::Tensor(self.tensors.len() as u32 - 1))
    }

    fn sequence(&self, id: Id) -> Option<&[Id]> {
        match &self.values[id as usize] {
            Value::List(items) | Value::Tuple(items) => Some(items),
            _ => None,
        }
    }

    /// A few sizes or strides, none of them negative.
    fn sizes(&self, id: Id) -> Option<Vec<usize>> {
        let items = self.sequence(id)?;
        if items.len() > super::MAX_DIMENSIONS {
            return None;
        }
        let sizes = items.iter().map(|id| match self.values[*id as usize] {
            Value::Int(size) => usize::try_from(size).ok(),
            _ => None,
        });
        sizes.collect()
    }
}
