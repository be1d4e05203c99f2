//! The element of dfdx's tensors: a name instead of a value.

use dfdx::shapes::{SafeZeros, Unit};

/// Names the gradient of a tensor among the buffers of a backward pass ([`super::tape`]).
///
/// dfdx keeps identities, tapes and gradients of tensors with this element. It has no arithmetic for it: code that would compute with
/// dfdx instead of a backend does not compile.
#[derive(Debug, Clone, Copy, Default, PartialEq, PartialOrd)]
pub struct Slot(u32);

impl SafeZeros for Slot {}

impl Unit for Slot {
    /// What dfdx seeds the gradient of a loss with.
    const ONE: Self = Self(u32::MAX);
}

/// What a slot stands for.
pub(super) enum Named {
    /// No gradient has reached the tensor.
    Nothing,
    /// The gradient of the loss with respect to itself, which is 1.
    One,
    /// The buffer of this index.
    Buffer(usize),
}

impl Slot {
    pub(super) fn of(index: usize) -> Self {
        let index = u32::try_from(index).ok().filter(|&index| index < u32::MAX - 1);
        Self(index.expect("fewer gradients than names") + 1)
    }

    pub(super) fn named(self) -> Named {
        match self {
            Self(0) => Named::Nothing,
            Self::ONE => Named::One,
            Self(name) => Named::Buffer(name as usize - 1),
        }
    }
}
