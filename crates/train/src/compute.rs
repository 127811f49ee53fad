//! What a run computes on.

use std::str::FromStr;

use burn::tensor::Device;

use crate::{Error, ErrorKind};

/// A kind of device. All but the processor are features of this crate.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Compute {
    /// The processor, with our own kernels.
    #[default]
    Cpu,
    /// The first NVIDIA device (feature `cuda`).
    Cuda,
    /// The first device of Vulkan, Metal or DirectX (feature `wgpu`).
    Wgpu,
    /// The processor through libtorch (feature `libtorch`).
    Libtorch,
}

impl Compute {
    /// The device.
    ///
    /// # Errors
    /// `Config` when this program was built without the feature.
    pub fn device(self) -> Result<Device, Error> {
        match self {
            Compute::Cpu => Ok(Device::flex()),
            #[cfg(feature = "cuda")]
            Compute::Cuda => Ok(Device::cuda(0)),
            #[cfg(feature = "wgpu")]
            Compute::Wgpu => Ok(Device::wgpu(burn::tensor::DeviceKind::DefaultDevice)),
            #[cfg(feature = "libtorch")]
            Compute::Libtorch => Ok(Device::libtorch()),
            #[allow(unreachable_patterns, reason = "with every feature nothing is left")]
            other => Err(Error::new(
                ErrorKind::Config,
                format!(
                    "expected a program built with the feature `{}`",
                    other.name()
                ),
            )),
        }
    }

    /// Its name on the command line, and of its feature.
    pub fn name(self) -> &'static str {
        match self {
            Compute::Cpu => "cpu",
            Compute::Cuda => "cuda",
            Compute::Wgpu => "wgpu",
            Compute::Libtorch => "libtorch",
        }
    }
}

impl FromStr for Compute {
    type Err = String;

    fn from_str(text: &str) -> Result<Compute, String> {
        [
            Compute::Cpu,
            Compute::Cuda,
            Compute::Wgpu,
            Compute::Libtorch,
        ]
        .into_iter()
        .find(|compute| compute.name() == text)
        .ok_or_else(|| format!("expected cpu, cuda, wgpu or libtorch, got `{text}`"))
    }
}
