//! A selection of a ResNet's feature levels.

use serde::{Deserialize, Serialize};

use crate::settings::{DefaultValue, Field, Value, ValueKind};

/// A selection of the levels 1 (finest) to 3, written `[1, 2, 3]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "Vec<usize>", try_from = "Vec<usize>")]
pub struct LevelSet([bool; 3]);

impl std::fmt::Display for LevelSet {
    /// Writes the numbers of the levels, such as `1+3`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let numbers: Vec<String> = self.numbers().map(|number| number.to_string()).collect();
        f.write_str(&numbers.join("+"))
    }
}

impl LevelSet {
    /// All three levels.
    pub const ALL: Self = Self([true; 3]);

    /// Returns the levels with these numbers. `None` if a number is not a level, occurs twice, or no number is given.
    pub fn of(numbers: &[usize]) -> Option<Self> {
        let mut chosen = [false; 3];
        for &number in numbers {
            let level = number.checked_sub(1).and_then(|index| chosen.get_mut(index)).filter(|level| !**level)?;
            *level = true;
        }
        (!numbers.is_empty()).then_some(Self(chosen))
    }

    /// Returns the numbers of the levels, finest first.
    pub fn numbers(self) -> impl Iterator<Item = usize> {
        (1..=3).filter(move |&number| self.contains(number))
    }

    /// Returns whether a level (from 1) is selected.
    pub fn contains(self, number: usize) -> bool {
        number.checked_sub(1).and_then(|index| self.0.get(index)).is_some_and(|chosen| *chosen)
    }

    /// Returns the number of levels.
    pub fn count(self) -> usize {
        self.numbers().count()
    }

    /// Returns the number of the coarsest level.
    pub fn coarsest(self) -> usize {
        self.numbers().last().unwrap_or(3)
    }

    /// Returns the number of the finest level.
    pub fn finest(self) -> usize {
        self.numbers().next().unwrap_or(1)
    }

    /// Reads a list of levels. `None` if it is missing or wrong.
    pub(super) fn read(field: Field<'_>) -> Option<Self> {
        const EXPECTED: &str = "expected a list of levels such as [2, 3]: some of 1 (finest), 2, 3, each once";
        let kind = || ValueKind::List(Box::new(ValueKind::Integer { min: 1, max: 3 }));
        let node = field.node(kind, DefaultValue::Value(serde_json::json!(Self::ALL)))?;
        let Value::List(items) = &node.value else {
            field.refuse(format!("`{}` is {}", field.name(), node.value.describe()), EXPECTED);
            return None;
        };
        let numbers = items.iter().map(|item| match item.value {
            Value::Integer(number) => usize::try_from(number).ok(),
            _ => None,
        });
        let levels = numbers.collect::<Option<Vec<usize>>>().and_then(|numbers| Self::of(&numbers));
        if levels.is_none() {
            field.refuse(format!("`{}` is no choice of levels", field.name()), EXPECTED);
        }
        levels
    }

    /// Reads levels that must be among the compared ones. A list of all compared levels becomes [`LevelSet::ALL`], so that equal
    /// trainings compare as equal.
    pub(super) fn read_some_of(field: Field<'_>, compared: Self) -> Self {
        field.describe(
            || ValueKind::List(Box::new(ValueKind::Integer { min: 1, max: 3 })),
            DefaultValue::Described("all of `teacher.levels`"),
        );
        let Some(wanted) = Self::read(field) else { return Self::ALL };
        let absent = wanted.numbers().find(|&level| !compared.contains(level)).filter(|_| !field.is_refused());
        if let Some(absent) = absent {
            let numbers: Vec<String> = compared.numbers().map(|level| level.to_string()).collect();
            let message = format!("`{}` names level {absent}, which is not compared", field.name());
            field.refuse(message, format!("expected some of `teacher.levels`: {}", numbers.join(", ")));
        }
        if wanted == compared { Self::ALL } else { wanted }
    }
}

impl Default for LevelSet {
    fn default() -> Self {
        Self::ALL
    }
}

impl From<LevelSet> for Vec<usize> {
    fn from(levels: LevelSet) -> Self {
        levels.numbers().collect()
    }
}

impl TryFrom<Vec<usize>> for LevelSet {
    type Error = String;

    fn try_from(numbers: Vec<usize>) -> Result<Self, String> {
        Self::of(&numbers).ok_or_else(|| format!("{numbers:?} are no levels: expected some of 1, 2, 3, each once"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_choice_is_written_as_its_numbers() {
        let two = LevelSet::of(&[3, 2]).expect("levels");
        assert_eq!(serde_json::to_string(&two).expect("JSON"), "[2,3]");
        assert_eq!(serde_json::from_str::<LevelSet>("[2,3]").expect("levels"), two);
        assert_eq!((two.finest(), two.coarsest(), two.count()), (2, 3, 2));
        for wrong in [&[][..], &[0], &[4], &[1, 1]] {
            assert_eq!(LevelSet::of(wrong), None);
        }
    }
}
