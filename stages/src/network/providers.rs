//! Which hardware is used: the execution providers of ONNX Runtime, requested by name and never replaced silently.

use std::fmt;
use std::path::Path;

use ort::ep;
use ort::ep::ExecutionProvider;
use ort::session::Session;
use ort::session::builder::SessionBuilder;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::NetworkError;
use super::runtime::Runtime;
use super::search::{CPU_WHEEL, GPU_WHEEL};
use super::tensorrt::TensorrtConfig;

/// What computes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Provider {
    /// The processor.
    #[default]
    Cpu,
    /// An NVIDIA card through CUDA and cuDNN.
    Cuda,
    /// An NVIDIA GPU through `TensorRT`, with CUDA for what `TensorRT` cannot do.
    Tensorrt,
}

/// All providers, fastest first.
pub const ALL: [Provider; 3] = [Provider::Tensorrt, Provider::Cuda, Provider::Cpu];

impl Provider {
    /// The name in plans and in print.
    pub fn name(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Cuda => "cuda",
            Self::Tensorrt => "tensorrt",
        }
    }

    /// Whether it computes on a separate device with its own memory.
    pub fn has_device(self) -> bool {
        self != Self::Cpu
    }

    /// Whether the loaded library was built with it; that says nothing about this machine.
    pub fn is_compiled_in(self) -> bool {
        match self {
            Self::Cpu => true,
            Self::Cuda => ep::CUDA::is_available().unwrap_or(false),
            Self::Tensorrt => ep::TensorRT::is_available().unwrap_or(false),
        }
    }

    /// This provider and those to fall back to, best first.
    pub fn and_slower(self) -> impl Iterator<Item = Self> {
        ALL.into_iter().skip_while(move |provider| *provider != self)
    }

    /// What to install where the provider does not start.
    pub fn install_hint(self) -> String {
        match self {
            Self::Cpu => format!("`pip install {CPU_WHEEL}`"),
            Self::Cuda => format!(
                "`pip install {GPU_WHEEL}` needs the CUDA 13 and cuDNN 9 libraries: put their folders into \
                 `LD_LIBRARY_PATH`, or install the `nvidia-*` wheels that a PyTorch for CUDA 13 brings; or set \
                 `fall_back = true`"
            ),
            Self::Tensorrt => format!(
                "`pip install {GPU_WHEEL}` needs the TensorRT 10 libraries in `LD_LIBRARY_PATH`; or set \
                 `provider = \"cuda\"` or `fall_back = true`"
            ),
        }
    }

    /// Appends the provider to the session's list; it fails rather than be left out.
    ///
    /// On a card, convolution algorithms are picked by cuDNN's heuristic rather than by timing, and TF32 is off, so
    /// that sessions agree with one another and, within rounding, with the processor.
    fn register(
        self,
        builder: SessionBuilder,
        device: i32,
        tuning: &TensorrtConfig,
    ) -> Result<SessionBuilder, String> {
        let cuda = || {
            ep::CUDA::default()
                .with_device_id(device)
                .with_conv_algorithm_search(ep::cuda::ConvAlgorithmSearch::Heuristic)
                .with_tf32(false)
                .build()
                .error_on_failure()
        };
        let tensorrt = || tuning.provider(device).build().error_on_failure();
        let registered = match self {
            Self::Cpu => builder.with_execution_providers([ep::CPU::default().build().error_on_failure()]),
            Self::Cuda => builder.with_execution_providers([cuda()]),
            Self::Tensorrt => builder.with_execution_providers([tensorrt(), cuda()]),
        };
        registered.map_err(|error| error.to_string())
    }
}

impl fmt::Display for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Where a session's network comes from.
#[derive(Debug, Clone, Copy)]
pub enum Network<'a> {
    /// An `.onnx` file, with its external data beside it where it has some.
    File(&'a Path),
    /// The bytes of an `.onnx` file.
    Bytes(&'a [u8]),
}

/// How a session is started, besides what computes.
#[derive(Debug, Clone, Copy)]
pub struct Start<'a> {
    /// Number of the GPU.
    pub device: i32,
    /// Threads of the session.
    pub intra_threads: usize,
    /// Keys of `TensorRT`.
    pub tensorrt: &'a TensorrtConfig,
}

impl Default for Start<'_> {
    /// One thread, GPU 0.
    fn default() -> Self {
        const PLAIN: &TensorrtConfig = &TensorrtConfig { cache: None, fp16: false, workspace_mib: None };
        Self { device: 0, intra_threads: 1, tensorrt: PLAIN }
    }
}

/// Makes a session on `provider`, never silently on a slower one.
///
/// # Errors
/// What is missing, in words: the provider in the library, a shared library, the card, or the network itself.
pub fn session(
    runtime: &Runtime,
    provider: Provider,
    start: Start<'_>,
    network: Network<'_>,
) -> Result<Session, String> {
    if !provider.is_compiled_in() {
        return Err(format!("`{}` is built without it", runtime.library().display()));
    }
    if provider.has_device() {
        preload_cuda_beside(runtime.library());
    }
    let plain = Session::builder(runtime.environment()).map_err(|error| error.to_string())?;
    if let (Provider::Tensorrt, Some(cache)) = (provider, &start.tensorrt.cache) {
        let failed = |error: std::io::Error| format!("cannot make `{}`: {error}", cache.display());
        std::fs::create_dir_all(cache).map_err(failed)?;
    }
    let mut builder = provider.register(plain, start.device, start.tensorrt)?;
    builder = builder.with_intra_threads(start.intra_threads).map_err(|error| error.to_string())?;
    builder = builder.with_deterministic_compute(true).map_err(|error| error.to_string())?;
    if start.intra_threads > 1 {
        // Several sessions share the machine: a thread that spins takes a core from its neighbours.
        builder = builder.with_intra_op_spinning(false).map_err(|error| error.to_string())?;
    }
    let session = match network {
        Network::File(path) => builder.commit_from_file(path),
        Network::Bytes(bytes) => builder.commit_from_memory(bytes),
    };
    session.map_err(|error| error.to_string())
}

/// Loads the CUDA and cuDNN libraries of the `nvidia` wheels installed beside the library, where there are any.
///
/// The provider's libraries have no search path of their own. What is not there is left to the system's loader,
/// whose complaint the session then reports.
fn preload_cuda_beside(library: &Path) {
    let Some(packages) = library.ancestors().nth(3) else { return };
    let existing = |path: &str| Some(packages.join(path)).filter(|folder| folder.is_dir());
    let (cuda, cudnn) = (existing("nvidia/cu13/lib"), existing("nvidia/cudnn/lib"));
    if cuda.is_some() || cudnn.is_some() {
        // A failure here is no failure yet: the libraries may be found another way.
        let _ = ep::cuda::preload_dylibs(cuda.as_deref(), cudnn.as_deref());
    }
}

/// The provider in use, after the choice is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Running {
    /// The provider in use.
    pub provider: Provider,
    /// Whether it computes in 16-bit floats where it can.
    pub fp16: bool,
    /// Why it is not the requested one, if it is not.
    pub fell_back: Option<String>,
}

impl fmt::Display for Running {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let halves = if self.fp16 { " fp16" } else { "" };
        match &self.fell_back {
            Some(why) => write!(f, "{}{halves} (fell back: {why})", self.provider),
            None => write!(f, "{}{halves}", self.provider),
        }
    }
}

/// Makes the first session, on the provider asked for or, with `fall_back`, on the next one that starts.
///
/// # Errors
/// When the provider asked for does not start and `fall_back` is off, or when none starts.
pub fn first_session(
    runtime: &Runtime,
    wanted: Provider,
    start: Start<'_>,
    fall_back: bool,
    network: Network<'_>,
) -> Result<(Session, Running), NetworkError> {
    let mut failures: Vec<String> = Vec::new();
    for provider in wanted.and_slower().take(if fall_back { ALL.len() } else { 1 }) {
        match session(runtime, provider, start, network) {
            Ok(session) => {
                let fell_back = (!failures.is_empty()).then(|| failures.join("; "));
                let fp16 = provider == Provider::Tensorrt && start.tensorrt.fp16;
                return Ok((session, Running { provider, fp16, fell_back }));
            }
            Err(reason) => failures.push(format!("`{provider}` does not start: {reason}")),
        }
    }
    Err(NetworkError::NotStarted { failures, install: wanted.install_hint() })
}

#[cfg(test)]
mod tests {
    use super::super::doctor::TINY_NETWORK;
    use super::*;
    use schemas::Hinted;

    #[test]
    fn slower_ones_follow_in_order() {
        let after = |provider: Provider| provider.and_slower().collect::<Vec<_>>();
        assert_eq!(after(Provider::Tensorrt), [Provider::Tensorrt, Provider::Cuda, Provider::Cpu]);
        assert_eq!(after(Provider::Cpu), [Provider::Cpu]);
    }

    #[test]
    fn what_is_not_there_is_an_error_with_a_hint_unless_falling_back_is_allowed() {
        let runtime = Runtime::load(None).unwrap();
        if Provider::Cuda.is_compiled_in() {
            return; // The library of this machine has CUDA; whether a card is there is another matter.
        }
        let network = Network::Bytes(TINY_NETWORK);
        let error = first_session(runtime, Provider::Cuda, Start::default(), false, network).unwrap_err();
        assert!(
            error.to_string().contains("`cuda` does not start")
                && error.to_string().contains("built without it")
        );
        assert!(error.hint().unwrap().contains("onnxruntime-gpu"), "{error}");
        let (_, running) =
            first_session(runtime, Provider::Tensorrt, Start::default(), true, network).unwrap();
        assert_eq!(running.provider, Provider::Cpu);
        assert!(running.to_string().starts_with("cpu (fell back: `tensorrt` does not start"), "{running}");
    }

    #[test]
    fn sixteen_bits_are_recorded() {
        let running = Running { provider: Provider::Tensorrt, fp16: true, fell_back: None };
        assert_eq!(running.to_string(), "tensorrt fp16");
    }

    #[test]
    fn a_file_that_is_no_network_is_an_error() {
        let runtime = Runtime::load(None).unwrap();
        let garbage = Network::Bytes(b"not a network");
        assert!(first_session(runtime, Provider::Cpu, Start::default(), true, garbage).is_err());
    }
}
