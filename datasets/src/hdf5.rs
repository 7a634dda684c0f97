//! Arrays of HDF5 files.
