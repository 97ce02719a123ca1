//! Keyrings, OpenPGP signatures and digest chains: the only mint of Trusted and Verified.
