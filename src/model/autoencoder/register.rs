//! What the rest of the program needs of all kinds of auto-encoders, generated from their registration.

/// Registers kinds of auto-encoders: `Variant(Settings) = "spelling"`, with a description for the sweep file.
macro_rules! autoencoders {
    ($( $(#[doc = $doc:literal])* $kind:ident($settings:ty) = $spelling:literal ),* $(,)?) => {
        $crate::settings::choices! {
            /// What rebuilds features before they are compared with the teacher's.
            pub enum AutoEncoder by AutoEncoderKind {
                /// Nothing: ST-FPM itself (Wang et al. 2021).
                None = "none",
                $( $(#[doc = $doc])* $kind($settings) = $spelling ),*
            }
        }

        impl $crate::settings::Settings for AutoEncoder {
            /// The levels that are compared.
            type Given = $crate::model::LevelSet;

            fn read(reader: &$crate::settings::Reader<'_>, compared: $crate::model::LevelSet) -> Self {
                let field = reader.at("autoencoder", "Kind of auto-encoder behind the student.");
                let chosen = field.choice(AutoEncoderKind::Unet);
                // Every kind reads its settings, so that a file may set those of another kind than the chosen one.
                let mut autoencoder = Self::None;
                $(
                    let settings = <$settings as $crate::settings::Settings>::read(reader, compared);
                    if chosen == AutoEncoderKind::$kind {
                        autoencoder = Self::$kind(settings);
                    }
                )*
                autoencoder
            }
        }

        impl AutoEncoder {
            /// Returns the settings of its kind, or `None` without an auto-encoder.
            pub fn settings(&self) -> Option<&dyn $crate::model::AutoEncoderSettings> {
                match self {
                    Self::None => None,
                    $( Self::$kind(settings) => Some(settings), )*
                }
            }

            /// Returns one auto-encoder of every kind, with the defaults of that kind.
            #[cfg(test)]
            pub(crate) fn of_every_kind(common: $crate::model::CommonSettings) -> Vec<Self> {
                let of = |mut kind: Self| {
                    *kind.settings_mut().expect("a kind").common_mut() = common;
                    kind
                };
                vec![$( of(Self::$kind($crate::settings::defaults($crate::model::LevelSet::ALL))) ),*]
            }

            fn settings_mut(&mut self) -> Option<&mut dyn $crate::model::AutoEncoderSettings> {
                match self {
                    Self::None => None,
                    $( Self::$kind(settings) => Some(settings), )*
                }
            }
        }

        /// The network of one level, of any kind.
        #[derive(Debug, Clone)]
        enum Network<B: $crate::tensor::Backend> {
            $( $kind(Box<<$settings as $crate::model::BuildNetwork>::Network<B>>), )*
        }

        impl<B: $crate::tensor::Backend> Network<B> {
            /// See [`BuildNetwork::build`]; `None` without an auto-encoder.
            fn new(init: &$crate::nn::Init, name: &str, channels: usize, model: &AutoEncoder) -> Option<Self> {
                match model {
                    AutoEncoder::None => None,
                    $( AutoEncoder::$kind(settings) => {
                        Some(Self::$kind(Box::new($crate::model::BuildNetwork::build::<B>(settings, init, name, channels))))
                    } )*
                }
            }

            /// See [`FeatureNetwork::forward`].
            fn forward<T: crate::tensor::Tape>(
                &mut self,
                features: $crate::tensor::Features<B, T>,
                input: $crate::nn::Input,
                mode: $crate::nn::Mode,
            ) -> $crate::tensor::OpResult<$crate::tensor::Features<B, T>> {
                use $crate::model::FeatureNetwork;
                match self {
                    $( Self::$kind(network) => network.forward(features, input, mode), )*
                }
            }

            /// See [`FeatureNetwork::multiply_accumulates`].
            fn multiply_accumulates(&self, side: usize) -> u64 {
                use $crate::model::FeatureNetwork;
                match self {
                    $( Self::$kind(network) => network.multiply_accumulates(side), )*
                }
            }

            fn module(&self) -> &dyn $crate::nn::Module<B> {
                match self {
                    $( Self::$kind(network) => network.as_ref(), )*
                }
            }

            fn module_mut(&mut self) -> &mut dyn $crate::nn::Module<B> {
                match self {
                    $( Self::$kind(network) => network.as_mut(), )*
                }
            }
        }

        $crate::nn::delegate_module!(Network: module, module_mut);
    };
}

pub(super) use autoencoders;
