//! Reverse distillation (Deng and Li 2022, "Anomaly Detection via Reverse Distillation from One-Class Embedding"): a student that reads
//! the teacher's features instead of the image, and rebuilds them from a narrow embedding.
//!
//! The shapes are those of the official code (hq-deng/RD4AD). All selected levels are brought to the side of the coarsest one and
//! concatenated. Residual blocks with stride 2 make the one-class embedding of them. Residual stages that double the side lead from
//! there back to the finest level; their outputs are compared with the teacher's features. Nothing bypasses the embedding.

mod fusion;
mod up_block;

use fusion::Fusion;
use up_block::UpBlock;

use super::block::{Block, Shape, cost_of_blocks, forward_blocks};
use super::{Backbone, Diagram, DiagramBox, LevelSet, Levels};
use crate::nn::{Init, Mode, visit_fields};
use crate::tensor::{Backend, Features, OpResult, Tape};

/// A stage of the decoder: a block that doubles the side, then residual blocks.
#[derive(Debug, Clone)]
struct Stage<B: Backend> {
    /// Number of the level that it rebuilds, from 1.
    number: usize,
    up: UpBlock<B>,
    blocks: Vec<Block<B>>,
}

visit_fields!(Stage: up; blocks);

/// The student of reverse distillation.
#[derive(Debug, Clone)]
pub struct Decoder<B: Backend> {
    fusion: Fusion<B>,
    embedding: Vec<Block<B>>,
    /// Coarsest first.
    stages: Vec<Stage<B>>,
    levels: LevelSet,
}

visit_fields!(Decoder: fusion; embedding, stages);

impl<B: Backend> Decoder<B> {
    /// Creates a decoder for the features of a teacher of this shape.
    ///
    /// The embedding has as many blocks as the teacher's layer4, and the planes of that layer. The stages have the teacher's kind of
    /// blocks. The coarsest has as many as the teacher's layer1, the next as many as layer2, and so on, as in the official code.
    pub fn new(init: &Init, backbone: &Backbone) -> Self {
        let (architecture, levels) = (backbone.architecture, backbone.levels);
        let (kind, coarsest) = (architecture.block(), levels.coarsest());
        let fusion = Fusion::new(init, backbone);
        let embedded = Shape { input: fusion.channels(), planes: backbone.planes_of(coarsest + 1), stride: 2 };
        let numbers = (levels.finest()..=coarsest).rev();
        let stages = numbers.zip(architecture.blocks()).map(|(number, count)| {
            let planes = backbone.planes_of(number);
            let first = Shape { input: backbone.channels_of(number + 1), planes, stride: 2 };
            let name = format!("layer{number}");
            let blocks = (1..count).map(|block| Block::new(init, &format!("{name}.{block}"), kind, first.next(kind)));
            Stage { number, up: UpBlock::new(init, &format!("{name}.0"), kind, first), blocks: blocks.collect() }
        });
        Self {
            embedding: Block::layer(init, "embedding", kind, embedded, architecture.blocks_of_layer4()),
            stages: stages.collect(),
            fusion,
            levels,
        }
    }

    /// Rebuilds the teacher's features of the selected levels, finest first. The coarsest level must have an even side.
    ///
    /// The first level holds the tape of all levels. The others have empty tapes, as with [`super::Resnet::forward`].
    pub fn forward<T: Tape>(&mut self, teacher: &[Features<B>], mode: Mode) -> OpResult<Levels<B, T>> {
        let fused = self.fusion.forward(teacher, mode)?;
        let mut x = forward_blocks(&mut self.embedding, fused, mode)?;
        let mut levels = Vec::with_capacity(self.levels.count());
        for stage in &mut self.stages {
            x = forward_blocks(&mut stage.blocks, stage.up.forward(x, mode)?, mode)?;
            if self.levels.contains(stage.number) && stage.number > self.levels.finest() {
                levels.push(x.with_empty_tape());
            }
        }
        levels.push(x);
        levels.reverse();
        Ok(levels)
    }

    /// Returns the forward multiply-accumulates for the features of one image of the given side.
    pub fn multiply_accumulates(&self, side: usize) -> u64 {
        let coarsest = side >> (self.levels.coarsest() + 1);
        let start = cost_of_blocks(&self.embedding, coarsest);
        let (total, _) = self.stages.iter().fold(start, |(total, side), stage| {
            let (blocks, doubled) = cost_of_blocks(&stage.blocks, 2 * side);
            (total + stage.up.multiply_accumulates(side) + blocks, doubled)
        });
        total + self.fusion.multiply_accumulates(side)
    }
}

/// Returns a drawing of a decoder for levels whose finest one has `channels` channels: the fused levels, the embedding, and each stage.
pub(super) fn diagram(levels: LevelSet, channels: usize) -> Diagram {
    let (finest, coarsest) = (levels.finest(), levels.coarsest());
    let at = |level: usize| {
        let halvings = level - finest;
        DiagramBox { halvings, channels: channels << halvings }
    };
    let fused = DiagramBox { channels: levels.count() * at(coarsest).channels, ..at(coarsest) };
    let boxes = [fused, at(coarsest + 1)].into_iter().chain((finest..=coarsest).rev().map(at));
    let caption = format!("levels {levels} fused, embedded, rebuilt");
    Diagram { boxes: boxes.collect(), skips: Vec::new(), caption }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drawing_leads_from_the_fused_levels_through_the_embedding_to_the_finest() {
        let boxes = |levels: &[usize], channels| -> Vec<(usize, usize)> {
            let drawing = diagram(LevelSet::of(levels).expect("levels"), channels);
            drawing.boxes.iter().map(|features| (features.halvings, features.channels)).collect()
        };
        assert_eq!(boxes(&[1, 2, 3], 64), [(2, 768), (3, 512), (2, 256), (1, 128), (0, 64)]);
        assert_eq!(boxes(&[2, 3], 512), [(1, 2048), (2, 2048), (1, 1024), (0, 512)]);
    }
}
