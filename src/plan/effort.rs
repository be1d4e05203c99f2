//! How much work a stage is, so that the time left can be told from the stages that are through.

use super::{Part, StageJob};
use crate::data::HeldOut;
use crate::model::AutoEncoder;

/// Work of a stage, and which other stages work alike.
#[derive(Debug, Clone, PartialEq)]
pub struct Effort {
    /// Stages of one family take the same time for the same work: kind of stage and shape of the networks.
    pub family: String,
    /// Passes of images through the networks, in units of one image of 256 × 256.
    pub work: f64,
}

impl Effort {
    /// Of a job on a category with so many images of this size in its training and test part.
    pub(super) fn of(job: &StageJob, (train, test): (usize, usize), held_out: &HeldOut, image_size: usize) -> Self {
        let held_out = held_out.count(train);
        let (shape, passes) = match job {
            StageJob::Features(job) => match job.images.part {
                Part::Train => (String::new(), train),
                Part::Test => (String::new(), test),
            },
            StageJob::Paint(_) => (" painted".to_owned(), 2 * held_out),
            StageJob::Pretrain(job) => (shape(&AutoEncoder::Unet(job.unet.clone())), train * job.pretrain.epochs),
            StageJob::Joint(job) => (shape(&job.model), train * job.joint.epochs),
            StageJob::Score(job) => (shape(&job.model), held_out + test),
            StageJob::Evaluate(_) => (String::new(), test),
            StageJob::Pseudo(job) => (format!(" pseudo{}", shape(&job.model)), 3 * held_out),
        };
        let work = passes as f64 * (image_size as f64 / 256.0).powi(2);
        Self { family: format!("{}{shape}", job.kind().name()), work }
    }
}

/// ` none`, ` unet concat 2 1`.
fn shape(model: &AutoEncoder) -> String {
    match model {
        AutoEncoder::None => " none".to_owned(),
        AutoEncoder::Unet(unet) => format!(" unet {:?} {} {}", unet.skip, unet.depth, unet.width).to_lowercase(),
    }
}
