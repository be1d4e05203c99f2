//! Arrangement of a data set's folders.

use crate::settings::{Field, NamedValue, Usual, choices, documented};

choices! {
    /// How the folders of a data set are arranged.
    pub enum Layout {
        /// MVTec AD (Bergmann et al. 2019): `train/good`, `test/{good,<defect>}`, `ground_truth/<defect>` below each category.
        Mvtec = "mvtec",
        /// MVTec AD 2: as `mvtec`, with `validation/good`, and `test_public` in place of `test` and `ground_truth`.
        MvtecAd2 = "mvtec-ad2",
        /// MVTec LOCO: as `mvtec`, with `validation/good`, and a folder of masks for each image.
        Loco = "loco",
        /// VisA (Zou et al. 2022), as published with its table of the split, or prepared as `mvtec`.
        Visa = "visa",
        /// BTAD (Mishra et al. 2021): as `mvtec`, with `ok` and `ko`.
        Btad = "btad",
        /// MPDD (Jezek et al. 2021): exactly as `mvtec`.
        Mpdd = "mpdd",
        /// The folders or patterns that `data.folder` names.
        Folder = "folder",
        /// The images that the CSV file `data.table` lists.
        Table = "table",
        /// A data set that didact draws in memory; `data.synthetic` sets its size.
        Synthetic = "synthetic",
    }
}

impl Layout {
    /// Reads the layout; `None` means that it is recognised from the folders.
    pub(super) fn read(field: Field<'_>) -> Option<Self> {
        let auto = "Recognise the layout by the folders below `data.root`.";
        let values = || {
            let named = documented::<Self>().into_iter().map(|(named, layout)| (named, Some(layout)));
            named.chain([(NamedValue::documented("auto", auto), None)]).collect()
        };
        let help = "expected layout = \"mvtec\", \"synthetic\", …, or \"auto\": recognised by what lies in data.root";
        // With a misspelt layout, the most likely intent is one that needs a root.
        field.required(help).one_of(values, Usual::Absent).unwrap_or(Some(Self::Mvtec))
    }
}
