//! How much work a stage is, so that the time left can be told from the stages that are through.

use crate::model::{Architecture, AutoEncoder, UnetSettings};
use crate::settings::Named;

/// How many images a category has, and their size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extent {
    /// Images of the training part, those that are held out among them.
    pub train: usize,
    /// Images that are held out.
    pub held_out: usize,
    /// Test images.
    pub test: usize,
    /// Side of the prepared images, pixels.
    pub image_size: usize,
}

/// Work of a stage, and which other stages work alike.
#[derive(Debug, Clone, PartialEq)]
pub struct Effort {
    /// Stages of one family take the same time for the same work: kind of stage and shape of the networks.
    pub family: String,
    /// Passes of images through the networks, in units of one image of 256 × 256.
    pub work: f64,
}

impl Effort {
    /// So many passes of images through networks of this shape.
    pub(super) fn new(stage: &str, shape: &str, passes: usize, extent: &Extent) -> Self {
        let work = passes as f64 * (extent.image_size as f64 / 256.0).powi(2);
        Self { family: format!("{stage}{shape}"), work }
    }
}

/// ` none`, ` unet concat 2 1`, with what else is not as usual.
pub(super) fn shape(model: &AutoEncoder) -> String {
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
pub(super) fn network(architecture: Architecture) -> String {
    match architecture {
        Architecture::Resnet18 => String::new(),
        other => format!(" {}", other.name()),
    }
}
