//! Arrangement of a data set's folders.

use crate::data::Layout;
use crate::settings::{DefaultValue, Field, NamedValue, documented};

impl Layout {
    /// Reads the layout; `None` means that it is recognised from the folders.
    pub(super) fn read(field: Field<'_>) -> Option<Self> {
        let auto = "Recognise the layout by the folders below `data.root`.";
        let values = || {
            let named = documented::<Self>().into_iter().map(|(named, layout)| (named, Some(layout)));
            named.chain([(NamedValue::documented("auto", auto), None)]).collect()
        };
        let help =
            "set layout = \"mvtec\", \"synthetic\", …, or \"auto\" to recognise it by the folders below data.root";
        // A misspelt layout was probably meant to be one that needs a root.
        field.required(help).one_of(values, DefaultValue::Absent).unwrap_or(Some(Self::Mvtec))
    }
}
