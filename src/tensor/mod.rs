//! The room `tensor`.
