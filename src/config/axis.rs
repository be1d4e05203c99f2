//! Axes, their values, and when they count.

/// What one axis can be.
#[derive(Debug, Clone, PartialEq)]
pub enum Domain {
    /// One of so many listed values.
    Choices(usize),
    /// A number between two bounds.
    Uniform {
        /// Lower bound, included.
        low: f64,
        /// Upper bound, included where a step reaches it.
        high: f64,
        /// Only `low`, `low + step`, `low + 2·step`, …
        step: Option<f64>,
    },
    /// A number between two positive bounds, uniform in its logarithm.
    LogUniform {
        /// Lower bound.
        low: f64,
        /// Upper bound.
        high: f64,
    },
    /// A whole number between two bounds, both included.
    Integer {
        /// Lower bound.
        low: i64,
        /// Upper bound.
        high: i64,
        /// Only `low`, `low + step`, `low + 2·step`, …
        step: i64,
    },
    /// A whole number between two positive bounds, both included, uniform in its logarithm.
    LogInteger {
        /// Lower bound.
        low: i64,
        /// Upper bound.
        high: i64,
    },
}

/// A searched setting.
#[derive(Debug, Clone, PartialEq)]
pub struct Axis {
    /// Its dotted name.
    pub name: String,
    /// What it can be.
    pub domain: Domain,
    /// All of these must hold, or the axis is left out of a point. They look at earlier axes only.
    pub when: Vec<Condition>,
}

/// That an earlier axis counts and has one of some values.
#[derive(Debug, Clone, PartialEq)]
pub struct Condition {
    /// Index of the earlier axis.
    pub axis: usize,
    /// Its values that will do.
    pub among: Vec<Coordinate>,
}

/// One axis's place in a point.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Coordinate {
    /// Index of a listed value.
    Choice(usize),
    /// A real number.
    Number(f64),
    /// A whole number.
    Whole(i64),
}

/// A coordinate for each axis; none for an axis whose conditions do not hold.
pub type Point = Vec<Option<Coordinate>>;

impl Axis {
    /// Whether the axis counts, given the coordinates of the axes before it.
    pub fn active(&self, earlier: &[Option<Coordinate>]) -> bool {
        self.when.iter().all(|condition| {
            earlier.get(condition.axis).copied().flatten().is_some_and(|value| condition.among.contains(&value))
        })
    }
}

/// Builds a point axis by axis; `draw` is asked for the axes that count, by their index.
pub(crate) fn assemble(axes: &[Axis], mut draw: impl FnMut(usize) -> Coordinate) -> Point {
    let mut point = Vec::with_capacity(axes.len());
    for (index, axis) in axes.iter().enumerate() {
        let coordinate = axis.active(&point).then(|| draw(index));
        point.push(coordinate);
    }
    point
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn axis(name: &str, domain: Domain) -> Axis {
        Axis { name: name.to_owned(), domain, when: Vec::new() }
    }

    pub(crate) fn axis_when(name: &str, domain: Domain, axis: usize, among: &[Coordinate]) -> Axis {
        Axis { name: name.to_owned(), domain, when: vec![Condition { axis, among: among.to_vec() }] }
    }

    #[test]
    fn an_axis_of_an_axis_that_does_not_count_does_not_count() {
        let axes = [
            axis("a", Domain::Choices(2)),
            axis_when("b", Domain::Choices(2), 0, &[Coordinate::Choice(1)]),
            axis_when("c", Domain::Choices(2), 1, &[Coordinate::Choice(0), Coordinate::Choice(1)]),
        ];
        assert_eq!(assemble(&axes, |_| Coordinate::Choice(0)), [Some(Coordinate::Choice(0)), None, None]);
        assert_eq!(assemble(&axes, |_| Coordinate::Choice(1)), [Some(Coordinate::Choice(1)); 3]);
    }
}
