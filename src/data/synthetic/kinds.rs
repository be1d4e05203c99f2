//! Categories of the drawn set and their defects.

/// A category of the drawn set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::data) enum SyntheticCategory {
    /// A streaked, wood-like texture.
    Grain,
    /// An object: a metal ring on a table.
    Washer,
    /// A woven texture.
    Weave,
}

/// A kind of defect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::data) enum Defect {
    /// A foreign colour.
    Colour,
    /// A round dark inclusion.
    Knot,
    /// A thin line.
    Scratch,
    /// A piece of the rim is missing.
    Chip,
    /// Brown corrosion.
    Rust,
    /// A frayed dark opening.
    Hole,
    /// A darker soaked area.
    Stain,
    /// A run of one thread is missing.
    Thread,
}

impl SyntheticCategory {
    pub(in crate::data) const ALL: [Self; 3] = [Self::Grain, Self::Washer, Self::Weave];

    pub(in crate::data) fn name(self) -> &'static str {
        match self {
            Self::Grain => "grain",
            Self::Washer => "washer",
            Self::Weave => "weave",
        }
    }

    pub(in crate::data) fn defects(self) -> [Defect; 3] {
        match self {
            Self::Grain => [Defect::Colour, Defect::Knot, Defect::Scratch],
            Self::Washer => [Defect::Chip, Defect::Rust, Defect::Scratch],
            Self::Weave => [Defect::Hole, Defect::Stain, Defect::Thread],
        }
    }
}

impl Defect {
    pub(in crate::data) fn name(self) -> &'static str {
        match self {
            Self::Colour => "colour",
            Self::Knot => "knot",
            Self::Scratch => "scratch",
            Self::Chip => "chip",
            Self::Rust => "rust",
            Self::Hole => "hole",
            Self::Stain => "stain",
            Self::Thread => "thread",
        }
    }
}
