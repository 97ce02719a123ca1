//! Which packages of RPM repositories make a root, as dnf and libsolv choose them.
