//! Debian: Release, Packages, .deb, what dpkg and apt record.
