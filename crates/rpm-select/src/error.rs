use bareroot_model::{Class, Classified};

/// Why there is no selection.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Nothing is called that.
    #[error("no package matches `{wish}`{}", suggest(.similar))]
    NoMatch {
        /// What was asked for.
        wish: String,
        /// Names that are nearly the same.
        similar: Vec<String>,
    },
    /// No group or environment is called that.
    #[error("no group or environment is called `{wish}`{}", suggest(.known))]
    NoGroup {
        /// What was asked for.
        wish: String,
        /// Ids that there are.
        known: Vec<String>,
    },
    /// Everything that matches is excluded.
    #[error("everything that matches `{wish}` is excluded")]
    Excluded {
        /// What was asked for.
        wish: String,
    },
    /// Paths are asked for that only the lists of all files know.
    #[error("nothing that was read says which packages have {}", paths.join(", "))]
    NeedsFilelists {
        /// The paths.
        paths: Vec<String>,
    },
    /// A module has several streams that a wish may mean, and none of them is its default.
    #[error("`{wish}` may mean several streams of the module {module}: {}", streams.join(", "))]
    ManyStreams {
        /// What was asked for.
        wish: String,
        /// The module.
        module: String,
        /// Its streams.
        streams: Vec<String>,
    },
    /// A stream has no such profile, or none that is installed by default.
    #[error("`{wish}` means no profile of {stream}{}", suggest(.known))]
    NoProfile {
        /// What was asked for.
        wish: String,
        /// `module:stream`.
        stream: String,
        /// The stream's profiles.
        known: Vec<String>,
    },
    /// The streams that are wished cannot be enabled together.
    #[error("the module streams {} cannot be enabled together on {}", streams.join(", "), platform.as_deref().unwrap_or("an unknown platform"))]
    Modules {
        /// `module:stream` of each.
        streams: Vec<String>,
        /// The platform's stream, as the repositories' release package gives it.
        platform: Option<String>,
    },
    /// The wishes cannot be met together.
    #[error("the packages cannot be installed together:{}", lines.iter().map(|line| format!("\n  {line}")).collect::<String>())]
    Unsatisfiable {
        /// Why, a fact a line, nearest to the wishes first.
        lines: Vec<String>,
    },
}

fn suggest(names: &[String]) -> String {
    match names.is_empty() {
        true => String::new(),
        false => format!("; there are {}", names.join(", ")),
    }
}

impl Classified for Error {
    fn class(&self) -> Class {
        Class::Unresolved
    }
}
