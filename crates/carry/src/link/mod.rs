//! Which libraries a program is loaded with, as ld.so(8) would find them.

mod loader;
mod search;

use std::collections::{HashMap, VecDeque};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use crate::collect::{Collector, Why};
use crate::elf::Object;
use crate::error::Error;
use crate::path;
use crate::rule::Rule;
use crate::source::Found;
pub(crate) use loader::Loader;

/// A process: what is loaded, in its order.
#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) loader: Rc<Loader>,
    loaded: Vec<Loaded>,
    /// Each object by every name that it is known by.
    names: HashMap<Vec<u8>, usize>,
}

/// An object in a process.
#[derive(Debug)]
struct Loaded {
    /// The path by which it was found: links in it are what `$ORIGIN` sees.
    path: PathBuf,
    object: Rc<Object>,
    /// Which object brought it.
    parent: Option<usize>,
}

impl Context {
    fn load(&mut self, path: PathBuf, object: Rc<Object>, parent: Option<usize>, name: &[u8]) -> usize {
        let number = self.loaded.len();
        for name in [Some(name), object.soname.as_deref()].into_iter().flatten() {
            self.names.entry(name.to_vec()).or_insert(number);
        }
        self.loaded.push(Loaded { path, object, parent });
        number
    }
}

impl Collector<'_> {
    /// Follows the needs of a program that is in.
    pub(crate) fn link_program(&mut self, program: &Found, object: &Rc<Object>) -> Result<(), Error> {
        let why = Why::new(Rule::Loader, &program.path);
        if let Some(interpreter) = &object.interpreter {
            let wanted = path::path(interpreter);
            let found = self.add(&wanted, &why)?.filter(Found::is_file);
            if found.is_none() {
                return Err(Error::NoInterpreter {
                    path: program.path.clone(),
                    interpreter: wanted.display().to_string(),
                });
            }
        }
        let loader = Rc::new(Loader::of(self.source, object)?);
        let mut context = Context {
            loader,
            loaded: Vec::new(),
            names: HashMap::new(),
        };
        let main = context.load(
            program.path.clone(),
            Rc::clone(object),
            None,
            path::bytes(&program.path),
        );
        if let Some(interpreter) = &object.interpreter {
            // It is in the process already, and libraries may name it.
            let wanted = path::path(interpreter);
            if let Some(found) = self.source.find_file(&wanted)?
                && let Ok(loader) = self.source.object(&found.path)?
            {
                let name = path::name(&wanted).as_bytes().to_vec();
                context.load(wanted, loader, Some(main), &name);
            }
        }
        self.follow(&mut context, main, true)?;
        self.contexts.entry(object.machine).or_insert(context);
        Ok(())
    }

    /// Follows the needs of a file that went in as data and has an object in it: a program, or a library that is loaded
    /// later.
    pub(crate) fn link_object(&mut self, file: &Path, why: &Why) -> Result<(), Error> {
        let Ok(object) = self.source.object(file)? else {
            return Ok(());
        };
        if !object.loadable {
            return Ok(());
        }
        if object.interpreter.is_some() && object.soname.is_none() {
            let Some(found) = self.source.find_file(file)? else {
                return Ok(());
            };
            return match self.link_program(&found, &object) {
                Err(error @ (Error::NoLibrary { .. } | Error::NoInterpreter { .. }))
                    if why.rule != Rule::File =>
                {
                    self.warn(format!("{error}"));
                    Ok(())
                }
                result => result,
            };
        }
        let Some(mut context) = self.contexts.remove(&object.machine) else {
            // No program of this machine goes in, and so nothing loads it.
            return Ok(());
        };
        let name = path::name(file).as_bytes().to_vec();
        let result = if context.names.contains_key(&name) {
            Ok(())
        } else {
            let number = context.load(file.to_path_buf(), Rc::clone(&object), None, &name);
            self.follow(&mut context, number, why.rule == Rule::File)
        };
        self.contexts.insert(object.machine, context);
        result
    }

    /// Loads what an object needs, and what that needs, in the loader's order. Where it is not `required`, what is missing
    /// is a warning.
    fn follow(&mut self, context: &mut Context, from: usize, required: bool) -> Result<(), Error> {
        let mut left = VecDeque::from([from]);
        while let Some(number) = left.pop_front() {
            let Some(loaded) = context.loaded.get(number) else {
                continue;
            };
            let (by, object) = (loaded.path.clone(), Rc::clone(&loaded.object));
            self.triggers(&by, &object)?;
            for name in &object.needed {
                if context.names.contains_key(name) || context.loader.is_part(name) {
                    continue;
                }
                let hit = match search::library(self.source, context, number, name)? {
                    Ok(hit) => hit,
                    Err(looked) => {
                        let error = Error::NoLibrary {
                            library: String::from_utf8_lossy(name).into_owned(),
                            by: by.clone(),
                            looked,
                        };
                        if required {
                            return Err(error);
                        }
                        self.warn(format!("{error}"));
                        continue;
                    }
                };
                let why = Why::new(Rule::Library, &by);
                self.add(&hit.path, &why)?;
                for variant in &hit.variants {
                    self.add(
                        variant,
                        &Why {
                            rule: Rule::Hwcaps,
                            ..why.clone()
                        },
                    )?;
                }
                left.push_back(context.load(hit.path, hit.object, Some(number), name));
            }
            self.suggested(context, number, &by, &object, &mut left)?;
        }
        Ok(())
    }

    /// The libraries of an object's notes, where they are there.
    fn suggested(
        &mut self,
        context: &mut Context,
        number: usize,
        by: &Path,
        object: &Object,
        left: &mut VecDeque<usize>,
    ) -> Result<(), Error> {
        for suggestion in &object.suggestions {
            let mut found = false;
            for name in suggestion.sonames.iter().map(|name| name.as_bytes()) {
                if context.names.contains_key(name) {
                    found = true;
                    break;
                }
                if let Ok(hit) = search::library(self.source, context, number, name)? {
                    self.add(&hit.path, &Why::new(Rule::Dlopen, by))?;
                    left.push_back(context.load(hit.path, hit.object, Some(number), name));
                    found = true;
                    break;
                }
            }
            if !found && suggestion.required {
                self.warn(format!(
                    "`{}` loads {} for {}, which is not there",
                    by.display(),
                    suggestion.sonames.join(" or "),
                    suggestion.feature
                ));
            }
        }
        Ok(())
    }

    /// A library that is loaded by its name, as if the first program needed it; whether it is there.
    pub(crate) fn load_by_name(&mut self, name: &str, why: &Why) -> Result<bool, Error> {
        let mut there = false;
        for machine in self.contexts.keys().copied().collect::<Vec<_>>() {
            let Some(mut context) = self.contexts.remove(&machine) else {
                continue;
            };
            let result = self.load_in(&mut context, name, why);
            self.contexts.insert(machine, context);
            there |= result?;
        }
        Ok(there)
    }

    fn load_in(&mut self, context: &mut Context, name: &str, why: &Why) -> Result<bool, Error> {
        if context.names.contains_key(name.as_bytes()) {
            return Ok(true);
        }
        let Ok(hit) = search::library(self.source, context, 0, name.as_bytes())? else {
            return Ok(false);
        };
        self.add(&hit.path, why)?;
        let number = context.load(hit.path, hit.object, None, name.as_bytes());
        self.follow(context, number, false)?;
        Ok(true)
    }

    /// The directory that a library of the first program's process is in.
    pub(crate) fn directory_of(&self, stem: &str) -> Vec<PathBuf> {
        let mut directories: Vec<PathBuf> = Vec::new();
        for context in self.contexts.values() {
            for loaded in &context.loaded {
                if path::name(&loaded.path).starts_with(stem) {
                    directories.push(path::parent(&loaded.path).to_path_buf());
                }
            }
        }
        directories.sort();
        directories.dedup();
        directories
    }

    /// Libraries that the loader only finds by its cache: their name, path and machine.
    pub(crate) fn outside(&self) -> Vec<(Vec<u8>, PathBuf, crate::elf::Machine)> {
        let mut found = Vec::new();
        for (machine, context) in &self.contexts {
            for (name, number) in &context.names {
                let Some(loaded) = context.loaded.get(*number) else {
                    continue;
                };
                let directory = path::parent(&loaded.path);
                if loaded.object.soname.as_deref() == Some(name.as_slice())
                    && context.loader.by_cache(directory)
                {
                    found.push((name.clone(), loaded.path.clone(), *machine));
                }
            }
        }
        found.sort();
        found
    }
}
