//! Pixels of image files: bounded decoding, with what was done recorded.
