/// What kind of thing went wrong: each class is one documented exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Class {
    /// A defect of bareroot.
    Internal,
    /// The command line, or a file that it names, asks for something that is not possible.
    Usage,
    /// The wished packages cannot be had together: no such package, unsatisfiable, a file conflict between packages.
    Unresolved,
    /// The network or a mirror failed.
    Network,
    /// A signature, digest, size, date or suite is wrong, or an archive, index or database lies.
    Trust,
    /// The target or a file system refused.
    Target,
    /// A maintainer script or a hook failed.
    Script,
    /// Recipe, lock and request disagree.
    Disagreement,
    /// It is done, but the input changed while it was read, or a part of it could not be read.
    Unfaithful,
    /// The user, or a signal, stopped the run.
    Interrupted,
}

impl Class {
    /// The process exit code of this class.
    pub fn exit_code(self) -> u8 {
        match self {
            Class::Internal => 1,
            Class::Usage => 2,
            Class::Unresolved => 3,
            Class::Network => 4,
            Class::Trust => 5,
            Class::Target => 6,
            Class::Script => 7,
            Class::Disagreement => 8,
            Class::Unfaithful => 9,
            Class::Interrupted => 130,
        }
    }
}

/// Whether a system call failed because this host has no more descriptors or memory: whatever was asked for has no part in that.
pub fn is_exhausted(error: &std::io::Error) -> bool {
    /// errno(3), the same on every architecture of Linux.
    const ENOMEM: i32 = 12;
    const ENFILE: i32 = 23;
    const EMFILE: i32 = 24;
    matches!(error.raw_os_error(), Some(ENOMEM | ENFILE | EMFILE))
}

/// An error that knows its class, and may know what to do about itself.
pub trait Classified: std::error::Error {
    /// The class, which decides the exit code.
    fn class(&self) -> Class;

    /// One sentence, without a final period, that helps the user on; shown after `hint: `.
    fn hint(&self) -> Option<String> {
        None
    }
}
