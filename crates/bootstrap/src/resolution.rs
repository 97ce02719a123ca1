//! The first three chapters alone: what a root would hold.

use bareroot_model::{Package, Phase};

use crate::context::Context;
use crate::error::Error;
use crate::plan::Plan;
use crate::request::Request;
use crate::{deb, rpm, tools};

/// A solution, and where its packages come from.
#[derive(Clone, Debug)]
pub struct Resolution {
    /// The packages in the solution's order.
    pub packages: Vec<Package>,
    mirrors: Vec<String>,
}

impl Resolution {
    /// The URL of a package's archive, without credentials; the path of a local file.
    pub fn url(&self, package: &Package) -> String {
        match package.source.and_then(|source| self.mirrors.get(source)) {
            Some(mirror) => bareroot_fetch::without_credentials(&format!("{mirror}/{}", package.path)),
            None => package.path.clone(),
        }
    }

    /// The package of that name.
    ///
    /// # Errors
    /// When it is not part of the solution.
    pub fn find(&self, name: &str) -> Result<&Package, Error> {
        let is = |package: &&Package| {
            package.name == name || format!("{}:{}", package.name, package.architecture) == name
        };
        self.packages
            .iter()
            .find(is)
            .ok_or_else(|| Error::NotInSolution(name.to_owned()))
    }
}

/// Chooses the packages of a request, touching no target.
///
/// # Errors
/// As [`crate::bootstrap`]'s first three chapters.
pub fn resolve(request: &Request, context: &Context) -> Result<Resolution, Error> {
    tools::raise_file_limit();
    let plan = context.phase(Phase::Plan, || Plan::new(request, context))?;
    let fetcher = tools::fetcher(request, context)?;
    let (packages, mirrors) = match &plan {
        Plan::Deb(plan) => deb::resolve(plan, &fetcher, context)?,
        Plan::Rpm(plan) => rpm::resolve(plan, &fetcher, context)?,
    };
    Ok(Resolution { packages, mirrors })
}
