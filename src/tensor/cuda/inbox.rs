//! Large values on their way to the device. They are copied while the device works on earlier steps.
//!
//! A block is free again two submissions after its buffer was dropped: the copy into it then waits for work that is done, and not for the
//! step that runs.

use super::driver::{Event, Pinned, Stream, allocate, free};
use crate::tensor::OpResult;

/// Submissions whose ends are remembered.
const ENDS: usize = 8;
/// Submissions after which a block is used again.
const REST: u64 = 2;

/// Memory of the device, with memory of the host of the same size.
struct Block {
    address: u64,
    staging: Pinned,
    bytes: usize,
    /// Number of submissions when its buffer was dropped. `None` while there is a buffer.
    freed: Option<u64>,
    /// When the last copy is done.
    copied: Event,
}

pub(super) struct Inbox {
    copies: Stream,
    blocks: Vec<Block>,
    /// Ends of the last submissions.
    ends: Vec<Event>,
    submissions: u64,
    /// Whether there were copies since the last submission.
    pending: bool,
    last_copy: Event,
}

impl Inbox {
    pub(super) fn new() -> OpResult<Self> {
        Ok(Self {
            copies: Stream::new()?,
            blocks: Vec::new(),
            ends: (0..ENDS).map(|_| Event::new()).collect::<OpResult<_>>()?,
            submissions: 0,
            pending: false,
            last_copy: Event::new()?,
        })
    }

    /// Copies bytes and returns their address. The next submission waits for the copy.
    pub(super) fn put(&mut self, bytes: &[u8]) -> OpResult<u64> {
        let now = self.submissions;
        let rested = |block: &&mut Block| block.freed.is_some_and(|freed| freed + REST <= now);
        let fitting = |block: &&mut Block| block.bytes >= bytes.len() && block.bytes <= 2 * bytes.len();
        let best = self.blocks.iter_mut().filter(|block| rested(block) && fitting(block));
        // The block that rested longest.
        let place = match best.min_by_key(|block| block.freed).map(|block| block.address) {
            Some(address) => self.blocks.iter().position(|block| block.address == address).expect("found above"),
            None => {
                let length = bytes.len().max(256).next_multiple_of(256);
                let staging = Pinned::new(length)?;
                self.blocks.push(Block {
                    address: allocate(length)?,
                    staging,
                    bytes: length,
                    freed: None,
                    copied: Event::new()?,
                });
                self.blocks.len() - 1
            }
        };
        let block = &mut self.blocks[place];
        if let Some(freed) = block.freed.take() {
            // A later end implies the earlier ones.
            let end = freed.max((now + 1).saturating_sub(ENDS as u64));
            self.copies.wait(&self.ends[end as usize % ENDS])?;
        }
        // The host must not overwrite what an earlier copy still reads.
        block.copied.synchronise()?;
        block.staging.bytes_mut()[..bytes.len()].copy_from_slice(bytes);
        block.staging.start_upload(bytes.len(), block.address, self.copies)?;
        block.copied.record(self.copies)?;
        self.pending = true;
        Ok(block.address)
    }

    /// Returns whether the address is a block of the inbox, which is then free.
    pub(super) fn give_back(&mut self, address: u64) -> bool {
        let now = self.submissions;
        let block = self.blocks.iter_mut().find(|block| block.address == address);
        // What is queued now may read the block. The submission after it ends with the number `now + 1`.
        block.map(|block| block.freed = Some(now + 1)).is_some()
    }

    /// Makes the submission wait for the copies.
    pub(super) fn before_submission(&mut self, stream: Stream) -> OpResult<()> {
        if std::mem::take(&mut self.pending) {
            self.last_copy.record(self.copies)?;
            stream.wait(&self.last_copy)?;
        }
        Ok(())
    }

    /// Notes the end of a submission.
    pub(super) fn after_submission(&mut self, stream: Stream) -> OpResult<()> {
        self.submissions += 1;
        self.ends[self.submissions as usize % ENDS].record(stream)
    }

    /// Returns the bytes in use.
    pub(super) fn in_use(&self) -> usize {
        self.blocks.iter().filter(|block| block.freed.is_none()).map(|block| block.bytes).sum()
    }

    /// Frees the blocks without a buffer. No work of the device may be left.
    pub(super) fn trim(&mut self) -> OpResult<()> {
        let (kept, unused) = std::mem::take(&mut self.blocks).into_iter().partition(|block| block.freed.is_none());
        self.blocks = kept;
        unused.iter().try_for_each(|block: &Block| free(block.address))
    }
}
