//! The sweep file: raw with spans, then checked, then resolved into [`crate::plan::Sweep`].
