//! Decodes files to pixels as Pillow does: refuses the files that Pillow refuses, and yields the same pixels for those that it reads.

use std::fs::File;
use std::io::{BufRead, BufReader, Cursor, Read};
use std::path::Path;

use image::codecs::bmp::BmpDecoder;
use image::codecs::jpeg::JpegDecoder;
use image::codecs::tiff::TiffDecoder;
use image::codecs::webp::WebPDecoder;
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, ImageResult, Limits};

use super::pixel_budget::{PixelReservation, reserve_pixels};
use super::{DataError, jpeg, png, regular, webp};
use crate::cause::Cause;

/// Largest image that didact reads, pixels. Pillow refuses larger files as decompression bombs.
pub(super) const MAX_PIXELS: u64 = 178_956_970;
/// Largest JPEG file, bytes. A JPEG is read into memory as a whole.
const MAX_BYTES: u64 = 1 << 30;
/// Memory that a decoder may use in addition to the pixels, bytes.
const OVERHEAD: u64 = 512 << 20;

/// Properties of an image in the header of its file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    /// Columns, before the EXIF orientation is applied.
    pub width: u32,
    /// Rows, before the EXIF orientation is applied.
    pub height: u32,
    /// EXIF orientation; `None` if the file has none.
    pub orientation: Option<Orientation>,
}

/// A decoder positioned at the first pixel.
enum PixelDecoder {
    Png(Box<::png::Reader<BufReader<File>>>),
    Other(Box<dyn ImageDecoder>),
}

/// A file whose header has been read.
struct OpenedImage {
    format: ImageFormat,
    /// Header of the image as the file shows it: a TIFF is already turned.
    header: Header,
    /// Turn that is always applied to the pixels.
    turn: Orientation,
    pixels: PixelDecoder,
}

/// An image with the memory reserved for its pixels.
pub(super) struct Decoded {
    /// The pixels.
    pub image: DynamicImage,
    /// EXIF orientation; `None` if the file has none.
    pub orientation: Option<Orientation>,
    /// Memory reservation, held until the pixels are dropped.
    pub reservation: PixelReservation,
}

/// Reads the header of a file.
pub(super) fn header(path: &Path) -> Result<Header, DataError> {
    Ok(open(path)?.header)
}

/// Returns the columns and rows of an image file, as stored.
pub(crate) fn image_size(path: &Path) -> Result<(u32, u32), DataError> {
    header(path).map(|header| (header.width, header.height))
}

/// Decodes a file by its content, whatever its name ends in. Of several images, it decodes the first.
pub(super) fn decode(path: &Path) -> Result<Decoded, DataError> {
    open(path)?.decode(path)
}

/// Checks that a file can be decoded to its last pixel. A JPEG is not decoded for this: libjpeg accepts any bytes between the header and
/// the end as pixels, and didact does the same.
pub(super) fn verify(path: &Path) -> Result<Header, DataError> {
    let opened = open(path)?;
    let header = opened.header;
    if opened.format != ImageFormat::Jpeg {
        opened.decode(path)?;
    }
    Ok(header)
}

/// Returns the columns and rows of an image after the turn.
pub(super) fn turned_size((width, height): (u32, u32), orientation: Orientation) -> (u32, u32) {
    match orientation {
        Orientation::Rotate90 | Orientation::Rotate270 | Orientation::Rotate90FlipH | Orientation::Rotate270FlipH => {
            (height, width)
        }
        _ => (width, height),
    }
}

impl OpenedImage {
    fn decode(self, path: &Path) -> Result<Decoded, DataError> {
        let Header { width, height, orientation } = self.header;
        let reservation = reserve_pixels(u64::from(width) * u64::from(height));
        let image = match self.pixels {
            PixelDecoder::Png(reader) => png::decode(*reader),
            PixelDecoder::Other(decoder) => {
                DynamicImage::from_decoder(decoder).map_err(|error| DecoderError(error).into())
            }
        };
        let mut image = image.map_err(|source| decode_error(path, source))?;
        image.apply_orientation(self.turn);
        Ok(Decoded { image, orientation, reservation })
    }
}

fn decode_error(path: &Path, source: Cause) -> DataError {
    DataError::Decode { path: path.to_owned(), source }
}

/// An error of a decoder, formatted in one line.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.to_string().split_whitespace().collect::<Vec<_>>().join(" "))]
struct DecoderError(#[source] ImageError);

fn open(path: &Path) -> Result<OpenedImage, DataError> {
    let io = |source| DataError::Io { path: path.to_owned(), source };
    let file = regular::open(path).map_err(io)?;
    let bytes = file.metadata().map_err(io)?.len();
    let reader = ImageReader::new(BufReader::new(file)).with_guessed_format().map_err(io)?;
    let format = reader.format();
    let file = reader.into_inner();
    let opened = match format {
        Some(ImageFormat::Png) => of_png(file, bytes),
        Some(ImageFormat::Jpeg) => of_jpeg(file, bytes),
        Some(ImageFormat::Bmp) => of_bmp(file, bytes),
        Some(ImageFormat::Tiff) => of_tiff(file),
        Some(ImageFormat::WebP) => of_webp(file, bytes),
        Some(other) => Err(format!("its format is {other:?}").into()),
        None => Err(Cause::from("its content has no known image format").into()),
    };
    opened.map_err(|reason| match reason {
        HeaderError::Damaged(source) => decode_error(path, source),
        HeaderError::TooLarge(width, height) => DataError::TooLarge { path: path.to_owned(), width, height },
    })
}

/// Reason why a header is refused.
enum HeaderError {
    Damaged(Cause),
    TooLarge(u32, u32),
}

impl From<Cause> for HeaderError {
    fn from(source: Cause) -> Self {
        Self::Damaged(source)
    }
}

impl From<String> for HeaderError {
    fn from(reason: String) -> Self {
        Self::Damaged(reason.into())
    }
}

impl From<ImageError> for HeaderError {
    fn from(error: ImageError) -> Self {
        Self::Damaged(DecoderError(error).into())
    }
}

/// Refuses an impossible size in a header: more pixels than didact reads, or more than so short a file can hold.
fn check_size((width, height): (u32, u32), fits: impl Fn(u64) -> bool) -> Result<(), HeaderError> {
    let pixels = u64::from(width) * u64::from(height);
    match pixels {
        0 => Err(format!("its header says {width}×{height} pixels").into()),
        _ if pixels > MAX_PIXELS => Err(HeaderError::TooLarge(width, height)),
        _ if !fits(pixels) => {
            Err(format!("its header says {width}×{height} pixels, but the file is too short for them").into())
        }
        _ => Ok(()),
    }
}

fn of_png(file: BufReader<File>, bytes: u64) -> Result<OpenedImage, HeaderError> {
    /// Deflate expands one byte to at most this many.
    const MAX_EXPANSION: u64 = 1032;
    let reader = png::open(file)?;
    let (width, height) = reader.info().size();
    let row = reader.info().raw_row_length() as u64;
    check_size((width, height), |_| row * u64::from(height) / MAX_EXPANSION <= bytes)?;
    let header = Header { width, height, orientation: png::orientation(&reader) };
    let (format, turn) = (ImageFormat::Png, Orientation::NoTransforms);
    Ok(OpenedImage { format, header, turn, pixels: PixelDecoder::Png(Box::new(reader)) })
}

fn of_jpeg(mut file: BufReader<File>, length: u64) -> Result<OpenedImage, HeaderError> {
    /// A block of 64 pixels takes at least one bit.
    const MAX_PIXELS_PER_BYTE: u64 = 64 * 8;
    if length > MAX_BYTES {
        return Err(format!("it has {length} bytes, more than the maximum of {MAX_BYTES}").into());
    }
    let mut bytes = Vec::with_capacity(length as usize);
    file.read_to_end(&mut bytes).map_err(Cause::from)?;
    jpeg::check(&bytes)?;
    let opened = of_decoder(ImageFormat::Jpeg, JpegDecoder::new(Cursor::new(bytes)))?;
    check_size((opened.header.width, opened.header.height), |pixels| pixels / MAX_PIXELS_PER_BYTE <= length)?;
    Ok(opened)
}

fn of_bmp(mut file: BufReader<File>, bytes: u64) -> Result<OpenedImage, HeaderError> {
    // With run-length encoding, few bytes can hold many pixels.
    let is_compressed = matches!(file.fill_buf().unwrap_or_default().get(30..34), Some([1 | 2, 0, 0, 0]));
    let opened = of_decoder(ImageFormat::Bmp, BmpDecoder::new(file))?;
    check_size((opened.header.width, opened.header.height), |pixels| is_compressed || pixels / 8 <= bytes)?;
    Ok(opened)
}

fn of_webp(mut file: BufReader<File>, bytes: u64) -> Result<OpenedImage, HeaderError> {
    webp::check(&mut file, bytes)?;
    of_decoder(ImageFormat::WebP, WebPDecoder::new(file))
}

/// Opens a TIFF. Its tag gives the order in which its pixels are stored, so Pillow always turns it, and so does didact.
fn of_tiff(file: BufReader<File>) -> Result<OpenedImage, HeaderError> {
    let mut decoder = TiffDecoder::new(file)?;
    let turn = decoder.orientation()?;
    let opened = of_decoder(ImageFormat::Tiff, Ok(decoder))?;
    let (width, height) = turned_size((opened.header.width, opened.header.height), turn);
    Ok(OpenedImage { header: Header { width, height, orientation: None }, turn, ..opened })
}

fn of_decoder<D: ImageDecoder + 'static>(
    format: ImageFormat,
    decoder: ImageResult<D>,
) -> Result<OpenedImage, HeaderError> {
    let mut decoder = decoder?;
    let (width, height) = decoder.dimensions();
    check_size((width, height), |_| true)?;
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(2 * decoder.total_bytes() + OVERHEAD);
    decoder.set_limits(limits)?;
    // Unreadable EXIF counts as no EXIF.
    let orientation = decoder.exif_metadata().ok().flatten().and_then(|exif| Orientation::from_exif_chunk(&exif));
    let (header, turn) = (Header { width, height, orientation }, Orientation::NoTransforms);
    Ok(OpenedImage { format, header, turn, pixels: PixelDecoder::Other(Box::new(decoder)) })
}
