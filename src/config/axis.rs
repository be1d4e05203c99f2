//! Axes of the search space, their values and their conditions.

/// The values of an axis.
#[derive(Debug, Clone, PartialEq)]
pub enum Domain {
    /// One of this many listed values.
    Choices(usize),
    /// A number between two bounds.
    Uniform {
        /// Lower bound, included.
        low: f64,
        /// Upper bound, included if a step reaches it.
        high: f64,
        /// Restricts the values to `low`, `low + step`, `low + 2·step`, …
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
        /// Restricts the values to `low`, `low + step`, `low + 2·step`, …
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

/// One searched setting.
#[derive(Debug, Clone, PartialEq)]
pub struct Axis {
    /// Dotted name of the setting.
    pub name: String,
    /// Values of the setting.
    pub domain: Domain,
    /// Conditions on earlier axes. Unless all hold, the axis is left out of a point.
    pub when: Vec<Condition>,
}

/// Condition that an earlier axis is active and has one of several values.
#[derive(Debug, Clone, PartialEq)]
pub struct Condition {
    /// Index of the earlier axis.
    pub axis: usize,
    /// Values that fulfil the condition.
    pub values: Vec<Coordinate>,
}

/// Value of one axis in a point.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Coordinate {
    /// Index of a listed value.
    Choice(usize),
    /// A real number.
    Number(f64),
    /// A whole number.
    Integer(i64),
}

/// One coordinate per axis; `None` for an axis whose conditions do not hold.
pub type Point = Vec<Option<Coordinate>>;

impl Axis {
    /// Returns whether the conditions hold for the coordinates of the earlier axes.
    pub fn active(&self, earlier: &[Option<Coordinate>]) -> bool {
        self.when.iter().all(|condition| {
            earlier.get(condition.axis).copied().flatten().is_some_and(|value| condition.values.contains(&value))
        })
    }
}

/// Builds a point axis by axis. `draw` returns the coordinate of an active axis by its index.
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

    pub(crate) fn axis_when(name: &str, domain: Domain, axis: usize, values: &[Coordinate]) -> Axis {
        Axis { name: name.to_owned(), domain, when: vec![Condition { axis, values: values.to_vec() }] }
    }

    #[test]
    fn an_axis_that_depends_on_an_inactive_axis_is_inactive() {
        let axes = [
            axis("a", Domain::Choices(2)),
            axis_when("b", Domain::Choices(2), 0, &[Coordinate::Choice(1)]),
            axis_when("c", Domain::Choices(2), 1, &[Coordinate::Choice(0), Coordinate::Choice(1)]),
        ];
        assert_eq!(assemble(&axes, |_| Coordinate::Choice(0)), [Some(Coordinate::Choice(0)), None, None]);
        assert_eq!(assemble(&axes, |_| Coordinate::Choice(1)), [Some(Coordinate::Choice(1)); 3]);
    }
}
