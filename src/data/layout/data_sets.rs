//! The layouts: one file per data set, registered by `layouts!`.

mod btad;
mod loco;
mod mpdd;
mod mvtec;
mod mvtec_3d;
mod mvtec_ad2;
mod unnamed;
mod visa;

use super::description::Description;
use crate::settings::choices;

/// Registers layouts: `Variant(module::DESCRIPTION) = "spelling"`, with a description for the sweep file.
macro_rules! layouts {
    ($( $(#[doc = $doc:literal])* $layout:ident($description:path) = $spelling:literal ),* $(,)?) => {
        choices! {
            /// How the folders of a data set are arranged.
            pub enum Layout {
                $( $(#[doc = $doc])* $layout = $spelling ),*
            }
        }

        impl Layout {
            /// Returns whether an image can have several masks.
            pub fn has_several_masks(self) -> bool {
                self.description().several_masks
            }

            /// Returns whether the name of a test image says under which lighting it was taken.
            pub fn names_lighting(self) -> bool {
                self.description().names_lighting
            }

            /// Returns what the layout is on disk.
            pub(in crate::data) fn description(self) -> &'static Description {
                match self {
                    $( Self::$layout => &$description, )*
                }
            }
        }
    };
}

layouts! {
    /// MVTec AD (Bergmann et al. 2019): `train/good`, `test/{good,<defect>}`, `ground_truth/<defect>` below each category.
    Mvtec(mvtec::DESCRIPTION) = "mvtec",
    /// MVTec AD 2: as `mvtec`, with `validation/good`, and `test_public` in place of `test` and `ground_truth`.
    MvtecAd2(mvtec_ad2::DESCRIPTION) = "mvtec-ad2",
    /// MVTec 3D-AD (Bergmann et al. 2022), colour images only: `rgb` and `gt` below each `<defect>` of `train`, `validation` and `test`.
    Mvtec3d(mvtec_3d::DESCRIPTION) = "mvtec-3d",
    /// MVTec LOCO: as `mvtec`, with `validation/good`, and a folder of masks for each image.
    Loco(loco::DESCRIPTION) = "loco",
    /// VisA (Zou et al. 2022), as published with its table of the split, or prepared as `mvtec`.
    Visa(visa::DESCRIPTION) = "visa",
    /// BTAD (Mishra et al. 2021): as `mvtec`, with `ok` and `ko`.
    Btad(btad::DESCRIPTION) = "btad",
    /// MPDD (Jezek et al. 2021): exactly as `mvtec`.
    Mpdd(mpdd::DESCRIPTION) = "mpdd",
    /// The folders or patterns that `data.folder` names.
    Folder(unnamed::FOLDER) = "folder",
    /// The images that the CSV file `data.table` lists.
    Table(unnamed::TABLE) = "table",
    /// A data set that didact draws in memory; `data.synthetic` sets its size.
    Synthetic(unnamed::SYNTHETIC) = "synthetic",
}
