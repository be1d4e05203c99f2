//! How much work a stage is, so that the time left can be told from the stages that are through.

use super::StageJob;
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
    /// Of a job on a category with so many images in its training and test part.
    pub(super) fn of(job: &StageJob, train: usize, test: usize) -> Self {
        let images = |count: usize, side: usize| count as f64 * (side as f64 / 256.0).powi(2);
        let (shape, work) = match job {
            StageJob::Features(job) => {
                let count = match job.images.part {
                    super::Part::Train => train,
                    super::Part::Test => test,
                };
                (String::new(), images(count, job.images.data.image_size))
            }
            // Level features, whose size follows the image's, which this job does not know: epochs stand for it.
            StageJob::Pretrain(job) => {
                (shape(&AutoEncoder::Unet(job.unet.clone())), images(train, 256) * job.pretrain.epochs as f64)
            }
            StageJob::Joint(job) => {
                (shape(&job.model), images(train, job.images.data.image_size) * job.joint.epochs as f64)
            }
            StageJob::Score(job) => (shape(&job.model), images(test, job.test_images.data.image_size)),
            StageJob::Evaluate(job) => (String::new(), images(test, job.test_images.data.image_size)),
        };
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
