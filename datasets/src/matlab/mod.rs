//! MATLAB v5 files: values, reader, writer.
