//! From a file to pixels: what Pillow refuses is refused, and what it reads looks the same.

use std::fs::File;
use std::io::{BufRead, BufReader, Cursor, Read};
use std::path::Path;

use image::codecs::bmp::BmpDecoder;
use image::codecs::jpeg::JpegDecoder;
use image::codecs::tiff::TiffDecoder;
use image::codecs::webp::WebPDecoder;
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, ImageResult, Limits};

use super::room::{Taken, room_for};
use super::{DataError, jpeg, png, regular, webp};
use crate::cause::Cause;

/// The largest image that is read, pixels: where Pillow refuses a file as a decompression bomb.
pub(super) const MOST_PIXELS: u64 = 178_956_970;
/// The largest JPEG, which is read whole, bytes.
const MOST_BYTES: u64 = 1 << 30;
/// Memory that a decoder may take beside the pixels, bytes.
const OVERHEAD: u64 = 512 << 20;

/// What a file says of its image before the pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    /// Columns, before EXIF is followed.
    pub width: u32,
    /// Rows, before EXIF is followed.
    pub height: u32,
    /// How EXIF asks to turn it; none where nothing is said.
    pub orientation: Option<Orientation>,
}

/// A decoder at the first pixel.
enum Pixels {
    Png(Box<::png::Reader<BufReader<File>>>),
    Other(Box<dyn ImageDecoder>),
}

/// A file whose header was read.
struct Opened {
    format: ImageFormat,
    /// As the file shows it: a TIFF is turned already.
    header: Header,
    /// How the pixels are turned in any case.
    turn: Orientation,
    pixels: Pixels,
}

/// An image, with the room that its pixels take.
pub(super) struct Decoded {
    /// The pixels.
    pub image: DynamicImage,
    /// How EXIF asks to turn them; none where nothing is said.
    pub orientation: Option<Orientation>,
    /// Held until the pixels are gone.
    pub room: Taken,
}

/// The header of a file.
pub(super) fn header(path: &Path) -> Result<Header, DataError> {
    Ok(open(path)?.header)
}

/// Decodes a file by its content, whatever its name ends in; of several images the first.
pub(super) fn decode(path: &Path) -> Result<Decoded, DataError> {
    open(path)?.decode(path)
}

/// Whether a file can be decoded to its last pixel. A JPEG is not decoded for that: libjpeg takes whatever stands between its header and
/// its end for pixels, and so do we.
pub(super) fn verify(path: &Path) -> Result<Header, DataError> {
    let opened = open(path)?;
    let header = opened.header;
    if opened.format != ImageFormat::Jpeg {
        opened.decode(path)?;
    }
    Ok(header)
}

/// Columns and rows when an image is turned.
pub(super) fn turned((width, height): (u32, u32), orientation: Orientation) -> (u32, u32) {
    match orientation {
        Orientation::Rotate90 | Orientation::Rotate270 | Orientation::Rotate90FlipH | Orientation::Rotate270FlipH => {
            (height, width)
        }
        _ => (width, height),
    }
}

impl Opened {
    fn decode(self, path: &Path) -> Result<Decoded, DataError> {
        let Header { width, height, orientation } = self.header;
        let room = room_for(u64::from(width) * u64::from(height));
        let image = match self.pixels {
            Pixels::Png(reader) => png::decode(*reader),
            Pixels::Other(decoder) => DynamicImage::from_decoder(decoder).map_err(|error| Undecoded(error).into()),
        };
        let mut image = image.map_err(|source| wrong(path, source))?;
        image.apply_orientation(self.turn);
        Ok(Decoded { image, orientation, room })
    }
}

fn wrong(path: &Path, source: Cause) -> DataError {
    DataError::Decode { path: path.to_owned(), source }
}

/// What a decoder says, in one line.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.to_string().split_whitespace().collect::<Vec<_>>().join(" "))]
struct Undecoded(#[source] ImageError);

fn open(path: &Path) -> Result<Opened, DataError> {
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
        Some(other) => Err(format!("it is of the kind {other:?}").into()),
        None => Err(Cause::from("its content is that of no known kind").into()),
    };
    opened.map_err(|reason| match reason {
        Refused::Damaged(source) => wrong(path, source),
        Refused::TooLarge(width, height) => DataError::TooLarge { path: path.to_owned(), width, height },
    })
}

/// Why a header is refused.
enum Refused {
    Damaged(Cause),
    TooLarge(u32, u32),
}

impl From<Cause> for Refused {
    fn from(source: Cause) -> Self {
        Self::Damaged(source)
    }
}

impl From<String> for Refused {
    fn from(reason: String) -> Self {
        Self::Damaged(reason.into())
    }
}

impl From<ImageError> for Refused {
    fn from(error: ImageError) -> Self {
        Self::Damaged(Undecoded(error).into())
    }
}

/// Refuses what a header cannot rightly say: too many pixels at all, or for so short a file.
fn check_size((width, height): (u32, u32), fits: impl Fn(u64) -> bool) -> Result<(), Refused> {
    let pixels = u64::from(width) * u64::from(height);
    match pixels {
        0 => Err(format!("its header says {width}×{height} pixels").into()),
        _ if pixels > MOST_PIXELS => Err(Refused::TooLarge(width, height)),
        _ if !fits(pixels) => {
            Err(format!("its header says {width}×{height} pixels, for which the file is too short").into())
        }
        _ => Ok(()),
    }
}

fn of_png(file: BufReader<File>, bytes: u64) -> Result<Opened, Refused> {
    /// Deflate makes at most so many of one byte.
    const MOST_DEFLATED: u64 = 1032;
    let reader = png::open(file)?;
    let (width, height) = reader.info().size();
    let row = reader.info().raw_row_length() as u64;
    check_size((width, height), |_| row * u64::from(height) / MOST_DEFLATED <= bytes)?;
    let header = Header { width, height, orientation: png::orientation(&reader) };
    let (format, turn) = (ImageFormat::Png, Orientation::NoTransforms);
    Ok(Opened { format, header, turn, pixels: Pixels::Png(Box::new(reader)) })
}

fn of_jpeg(mut file: BufReader<File>, length: u64) -> Result<Opened, Refused> {
    /// A block of 64 pixels takes at least one bit.
    const MOST_PIXELS_A_BYTE: u64 = 64 * 8;
    if length > MOST_BYTES {
        return Err(format!("it has {length} bytes, of which at most {MOST_BYTES} are read").into());
    }
    let mut bytes = Vec::with_capacity(length as usize);
    file.read_to_end(&mut bytes).map_err(Cause::from)?;
    jpeg::check(&bytes)?;
    let opened = of_decoder(ImageFormat::Jpeg, JpegDecoder::new(Cursor::new(bytes)))?;
    check_size((opened.header.width, opened.header.height), |pixels| pixels / MOST_PIXELS_A_BYTE <= length)?;
    Ok(opened)
}

fn of_bmp(mut file: BufReader<File>, bytes: u64) -> Result<Opened, Refused> {
    // Run-length encoded, few bytes can be many pixels.
    let squeezed = matches!(file.fill_buf().unwrap_or_default().get(30..34), Some([1 | 2, 0, 0, 0]));
    let opened = of_decoder(ImageFormat::Bmp, BmpDecoder::new(file))?;
    check_size((opened.header.width, opened.header.height), |pixels| squeezed || pixels / 8 <= bytes)?;
    Ok(opened)
}

fn of_webp(mut file: BufReader<File>, bytes: u64) -> Result<Opened, Refused> {
    webp::check(&mut file, bytes)?;
    of_decoder(ImageFormat::WebP, WebPDecoder::new(file))
}

/// A TIFF's tag says in which order its pixels are stored: Pillow turns it whether asked to or not.
fn of_tiff(file: BufReader<File>) -> Result<Opened, Refused> {
    let mut decoder = TiffDecoder::new(file)?;
    let turn = decoder.orientation()?;
    let opened = of_decoder(ImageFormat::Tiff, Ok(decoder))?;
    let (width, height) = turned((opened.header.width, opened.header.height), turn);
    Ok(Opened { header: Header { width, height, orientation: None }, turn, ..opened })
}

fn of_decoder<D: ImageDecoder + 'static>(format: ImageFormat, decoder: ImageResult<D>) -> Result<Opened, Refused> {
    let mut decoder = decoder?;
    let (width, height) = decoder.dimensions();
    check_size((width, height), |_| true)?;
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(2 * decoder.total_bytes() + OVERHEAD);
    decoder.set_limits(limits)?;
    // EXIF that cannot be read says nothing.
    let orientation = decoder.exif_metadata().ok().flatten().and_then(|exif| Orientation::from_exif_chunk(&exif));
    let (header, turn) = (Header { width, height, orientation }, Orientation::NoTransforms);
    Ok(Opened { format, header, turn, pixels: Pixels::Other(Box::new(decoder)) })
}
