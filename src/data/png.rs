//! Reads PNG and verifies all its checksums: those of chunks and, unlike `image`, that of the compressed pixels.

use std::io::{BufRead, Seek};

use image::metadata::Orientation;
use image::{DynamicImage, ImageBuffer};
use png::{BitDepth, ColorType, DecodeOptions, Decoder, Limits, Reader, Transformations};

use crate::cause::Cause;

/// Memory for rows and for data other than pixels, bytes.
const OVERHEAD: usize = 512 << 20;

/// Reads the header and everything before the pixels.
pub(super) fn open<R: BufRead + Seek>(file: R) -> Result<Reader<R>, Cause> {
    let mut options = DecodeOptions::default();
    options.set_ignore_adler32(false);
    options.set_ignore_crc(false);
    options.set_skip_ancillary_crc_failures(false);
    options.set_ignore_text_chunk(true);
    options.set_ignore_iccp_chunk(true);
    let mut decoder = Decoder::new_with_options(file, options);
    decoder.set_limits(Limits { bytes: OVERHEAD });
    // Expand palettes and fewer than 8 bits to 8 bits.
    decoder.set_transformations(Transformations::EXPAND);
    Ok(decoder.read_info()?)
}

/// Returns the EXIF orientation.
pub(super) fn orientation<R: BufRead + Seek>(reader: &Reader<R>) -> Option<Orientation> {
    Orientation::from_exif_chunk(reader.info().exif_metadata.as_ref()?)
}

/// Decodes the first image.
pub(super) fn decode<R: BufRead + Seek>(mut reader: Reader<R>) -> Result<DynamicImage, Cause> {
    let length = reader.output_buffer_size().ok_or("it is too large")?;
    let mut bytes = vec![0; length];
    let info = reader.next_frame(&mut bytes)?;
    bytes.truncate(info.buffer_size());
    let (width, height) = (info.width, info.height);
    let values = || bytes.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect::<Vec<u16>>();
    let image = match (info.color_type, info.bit_depth) {
        (ColorType::Grayscale, BitDepth::Sixteen) => {
            ImageBuffer::from_raw(width, height, values()).map(DynamicImage::ImageLuma16)
        }
        (ColorType::GrayscaleAlpha, BitDepth::Sixteen) => {
            ImageBuffer::from_raw(width, height, values()).map(DynamicImage::ImageLumaA16)
        }
        (ColorType::Rgb, BitDepth::Sixteen) => {
            ImageBuffer::from_raw(width, height, values()).map(DynamicImage::ImageRgb16)
        }
        (ColorType::Rgba, BitDepth::Sixteen) => {
            ImageBuffer::from_raw(width, height, values()).map(DynamicImage::ImageRgba16)
        }
        (ColorType::Grayscale, BitDepth::Eight) => {
            ImageBuffer::from_raw(width, height, bytes).map(DynamicImage::ImageLuma8)
        }
        (ColorType::GrayscaleAlpha, BitDepth::Eight) => {
            ImageBuffer::from_raw(width, height, bytes).map(DynamicImage::ImageLumaA8)
        }
        (ColorType::Rgb, BitDepth::Eight) => ImageBuffer::from_raw(width, height, bytes).map(DynamicImage::ImageRgb8),
        (ColorType::Rgba, BitDepth::Eight) => ImageBuffer::from_raw(width, height, bytes).map(DynamicImage::ImageRgba8),
        (kind, depth) => return Err(format!("{kind:?} pixels with a bit depth of {depth:?} are not supported").into()),
    };
    image.ok_or_else(|| "it has fewer pixels than its header says".into())
}
