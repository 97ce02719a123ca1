//! Tests only: builds debs, repositories and keys; a mirror that misbehaves on request; a tree differ.
