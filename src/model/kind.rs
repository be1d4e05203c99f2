//! The table `[model]`: what learns to predict the teacher's features.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{AutoEncoder, Diagram, LevelSet, decoder};
use crate::settings::{Reader, Settings, choices};

choices! {
    /// What the student reads.
    pub enum StudentKind {
        /// The image: a network of the teacher's shape (Wang et al. 2021), with auto-encoders behind it or not.
        Encoder = "encoder",
        /// The teacher's features, squeezed into a narrow embedding: reverse distillation (Deng and Li 2022). It has no auto-encoders.
        Decoder = "decoder",
    }
}

/// What learns to predict the teacher's features.
#[derive(Debug, Clone, PartialEq)]
pub enum Model {
    /// A student of the teacher's shape that reads the image, and what rebuilds its features.
    Encoder(AutoEncoder),
    /// The student of reverse distillation.
    Decoder,
}

/// The auto-encoder of a model without one.
const NO_AUTO_ENCODER: AutoEncoder = AutoEncoder::None;

impl Model {
    /// ST-FPM itself: a student of the teacher's shape, without auto-encoders.
    pub const STFPM: Self = Self::Encoder(AutoEncoder::None);

    /// Returns what the student reads.
    pub fn student(&self) -> StudentKind {
        match self {
            Self::Encoder(_) => StudentKind::Encoder,
            Self::Decoder => StudentKind::Decoder,
        }
    }

    /// Returns the auto-encoders behind the student.
    pub fn autoencoder(&self) -> &AutoEncoder {
        match self {
            Self::Encoder(autoencoder) => autoencoder,
            Self::Decoder => &NO_AUTO_ENCODER,
        }
    }

    /// Returns a short name for reports, such as `U-Net, skip=concat`.
    pub fn label(&self) -> String {
        match self {
            Self::Decoder => "reverse distillation".to_owned(),
            Self::Encoder(autoencoder) => {
                autoencoder.settings().map_or_else(|| "no auto-encoder".to_owned(), |settings| settings.label())
            }
        }
    }

    /// Returns a drawing of what this model adds to teacher and student: the auto-encoder of a level with so many channels, or the decoder
    /// from a finest level with so many channels. `None` for ST-FPM.
    pub fn diagram(&self, compared: LevelSet, channels: usize) -> Option<Diagram> {
        match self {
            Self::Encoder(autoencoder) => autoencoder.settings().map(|settings| settings.diagram(channels)),
            Self::Decoder => Some(decoder::diagram(compared, channels)),
        }
    }

    /// Returns how many times the model halves the side of a level (from 1) among the compared ones.
    pub fn halvings(&self, level: usize, compared: LevelSet) -> usize {
        match self {
            Self::Decoder => usize::from(level == compared.coarsest()),
            Self::Encoder(autoencoder) if autoencoder.is_at(level) => {
                autoencoder.settings().map_or(0, |settings| settings.halvings())
            }
            Self::Encoder(_) => 0,
        }
    }
}

impl From<AutoEncoder> for Model {
    fn from(autoencoder: AutoEncoder) -> Self {
        Self::Encoder(autoencoder)
    }
}

impl Settings for Model {
    /// The levels that are compared.
    type Given = LevelSet;

    fn read(reader: &Reader<'_>, compared: LevelSet) -> Self {
        let about = "What the student reads: the image, or the teacher's features.";
        let student = reader.at("student", about).choice(StudentKind::Encoder);
        let autoencoder = AutoEncoder::read(reader, compared);
        if student == StudentKind::Encoder {
            return Self::Encoder(autoencoder);
        }
        // The default of `autoencoder` holds for an encoder only.
        if reader.is_given("autoencoder") && autoencoder != AutoEncoder::None {
            let help = "expected autoencoder = \"none\", or student = \"encoder\"; an axis of auto-encoders needs \
                        when = { \"model.student\" = \"encoder\" }";
            reader.refuse("autoencoder", "`model.student` is \"decoder\", which has no auto-encoders", help);
        }
        Self::Decoder
    }
}

// A student of the teacher's shape is written as its auto-encoder alone, as before there were decoders: keys are computed from this text.

impl Serialize for Model {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Encoder(autoencoder) => autoencoder.serialize(to),
            Self::Decoder => StudentKind::Decoder.serialize(to),
        }
    }
}

impl<'d> Deserialize<'d> for Model {
    fn deserialize<D: Deserializer<'d>>(from: D) -> Result<Self, D::Error> {
        let value = serde_json::Value::deserialize(from)?;
        if value == *StudentKind::Decoder.name() {
            return Ok(Self::Decoder);
        }
        AutoEncoder::deserialize(value).map(Self::Encoder).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::CommonSettings;

    #[test]
    fn an_encoder_is_written_as_its_auto_encoder_and_every_model_is_read_again() {
        let text = |model: &Model| serde_json::to_string(model).expect("JSON");
        assert_eq!([text(&Model::STFPM), text(&Model::Decoder)], [r#""none""#, r#""decoder""#]);
        let autoencoders = AutoEncoder::of_every_kind(CommonSettings::default());
        for autoencoder in &autoencoders {
            let alone = serde_json::to_string(autoencoder).expect("JSON");
            assert_eq!(text(&autoencoder.clone().into()), alone);
        }
        let models = autoencoders.into_iter().map(Model::from).chain([Model::STFPM, Model::Decoder]);
        for model in models {
            assert_eq!(serde_json::from_str::<Model>(&text(&model)).expect("a model"), model);
        }
        assert!(serde_json::from_str::<Model>(r#""decoders""#).is_err());
    }
}
