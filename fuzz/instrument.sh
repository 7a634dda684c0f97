#!/bin/sh
# Stands between cargo and rustc, as RUSTC_WORKSPACE_WRAPPER or RUSTC_WRAPPER: crates that read files tell libFuzzer which
# branches they take and what they compare. Works with the stable toolchain.
rustc=$1
shift
name=
previous=
for argument; do
    [ "$previous" = --crate-name ] && name=$argument
    previous=$argument
done
case $name in
schemas | datasets | hdf5_reader | zip | parquet | image | png | tiff | image_webp | serde_saphyr | granit_parser | toml | toml_parser)
    level=4 ;;
stages | pipeline)
    # Functions alone: libFuzzer looks at every counter after each input, and these crates are the largest.
    level=1 ;;
*)
    exec "$rustc" "$@" ;;
esac
exec "$rustc" "$@" -Ccodegen-units=1 -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=$level \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares -Cllvm-args=-simplifycfg-branch-fold-threshold=0
