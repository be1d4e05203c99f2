//! The table `[data]`: where the images come from and how they are prepared.

mod categories;
mod folder;
mod grouping;
mod held_out;
mod layout;
mod reading;
mod repeated;
mod synthetic;
mod table;
mod unmasked;

pub use categories::CategorySelection;
pub use folder::FolderSettings;
pub use grouping::Grouping;
pub use held_out::HeldOutChoice;
pub use reading::{Exif, Reading};
pub use synthetic::SyntheticSettings;
pub use table::DataSettings;
pub use unmasked::Unmasked;
