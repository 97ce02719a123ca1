//! The door: arguments, terminal, JSON, exit codes.
