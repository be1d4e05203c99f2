//! How well scores separate: receiver operating characteristics, overlap with the defects, precision and recall; and the scores
//! themselves, with the threshold that was set without them.

mod average;
mod figures;
mod rates;
mod runs;
mod scores;
mod subject;

pub(super) use figures::KIND;
