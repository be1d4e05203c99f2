//! Long training needs no more memory than short training.

use crate::common::{TINY, Workplace};

/// Returns the peak memory of the worker that trained for this many epochs of four steps, bytes.
fn peak(epochs: &str) -> i64 {
    let place = Workplace::new();
    let file = TINY.replace("image_size = 32", "image_size = 64").replace(
        "synthetic = { side = 32, train = 10, test_good = 3,",
        "synthetic = { side = 64, train = 20, test_good = 3,",
    );
    assert_ne!(file, TINY);
    place.write("tiny.toml", &file);
    place.succeed(&["sweep", "tiny.toml", "--no-report", "--jobs", "1", "--set", epochs]);
    place.query("SELECT MAX(peak_rss_bytes) FROM attempt").remove(0).parse().expect("bytes")
}

#[test]
fn steps_leave_no_memory_behind() {
    let (short, long) = (peak("joint.epochs=2"), peak("joint.epochs=80"));
    // Each of the 320 steps reads a batch of 0.2 MB of images, and features.
    assert!(long < short + 50_000_000, "{short} bytes after two epochs, {long} after many");
}
