//! The stages in turn: walk, let the solver decide, put in order.

use std::collections::{HashMap, HashSet};

use bareroot_model::Reason;
use bareroot_solve as solve;

use super::arena::{Pkg, Ver};
use super::explain;
use super::named::Asked;
use super::pool::Pool;
use super::relations::Dep;
use super::result::{Chosen, Selection};
use super::state::{Mode, States, Why};
use super::{Error, Settings, Stage, Universe};

/// What the walk may take of a stack: it is as deep as a chain of dependencies, 3000 at most.
const STACK: usize = 64 << 20;

/// Chooses the packages of all stages.
///
/// The answer depends on the arguments alone.
///
/// # Errors
///
/// [`Error::NoSuchPackage`] and its kin for a wish that names nothing, [`Error::Unsatisfiable`] when the wishes cannot
/// be met together, [`Error::Index`] when a relation that matters cannot be read.
pub fn select<'a>(
    universe: &Universe<'a>,
    settings: &Settings,
    stages: &[Stage],
) -> Result<Selection<'a>, Error> {
    std::thread::scope(|scope| {
        let builder = std::thread::Builder::new()
            .name("select".to_owned())
            .stack_size(STACK);
        let handle = builder
            .spawn_scoped(scope, || run(universe, settings, stages))
            .map_err(Error::Thread)?;
        match handle.join() {
            Ok(result) => result,
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}

fn run<'a>(universe: &Universe<'a>, settings: &Settings, stages: &[Stage]) -> Result<Selection<'a>, Error> {
    // The pool lives no longer than this call; what it hands out borrows from the indexes.
    let universe: Universe<'a> = *universe;
    let mut pool = Pool::new(universe, settings);
    let mut selection = Selection::default();
    let mut installed: Vec<Ver> = Vec::new();
    for (number, stage) in stages.iter().enumerate() {
        let asked = Asked::read(&mut pool, &stage.wants)?;
        let outcome = solve_stage(&mut pool, settings, &installed, &asked);
        if let Some(trouble) = pool.trouble.take() {
            return Err(trouble.into());
        }
        let outcome = outcome?;
        if outcome.repaired {
            selection.repaired.push(number);
        }
        for (ver, automatic, reason) in outcome.ordered(&mut pool) {
            installed.push(ver);
            let stanza = pool.vers[ver].stanza;
            selection.packages.push(Chosen {
                stanza,
                stage: number,
                automatic,
                reason,
            });
        }
    }
    Ok(selection)
}

struct Outcome {
    /// The new packages.
    vers: Vec<Ver>,
    automatic: HashSet<Ver>,
    why: HashMap<Ver, Reason>,
    repaired: bool,
}

fn solve_stage(
    pool: &mut Pool<'_>,
    settings: &Settings,
    installed: &[Ver],
    asked: &Asked,
) -> Result<Outcome, Error> {
    let mut states = States::new(pool, settings.recommends);
    for &ver in installed {
        let pkg = states.pkg(ver);
        states.set_candidate(pkg, Some(ver));
        states.of(pkg).current = Some(ver);
        states.set_install(pkg, Some(ver), Mode::Keep);
    }
    states.walk(asked);
    let marked: Vec<Ver> = states.installed().into_iter().map(|(_, ver)| ver).collect();

    let mut problem = solve::Problem::default();
    let need = |ver: Ver| solve::Need::any([solve::Candidate(ver.0)]);
    problem
        .needs
        .extend(asked.named.iter().map(|named| need(named.ver)));
    problem.needs.extend(installed.iter().copied().map(need));
    for &pkg in &asked.refused {
        problem
            .excluded
            .extend(states.offered(pkg).map(|ver| solve::Candidate(ver.0)));
    }
    problem
        .extras
        .extend(marked.iter().map(|ver| solve::Candidate(ver.0)));
    let view = View::new(states, &marked);
    let chosen = match solve::solve(&view, &problem) {
        Ok(chosen) => chosen
            .into_iter()
            .map(|candidate| Ver(candidate.0))
            .collect::<Vec<_>>(),
        Err(conflict) => {
            let mut states = view.states.into_inner();
            return Err(explain::explain(&mut states, asked, &conflict).into());
        }
    };
    let mut states = view.states.into_inner();
    Ok(outcome(&mut states, asked, installed, &marked, chosen))
}

/// Joins what the solver chose with what the walk knows about it.
fn outcome(
    states: &mut States<'_, '_>,
    asked: &Asked,
    installed: &[Ver],
    marked: &[Ver],
    chosen: Vec<Ver>,
) -> Outcome {
    let preferred: HashSet<Ver> = marked.iter().copied().collect();
    let mut set: HashSet<Ver> = chosen.iter().copied().collect();
    let repaired = set != preferred;
    let why = states.reasons(asked, installed, &set, settle(repaired));
    if repaired {
        // What the walk wanted for the sake of something that is not there any more.
        set.retain(|ver| why.contains_key(ver) || installed.contains(ver));
    }
    let named: HashSet<Ver> = asked.named.iter().map(|named| named.ver).collect();
    let mut vers: Vec<Ver> = set.into_iter().filter(|ver| !installed.contains(ver)).collect();
    vers.sort_unstable();
    let automatic = vers.iter().copied().filter(|ver| !named.contains(ver)).collect();
    Outcome {
        vers,
        automatic,
        why,
        repaired,
    }
}

/// How reasons are found.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reasons {
    /// As the walk had them.
    Walked,
    /// By following the relations again.
    Followed,
}

fn settle(repaired: bool) -> Reasons {
    if repaired {
        Reasons::Followed
    } else {
        Reasons::Walked
    }
}

impl States<'_, '_> {
    /// Marks everything that is asked for, as apt goes through its command line.
    fn walk(&mut self, asked: &Asked) {
        for &pkg in &asked.refused {
            self.refuse(pkg);
        }
        for named in &asked.named {
            self.request(named.ver);
        }
        for named in &asked.named {
            if let Some(release) = &named.release {
                self.follow_release(named.ver, release);
            }
        }
        for named in &asked.named {
            let pkg = self.pkg(named.ver);
            self.complete(pkg);
        }
        let fixed = asked.named.iter().map(|named| self.pkg(named.ver));
        let fixed = fixed.chain(asked.refused.iter().copied()).collect();
        self.resolve_problems(fixed);
        self.sweep();
    }

    /// The version of a package that may be installed at all.
    fn offered(&mut self, pkg: Pkg) -> impl Iterator<Item = Ver> + use<> {
        let policy = self.pool.pkgs[pkg].candidate;
        let state = self.of(pkg);
        state.current.or(state.requested).or(policy).into_iter()
    }

    /// Why each package is in: the first relation that asked for it, from the wishes on.
    fn reasons(
        &mut self,
        asked: &Asked,
        installed: &[Ver],
        set: &HashSet<Ver>,
        how: Reasons,
    ) -> HashMap<Ver, Reason> {
        let mut reasons = HashMap::new();
        let mut queue: Vec<Ver> = Vec::new();
        for named in &asked.named {
            let reason = match &named.rule {
                None => Reason::Wished,
                Some(rule) => Reason::Variant { rule: rule.clone() },
            };
            if reasons.insert(named.ver, reason).is_none() {
                queue.push(named.ver);
            }
        }
        if how == Reasons::Walked {
            for &ver in set {
                let pkg = self.pkg(ver);
                if let Some(why) = self.of(pkg).why.clone().filter(|why| set.contains(&why.by)) {
                    let reason = self.reason(&why);
                    reasons.entry(ver).or_insert(reason);
                }
            }
        }
        // The rest, and everything after a repair, by following relations.
        let mut at = 0;
        let mut seen: HashSet<Ver> = queue.iter().copied().collect();
        queue.extend(installed.iter().copied().filter(|ver| seen.insert(*ver)));
        while let Some(&ver) = queue.get(at) {
            at += 1;
            for dep in self.pool.deps(ver).iter().filter(|dep| !dep.kind.is_negative()) {
                if !self.matters(dep.kind) && how == Reasons::Followed {
                    continue;
                }
                for &atom in dep.atoms.iter() {
                    for member in self.pool.members(atom).iter() {
                        if !set.contains(&member.ver) || !seen.insert(member.ver) {
                            continue;
                        }
                        queue.push(member.ver);
                        let why = Why {
                            by: ver,
                            kind: dep.kind,
                            text: dep.text.to_owned(),
                        };
                        let reason = self.reason(&why);
                        reasons.entry(member.ver).or_insert(reason);
                    }
                }
            }
        }
        reasons
    }

    fn reason(&self, why: &Why) -> Reason {
        Reason::Dependency {
            of: self.pool.full_name(self.pkg(why.by)),
            kind: why.kind.word().to_owned(),
            relation: why.text.clone(),
        }
    }
}

impl Outcome {
    /// The packages in the order of installation.
    fn ordered(mut self, pool: &mut Pool<'_>) -> Vec<(Ver, bool, Reason)> {
        let place: HashMap<Ver, usize> = self.vers.iter().enumerate().map(|(at, &ver)| (ver, at)).collect();
        let needs: Vec<Vec<usize>> = self
            .vers
            .iter()
            .map(|&ver| {
                let deps = pool.deps(ver);
                let firm = deps.iter().filter(|dep| dep.kind.is_firm());
                let atoms: Vec<_> = firm.flat_map(|dep| dep.atoms.iter().copied()).collect();
                let members = atoms.into_iter().flat_map(|atom| pool.members(atom).to_vec());
                members
                    .filter_map(|member| place.get(&member.ver).copied())
                    .collect()
            })
            .collect();
        let names: Vec<String> = self
            .vers
            .iter()
            .map(|&ver| pool.full_name(pool.vers[ver].pkg))
            .collect();
        let order = solve::order(&needs, |at| names.get(at));
        let in_order = order.into_iter().filter_map(|at| self.vers.get(at).copied());
        in_order
            .map(|ver| {
                (
                    ver,
                    self.automatic.contains(&ver),
                    self.why.remove(&ver).unwrap_or(Reason::Wished),
                )
            })
            .collect()
    }
}

/// The states as the solver sees them.
struct View<'p, 'a> {
    states: std::cell::RefCell<States<'p, 'a>>,
    marked: HashSet<Ver>,
}

impl<'p, 'a> View<'p, 'a> {
    fn new(states: States<'p, 'a>, marked: &[Ver]) -> Self {
        View {
            states: states.into(),
            marked: marked.iter().copied().collect(),
        }
    }

    /// What meets a relation, what the walk marked first.
    fn options(&self, states: &mut States<'p, 'a>, owner: Ver, dep: &Dep<'a>) -> Vec<solve::Candidate> {
        let mut options = states.options(owner, dep);
        options.sort_by_key(|ver| !self.marked.contains(ver));
        options.into_iter().map(|ver| solve::Candidate(ver.0)).collect()
    }
}

impl<'a> States<'_, 'a> {
    /// What meets a relation, or what it excludes, in apt's order, whatever the walk gave up.
    pub(super) fn options(&mut self, owner: Ver, dep: &Dep<'a>) -> Vec<Ver> {
        let mut options = Vec::new();
        for &atom in dep.atoms.iter() {
            let mut found: Vec<Ver> = Vec::new();
            for member in self.pool.members(atom).iter() {
                let pkg = self.pkg(member.ver);
                let offered = self.offered(pkg).next() == Some(member.ver);
                let counts = offered && !self.ignores(owner, dep, member.ver, member.provided);
                if counts && !found.contains(&member.ver) && !options.contains(&member.ver) {
                    found.push(member.ver);
                }
            }
            let group = self.pool.plain_group(atom);
            if !dep.kind.is_negative() {
                self.sort(&mut found, group);
            }
            options.append(&mut found);
        }
        options
    }
}

impl solve::Packages for View<'_, '_> {
    fn name(&self, candidate: solve::Candidate) -> solve::Name {
        solve::Name(self.states.borrow().pkg(Ver(candidate.0)).0)
    }

    fn candidates(&self, name: solve::Name) -> Vec<solve::Candidate> {
        self.states
            .borrow_mut()
            .offered(Pkg(name.0))
            .map(|ver| solve::Candidate(ver.0))
            .collect()
    }

    fn needs(&self, candidate: solve::Candidate) -> Vec<solve::Need> {
        let ver = Ver(candidate.0);
        let mut states = self.states.borrow_mut();
        let deps = states.pool.deps(ver);
        let firm = deps.iter().filter(|dep| dep.kind.is_firm());
        firm.map(|dep| solve::Need {
            options: self.options(&mut states, ver, dep),
        })
        .collect()
    }

    fn excludes(&self, candidate: solve::Candidate) -> Vec<solve::Candidate> {
        let ver = Ver(candidate.0);
        let mut states = self.states.borrow_mut();
        let deps = states.pool.deps(ver);
        let rivals = deps.iter().filter(|dep| dep.kind.is_negative());
        rivals
            .flat_map(|dep| self.options(&mut states, ver, dep))
            .collect()
    }
}
