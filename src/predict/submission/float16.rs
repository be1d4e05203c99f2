//! TIFF files of one channel of 16-bit floats, which the `image` crate cannot write.

use std::io::{Cursor, Read, Seek};

use half::f16;
use tiff::TiffResult;
use tiff::decoder::{Decoder, DecodingResult, Limits};
use tiff::encoder::TiffEncoder;
use tiff::encoder::colortype::ColorType;
use tiff::tags::{PhotometricInterpretation, SampleFormat};

/// Grey values of 16-bit floats, given by their bits.
struct GreyFloat16;

impl ColorType for GreyFloat16 {
    type Inner = u16;
    const TIFF_VALUE: PhotometricInterpretation = PhotometricInterpretation::BlackIsZero;
    const BITS_PER_SAMPLE: &'static [u16] = &[16];
    const SAMPLE_FORMAT: &'static [SampleFormat] = &[SampleFormat::IEEEFP];

    fn horizontal_predict(row: &[u16], result: &mut Vec<u16>) {
        let differences = row.windows(2).map(|two| two[1].wrapping_sub(two[0]));
        result.extend(row.first().copied().into_iter().chain(differences));
    }
}

/// Encodes values, row-major. A value beyond the range of 16-bit floats becomes the nearest finite one.
///
/// Nothing is compressed, so that every reader of TIFF can read the file.
pub(super) fn encode(width: usize, height: usize, values: impl Iterator<Item = f32>) -> TiffResult<Vec<u8>> {
    let largest = f16::MAX.to_f32();
    let bits: Vec<u16> = values.map(|value| f16::from_f32(value.clamp(-largest, largest)).to_bits()).collect();
    let mut bytes = Cursor::new(Vec::with_capacity(2 * bits.len() + 1024));
    TiffEncoder::new(&mut bytes)?.write_image::<GreyFloat16>(width as u32, height as u32, &bits)?;
    Ok(bytes.into_inner())
}

/// What a TIFF file contains.
pub(super) struct Content {
    /// Columns and rows.
    pub size: (u32, u32),
    /// Values, if it has one channel of 16-bit floats.
    pub values: Option<Vec<f16>>,
}

/// Decodes a TIFF file.
pub(super) fn decode(file: impl Read + Seek) -> TiffResult<Content> {
    let mut decoder = Decoder::new(file)?.with_limits(Limits::unlimited());
    let size = decoder.dimensions()?;
    let values = match decoder.read_image()? {
        DecodingResult::F16(values) if values.len() == size.0 as usize * size.1 as usize => Some(values),
        _ => None,
    };
    Ok(Content { size, values })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn values_are_read_back_and_large_ones_stay_finite() {
        let values = [0.0, 1.0, -2.5, 0.333_251_95, 1e9, -1e9];
        let bytes = encode(3, 2, values.into_iter()).expect("encodes");
        let content = decode(Cursor::new(&bytes)).expect("decodes");
        assert_eq!(content.size, (3, 2));
        let read: Vec<f32> = content.values.expect("16-bit floats").into_iter().map(f16::to_f32).collect();
        assert_eq!(read, [0.0, 1.0, -2.5, 0.333_251_95, 65504.0, -65504.0]);
    }

    #[test]
    fn other_kinds_of_values_are_told_apart() {
        let mut bytes = Cursor::new(Vec::new());
        let grey = image::GrayImage::new(4, 5);
        grey.write_to(&mut bytes, image::ImageFormat::Tiff).expect("encodes");
        let content = decode(Cursor::new(bytes.into_inner())).expect("decodes");
        assert!(content.values.is_none() && content.size == (4, 5));
    }

    proptest! {
        #[test]
        fn every_16_bit_float_survives(bits in proptest::collection::vec(0_u16..0x7C00, 1..40)) {
            let values = bits.iter().map(|&bits| f16::from_bits(bits).to_f32());
            let bytes = encode(bits.len(), 1, values).expect("encodes");
            let read = decode(Cursor::new(&bytes)).expect("decodes").values.expect("16-bit floats");
            prop_assert_eq!(read.into_iter().map(f16::to_bits).collect::<Vec<_>>(), bits);
        }
    }
}
