//! Memory of the device in slabs. The same sequence of requests gets the same addresses, which graphs of launches depend on.

use std::collections::BTreeMap;

use super::driver;
use crate::tensor::OpResult;

/// Alignment of buffers in bytes.
const ALIGNMENT: usize = 256;
/// Smallest slab in bytes: few allocations even for small networks.
const SLAB: usize = 64 << 20;

/// Free and used parts of the slabs.
pub(super) struct Arena {
    /// Start and length of each slab.
    slabs: BTreeMap<u64, usize>,
    /// Start and length of free parts, none beside another of the same slab.
    free: BTreeMap<u64, usize>,
    /// Start and length of used parts.
    used: BTreeMap<u64, usize>,
    in_use: usize,
    peak: usize,
    /// One slab per buffer: a checker of memory then sees every access outside of a buffer.
    apart: bool,
}

impl Arena {
    /// `apart` puts every buffer into a slab of its own.
    pub(super) fn new(apart: bool) -> Self {
        let maps = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        Self { slabs: maps.0, free: maps.1, used: maps.2, in_use: 0, peak: 0, apart }
    }

    /// Returns the address of `bytes` unused bytes, from the smallest free part that is large enough.
    pub(super) fn take(&mut self, bytes: usize) -> OpResult<u64> {
        let bytes = if self.apart { bytes.max(4) } else { bytes.max(1).next_multiple_of(ALIGNMENT) };
        let fitting = self.free.iter().filter(|(_, length)| **length >= bytes && (!self.apart || **length == bytes));
        let (start, length) = match fitting.min_by_key(|(start, length)| (**length, **start)) {
            Some((&start, &length)) => (start, length),
            None => self.grow(bytes)?,
        };
        self.free.remove(&start);
        if length > bytes {
            self.free.insert(start + bytes as u64, length - bytes);
        }
        self.used.insert(start, bytes);
        self.in_use += bytes;
        self.peak = self.peak.max(self.in_use);
        Ok(start)
    }

    /// Adds a slab and returns it as a free part.
    fn grow(&mut self, bytes: usize) -> OpResult<(u64, usize)> {
        let length = if self.apart { bytes } else { bytes.max(SLAB) };
        // A slab that the device has no room for may still be possible without its spare part.
        let (start, length) = match driver::allocate(length) {
            Ok(start) => (start, length),
            Err(_) if length > bytes => (driver::allocate(bytes)?, bytes),
            Err(error) => return Err(error),
        };
        self.slabs.insert(start, length);
        self.free.insert(start, length);
        Ok((start, length))
    }

    /// Gives a part back and joins it with free neighbours.
    pub(super) fn give_back(&mut self, start: u64) {
        let Some(mut length) = self.used.remove(&start) else { return };
        self.in_use -= length;
        let mut start = start;
        let next = start + length as u64;
        if !self.slabs.contains_key(&next)
            && let Some(more) = self.free.remove(&next)
        {
            length += more;
        }
        let before = self.free.range(..start).next_back().map(|(&before, &more)| (before, more));
        if let Some((before, more)) = before
            && before + more as u64 == start
            && !self.slabs.contains_key(&start)
        {
            self.free.remove(&before);
            start = before;
            length += more;
        }
        self.free.insert(start, length);
    }

    /// Returns the largest number of bytes in use since [`Arena::trim`].
    pub(super) fn peak(&self) -> usize {
        self.peak
    }

    /// Frees the slabs that hold no buffer, and resets the peak.
    pub(super) fn trim(&mut self) -> OpResult<()> {
        self.peak = self.in_use;
        let unused: Vec<u64> =
            self.slabs.iter().filter(|(start, length)| self.free.get(start) == Some(length)).map(|(s, _)| *s).collect();
        unused.into_iter().try_for_each(|start| {
            self.slabs.remove(&start);
            self.free.remove(&start);
            driver::free(start)
        })
    }
}
