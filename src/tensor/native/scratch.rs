//! Working memory of the kernels, which is kept between calls.

use std::cell::RefCell;

thread_local! {
    /// Unused buffers of this thread, as a stack. While a caller waits for parallel work, its thread may do other work, which takes the
    /// next buffer.
    static BUFFERS: RefCell<Vec<Vec<f32>>> = const { RefCell::new(Vec::new()) };
}

/// Runs `work` on `length` values of this thread's memory. Their contents are unspecified.
pub(super) fn with_scratch<R>(length: usize, work: impl FnOnce(&mut [f32]) -> R) -> R {
    let mut buffer = BUFFERS.with_borrow_mut(Vec::pop).unwrap_or_default();
    if buffer.len() < length {
        buffer.resize(length, 0.0);
    }
    let result = work(&mut buffer[..length]);
    BUFFERS.with_borrow_mut(|buffers| buffers.push(buffer));
    result
}
