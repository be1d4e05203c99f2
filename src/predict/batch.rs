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
/// does not depend on the other images. The run's own test set ended in a smaller batch. Images of that batch get one of its size,
/// and with it exactly the scores that were stored.
pub(super) struct BatchSizes {
    /// Digests of the test images in the smaller batch.
    last: HashSet<blake3::Hash>,
}

impl BatchSizes {
    /// Reads the run's test images from its features artifact. If the artifact no longer exists, all batches have one size.
    pub(super) fn of(features_test: &Path) -> Self {
        let last = FeatureSet::open(features_test).map(|set| {
            let whole = set.len() / BATCH * BATCH;
            (whole..set.len()).map(|index| digest_of_pixels(&set.image(index))).collect()
        });
        Self { last: last.unwrap_or_default() }
    }

    fn size_for(&self, image: &Image) -> usize {
        if self.last.contains(&digest_of_pixels(image)) { self.last.len() } else { BATCH }
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
