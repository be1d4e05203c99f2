//! The room `schedule`.
