//! Mirrors, proxies, resume, retry, cache, one flight per file.
