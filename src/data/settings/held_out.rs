//! Choice of the normal images that are held out.

use serde::{Deserialize, Serialize};

use super::repeated::repeated;
use crate::data::Layout;
use crate::settings::{DefaultValue, Field, Value, ValueKind};

/// The normal images that select the epoch and set the threshold.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HeldOutChoice {
    /// The data set's own validation images; a fifth of the training images if it has none.
    #[default]
    OwnOrFifth,
    /// This share of the training images; the data set's validation images are left out.
    Share(f64),
    /// These training images, as paths below the root; the data set's validation images are left out.
    Images(Vec<String>),
}

/// Describes valid values of `data.held_out`.
const EXPECTED: &str = "expected a share of the normals such as 0.3, or a list of paths below data.root such as \
                        [\"bottle/train/good/003.png\"]";

impl HeldOutChoice {
    /// Reads a share or a list of images.
    pub(super) fn read(field: Field<'_>, layout: Option<Layout>) -> Self {
        let shares = 0.01..=0.9;
        let kind = || {
            let share = ValueKind::Number { min: *shares.start(), max: *shares.end() };
            ValueKind::Either(vec![share, ValueKind::List(Box::new(ValueKind::Text))])
        };
        let default = "the data set's validation images, or a fifth of the normals if it has none";
        field.describe(kind, DefaultValue::Described(default));
        match field.given() {
            None => Self::OwnOrFifth,
            Some(Value::Text(text)) => {
                let help = format!("{EXPECTED}; by default, the data set's own validation images are held out");
                field.refuse(format!("`data.held_out` is the text \"{text}\""), help);
                Self::OwnOrFifth
            }
            Some(Value::List(_)) => Self::listed(field, layout),
            Some(_) => field.optional_number(shares.clone()).map_or(Self::OwnOrFifth, Self::Share),
        }
    }

    fn listed(field: Field<'_>, layout: Option<Layout>) -> Self {
        let mut images = field.texts().unwrap_or_default();
        if images.is_empty() {
            field.refuse("`data.held_out` is empty", EXPECTED);
            return Self::OwnOrFifth;
        }
        for (index, image) in repeated(&images) {
            field.refuse_item(index, format!("the image \"{image}\" is listed twice"), "list each image once");
        }
        if layout == Some(Layout::Table) {
            let help = "write \"validation\" into the column `split` of these images";
            field.refuse("`data.held_out` lists images, but the layout is \"table\"", help);
        }
        images.sort_unstable();
        Self::Images(images)
    }
}
