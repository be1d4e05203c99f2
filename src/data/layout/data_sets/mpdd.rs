//! MPDD: arranged as MVTec AD. Its published categories tell the two apart.

use super::mvtec;
use crate::data::layout::description::Description;

pub(super) const DESCRIPTION: Description = Description::of(&[&mvtec::ARRANGEMENT], mvtec::EXPECTED);
