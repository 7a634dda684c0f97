//! `motionmill doctor`: what works here, and what to install otherwise.

use stages::network::Runtime;
use stages::network::doctor::examine;

/// Prints the state of inference on this machine.
pub(super) fn run() -> anyhow::Result<()> {
    println!("motionmill {}", env!("CARGO_PKG_VERSION"));
    println!("threads: {}", super::progress::available_threads());
    println!("JPEG decoder: {}", datasets::pixels::JPEG_DECODER);
    let runtime = Runtime::load(None)?;
    let report = examine(runtime);
    println!("ONNX Runtime {}: {} ({})", report.version, report.library, report.found);
    for provider in &report.providers {
        let state = match (&provider.failure, provider.compiled_in) {
            (None, _) => "works".to_owned(),
            (Some(_), false) => "not in this library".to_owned(),
            (Some(failure), true) => format!("does not start: {failure}"),
        };
        println!("provider {}: {state}", provider.provider.name());
        if let Some(hint) = &provider.hint {
            println!("    to use it: {hint}");
        }
    }
    for device in &report.devices {
        println!("device {device}");
    }
    Ok(())
}
