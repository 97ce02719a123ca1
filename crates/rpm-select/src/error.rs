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
