//! The course of configuring: what is done one after the other, with all that it takes.

use bareroot_deb::scripts::{self, Subject};

use super::Unconfigured;
use super::steps::{self, Step};
use bareroot_deb::archive::Control;

/// One thing to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// A preinst is run.
    Preinst(Preinst),
    /// dpkg configures the packages that it knows by these names; all that are not configured, where there are none.
    Configure(Vec<String>),
}

/// A preinst, and what lies around it while it runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preinst {
    /// The package.
    pub package: String,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// What dpkg sets for it.
    pub variables: scripts::Variables,
    /// The package's control files.
    pub files: Vec<ControlFile>,
}

/// A member of a control archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ControlFile {
    /// Its name: one component.
    pub name: String,
    /// Permission bits.
    pub mode: u32,
    /// Content.
    pub bytes: Vec<u8>,
}

/// The course for packages in the solution's order; `dpkg_version` is that of the root's dpkg package.
pub fn course(packages: &[Unconfigured<'_>], dpkg_version: &str) -> Vec<Act> {
    let names: Vec<String> = packages
        .iter()
        .map(|package| package.control.record_name())
        .collect();
    let subjects = packages.iter().zip(&names).map(|(package, record_name)| Subject {
        package: package.control.package(),
        architecture: package.control.architecture(),
        record_name,
        has_preinst: package.info.iter().any(|file| file.name == "preinst"),
    });
    let preinsts = scripts::preinsts(subjects, scripts::running_version(dpkg_version));
    let act = |step| match step {
        Step::Preinst(place) => {
            let file = format!("/{}.preinst", names[place]);
            let found = preinsts.iter().find(|preinst| preinst.program.ends_with(&file))?;
            Some(Act::Preinst(Preinst {
                package: found.package.clone(),
                arguments: found.arguments.clone(),
                variables: found.variables.clone(),
                files: control_files(&packages[place]),
            }))
        }
        Step::Configure(places) => Some(Act::Configure(
            places.into_iter().map(|place| names[place].clone()).collect(),
        )),
        Step::ConfigureAll => Some(Act::Configure(Vec::new())),
    };
    steps::steps(packages).into_iter().filter_map(act).collect()
}

/// The control files as dpkg lays them out for a preinst.
fn control_files(package: &Unconfigured<'_>) -> Vec<ControlFile> {
    let control = ControlFile {
        name: "control".to_owned(),
        mode: 0o644,
        bytes: control_file(package.control),
    };
    let others = package.info.iter().map(|file| ControlFile {
        name: file.name.clone(),
        mode: match file.name.as_str() {
            "preinst" => file.mode | 0o500,
            _ => file.mode,
        },
        bytes: file.bytes.clone(),
    });
    std::iter::once(control).chain(others).collect()
}

/// The control file again, field by field.
fn control_file(control: &Control) -> Vec<u8> {
    let mut text = Vec::new();
    for (name, value) in control.fields() {
        text.extend_from_slice(name.as_bytes());
        text.extend_from_slice(b": ");
        text.extend_from_slice(value);
        text.push(b'\n');
    }
    text
}
