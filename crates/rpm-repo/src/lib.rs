//! What an RPM repository says: .repo files and their variables, repomd, metalinks, primary, filelists, comps, modules.
