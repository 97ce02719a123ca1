//! Chapter one, for every family: what was asked for becomes a plan.

use crate::context::Context;
use crate::error::Error;
use crate::request::Request;
use crate::{deb, rpm};

/// What a run is going to do.
pub enum Plan {
    /// A root of Debian or a derivative.
    Deb(deb::Plan),
    /// A root of RPM repositories.
    Rpm(rpm::Plan),
}

impl Plan {
    /// The plan for a request: .repo files make an RPM root, everything else is Debian's.
    ///
    /// # Errors
    /// When the request names something that does not exist, or that cannot be made on this host.
    pub fn new(request: &Request, context: &Context) -> Result<Plan, Error> {
        match request.repos.is_empty() {
            true => Ok(Plan::Deb(deb::Plan::new(request, context)?)),
            false => Ok(Plan::Rpm(rpm::Plan::new(request)?)),
        }
    }
}
