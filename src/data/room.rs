//! Limits the number of pixels that are decoded at once, for any number of threads.

use std::sync::{Condvar, Mutex, PoisonError};

/// Pixels that are decoded at the same time: about 200 MB as RGB. A larger image is decoded alone.
const AT_ONCE: u64 = 64 << 20;

static ROOM: Room = Room { taken: Mutex::new(0), left: Condvar::new() };

#[derive(Debug)]
struct Room {
    taken: Mutex<u64>,
    left: Condvar,
}

/// A reserved part of the room, released when it is dropped.
///
/// A holder must not wait for other threads of the pool, because they may wait for room.
#[derive(Debug)]
pub(crate) struct Taken(u64);

/// Waits until there is room for an image with this many pixels.
pub(crate) fn room_for(pixels: u64) -> Taken {
    let pixels = pixels.min(AT_ONCE);
    let taken = ROOM.taken.lock().unwrap_or_else(PoisonError::into_inner);
    let mut taken =
        ROOM.left.wait_while(taken, |taken| *taken + pixels > AT_ONCE).unwrap_or_else(PoisonError::into_inner);
    *taken += pixels;
    Taken(pixels)
}

impl Drop for Taken {
    fn drop(&mut self) {
        *ROOM.taken.lock().unwrap_or_else(PoisonError::into_inner) -= self.0;
        ROOM.left.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    #[test]
    fn no_more_is_decoded_at_once_than_there_is_room_for() {
        let (now, most) = (AtomicU64::new(0), AtomicU64::new(0));
        std::thread::scope(|scope| {
            for thread in 0..8 {
                let (now, most) = (&now, &most);
                scope.spawn(move || {
                    for step in 0..50 {
                        // Some images are larger than the whole room.
                        let pixels = AT_ONCE / 4 * ((thread + step) % 6 + 1);
                        let _taken = room_for(pixels);
                        let counted = pixels.min(AT_ONCE);
                        most.fetch_max(now.fetch_add(counted, Ordering::SeqCst) + counted, Ordering::SeqCst);
                        std::thread::yield_now();
                        now.fetch_sub(counted, Ordering::SeqCst);
                    }
                });
            }
        });
        assert!(most.into_inner() <= AT_ONCE);
    }
}
