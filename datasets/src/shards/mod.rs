//! Table folders: Parquet shards and their manifest.
