//! The story: plan, index, solve, prepare, fetch, unpack, record, configure, finish.
