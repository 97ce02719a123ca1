mod divert;
mod filter;
mod glob;
mod names;
mod path;
mod placed;
mod settings;

pub use divert::{Diversion, Diversions};
pub use filter::Filter;
pub use names::NameTable;
pub use placed::{Outcome, PathKind, PathRecord, Placed, Summary, Taken};
pub use settings::{
    Alone, Conffiles, Devices, Installed, Md5, Order, Override, Ownership, PlacerSettings, Relations, Subject,
};
