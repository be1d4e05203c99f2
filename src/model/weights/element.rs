//! Types of numbers in weight files.

use safetensors::tensor::Dtype;

/// Element type of a storage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Element {
    F16,
    Bf16,
    F32,
    F64,
    /// Another type of so many bytes, e.g. for counters (num_batches_tracked). No weight has such a type.
    Other(usize),
}

impl Element {
    /// Returns the element type of one of PyTorch's storage classes, e.g. `torch.FloatStorage`.
    pub(super) fn of_storage(class: &str) -> Option<Self> {
        Some(match class {
            "FloatStorage" => Self::F32,
            "DoubleStorage" => Self::F64,
            "HalfStorage" => Self::F16,
            "BFloat16Storage" => Self::Bf16,
            "LongStorage" | "ComplexFloatStorage" => Self::Other(8),
            "ComplexDoubleStorage" => Self::Other(16),
            "IntStorage" | "QInt32Storage" => Self::Other(4),
            "ShortStorage" => Self::Other(2),
            "ByteStorage" | "CharStorage" | "BoolStorage" | "QInt8Storage" | "QUInt8Storage" | "QUInt4x2Storage"
            | "QUInt2x4Storage" | "UntypedStorage" => Self::Other(1),
            _ => return None,
        })
    }

    /// Returns the element type of a `.safetensors` tensor, or `None` if it is smaller than a byte.
    pub(super) fn of_safetensors(dtype: Dtype) -> Option<Self> {
        Some(match dtype {
            Dtype::F16 => Self::F16,
            Dtype::BF16 => Self::Bf16,
            Dtype::F32 => Self::F32,
            Dtype::F64 => Self::F64,
            other if other.bitsize() % 8 == 0 => Self::Other(other.bitsize() / 8),
            _ => return None,
        })
    }

    /// Returns the bytes of one element.
    pub(super) fn size(self) -> usize {
        match self {
            Self::F16 | Self::Bf16 => 2,
            Self::F32 => 4,
            Self::F64 => 8,
            Self::Other(size) => size,
        }
    }

    /// Returns whether this is a floating-point type.
    pub(super) fn is_float(self) -> bool {
        !matches!(self, Self::Other(_))
    }

    /// Converts the little-endian bytes of one element to a 32-bit float. Returns NaN if the type is not a float.
    pub(super) fn float(self, bytes: &[u8]) -> f32 {
        match (self, bytes) {
            (Self::F16, [a, b]) => half(u16::from_le_bytes([*a, *b])),
            (Self::Bf16, [a, b]) => f32::from_bits(u32::from(u16::from_le_bytes([*a, *b])) << 16),
            (Self::F32, [a, b, c, d]) => f32::from_le_bytes([*a, *b, *c, *d]),
            (Self::F64, [a, b, c, d, e, f, g, h]) => f64::from_le_bytes([*a, *b, *c, *d, *e, *f, *g, *h]) as f32,
            _ => f32::NAN,
        }
    }
}

/// Converts IEEE 754 binary16 to binary32.
fn half(bits: u16) -> f32 {
    let sign = if bits >> 15 == 1 { -1.0 } else { 1.0 };
    let (exponent, fraction) = (i32::from((bits >> 10) & 31), f32::from(bits & 1023));
    sign * match exponent {
        0 => fraction * 2.0_f32.powi(-24),
        31 if fraction == 0.0 => f32::INFINITY,
        31 => f32::NAN,
        _ => (1.0 + fraction / 1024.0) * 2.0_f32.powi(exponent - 15),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_float_type_is_converted() {
        let assert_value =
            |element: Element, bytes: &[u8], value: f32| assert_eq!(element.float(bytes), value, "{element:?}");
        assert_value(Element::F32, &1.5_f32.to_le_bytes(), 1.5);
        assert_value(Element::F64, &(-0.1_f64).to_le_bytes(), -0.1);
        assert_value(Element::Bf16, &[0x20, 0x40], 2.5);
        // Python: struct.unpack('<e', …) of these bytes.
        assert_value(Element::F16, &[0x66, 0x2e], 0.099_975_586);
        assert_value(Element::F16, &[0x00, 0xc0], -2.0);
        assert_value(Element::F16, &[0x01, 0x00], 5.960_464_5e-8);
        assert_value(Element::F16, &[0xff, 0x7b], 65504.0);
        assert_value(Element::F16, &[0x00, 0x7c], f32::INFINITY);
        assert!(Element::F16.float(&[0x01, 0x7c]).is_nan());
        assert!(Element::Other(4).float(&[0; 4]).is_nan());
    }
}
