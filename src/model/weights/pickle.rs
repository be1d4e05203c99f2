//! Just as much of Python's pickle as torch.save of a state dict emits. Nothing is ever executed: a global that is not on
//! the list below is refused by name.

use std::collections::HashMap;

/// Element type of a storage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Element {
    F16,
    Bf16,
    F32,
    F64,
    /// Counters such as num_batches_tracked, of so many bytes each: no weight is made of them.
    Integer(usize),
}

impl Element {
    /// The element of one of PyTorch's storage classes.
    fn of_storage(class: &str) -> Option<Self> {
        Some(match class.strip_prefix("torch.")? {
            "FloatStorage" => Self::F32,
            "DoubleStorage" => Self::F64,
            "HalfStorage" => Self::F16,
            "BFloat16Storage" => Self::Bf16,
            "LongStorage" => Self::Integer(8),
            "IntStorage" => Self::Integer(4),
            "ShortStorage" => Self::Integer(2),
            "ByteStorage" | "CharStorage" | "BoolStorage" => Self::Integer(1),
            _ => return None,
        })
    }

    /// Bytes of one element.
    pub(super) fn size(self) -> usize {
        match self {
            Self::F16 | Self::Bf16 => 2,
            Self::F32 => 4,
            Self::F64 => 8,
            Self::Integer(size) => size,
        }
    }

    /// Little-endian bytes to 32-bit floats; integers have none.
    pub(super) fn floats(self, bytes: &[u8]) -> Vec<f32> {
        match self {
            Self::Integer(_) => Vec::new(),
            Self::F32 => bytes.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect(),
            Self::F64 => bytes
                .chunks_exact(8)
                .map(|b| f64::from_le_bytes([b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7]]) as f32)
                .collect(),
            Self::Bf16 => bytes
                .chunks_exact(2)
                .map(|b| f32::from_bits(u32::from(u16::from_le_bytes([b[0], b[1]])) << 16))
                .collect(),
            Self::F16 => bytes.chunks_exact(2).map(|b| half(u16::from_le_bytes([b[0], b[1]]))).collect(),
        }
    }
}

/// IEEE 754 binary16 to binary32.
fn half(bits: u16) -> f32 {
    let sign = if bits >> 15 == 1 { -1.0 } else { 1.0 };
    let (exponent, fraction) = (i32::from((bits >> 10) & 31), f32::from(bits & 1023));
    sign * match exponent {
        0 => fraction * 2.0_f32.powi(-24),
        31 if fraction == 0.0 => f32::INFINITY,
        31 => f32::NAN,
        _ => (1.0 + fraction / 1024.0) * 2.0_f32.powi(exponent - 15),
    }
}

/// A tensor of the state dict: where its values lie.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct TensorRef {
    /// Name of the storage's file.
    pub storage: String,
    /// What it holds.
    pub element: Element,
    /// First element.
    pub offset: usize,
    pub shape: Vec<usize>,
    /// In elements.
    pub strides: Vec<usize>,
}

#[derive(Debug, Clone)]
enum Value {
    Mark,
    None,
    Bool,
    Int(i64),
    Text(String),
    Tuple(Vec<Value>),
    List(Vec<Value>),
    Dict(Vec<(String, Value)>),
    Global(String),
    Storage(String, Element),
    Tensor(TensorRef),
}

struct Machine<'a> {
    bytes: &'a [u8],
    at: usize,
    stack: Vec<Value>,
    memo: HashMap<u32, Value>,
}

const GLOBALS: [&str; 5] = [
    "collections.OrderedDict",
    "torch._utils._rebuild_tensor_v2",
    "torch._utils._rebuild_parameter",
    "torch.Size",
    "torch.serialization._get_layout",
];

/// A tensor with its name.
pub(super) type NamedRef = (String, TensorRef);

/// The tensors of a pickled state dict; a dict under the key `state_dict` or `model` is looked into.
pub(super) fn state_dict(bytes: &[u8]) -> Result<Vec<NamedRef>, String> {
    tensors(Machine::new(bytes).run()?)
}

/// The five pickles at the start of a file of before PyTorch 1.6 (magic number, version, facts of the machine, state dict,
/// keys of the storages in their order): the tensors, the keys, and where the storages begin.
pub(super) fn legacy_state_dict(bytes: &[u8]) -> Result<(Vec<NamedRef>, Vec<String>, usize), String> {
    let mut machine = Machine::new(bytes);
    for _ in 0..3 {
        machine.run()?;
    }
    let tensors = tensors(machine.run()?)?;
    let Value::List(keys) = machine.run()? else { return Err(damaged()) };
    let key = |value| match value {
        Value::Text(key) => Ok(key),
        _ => Err(damaged()),
    };
    Ok((tensors, keys.into_iter().map(key).collect::<Result<_, _>>()?, machine.at))
}

fn tensors(pickled: Value) -> Result<Vec<NamedRef>, String> {
    let Value::Dict(entries) = pickled else {
        return Err("it does not hold a state dict (a dictionary of tensors)".to_owned());
    };
    let nested = entries.iter().find_map(|(name, value)| match value {
        Value::Dict(inner) if name == "state_dict" || name == "model" => Some(inner.clone()),
        _ => None,
    });
    let tensors = nested.unwrap_or(entries).into_iter().filter_map(|(name, value)| match value {
        Value::Tensor(tensor) => Some((name, tensor)),
        _ => None,
    });
    Ok(tensors.collect())
}

impl<'a> Machine<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0, stack: Vec::new(), memo: HashMap::new() }
    }

    /// Runs one pickle to its end.
    fn run(&mut self) -> Result<Value, String> {
        loop {
            let op = self.byte()?;
            match op {
                0x80 => drop(self.byte()?),
                b'.' => return self.pop(),
                b'(' => self.stack.push(Value::Mark),
                b')' => self.stack.push(Value::Tuple(Vec::new())),
                b'}' => self.stack.push(Value::Dict(Vec::new())),
                b']' => self.stack.push(Value::List(Vec::new())),
                b'N' => self.stack.push(Value::None),
                0x88 | 0x89 => self.stack.push(Value::Bool),
                b'K' => {
                    let value = i64::from(self.byte()?);
                    self.stack.push(Value::Int(value));
                }
                b'M' => {
                    let value = i64::from(self.number(2)?);
                    self.stack.push(Value::Int(value));
                }
                b'J' => {
                    let value = i64::from(self.number(4)? as i32);
                    self.stack.push(Value::Int(value));
                }
                0x8a => {
                    let length = usize::from(self.byte()?);
                    let bytes = self.take(length)?;
                    let value = bytes.iter().take(8).enumerate().fold(0, |v, (i, b)| v | i64::from(*b) << (8 * i));
                    self.stack.push(Value::Int(value));
                }
                b'X' => {
                    let length = self.number(4)? as usize;
                    self.text(length)?;
                }
                0x8c => {
                    let length = usize::from(self.byte()?);
                    self.text(length)?;
                }
                b'q' => {
                    let slot = u32::from(self.byte()?);
                    self.remember(slot)?;
                }
                b'r' => {
                    let slot = self.number(4)?;
                    self.remember(slot)?;
                }
                b'h' => {
                    let slot = u32::from(self.byte()?);
                    self.recall(slot)?;
                }
                b'j' => {
                    let slot = self.number(4)?;
                    self.recall(slot)?;
                }
                b't' => {
                    let items = self.pop_to_mark()?;
                    self.stack.push(Value::Tuple(items));
                }
                0x85..=0x87 => {
                    let at = self.stack.len().checked_sub(usize::from(op - 0x84)).ok_or_else(damaged)?;
                    let items = self.stack.split_off(at);
                    self.stack.push(Value::Tuple(items));
                }
                b'c' => self.global()?,
                b'R' => self.reduce()?,
                b'Q' => self.persistent()?,
                b'a' => {
                    let item = self.pop()?;
                    self.append(vec![item])?;
                }
                b'e' => {
                    let items = self.pop_to_mark()?;
                    self.append(items)?;
                }
                b's' => {
                    let (value, key) = (self.pop()?, self.pop()?);
                    self.set_items(vec![key, value])?;
                }
                b'u' => {
                    let items = self.pop_to_mark()?;
                    self.set_items(items)?;
                }
                // BUILD sets attributes (`_metadata`) that hold no tensor.
                b'b' => drop(self.pop()?),
                other => {
                    return Err(format!(
                        "its pickle uses the operation {other:#04x}, which a state dict does not need"
                    ));
                }
            }
        }
    }

    fn byte(&mut self) -> Result<u8, String> {
        Ok(self.take(1)?[0])
    }

    fn take(&mut self, count: usize) -> Result<&[u8], String> {
        let end = self.at.checked_add(count).ok_or_else(damaged)?;
        let bytes = self.bytes.get(self.at..end).ok_or_else(damaged)?;
        self.at = end;
        Ok(bytes)
    }

    fn number(&mut self, bytes: usize) -> Result<u32, String> {
        Ok(self.take(bytes)?.iter().rev().fold(0, |value, byte| value << 8 | u32::from(*byte)))
    }

    fn text(&mut self, length: usize) -> Result<(), String> {
        let text = String::from_utf8_lossy(self.take(length)?).into_owned();
        self.stack.push(Value::Text(text));
        Ok(())
    }

    fn line(&mut self) -> Result<String, String> {
        let rest = &self.bytes[self.at.min(self.bytes.len())..];
        let length = rest.iter().position(|byte| *byte == b'\n').ok_or_else(damaged)?;
        let line = String::from_utf8_lossy(&rest[..length]).into_owned();
        self.at += length + 1;
        Ok(line)
    }

    fn pop(&mut self) -> Result<Value, String> {
        self.stack.pop().ok_or_else(damaged)
    }

    fn pop_to_mark(&mut self) -> Result<Vec<Value>, String> {
        let mark = self.stack.iter().rposition(|value| matches!(value, Value::Mark)).ok_or_else(damaged)?;
        let items = self.stack.split_off(mark + 1);
        self.stack.pop();
        Ok(items)
    }

    fn remember(&mut self, slot: u32) -> Result<(), String> {
        let value = self.stack.last().ok_or_else(damaged)?.clone();
        self.memo.insert(slot, value);
        Ok(())
    }

    fn recall(&mut self, slot: u32) -> Result<(), String> {
        let value = self.memo.get(&slot).ok_or_else(damaged)?.clone();
        self.stack.push(value);
        Ok(())
    }

    fn global(&mut self) -> Result<(), String> {
        let name = format!("{}.{}", self.line()?, self.line()?);
        let storage = name.starts_with("torch.") && name.ends_with("Storage") && !name[6..].contains('.');
        if !storage && !GLOBALS.contains(&name.as_str()) {
            return Err(format!("its pickle asks for `{name}`: refused, a state dict needs no such thing"));
        }
        self.stack.push(Value::Global(name));
        Ok(())
    }

    fn reduce(&mut self) -> Result<(), String> {
        let (arguments, function) = (self.pop()?, self.pop()?);
        let (Value::Tuple(arguments), Value::Global(name)) = (arguments, function) else { return Err(damaged()) };
        let value = match (name.as_str(), arguments.as_slice()) {
            ("collections.OrderedDict", _) => Value::Dict(Vec::new()),
            ("torch._utils._rebuild_parameter", [tensor, ..]) => tensor.clone(),
            (
                "torch._utils._rebuild_tensor_v2",
                [Value::Storage(storage, element), Value::Int(offset), Value::Tuple(shape), Value::Tuple(strides), ..],
            ) => Value::Tensor(TensorRef {
                storage: storage.clone(),
                element: *element,
                offset: usize::try_from(*offset).map_err(|_| damaged())?,
                shape: sizes(shape)?,
                strides: sizes(strides)?,
            }),
            _ => return Err(damaged()),
        };
        self.stack.push(value);
        Ok(())
    }

    /// ("storage", type, key, device, count): a reference to a file of the archive.
    fn persistent(&mut self) -> Result<(), String> {
        let Value::Tuple(parts) = self.pop()? else { return Err(damaged()) };
        let [Value::Text(tag), Value::Global(kind), Value::Text(key), ..] = parts.as_slice() else {
            return Err(damaged());
        };
        if tag != "storage" {
            return Err(damaged());
        }
        let element = Element::of_storage(kind).ok_or_else(|| format!("it holds a storage of kind `{kind}`"))?;
        self.stack.push(Value::Storage(key.clone(), element));
        Ok(())
    }

    fn append(&mut self, items: Vec<Value>) -> Result<(), String> {
        let Some(Value::List(list)) = self.stack.last_mut() else { return Err(damaged()) };
        list.extend(items);
        Ok(())
    }

    fn set_items(&mut self, items: Vec<Value>) -> Result<(), String> {
        let Some(Value::Dict(entries)) = self.stack.last_mut() else { return Err(damaged()) };
        let mut items = items.into_iter();
        while let (Some(key), Some(value)) = (items.next(), items.next()) {
            if let Value::Text(key) = key {
                entries.push((key, value));
            }
        }
        Ok(())
    }
}

fn sizes(values: &[Value]) -> Result<Vec<usize>, String> {
    let size = |value: &Value| match value {
        Value::Int(size) => usize::try_from(*size).map_err(|_| damaged()),
        _ => Err(damaged()),
    };
    values.iter().map(size).collect()
}

fn damaged() -> String {
    "its pickle is damaged or not a state dict".to_owned()
}
