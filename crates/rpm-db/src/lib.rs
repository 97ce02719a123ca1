//! What rpm and dnf record: the rpm database, imported keys, dnf's history and state.
