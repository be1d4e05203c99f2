//! Classification of device failures.
//!
//! dfdx does not expose the driver's errors, and some of its operations panic with them. Only their text can be examined.

/// The kinds of failure that callers treat differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeviceFailure {
    /// The device or the host has no memory left.
    OutOfMemory,
    /// The driver failed for another reason: the process cannot use the device any more.
    Lost,
    /// The device did not fail: the text describes a fault in the program.
    Other,
}

impl DeviceFailure {
    /// Classifies dfdx's text for an error, or the message of its panic.
    pub fn of_text(text: &str) -> Self {
        /// Words of the CPU, the driver and cuBLAS. cuBLAS also reports a start without memory as "not initialized".
        const OUT_OF_MEMORY: [&str; 4] =
            ["OutOfMemory", "OUT_OF_MEMORY", "ALLOC_FAILED", "CUBLAS_STATUS_NOT_INITIALIZED"];
        const DRIVER: [&str; 2] = ["CUDA_ERROR_", "CUBLAS_STATUS_"];
        let any = |words: &[&str]| words.iter().any(|word| text.contains(word));
        if any(&OUT_OF_MEMORY) {
            Self::OutOfMemory
        } else if any(&DRIVER) {
            Self::Lost
        } else {
            Self::Other
        }
    }
}

#[cfg(test)]
mod tests {
    use super::DeviceFailure::{self, Lost, Other, OutOfMemory};

    #[test]
    fn texts_of_devices_are_classified() {
        let cases = [
            ("Driver(DriverError(CUDA_ERROR_OUT_OF_MEMORY, \"out of memory\"))", OutOfMemory),
            ("Blas(CublasError(CUBLAS_STATUS_ALLOC_FAILED))", OutOfMemory),
            ("Blas(CublasError(CUBLAS_STATUS_NOT_INITIALIZED))", OutOfMemory),
            ("OutOfMemory", OutOfMemory),
            ("Driver(DriverError(CUDA_ERROR_ILLEGAL_ADDRESS, \"an illegal memory access was encountered\"))", Lost),
            ("Blas(CublasError(CUBLAS_STATUS_EXECUTION_FAILED))", Lost),
            ("WrongNumElements", Other),
        ];
        for (text, expected) in cases {
            assert_eq!(DeviceFailure::of_text(text), expected, "{text}");
        }
    }
}
