//! The only writer of package paths: the root as a value, placement, ownership, conflicts.
