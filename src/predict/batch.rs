//! Batches of the size that the bits depend on.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;

use super::predictor::Predictor;
use crate::data::{FeatureSet, Image};
use crate::evaluate::FinalMap;
use crate::tensor::Backend;
use crate::training::{BATCH, StageError};

/// How large a batch an image belongs into.
///
/// The last bits of a map depend on the size of the batch ([`BATCH`]), so that every batch is filled up: a score is then the same
/// whichever other images are asked for. The run's own test set ended in a smaller batch; images of that get one of its size, and with
/// it the very scores that were stored.
pub(super) struct BatchSizes {
    /// Pixels of the test images of the smaller batch.
    last: HashSet<blake3::Hash>,
}

impl BatchSizes {
    /// Of a run whose test images lie in this features artifact; where it is gone, all batches are of one size.
    pub(super) fn of(features_test: &Path) -> Self {
        let last = FeatureSet::open(features_test).map(|set| {
            let whole = set.len() / BATCH * BATCH;
            (whole..set.len()).map(|index| pixels(&set.image(index))).collect()
        });
        Self { last: last.unwrap_or_default() }
    }

    fn of_image(&self, image: &Image) -> usize {
        if self.last.contains(&pixels(image)) { self.last.len() } else { BATCH }
    }

    /// The final maps of some images, in their order.
    pub(super) fn maps<B: Backend>(
        &self,
        predictor: &mut Predictor<B>,
        images: &[Image],
    ) -> Result<Vec<FinalMap>, StageError> {
        let mut by_size: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (index, image) in images.iter().enumerate() {
            by_size.entry(self.of_image(image)).or_default().push(index);
        }
        let mut maps = Vec::with_capacity(images.len());
        for (size, members) in by_size {
            for members in members.chunks(size) {
                let batch: Vec<Image> = members.iter().cycle().take(size).map(|&index| images[index].clone()).collect();
                maps.extend(members.iter().copied().zip(predictor.maps(&batch)?));
            }
        }
        maps.sort_unstable_by_key(|(index, _)| *index);
        Ok(maps.into_iter().map(|(_, map)| map).collect())
    }
}

fn pixels(image: &Image) -> blake3::Hash {
    blake3::hash(&image.rgb)
}
