//! Launches, collected and then submitted together. A convolution that cuDNN computes is one of them.
//!
//! A training step makes the same launches again and again: the same kernels, grids, addresses and constants. What differs from step to
//! step lies in memory of the device ([`Numbers`]). When the same list is submitted a second time it is recorded as a graph, which later
//! submissions start with one call.

use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::cudnn::Convolution;
use super::driver::{Event, Function, Graph, Pinned, Stream, allocate};
use crate::tensor::OpResult;

/// Fewest launches that a graph is worth its recording for.
const WORTHWHILE: usize = 8;
/// Most lists that are remembered.
const REMEMBERED: usize = 48;

/// What a launch starts.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Work {
    /// A kernel with so many blocks of so many threads.
    Kernel { function: Function, grid: [u32; 3], block: u32 },
    /// A convolution by cuDNN, on the stream that it was opened with: that of all launches.
    Convolution(Convolution),
}

/// A launch with its arguments.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Launch {
    work: Work,
    /// End of its arguments.
    arguments_end: usize,
}

/// A list of launches and the words of their arguments.
#[derive(Clone, PartialEq, Eq, Hash, Default)]
struct Launches {
    launches: Vec<Launch>,
    arguments: Vec<u64>,
}

impl Launches {
    fn start(&mut self, stream: Stream) -> OpResult<()> {
        let mut from = 0;
        for launch in &self.launches {
            let arguments = &mut self.arguments[from..launch.arguments_end];
            match launch.work {
                Work::Kernel { function, grid, block } => function.launch(grid, block, arguments, stream)?,
                Work::Convolution(convolution) => convolution.start(arguments)?,
            }
            from = launch.arguments_end;
        }
        Ok(())
    }

    fn digest(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.hash(&mut hasher);
        hasher.finish()
    }
}

/// A list that was submitted before.
struct Known {
    digest: u64,
    launches: Launches,
    /// `None` after the first submission.
    graph: Option<Graph>,
}

/// The launches that are not yet submitted, and those that were.
pub(super) struct Queue {
    waiting: Launches,
    known: VecDeque<Known>,
    graphs: bool,
}

impl Queue {
    /// Without `graphs`, every launch is started by a call of its own.
    pub(super) fn new(graphs: bool) -> Self {
        Self { waiting: Launches::default(), known: VecDeque::new(), graphs }
    }

    pub(super) fn push(&mut self, work: Work, arguments: &[u64]) {
        self.waiting.arguments.extend_from_slice(arguments);
        let arguments_end = self.waiting.arguments.len();
        self.waiting.launches.push(Launch { work, arguments_end });
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.launches.is_empty()
    }

    /// Starts the waiting launches.
    pub(super) fn submit(&mut self, stream: Stream) -> OpResult<()> {
        if !self.graphs || self.waiting.launches.len() < WORTHWHILE {
            return self.start_waiting(stream);
        }
        let digest = self.waiting.digest();
        let place = self.known.iter().position(|known| known.digest == digest && known.launches == self.waiting);
        let mut known = place.and_then(|place| self.known.remove(place));
        match &mut known {
            // cuDNN may load kernels at the first call of a convolution, which must not happen while launches are recorded.
            None => {
                let launches = self.waiting.clone();
                self.start_waiting(stream)?;
                known = Some(Known { digest, launches, graph: None });
            }
            Some(known) => {
                let graph = match known.graph.take() {
                    Some(graph) => graph,
                    None => Graph::of(stream, || known.launches.start(stream))?,
                };
                graph.launch(stream)?;
                known.graph = Some(graph);
                self.clear_waiting();
            }
        }
        self.known.extend(known);
        if self.known.len() > REMEMBERED {
            // The list that was not submitted for the longest time. Its graph may still run: the driver waits for it.
            self.known.pop_front();
        }
        Ok(())
    }

    fn start_waiting(&mut self, stream: Stream) -> OpResult<()> {
        let started = self.waiting.start(stream);
        self.clear_waiting();
        started
    }

    fn clear_waiting(&mut self) {
        self.waiting.launches.clear();
        self.waiting.arguments.clear();
    }

    /// Forgets all lists and graphs.
    pub(super) fn forget(&mut self) {
        self.known.clear();
    }
}

/// Bytes that a submission may take from the host.
const PAGE: usize = 1 << 20;
/// Pages of the host: so many submissions may wait for the device.
const PAGES: usize = 4;

/// Small values that differ from submission to submission: indices, rates, weights. The device has them at the same addresses each time.
pub(super) struct Numbers {
    on_device: u64,
    pages: Vec<(Pinned, Event)>,
    current: usize,
    used: usize,
}

impl Numbers {
    pub(super) fn new() -> OpResult<Self> {
        let page = |_| Ok((Pinned::new(PAGE)?, Event::new()?));
        Ok(Self {
            on_device: allocate(PAGE)?,
            pages: (0..PAGES).map(page).collect::<OpResult<_>>()?,
            current: 0,
            used: 0,
        })
    }

    /// Returns whether so many bytes fit into this submission.
    pub(super) fn has_room(&self, bytes: usize) -> bool {
        self.used + bytes.next_multiple_of(16) <= PAGE
    }

    /// Writes bytes and returns their address on the device.
    pub(super) fn write(&mut self, bytes: &[u8]) -> u64 {
        assert!(self.has_room(bytes.len()), "callers submit a full page first");
        let at = self.used;
        self.pages[self.current].0.bytes_mut()[at..][..bytes.len()].copy_from_slice(bytes);
        // The device reads vectors of 16 bytes.
        self.used += bytes.len().next_multiple_of(16);
        self.on_device + at as u64
    }

    /// Copies the page before the launches that read it. Waits for the page that is written next.
    pub(super) fn submit(&mut self, stream: Stream) -> OpResult<()> {
        if self.used == 0 {
            return Ok(());
        }
        let (page, copied) = &self.pages[self.current];
        page.start_upload(self.used, self.on_device, stream)?;
        copied.record(stream)?;
        self.current = (self.current + 1) % PAGES;
        self.used = 0;
        self.pages[self.current].1.synchronise()
    }
}
