//! Packages and wishes in, an ordered solution or an explanation out.
