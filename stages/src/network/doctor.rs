//! What works on this machine, and why something does not.

use super::providers::{ALL, Network, Provider, Start, session};
use super::runtime::Runtime;

/// A network of one node (`y = x`, float32 `[1]`), to see whether a provider really starts.
///
/// Made by `stages/testdata/make_models.py`.
pub(crate) const TINY_NETWORK: &[u8] = include_bytes!("../../testdata/models/identity.onnx");

/// The state of inference on this machine.
#[derive(Debug, Clone)]
pub struct Report {
    /// The library's file.
    pub library: String,
    /// Its version.
    pub version: String,
    /// Why it was chosen.
    pub found: String,
    /// Every known provider, fastest first.
    pub providers: Vec<ProviderReport>,
    /// The devices that the library sees, as `provider: kind vendor`.
    pub devices: Vec<String>,
}

/// The state of one provider.
#[derive(Debug, Clone)]
pub struct ProviderReport {
    /// Which one.
    pub provider: Provider,
    /// Whether the library was built with it.
    pub compiled_in: bool,
    /// Why no session starts on it; `None` where one does.
    pub failure: Option<String>,
    /// What to install, where no session starts.
    pub hint: Option<String>,
}

/// Tries every provider with a tiny network.
pub fn examine(runtime: &Runtime) -> Report {
    let providers = ALL.into_iter().map(|provider| {
        let failure = session(runtime, provider, Start::default(), Network::Bytes(TINY_NETWORK)).err();
        let hint = failure.as_ref().map(|_| provider.install_hint());
        ProviderReport { provider, compiled_in: provider.is_compiled_in(), failure, hint }
    });
    let devices = runtime.environment().devices().map(|device| {
        let hardware = device.hardware_device();
        let (provider, vendor) = (device.ep().unwrap_or("unknown"), hardware.vendor().unwrap_or("unknown"));
        format!("{provider}: {:?} {vendor}", hardware.ty())
    });
    Report {
        library: runtime.library().display().to_string(),
        version: runtime.version().to_owned(),
        found: runtime.found().to_string(),
        providers: providers.collect(),
        devices: devices.collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_processor_always_starts_and_what_does_not_has_a_hint() {
        let report = examine(Runtime::load(None).unwrap());
        let cpu = report.providers.last().unwrap();
        assert_eq!((cpu.provider, cpu.failure.as_deref()), (Provider::Cpu, None));
        assert!(report.providers.iter().all(|state| state.failure.is_some() == state.hint.is_some()));
        assert!(report.devices.iter().any(|device| device.contains("CPU")), "{:?}", report.devices);
    }
}
