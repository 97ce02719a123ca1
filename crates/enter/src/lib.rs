//! Namespaces, mounts, devices, running a program inside the root.
