"""Answers sets of wishes by dnf's own solver: a question as JSON on stdin, an answer a line into the file named."""
import json
import sys

import dnf
import dnf.module.module_base

question = json.load(sys.stdin)
base = dnf.Base()
conf = base.conf
conf.installroot = question["root"]
conf.cachedir = question["cache"]
conf.substitutions["releasever"] = "1"
conf.reposdir = []
conf.pluginpath = []
conf.plugins = False
conf.best = False
conf.logdir = question["cache"]
conf.persistdir = question["cache"]
conf.module_platform_id = question["platform"]
for described in question["repos"]:
    repo = dnf.repo.Repo(described["id"], conf)
    repo.baseurl = ["file://" + described["path"]]
    repo.gpgcheck = False
    repo.skip_if_unavailable = False
    for option, value in described.get("options", {}).items():
        setattr(repo, option, value)
    base.repos.add(repo)
base.fill_sack()
base.read_comps(arch_filter=True)
has_modules = bool(base._moduleContainer.getModulePackages())


def ask(words, weak, optional):
    base.reset(goal=True)
    conf.install_weak_deps = weak
    modules = dnf.module.module_base.ModuleBase(base)
    if has_modules:
        modules._update_sack()
    groups = [word[1:] for word in words if word.startswith("@")]
    if groups:
        rest = groups
        try:
            modules.install(groups)
            rest = []
        except dnf.exceptions.MarkingErrors as error:
            rest = list(error.no_match_group_specs)
            if error.error_group_specs:
                raise
        if rest:
            types = list(conf.group_package_types) + (["optional"] if optional else [])
            base.env_group_install(rest, tuple(types))
    for word in words:
        if not word.startswith("@"):
            base.install(word)
    base.resolve()
    packages = [
        "%s-%d:%s-%s.%s@%s" % (p.name, int(p.epoch), p.version, p.release, p.arch, p.repoid)
        for p in base.transaction.install_set
    ]
    answer = {"packages": packages}
    if has_modules:
        base.sack.set_modules_enabled_by_pkgset(base._moduleContainer, list(base.transaction.install_set))
        answer["modules"] = dict(base._moduleContainer.getEnabledStreams())
    return answer


with open(question["answers"], "w") as answers:
    for asked in question["sets"]:
        try:
            answer = ask(asked["words"], asked["weak"], asked.get("optional", False))
        except (dnf.exceptions.Error, RuntimeError) as error:
            answer = {"error": str(error)}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()
