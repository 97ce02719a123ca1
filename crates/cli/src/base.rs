//! What a SPEC is: the name of a release, a recipe, or a lock; and the request that options are laid over.

use std::path::{Path, PathBuf};

use bareroot_bootstrap::{self as bootstrap, Error, LockUse, Request};
use bareroot_depot::{Recipe, lock};

use crate::request::Misuse;

/// What options are laid over.
pub enum Base {
    /// Nothing but a SPEC, or not even that.
    Spec(Option<String>),
    /// A recipe, which may have a lock beside it.
    Recipe(PathBuf, Box<Recipe>),
    /// A lock.
    Lock(PathBuf),
}

impl Base {
    /// Looks at a word, and reads the recipe that it names.
    ///
    /// # Errors
    /// When the recipe cannot be read.
    pub fn of(spec: Option<&str>) -> Result<Base, Error> {
        let is = |ending: &str| spec.is_some_and(|spec| spec.ends_with(ending));
        let path = || PathBuf::from(spec.unwrap_or_default());
        Ok(match (is(".toml"), is(".lock")) {
            (true, _) => Base::Recipe(path(), Box::new(bootstrap::read_recipe(&path())?)),
            (_, true) => Base::Lock(path()),
            _ => Base::Spec(spec.map(str::to_owned)),
        })
    }

    /// The request without any option.
    ///
    /// # Errors
    /// When a value of the recipe means nothing, or the lock cannot be read.
    pub fn request(&self) -> Result<Request, Error> {
        match self {
            Base::Spec(spec) => Ok(Request {
                spec: spec.clone(),
                ..Request::default()
            }),
            Base::Recipe(path, recipe) => bootstrap::request_of_recipe(recipe, path),
            Base::Lock(path) => Ok(Request {
                lock: LockUse::Only(path.clone()),
                ..bootstrap::request_of_lock(&bootstrap::read_lock(path)?.made_from)
            }),
        }
    }

    /// Where its lock is, unless an option says otherwise.
    pub fn lock(&self) -> PathBuf {
        match self {
            Base::Spec(_) => lock::NAME.into(),
            Base::Recipe(path, _) => path.parent().unwrap_or(Path::new("")).join(lock::NAME),
            Base::Lock(path) => path.clone(),
        }
    }

    /// The recipe, where it is one.
    pub fn recipe(&self) -> Option<&Recipe> {
        match self {
            Base::Recipe(_, recipe) => Some(recipe),
            _ => None,
        }
    }

    /// A value of the recipe that means nothing.
    pub fn wrong(&self, key: &'static str, reason: String) -> Misuse {
        let path = match self {
            Base::Recipe(path, _) | Base::Lock(path) => path.display().to_string(),
            Base::Spec(spec) => spec.clone().unwrap_or_default(),
        };
        Misuse::Recipe { path, key, reason }
    }

    /// A path of the recipe, as seen from here.
    pub fn beside(&self, path: &str) -> String {
        match self {
            Base::Recipe(recipe, _) if path != "-" => {
                let directory = recipe.parent().unwrap_or(Path::new(""));
                directory.join(path).to_string_lossy().into_owned()
            }
            _ => path.to_owned(),
        }
    }
}
