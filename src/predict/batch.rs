//! Batches of the sizes that the bits of a map depend on.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;

use super::predictor::Predictor;
use crate::data::{FeatureSet, Image};
use crate::evaluate::FinalMap;
use crate::tensor::Backend;
use crate::training::{BATCH, StageError};

/// Chooses the batch size of an image.
///
/// The last bits of a map depend on the batch size ([`BATCH`]). Every batch is therefore filled up to a fixed size, so that a score
/// does not depend on the other images. The last batch of the run's own test set was smaller. Its images are predicted in a batch of
/// the same size, so their scores equal the stored ones exactly.
pub(super) struct BatchSizes {
    /// Digests of the test images in the smaller batch.
    last_batch: HashSet<blake3::Hash>,
}

impl BatchSizes {
    /// Reads the run's test images from its features artifact. If the artifact no longer exists, all batches have one size.
    pub(super) fn of(features_test: &Path) -> Self {
        let last_batch = FeatureSet::open(features_test).map(|set| {
            let in_full_batches = set.len() / BATCH * BATCH;
            (in_full_batches..set.len()).map(|index| digest_of_pixels(&set.image(index))).collect()
        });
        Self { last_batch: last_batch.unwrap_or_default() }
    }

    fn size_for(&self, image: &Image) -> usize {
        if self.last_batch.contains(&digest_of_pixels(image)) { self.last_batch.len() } else { BATCH }
    }

    /// Computes the final maps of some images, in their order.
    pub(super) fn maps<B: Backend>(
        &self,
        predictor: &mut Predictor<B>,
        images: &[Image],
    ) -> Result<Vec<FinalMap>, StageError> {
        let mut by_size: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (index, image) in images.iter().enumerate() {
            by_size.entry(self.size_for(image)).or_default().push(index);
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

fn digest_of_pixels(image: &Image) -> blake3::Hash {
    blake3::hash(&image.rgb)
}
