//! Mutated weight files cause no panic and use no more memory than a stated bound. `just fuzz-weights SECONDS` runs longer.

use std::alloc::{GlobalAlloc, Layout, System};
use std::io::{Cursor, Read, Write};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use didact::model::weights::WeightFile;
use didact::model::{LevelSet, load_teacher};
use didact::tensor::Native;

/// Allocator that counts the bytes in use and their maximum.
struct CountingAllocator;

static USED: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

// SAFETY: the system's allocator does the work. This type only counts sizes.
unsafe impl GlobalAlloc for CountingAllocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let used = USED.fetch_add(layout.size(), Ordering::Relaxed) + layout.size();
        PEAK.fetch_max(used, Ordering::Relaxed);
        // SAFETY: the caller guarantees what the system's allocator requires.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        USED.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller guarantees what the system's allocator requires.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

/// Bytes that the reader may use for a file of 40 kB. A pickle's memo has at most 2^21 slots of eight bytes and grows by copying.
const MAX_BYTES: usize = 64 << 20;

const SEEDS: [&[u8]; 8] = [
    include_bytes!("golden/weights/plain.pth"),
    include_bytes!("golden/weights/legacy.pth"),
    include_bytes!("golden/weights/protocol3.pth"),
    include_bytes!("golden/weights/protocol4.pth"),
    include_bytes!("golden/weights/protocol5.pth"),
    include_bytes!("golden/weights/tutorial.pth"),
    include_bytes!("golden/weights/half.safetensors"),
    include_bytes!("golden/weights/double.safetensors"),
];

/// Reproducible random numbers (SplitMix64).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end.max(1) as u64) as usize
    }
}

/// Makes one to eight changes: truncates, removes or copies a piece, writes an extreme number or a pickle operation, or flips a bit.
fn mutate(bytes: &mut Vec<u8>, random: &mut Random) {
    for _ in 0..=random.below(8) {
        let at = random.below(bytes.len());
        let length = random.below(64).min(bytes.len() - at);
        match random.below(7) {
            0 => bytes.truncate(at),
            1 => drop(bytes.drain(at..at + length)),
            2 => {
                let piece = bytes[at..at + length].to_vec();
                let to = random.below(bytes.len());
                bytes.splice(to..to, piece);
            }
            3 => {
                let extreme = [0, 1, 0x7f, 0x80, 0xff, 0x7fff_ffff, 0xffff_ffff, u64::MAX >> 1, u64::MAX];
                let number = extreme[random.below(extreme.len())].to_le_bytes();
                let width = [1, 2, 4, 8][random.below(4)].min(bytes.len() - at);
                bytes[at..at + width].copy_from_slice(&number[..width]);
            }
            4 => {
                const OPERATIONS: &[u8] = b"(.012FNIJKLMRQSTUVXabcdeghijlopqrstu)}]G\x80\x81\x85\x86\x87\x8a\x8b\x8c\x8d\x8e\x8f\x90\x91\x92\x93\x94\x95\x96";
                if at < bytes.len() {
                    bytes[at] = OPERATIONS[random.below(OPERATIONS.len())];
                }
            }
            _ if at < bytes.len() => bytes[at] ^= 1 << random.below(8),
            _ => {}
        }
        if bytes.is_empty() {
            return;
        }
    }
}

/// Returns an archive with a mutated pickle and correct checksums, so that the mutation reaches the reader of pickles.
fn with_mutated_pickle(archive: &[u8], random: &mut Random) -> Option<Vec<u8>> {
    let mut archive = zip::ZipArchive::new(Cursor::new(archive)).ok()?;
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index).ok()?;
        let name = entry.name().to_owned();
        let mut contents = Vec::new();
        entry.read_to_end(&mut contents).ok()?;
        if name.ends_with("data.pkl") {
            mutate(&mut contents, random);
        }
        writer.start_file(name, options).ok()?;
        writer.write_all(&contents).ok()?;
    }
    Some(writer.finish().ok()?.into_inner())
}

#[test]
#[expect(clippy::print_stdout, reason = "the numbers of a long run")]
fn mutated_files_neither_panic_nor_exceed_their_memory_bound() {
    let seconds = std::env::var("DIDACT_FUZZ_SECONDS").ok().and_then(|seconds| seconds.parse().ok());
    let end = seconds.map(|seconds| Instant::now() + Duration::from_secs(seconds));
    let mut random = Random(15);
    let (mut files, mut read, mut highest) = (0_u64, 0_u64, 0);
    while end.map_or(files < 3000, |end| Instant::now() < end) {
        let seed = SEEDS[random.below(SEEDS.len())];
        let repacked =
            if files % 2 == 0 && seed.starts_with(b"PK") { with_mutated_pickle(seed, &mut random) } else { None };
        let file = repacked.unwrap_or_else(|| {
            let mut bytes = seed.to_vec();
            mutate(&mut bytes, &mut random);
            bytes
        });
        let before = USED.load(Ordering::Relaxed);
        PEAK.store(before, Ordering::Relaxed);
        if let Ok(weights) = WeightFile::read("mutated", Cursor::new(&file)) {
            read += u64::from(load_teacher::<Native>(&weights, LevelSet::ALL).is_ok());
        }
        let peak = PEAK.load(Ordering::Relaxed).saturating_sub(before);
        assert!(peak <= MAX_BYTES, "file {files} uses {peak} bytes, at most {MAX_BYTES} are allowed");
        (files, highest) = (files + 1, highest.max(peak));
    }
    assert!(read > 0 && read < files, "{read} of {files} mutated files were weights");
    println!("{files} mutated files, {read} of them read; at most {highest} bytes in use");
}
