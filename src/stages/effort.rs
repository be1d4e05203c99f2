//! How much work a stage is, so that the time left can be told from the stages that are through.

use super::job::{Part, StageJob, TeacherRef};
use crate::data::HeldOut;
use crate::model::{Architecture, AutoEncoder, UnetSettings};

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
    pub fn of(job: &StageJob, (train, test): (usize, usize), held_out: &HeldOut, image_size: usize) -> Self {
        let held_out = held_out.count(train);
        let (shape, passes) = match job {
            StageJob::Features(job) => match job.images.part {
                Part::Train => (network(&job.teacher), train),
                Part::Test => (network(&job.teacher), test),
            },
            StageJob::Paint(_) => (" painted".to_owned(), 2 * held_out),
            StageJob::Pretrain(job) => (shape(&job.model), train * job.pretrain.epochs),
            StageJob::Joint(job) => (shape(&job.model) + &network(&job.teacher), train * job.joint.epochs),
            StageJob::Score(job) => (shape(&job.model) + &network(&job.teacher), held_out + test),
            StageJob::Evaluate(_) => (String::new(), test),
            StageJob::Pseudo(job) => (format!(" pseudo{}", shape(&job.model)), 3 * held_out),
        };
        let work = passes as f64 * (image_size as f64 / 256.0).powi(2);
        Self { family: format!("{}{shape}", job.kind().name()), work }
    }
}

/// ` none`, ` unet concat 2 1`, with what else is not as usual.
fn shape(model: &AutoEncoder) -> String {
    let text = match model {
        AutoEncoder::None => " none".to_owned(),
        AutoEncoder::Linear(linear) => format!(" linear {} {:?} {:?}", linear.width, linear.levels, linear.placement),
        AutoEncoder::Unet(unet) => {
            let UnetSettings { skip, depth, width, upsample, norm, activation, padding, levels, placement, .. } = unet;
            let usual =
                UnetSettings { skip: *skip, depth: *depth, width: *width, input: unet.input, ..Default::default() };
            let parts = match *unet == usual {
                true => String::new(),
                false => format!(" {upsample:?} {norm:?} {activation:?} {padding:?} {levels:?} {placement:?}"),
            };
            format!(" unet {skip:?} {depth} {width}{parts}")
        }
    };
    text.to_lowercase()
}

/// ` resnet34`; nothing for the usual network.
fn network(teacher: &TeacherRef) -> String {
    match teacher.settings.architecture.unwrap_or_default() {
        Architecture::Resnet18 => String::new(),
        other => format!(" {}", other.name()),
    }
}
