//! Live views of a sweep. They read the store and never write to it.

mod current;
mod progress;
#[cfg(feature = "live")]
mod reopening;
mod sentences;
mod standings;
mod time_left;
#[cfg(feature = "live")]
mod watch;
#[cfg(feature = "live")]
mod web;

pub use current::current_status;
pub use progress::{FailedStageProgress, Progress, RunTotals, StageProgress, WorkerProgress, progress};
pub(crate) use sentences::{failure_line, gone_stages_line, headline, search_line, tuned_lines};
pub use standings::{Standing, Standings};
pub use time_left::TimeLeft;
#[cfg(feature = "live")]
pub use watch::{Source, WatchError, watch};
#[cfg(feature = "live")]
pub use web::{ServeError, ServeOptions, serve};
