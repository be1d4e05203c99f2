//! Limits the number of pixels that are decoded at once, for any number of threads.

use std::sync::{Condvar, Mutex, PoisonError};

/// Pixels that are decoded at the same time: about 200 MB as RGB. A larger image is decoded alone.
const AT_ONCE: u64 = 64 << 20;

static BUDGET: PixelBudget = PixelBudget { reserved: Mutex::new(0), released: Condvar::new() };

#[derive(Debug)]
struct PixelBudget {
    reserved: Mutex<u64>,
    released: Condvar,
}

/// A reserved part of the budget, released when it is dropped.
///
/// A holder must not wait for other threads of the pool, because they may wait for the budget.
#[derive(Debug)]
pub(crate) struct PixelReservation(u64);

/// Waits until the budget allows an image with this many pixels, and reserves them.
pub(crate) fn reserve_pixels(pixels: u64) -> PixelReservation {
    let pixels = pixels.min(AT_ONCE);
    let reserved = BUDGET.reserved.lock().unwrap_or_else(PoisonError::into_inner);
    let mut reserved = BUDGET
        .released
        .wait_while(reserved, |reserved| *reserved + pixels > AT_ONCE)
        .unwrap_or_else(PoisonError::into_inner);
    *reserved += pixels;
    PixelReservation(pixels)
}

impl Drop for PixelReservation {
    fn drop(&mut self) {
        *BUDGET.reserved.lock().unwrap_or_else(PoisonError::into_inner) -= self.0;
        BUDGET.released.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    #[test]
    fn pixels_decoded_at_once_stay_within_the_budget() {
        let (now, peak) = (AtomicU64::new(0), AtomicU64::new(0));
        std::thread::scope(|scope| {
            for thread in 0..8 {
                let (now, peak) = (&now, &peak);
                scope.spawn(move || {
                    for step in 0..50 {
                        // Some images are larger than the whole budget.
                        let pixels = AT_ONCE / 4 * ((thread + step) % 6 + 1);
                        let _reserved = reserve_pixels(pixels);
                        let counted = pixels.min(AT_ONCE);
                        peak.fetch_max(now.fetch_add(counted, Ordering::SeqCst) + counted, Ordering::SeqCst);
                        std::thread::yield_now();
                        now.fetch_sub(counted, Ordering::SeqCst);
                    }
                });
            }
        });
        assert!(peak.into_inner() <= AT_ONCE);
    }
}
