//! What the driver says, as a [`DeviceError`].

use crate::error::DeviceError;
use cudarc::driver::DriverError;
use cudarc::driver::sys::cudaError_enum as Code;
use std::fmt::Display;

impl DeviceError {
    /// What is known of an error of the driver's, of an `action`.
    pub(super) fn of(error: DriverError, action: impl Display) -> Self {
        match error.0 {
            Code::CUDA_ERROR_NO_DEVICE => Self::NoDevice,
            code => Self::Failed { action: action.to_string(), found: words(error, code) },
        }
    }

    pub(super) fn refused(place: impl Into<String>, expected: impl Into<String>, found: impl Into<String>) -> Self {
        Self::Refused { place: place.into(), expected: expected.into(), found: found.into() }
    }
}

/// The driver's words for an error, where it has any.
fn words(error: DriverError, code: Code) -> String {
    let text = error.error_string().map(|text| text.to_string_lossy().into_owned());
    text.map_or_else(|_| format!("error {}", code as u32), |text| format!("{text} (error {})", code as u32))
}
