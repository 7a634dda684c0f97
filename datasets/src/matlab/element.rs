//! Numbers of the format that reader and writer share: "MAT-File Format", The `MathWorks`, chapter 1.

/// Bytes of the header: 116 of text, 8 of the subsystem's offset, 2 of version, 2 that tell the byte order.
pub(super) const HEADER_BYTES: usize = 128;
/// Version of the format, as the header holds it.
pub(super) const VERSION: u16 = 0x0100;
/// Version in the header of a file that is really HDF5 (MATLAB v7.3).
pub(super) const VERSION_HDF5: u16 = 0x0200;

/// Types of data elements, table 1-1.
pub(super) mod kind {
    /// 8-bit signed integers.
    pub(crate) const INT8: u32 = 1;
    /// 8-bit unsigned integers.
    pub(crate) const UINT8: u32 = 2;
    /// 16-bit signed integers.
    pub(crate) const INT16: u32 = 3;
    /// 16-bit unsigned integers.
    pub(crate) const UINT16: u32 = 4;
    /// 32-bit signed integers.
    pub(crate) const INT32: u32 = 5;
    /// 32-bit unsigned integers.
    pub(crate) const UINT32: u32 = 6;
    /// 32-bit floats.
    pub(crate) const SINGLE: u32 = 7;
    /// 64-bit floats.
    pub(crate) const DOUBLE: u32 = 9;
    /// 64-bit signed integers.
    pub(crate) const INT64: u32 = 12;
    /// 64-bit unsigned integers.
    pub(crate) const UINT64: u32 = 13;
    /// An array, with flags, sizes and name.
    pub(crate) const MATRIX: u32 = 14;
    /// One zlib stream that holds one element.
    pub(crate) const COMPRESSED: u32 = 15;
    /// UTF-8 text.
    pub(crate) const UTF8: u32 = 16;
    /// UTF-16 text.
    pub(crate) const UTF16: u32 = 17;
    /// UTF-32 text.
    pub(crate) const UTF32: u32 = 18;
}

/// Classes of arrays, table 1-3.
pub(super) mod class {
    /// Cell array.
    pub(crate) const CELL: u8 = 1;
    /// Struct array.
    pub(crate) const STRUCT: u8 = 2;
    /// Object of a class of the old kind.
    pub(crate) const OBJECT: u8 = 3;
    /// Text.
    pub(crate) const CHAR: u8 = 4;
    /// Sparse matrix.
    pub(crate) const SPARSE: u8 = 5;
    /// Numbers: double, single, then int8, uint8, ... uint64.
    pub(crate) const DOUBLE: u8 = 6;
    /// 32-bit floats.
    pub(crate) const SINGLE: u8 = 7;
    /// 8-bit signed integers.
    pub(crate) const INT8: u8 = 8;
    /// 8-bit unsigned integers.
    pub(crate) const UINT8: u8 = 9;
    /// 16-bit signed integers.
    pub(crate) const INT16: u8 = 10;
    /// 16-bit unsigned integers.
    pub(crate) const UINT16: u8 = 11;
    /// 32-bit signed integers.
    pub(crate) const INT32: u8 = 12;
    /// 32-bit unsigned integers.
    pub(crate) const UINT32: u8 = 13;
    /// 64-bit signed integers.
    pub(crate) const INT64: u8 = 14;
    /// 64-bit unsigned integers.
    pub(crate) const UINT64: u8 = 15;
    /// Function handle; not in the published document.
    pub(crate) const FUNCTION: u8 = 16;
    /// Object of a class of the new kind, string, table, ...; not in the published document.
    pub(crate) const OPAQUE: u8 = 17;
}

/// Bit of the array flags: the array has imaginary parts.
pub(super) const FLAG_COMPLEX: u32 = 0x0800;
/// Bit of the array flags: the numbers are truth values.
pub(super) const FLAG_LOGICAL: u32 = 0x0200;
