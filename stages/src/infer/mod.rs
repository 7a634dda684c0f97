//! Running an ONNX network on samples: model card, runtime, session pool.
