//! Bytes to entries: ar, tar, decompressors, limits.
