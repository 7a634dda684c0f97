//! Keys of `TensorRT`: what it keeps between runs, and how it computes.

use std::num::NonZeroU32;
use std::path::PathBuf;

use ort::ep;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How `TensorRT` builds its engines: `engine.tensorrt = { .. }`.
///
/// ```
/// let config: stages::network::TensorrtConfig = toml::from_str("cache = 'engines'\nfp16 = true")?;
/// # Ok::<(), toml::de::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TensorrtConfig {
    /// Folder in which engines and the timings that they were chosen by are kept, so that a network is built once: minutes
    /// become seconds, and later runs choose the same kernels. A folder belongs to one kind of GPU and one version of
    /// `TensorRT`, which checks that itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "path"))]
    pub cache: Option<PathBuf>,
    /// Whether layers may compute in 16-bit floats. This changes the results.
    pub fp16: bool,
    /// Most memory in MiB that a layer may use while it computes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workspace_mib: Option<NonZeroU32>,
}

impl TensorrtConfig {
    /// The provider with these keys on GPU number `device`.
    pub(super) fn provider(&self, device: i32) -> ep::TensorRT {
        let mut provider = ep::TensorRT::default().with_device_id(device).with_fp16(self.fp16);
        if let Some(cache) = &self.cache {
            let folder = cache.display();
            provider = provider
                .with_engine_cache(true)
                .with_engine_cache_path(folder.to_string())
                .with_timing_cache(true)
                .with_timing_cache_path(folder.to_string());
        }
        if let Some(mib) = self.workspace_mib {
            provider = provider.with_max_workspace_size((mib.get() as usize) << 20);
        }
        provider
    }
}
