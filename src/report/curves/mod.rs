//! Curves that show how well scores separate: receiver operating characteristics, overlap with the defects, precision and recall. Also the
//! scores themselves, with the threshold, which is set without them.

mod average;
mod figures;
mod rates;
mod runs;
mod scores;
mod subject;

pub(super) use figures::KIND;
