//! A drawing of an auto-encoder, without pixels: the report draws it.

/// Feature maps from left to right, and the connections that bypass some of them.
#[derive(Debug, Clone, PartialEq)]
pub struct Diagram {
    /// The feature maps, from input to output.
    pub boxes: Vec<DiagramBox>,
    /// Skip connections, as positions of their first and last box.
    pub skips: Vec<(usize, usize)>,
    /// What the boxes cannot show, in a few words.
    pub caption: String,
}

/// One feature map.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DiagramBox {
    /// Number of times that its side is halved.
    pub halvings: usize,
    /// Number of channels.
    pub channels: usize,
}

impl Diagram {
    /// Returns a drawing of a network that keeps the side and has one inner feature map.
    pub(super) fn pixelwise(channels: usize, inner: usize, caption: &str) -> Self {
        let boxes = [channels, inner, channels].map(|channels| DiagramBox { halvings: 0, channels });
        Self { boxes: boxes.into(), skips: Vec::new(), caption: caption.to_owned() }
    }
}
