//! All settings of the table, and the rules that combine them.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::{CategorySelection, FolderSettings, Grouping, HeldOutChoice, Reading, SyntheticSettings, Unmasked};
use crate::data::Layout;
use crate::paths::expand_home;
use crate::settings::{Field, Place, Reader, defaults, settings};

settings! {
    /// Source of the images, and how they are prepared.
    pub struct DataSettings => canonical {
        /// Arrangement of the folders below `data.root`.
        pub layout: Option<Layout> = with(Layout::read),
        /// Folder that holds the categories; the environment variable `DIDACT_DATA` overrides the file. Not for `synthetic`.
        pub root: Option<PathBuf> = with(root),
        /// CSV file that lists the images, for the layout `table`: searched below `data.root`, then in the working folder.
        pub table: Option<PathBuf> = with(|field| table(field, layout)),
        /// Categories to run over: all of them, or a list.
        pub categories: CategorySelection = with(CategorySelection::read),
        /// Whether each category has a model of its own, or all categories of the sweep share one.
        pub grouping: Grouping = choice(Grouping::Category),
        /// Side of the resized images in pixels, a multiple of 16. Images are resized as by Pillow's `BILINEAR`.
        pub image_size: usize = with(image_size),
        /// Seed that draws the held-out images, and the test images of `data.test_normals_share`.
        pub split_seed: u64 = integer(0, 0..=u64::MAX),
        /// Rules for reading files.
        pub reading: Reading = flat(()),
        /// Normal images that select the epoch and set the threshold: a share of the normals, or a list of paths below `data.root`.
        pub held_out: HeldOutChoice = with(|field| HeldOutChoice::read(field, layout)),
        /// Share of the normal images to draw for the test, if the data set has no normal test images.
        ///
        /// The images with the lowest digests of seed and path are drawn. So an added or removed image changes hardly any other assignment.
        pub test_normals_share: Option<f64> = with(|field| test_normals_share(field, layout)),
        /// Mask value above which a pixel is defective (255 is white): 127 for resized or JPEG masks; part of the protocol.
        pub mask_threshold: u8 = integer(0, 0..=254),
        /// Handling of defective test images without a mask.
        pub unmasked: Unmasked = choice(Unmasked::Void),
        /// Folders of the images, for the layout `folder`: paths below each category, or patterns such as `"train/*.jpg"`.
        pub folder: Option<FolderSettings> = with(|field| FolderSettings::read(field, layout, test_normals_share.is_some())),
        /// Size of the drawn data set, for the layout `synthetic`.
        pub synthetic: Option<SyntheticSettings> = table(()),
    }
}

impl DataSettings {
    /// Returns settings for all categories below a root, with defaults otherwise.
    pub fn at(root: &Path, layout: Option<Layout>) -> Self {
        Self { layout, root: Some(root.to_owned()), synthetic: None, ..defaults(()) }
    }

    /// Drops the settings that do not apply to the layout.
    fn canonical(mut self, reader: &Reader<'_>) -> Self {
        if !matches!(self.layout, Some(Layout::Synthetic | Layout::Table)) && self.root.is_none() {
            let help = "set data.root or the environment variable DIDACT_DATA to the folder that holds the categories";
            reader.problems().add(reader.place(), "`data.root` is missing", help);
        }
        if self.layout == Some(Layout::Synthetic) {
            self.root = None;
            // Drawn images are not read from files.
            self.reading = Reading::default();
        } else {
            self.synthetic = None;
        }
        self
    }
}

/// Returns the root: the command line wins over the environment, and the environment over the file.
fn root(field: Field<'_>) -> Option<PathBuf> {
    let named = field.path();
    let is_flag = field.is_given() && matches!(field.place(), Place::Flag(_));
    let environment: Option<OsString> = std::env::var_os("DIDACT_DATA").filter(|path| !path.is_empty() && !is_flag);
    environment.map(|path| expand_home(Path::new(&path))).or(named)
}

fn image_size(field: Field<'_>) -> usize {
    let size = field.integer(256_usize, 32..=1024);
    if !size.is_multiple_of(16) {
        let help = "expected a multiple of 16: level 3 has a sixteenth of the side";
        field.refuse(format!("`data.image_size` is {size}"), help);
    }
    size
}

fn table(field: Field<'_>, layout: Option<Layout>) -> Option<PathBuf> {
    let table = field.path();
    if layout == Some(Layout::Table) {
        if !field.is_given() {
            let help = "name a CSV file with the columns category, split (train, validation, test), label (normal, anomaly) or kind, \
                        image and, if there are masks, mask: table = \"images.csv\"";
            field.refuse("`data.table` is missing", help);
        }
        return table;
    }
    if table.is_some() {
        let help = "set data.layout = \"table\": other layouts find the images by their folders";
        field.refuse("`data.table` does not apply to this layout", help);
    }
    None
}

fn test_normals_share(field: Field<'_>, layout: Option<Layout>) -> Option<f64> {
    let share = field.optional_number(0.01..=0.9);
    if layout == Some(Layout::Synthetic) && field.is_given() {
        let help = "set data.synthetic.test_good to the number of normal test images";
        field.refuse("`data.test_normals_share` does not apply to this layout", help);
        return None;
    }
    share
}
