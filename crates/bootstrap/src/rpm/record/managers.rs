//! What the root's own package managers remember: why each package is there, and where it is from.

use std::path::Path;

use bareroot_model::Reason;
use bareroot_rpm::Tag;
use bareroot_rpm_db::state::{self, MemberKind, Transaction};
use bareroot_rpm_db::{dnf4, dnf5, yum, zypp};
use bareroot_rpm_repo::comps::PackageType;
use bareroot_rpm_select::InstalledGroup;
use bareroot_unpack::Root;

use crate::error::Error;
use crate::rpm::plan::Plan;
use crate::rpm::solve::Solution;
use crate::rpm::unpack::Arrived;

/// The installation, in the package managers' common words. `cookies` are those of rpm's database before and after it.
pub fn transaction(
    plan: &Plan,
    solution: &Solution,
    arrived: &[Arrived],
    time: u32,
    cookies: [String; 2],
) -> Transaction {
    let [begin, end] = cookies;
    // The order in which libsolv has them, which is the one in which dnf notes them.
    let mut ordered: Vec<&Arrived> = arrived.iter().collect();
    ordered.sort_by_key(|package| (package.pick.repo.unwrap_or(usize::MAX), package.pick.number));
    let mut kinds = vec![
        MemberKind::Mandatory,
        MemberKind::Default,
        MemberKind::Conditional,
    ];
    if plan.optional {
        kinds.push(MemberKind::Optional);
    }
    let mut words = vec!["install"];
    words.extend(plan.wishes.iter().chain(&plan.local).map(String::as_str));
    Transaction {
        time,
        begin,
        end,
        releasever: plan.releasever.clone().unwrap_or_default(),
        command_line: words.join(" "),
        packages: ordered.iter().map(|package| installed(plan, package)).collect(),
        kinds,
        environments: environments(solution),
        groups: groups(solution),
    }
}

fn installed(plan: &Plan, package: &Arrived) -> state::InstalledPackage {
    let header = package.file.header();
    let nevra = header.nevra();
    // What is in the signature is in the header that rpm keeps.
    let sha1 = package.file.signature().text(Tag::SHA1HEADER);
    let header_id = sha1.or(header.text(Tag::SHA1HEADER)).map_or_else(
        || {
            format!(
                "{}.{}",
                nevra.name,
                header.number(Tag::BUILDTIME).unwrap_or_default()
            )
        },
        str::to_owned,
    );
    let repository = package.pick.repo.and_then(|repo| plan.repos.get(repo));
    state::InstalledPackage {
        name: nevra.name,
        epoch: nevra.epoch.unwrap_or_default(),
        version: nevra.version,
        release: nevra.release,
        arch: nevra.arch,
        repository: repository.map_or_else(|| "@commandline".to_owned(), |repo| repo.id.clone()),
        reason: match &package.pick.package.reason {
            Reason::Wished => state::Reason::User,
            Reason::Variant { .. } => state::Reason::Group,
            Reason::Dependency { kind, .. } if kind == "Recommends" => state::Reason::Weak,
            Reason::Dependency { .. } => state::Reason::Dependency,
        },
        header_id,
        sha256: package.blob.get().sha256().to_string(),
    }
}

fn environments(solution: &Solution) -> Vec<state::InstalledEnvironment> {
    let environments = solution.groups.environments.iter();
    environments
        .map(|(id, environment)| state::InstalledEnvironment {
            id: id.clone(),
            name: environment.name.clone(),
            groups: environment.groups.clone(),
        })
        .collect()
}

/// The groups of environments come first, in the environments' order.
fn groups(solution: &Solution) -> Vec<state::InstalledGroup> {
    let all = &solution.groups.groups;
    let mut order: Vec<&String> = Vec::new();
    let of_environments = solution.groups.environments.values();
    for id in of_environments
        .flat_map(|environment| environment.groups.iter().map(|(id, _)| id))
        .chain(all.keys())
    {
        if all.contains_key(id) && !order.contains(&id) {
            order.push(id);
        }
    }
    order
        .into_iter()
        .filter_map(|id| Some(group(id, all.get(id)?)))
        .collect()
}

fn group(id: &str, group: &InstalledGroup) -> state::InstalledGroup {
    state::InstalledGroup {
        id: id.to_owned(),
        name: group.name.clone(),
        by_user: group.by_user,
        members: group
            .packages
            .iter()
            .map(|member| state::GroupMember {
                name: member.name.clone(),
                kind: match member.kind {
                    PackageType::Mandatory => MemberKind::Mandatory,
                    PackageType::Default => MemberKind::Default,
                    PackageType::Conditional => MemberKind::Conditional,
                    PackageType::Optional => MemberKind::Optional,
                },
                installed: member.installed,
            })
            .collect(),
    }
}

/// Which package managers the root has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Managers {
    dnf4: bool,
    dnf5: bool,
    zypper: bool,
    yum3: bool,
}

impl Managers {
    fn of(arrived: &[Arrived]) -> Managers {
        let mut found = Managers::default();
        for package in arrived {
            let header = package.file.header();
            let nevra = header.nevra();
            match nevra.name.as_str() {
                // libdnf keeps dnf 4's history for microdnf and PackageKit as well.
                "python3-dnf" | "libdnf" | "microdnf" => found.dnf4 = true,
                "dnf5" | "libdnf5" => found.dnf5 = true,
                "dnf" | "yum" if is_from(&nevra.version, "5") => found.dnf5 = true,
                // From 4 on it is a name of dnf's.
                "yum" if !is_from(&nevra.version, "4") => found.yum3 = true,
                "dnf" => found.dnf4 = true,
                "zypper" | "libzypp" => found.zypper = true,
                _ => {}
            }
            let is_dnf = |path: &[u8]| path == b"/usr/bin/dnf-3";
            found.dnf4 = found.dnf4 || header.files().iter().any(|file| is_dnf(&file.path()));
        }
        found
    }
}

fn is_from(version: &str, first: &str) -> bool {
    bareroot_rpm::rpmvercmp(version, first) != std::cmp::Ordering::Less
}

/// Writes what the root's package managers remember.
///
/// # Errors
/// When the root refuses.
pub fn record(
    root: &Root,
    solution: &Solution,
    arrived: &[Arrived],
    transaction: &Transaction,
) -> Result<(), Error> {
    let managers = Managers::of(arrived);
    let modules: Vec<state::EnabledModule> = solution
        .modules
        .iter()
        .map(|(name, module)| state::EnabledModule {
            name: name.clone(),
            stream: module.stream.clone(),
            profiles: module.profiles.clone(),
        })
        .collect();
    let write = |directory: &str, name: &str, bytes: &[u8]| -> Result<(), Error> {
        root.create_dir_all(directory, 0o755)?;
        Ok(root.write(Path::new(directory).join(name), 0o644, bytes)?)
    };
    if managers.dnf4 {
        write(dnf4::DIRECTORY, dnf4::FILE, &dnf4::history(transaction)?)?;
        root.create_dir_all(dnf4::MODULES, 0o755)?;
        for (name, text) in modules.iter().filter_map(dnf4::module) {
            write(dnf4::MODULES, &name, text.as_bytes())?;
        }
    }
    if managers.dnf5 {
        for (name, text) in dnf5::files(transaction, &modules) {
            write(dnf5::DIRECTORY, name, text.as_bytes())?;
        }
    }
    if managers.yum3 {
        for (path, text) in yum::files(transaction) {
            let path = Path::new(yum::DIRECTORY).join(path);
            root.create_dir_all(path.parent().unwrap_or(&path), 0o755)?;
            root.write(&path, 0o644, text.as_bytes())?;
        }
    }
    if managers.zypper {
        let text = zypp::auto_installed(transaction);
        write(zypp::DIRECTORY, zypp::FILE, text.as_bytes())?;
    }
    Ok(())
}
