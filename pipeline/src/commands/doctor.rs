//! `motionmill doctor`: what works here, and what to install otherwise.

use schemas::printable;
use stages::network::Runtime;
use stages::network::doctor::examine;

use super::terminal::print;

/// Prints the state of inference on this machine.
pub(super) fn run() -> anyhow::Result<()> {
    print(&format!("motionmill {}", env!("CARGO_PKG_VERSION")))?;
    print(&format!("threads: {}", super::progress::available_threads()))?;
    print(&format!("JPEG decoder: {}", datasets::pixels::JPEG_DECODER))?;
    let runtime = Runtime::load(None)?;
    let report = examine(runtime);
    print(&format!("ONNX Runtime {}: {} ({})", report.version, report.library, report.found))?;
    for provider in &report.providers {
        let state = match (&provider.failure, provider.compiled_in) {
            (None, _) => "works".to_owned(),
            (Some(_), false) => "not in this library".to_owned(),
            (Some(failure), true) => format!("does not start: {}", printable(failure)),
        };
        print(&format!("provider {}: {state}", provider.provider.name()))?;
        if let Some(hint) = &provider.hint {
            print(&format!("    to use it: {hint}"))?;
        }
    }
    for device in &report.devices {
        print(&format!("device {device}"))?;
    }
    Ok(())
}
