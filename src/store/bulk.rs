//! Reading many rows. SQLite's thread hands over row by row, and each handover to a waiting reader wakes it: for hundreds of thousands
//! of rows, that takes longer than reading them.

use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use super::database::Pool;
use super::sql::{Read, Sql};
use super::{Store, StoreError};

/// Number of rows that SQLite's thread may read ahead: more than it reads within [`INTERVAL`].
pub(super) const ROW_BUFFER: usize = 4096;

/// Time between two looks at the rows that SQLite's thread has read.
const INTERVAL: Duration = Duration::from_millis(1);

impl Sql {
    /// Returns all rows, of which there may be hundreds of thousands.
    pub(super) async fn many<R: Read>(self, store: &Store) -> Result<Vec<R>, StoreError> {
        match &store.pool {
            Pool::Sqlite(_) => polled(self.all(store)).await,
            #[cfg(feature = "postgres")]
            Pool::Postgres(_) => self.all(store).await,
        }
    }
}

/// Waits for a future by polling it at intervals. Nothing that it waits for wakes this task.
async fn polled<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return output;
        }
        tokio::time::sleep(INTERVAL).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_polled_future_ends_though_nothing_wakes_it() {
        let (send, receive) = tokio::sync::oneshot::channel();
        let sender = tokio::spawn(async move {
            tokio::time::sleep(3 * INTERVAL).await;
            send.send(7)
        });
        assert_eq!(polled(receive).await, Ok(7));
        assert_eq!(sender.await.expect("no panic"), Ok(()));
    }
}
