//! Chapter one, for every family: what was asked for becomes a plan.

use crate::context::Context;
use crate::deb;
use crate::error::Error;
use crate::request::Request;

/// What a run is going to do.
pub enum Plan {
    /// A root of Debian or a derivative.
    Deb(deb::Plan),
}

impl Plan {
    /// The plan for a request.
    ///
    /// # Errors
    /// When the request names something that does not exist, or that cannot be made on this host.
    pub fn new(request: &Request, context: &Context) -> Result<Plan, Error> {
        Ok(Plan::Deb(deb::Plan::new(request, context)?))
    }
}
