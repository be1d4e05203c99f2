//! The stack machine that reads pickles (Python's `pickletools` lists the operations).

use std::collections::HashMap;

use super::super::budget;
use super::super::input::number;
use super::class::{Meaning, meaning_of};
use super::heap::Span;
use super::{Handle, Heap, Node};

struct Machine<'a> {
    heap: Heap<'a>,
    at: usize,
    stack: Vec<Handle>,
    /// Height of the stack at each mark.
    marks: Vec<usize>,
    memo: Vec<Option<Handle>>,
    storages: HashMap<String, u32>,
    /// Number of pairs copied from lists into dictionaries.
    copied: usize,
}

/// Reads the pickle that begins at `at`. Returns its objects, the outermost object and the position after the end.
pub(in crate::model::weights) fn load(bytes: &[u8], at: usize) -> Result<(Heap<'_>, Handle, usize), String> {
    // Positions are stored in 32 bits.
    if bytes.len() as u64 > budget::PICKLE_BYTES {
        return Err(format!("its pickle has {} bytes; didact reads at most {}", bytes.len(), budget::PICKLE_BYTES));
    }
    let heap = Heap { bytes, nodes: Vec::new(), storages: Vec::new() };
    let (stack, marks, memo, storages) = (Vec::new(), Vec::new(), Vec::new(), HashMap::new());
    let mut machine = Machine { heap, at, stack, marks, memo, storages, copied: 0 };
    for _ in 0..budget::PICKLE_STEPS {
        let operation = machine.number(1)? as u8;
        if operation == b'.' {
            let outermost = machine.pop()?;
            return Ok((machine.heap, outermost, machine.at));
        }
        machine.step(operation)?;
    }
    Err(format!("its pickle has more than {} operations, far more than weights need", budget::PICKLE_STEPS))
}

impl Machine<'_> {
    fn step(&mut self, operation: u8) -> Result<(), String> {
        match operation {
            // PROTO, FRAME
            0x80 => drop(self.take(1)?),
            0x95 => drop(self.take(8)?),
            // The stack: MARK, POP, POP_MARK, DUP
            b'(' => self.marks.push(self.stack.len()),
            b'0' if self.marks.last() == Some(&self.stack.len()) => drop(self.marks.pop()),
            b'0' => drop(self.pop()?),
            b'1' => drop(self.pop_to_mark()?),
            b'2' => self.stack.push(self.top()?),
            // NONE, NEWTRUE, NEWFALSE, EMPTY_SET, BINFLOAT, FLOAT
            b'N' | 0x8f => self.push(Node::Opaque),
            0x88 | 0x89 => self.push(Node::Bool(operation == 0x88)),
            b'G' => self.skip(8)?,
            b'F' => {
                self.line()?;
                self.push(Node::Opaque);
            }
            // Integers: BININT1, BININT2, BININT, LONG1, LONG4, INT, LONG
            b'K' | b'M' => {
                let value = self.number(if operation == b'K' { 1 } else { 2 })?;
                self.push(Node::Int(value as i64));
            }
            b'J' => {
                let value = self.number(4)? as u32 as i32;
                self.push(Node::Int(i64::from(value)));
            }
            0x8a | 0x8b => {
                let length = self.number(if operation == 0x8a { 1 } else { 4 })?;
                self.long(length)?;
            }
            b'I' | b'L' => {
                let line = self.line()?;
                let text = std::str::from_utf8(self.heap.span(line)).map_err(|_| damaged())?;
                let node = match text {
                    "00" | "01" => Node::Bool(text == "01"),
                    _ => Node::Int(text.trim_end_matches('L').parse().map_err(|_| damaged())?),
                };
                self.push(node);
            }
            // Texts: BINUNICODE, SHORT_BINUNICODE, BINUNICODE8, BINSTRING, SHORT_BINSTRING, STRING, UNICODE
            b'X' | b'T' => self.text(4)?,
            0x8c | b'U' => self.text(1)?,
            0x8d => self.text(8)?,
            b'S' => {
                let line = self.line()?;
                if line.length < 2 {
                    return Err(damaged());
                }
                self.push(Node::Text(Span { at: line.at + 1, length: line.length - 2 }));
            }
            b'V' => {
                let line = self.line()?;
                self.push(Node::Text(line));
            }
            // Bytes: BINBYTES, SHORT_BINBYTES, BINBYTES8, BYTEARRAY8
            b'B' | b'C' | 0x8e | 0x96 => {
                let length = self.number(match operation {
                    b'C' => 1,
                    b'B' => 4,
                    _ => 8,
                })?;
                self.skip(length)?;
            }
            // The memo: PUT, BINPUT, LONG_BINPUT, MEMOIZE, GET, BINGET, LONG_BINGET
            b'q' | b'r' => {
                let slot = self.number(if operation == b'q' { 1 } else { 4 })?;
                self.remember(slot)?;
            }
            0x94 => self.remember(self.memo.len() as u64)?,
            b'h' | b'j' => {
                let slot = self.number(if operation == b'h' { 1 } else { 4 })?;
                self.recall(slot)?;
            }
            b'p' | b'g' => {
                let line = self.line()?;
                let slot = std::str::from_utf8(self.heap.span(line)).ok().and_then(|slot| slot.parse().ok());
                let slot = slot.ok_or_else(damaged)?;
                if operation == b'p' { self.remember(slot)? } else { self.recall(slot)? }
            }
            // Containers: tuples, lists, dictionaries, sets
            b')' => self.push(Node::Tuple(Vec::new())),
            0x85..=0x87 => {
                let count = usize::from(operation - 0x84);
                let floor = self.marks.last().copied().unwrap_or(0);
                let at = self.stack.len().checked_sub(count).filter(|at| *at >= floor).ok_or_else(damaged)?;
                let items = self.stack.split_off(at);
                self.push(Node::Tuple(items));
            }
            b't' | 0x91 => {
                let items = self.pop_to_mark()?;
                self.push(if operation == b't' { Node::Tuple(items) } else { Node::Opaque });
            }
            b']' => self.push(Node::List(Vec::new())),
            b'l' => {
                let items = self.pop_to_mark()?;
                self.push(Node::List(items));
            }
            b'}' => self.push(Node::Dict(Vec::new())),
            b'd' => {
                let items = self.pop_to_mark()?;
                self.push(Node::Dict(pairs(&items)?));
            }
            b'a' => {
                let item = self.pop()?;
                self.append(&[item])?;
            }
            b'e' => {
                let items = self.pop_to_mark()?;
                self.append(&items)?;
            }
            0x90 => drop(self.pop_to_mark()?),
            b's' => {
                let (value, key) = (self.pop()?, self.pop()?);
                self.set_items(&[key, value])?;
            }
            b'u' => {
                let items = self.pop_to_mark()?;
                self.set_items(&items)?;
            }
            // Classes and objects: GLOBAL, STACK_GLOBAL, REDUCE, NEWOBJ, NEWOBJ_EX, INST, OBJ, BUILD, BINPERSID
            b'c' => {
                let (module, name) = (self.line()?, self.line()?);
                self.class(module, name)?;
            }
            0x93 => {
                let (name, module) = (self.pop()?, self.pop()?);
                match (self.heap.get(module), self.heap.get(name)) {
                    (&Node::Text(module), &Node::Text(name)) => self.class(module, name)?,
                    _ => return Err(damaged()),
                }
            }
            b'R' | 0x81 => {
                let (arguments, function) = (self.pop()?, self.pop()?);
                self.reduce(function, arguments)?;
            }
            0x92 => {
                let (_named, arguments, class) = (self.pop()?, self.pop()?, self.pop()?);
                self.reduce(class, arguments)?;
            }
            b'i' => {
                let (module, name) = (self.line()?, self.line()?);
                drop(self.pop_to_mark()?);
                self.class(module, name)?;
                let class = self.pop()?;
                self.push(Node::Object(class, Vec::new()));
            }
            b'o' => {
                let items = self.pop_to_mark()?;
                self.push(Node::Object(*items.first().ok_or_else(damaged)?, Vec::new()));
            }
            b'b' => {
                let state = self.pop()?;
                self.build(state)?;
            }
            b'Q' => {
                let id = self.pop()?;
                self.persistent(id)?;
            }
            other => return Err(format!("its pickle uses the operation {other:#04x}, which no weight file needs")),
        }
        Ok(())
    }

    fn push(&mut self, node: Node) {
        // The index fits into 32 bits: each of at most `PICKLE_STEPS` steps adds at most one node.
        let handle = Handle(self.heap.nodes.len() as u32);
        self.heap.nodes.push(node);
        self.stack.push(handle);
    }

    fn top(&self) -> Result<Handle, String> {
        let floor = self.marks.last().copied().unwrap_or(0);
        if self.stack.len() > floor { self.stack.last().copied().ok_or_else(damaged) } else { Err(damaged()) }
    }

    fn pop(&mut self) -> Result<Handle, String> {
        let top = self.top()?;
        self.stack.pop();
        Ok(top)
    }

    fn pop_to_mark(&mut self) -> Result<Vec<Handle>, String> {
        let mark = self.marks.pop().ok_or_else(damaged)?;
        Ok(self.stack.split_off(mark))
    }

    fn take(&mut self, count: u64) -> Result<Span, String> {
        let remaining = self.heap.bytes.len() - self.at;
        let length = usize::try_from(count).ok().filter(|count| *count <= remaining).ok_or_else(damaged)?;
        let span = Span { at: self.at as u32, length: length as u32 };
        self.at += length;
        Ok(span)
    }

    fn number(&mut self, bytes: u64) -> Result<u64, String> {
        let span = self.take(bytes)?;
        Ok(number(self.heap.span(span)))
    }

    /// Takes the bytes up to the next line end.
    fn line(&mut self) -> Result<Span, String> {
        let length = self.heap.bytes[self.at..].iter().position(|byte| *byte == b'\n').ok_or_else(damaged)?;
        let line = self.take(length as u64)?;
        self.at += 1;
        Ok(line)
    }

    fn skip(&mut self, count: u64) -> Result<(), String> {
        self.take(count)?;
        self.push(Node::Opaque);
        Ok(())
    }

    fn text(&mut self, bytes: u64) -> Result<(), String> {
        let length = self.number(bytes)?;
        let text = self.take(length)?;
        self.push(Node::Text(text));
        Ok(())
    }

    /// Reads an integer in two's complement.
    fn long(&mut self, length: u64) -> Result<(), String> {
        let span = self.take(length)?;
        let node = match self.heap.span(span) {
            [] => Node::Int(0),
            bytes if bytes.len() <= 8 => {
                let unused = 64 - 8 * bytes.len() as u32;
                Node::Int(((number(bytes) << unused) as i64) >> unused)
            }
            _ => Node::Long(span),
        };
        self.push(node);
        Ok(())
    }

    fn remember(&mut self, slot: u64) -> Result<(), String> {
        let top = self.top()?;
        let slot = usize::try_from(slot).ok().filter(|slot| *slot < budget::PICKLE_STEPS).ok_or_else(damaged)?;
        if slot >= self.memo.len() {
            self.memo.resize(slot + 1, None);
        }
        self.memo[slot] = Some(top);
        Ok(())
    }

    fn recall(&mut self, slot: u64) -> Result<(), String> {
        let handle = usize::try_from(slot).ok().and_then(|slot| self.memo.get(slot).copied().flatten());
        self.stack.push(handle.ok_or_else(damaged)?);
        Ok(())
    }

    fn class(&mut self, module: Span, name: Span) -> Result<(), String> {
        let short = |span: Span| (span.length as usize <= budget::NAME_BYTES).then(|| self.heap.span(span));
        let text = |span| short(span).and_then(|text| std::str::from_utf8(text).ok()).ok_or_else(damaged);
        let meaning = meaning_of(text(module)?, text(name)?)?;
        self.push(Node::Class(meaning, module, name));
        Ok(())
    }

    /// Pushes a description of the object that a call would return.
    fn reduce(&mut self, function: Handle, arguments: Handle) -> Result<(), String> {
        let (mut function, mut arguments) = (function, arguments);
        // A tensor with attributes names another function. PyTorch never nests three of these.
        for _ in 0..3 {
            let &Node::Class(meaning, ..) = self.heap.get(function) else {
                self.push(Node::Object(function, Vec::new()));
                return Ok(());
            };
            let given = match self.heap.get(arguments) {
                Node::Tuple(given) => given.as_slice(),
                _ => &[],
            };
            let node = match (meaning, given) {
                (Meaning::Dict, given) => {
                    let entries = self.pairs_of_list(given);
                    // A pickle may pass the same list many times.
                    self.copied += entries.len();
                    if self.copied > budget::PICKLE_STEPS {
                        return Err(damaged());
                    }
                    Node::Dict(entries)
                }
                (Meaning::Tensor, _) => Node::Tensor(arguments),
                (Meaning::UnreadableTensor(why), _) => Node::UnreadableTensor(why),
                (Meaning::Parameter | Meaning::Size, [first, ..]) => {
                    self.stack.push(*first);
                    return Ok(());
                }
                (Meaning::FromType, [inner, _, given, ..]) => {
                    (function, arguments) = (*inner, *given);
                    continue;
                }
                (Meaning::Reconstructor, [class, ..]) => Node::Object(*class, Vec::new()),
                _ => Node::Object(function, Vec::new()),
            };
            self.push(node);
            return Ok(());
        }
        Err(damaged())
    }

    /// Returns the pairs of `OrderedDict([[key, value], …])`, which Python 2 wrote.
    fn pairs_of_list(&self, given: &[Handle]) -> Vec<(Handle, Handle)> {
        let Some(Node::List(items)) = given.first().map(|given| self.heap.get(*given)) else { return Vec::new() };
        let pair = |item: &Handle| match self.heap.get(*item) {
            Node::List(pair) | Node::Tuple(pair) if pair.len() == 2 => Some((pair[0], pair[1])),
            _ => None,
        };
        items.iter().filter_map(pair).collect()
    }

    /// Reads the state of an object. The state of dictionaries (`_metadata`) holds no tensors. The state of other objects shows whether
    /// they are modules.
    fn build(&mut self, state: Handle) -> Result<(), String> {
        let built = self.top()?;
        let &Node::Object(class, _) = self.heap.get(built) else { return Ok(()) };
        let Node::Dict(state) = self.heap.get(state) else { return Ok(()) };
        // The state of a module begins with these keys.
        let is_module = state.iter().take(16).any(|(key, _)| {
            matches!(self.heap.get(*key), Node::Text(key) if matches!(self.heap.span(*key), b"_parameters" | b"_modules"))
        });
        if is_module {
            self.heap.nodes[built.0 as usize] = Node::Module(class);
        }
        Ok(())
    }

    /// Reads ("storage", …), or ("module", class, …) for a whole module in a file from before PyTorch 1.6.
    fn persistent(&mut self, id: Handle) -> Result<(), String> {
        let Node::Tuple(parts) = self.heap.get(id) else { return Err(damaged()) };
        let tag = parts.first().and_then(|tag| self.heap.text(*tag, budget::NAME_BYTES)).ok_or_else(damaged)?;
        match (tag.as_str(), parts.as_slice()) {
            ("module", [_, class, ..]) => self.stack.push(*class),
            ("storage", parts) => {
                let storage = self.heap.storage(parts)?;
                let next = self.heap.storages.len() as u32;
                let index = *self.storages.entry(storage.key.clone()).or_insert(next);
                match self.heap.storages.get(index as usize) {
                    None if index as u64 >= budget::ENTRIES => {
                        return Err(format!("it refers to more than {} storages, which is the limit", budget::ENTRIES));
                    }
                    None => self.heap.storages.push(storage),
                    Some(existing) if *existing != storage => {
                        return Err(format!(
                            "it describes storage `{}` twice, differently: the file is damaged",
                            storage.key
                        ));
                    }
                    Some(_) => {}
                }
                self.push(Node::Storage(index));
            }
            _ => return Err(damaged()),
        }
        Ok(())
    }

    fn append(&mut self, items: &[Handle]) -> Result<(), String> {
        let list = self.top()?;
        match &mut self.heap.nodes[list.0 as usize] {
            Node::List(list) => list.extend(items),
            Node::Object(..) => {}
            _ => return Err(damaged()),
        }
        Ok(())
    }

    fn set_items(&mut self, items: &[Handle]) -> Result<(), String> {
        let (dictionary, items) = (self.top()?, pairs(items)?);
        match &mut self.heap.nodes[dictionary.0 as usize] {
            Node::Dict(entries) | Node::Object(_, entries) => entries.extend(items),
            _ => return Err(damaged()),
        }
        Ok(())
    }
}

fn pairs(items: &[Handle]) -> Result<Vec<(Handle, Handle)>, String> {
    let (pairs, []) = items.as_chunks() else { return Err(damaged()) };
    Ok(pairs.iter().map(|[key, value]| (*key, *value)).collect())
}

fn damaged() -> String {
    "its pickle is damaged, truncated, or not written by torch.save".to_owned()
}
