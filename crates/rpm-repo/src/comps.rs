//! comps.xml: groups and environments (rpm-metadata.git's schema, libcomps).

use std::collections::BTreeMap;
use std::io::BufRead;

use crate::error::Error;
use crate::xml::{Item, Xml};

/// How a group wants a package.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PackageType {
    /// If another package is installed.
    Conditional,
    /// Unless the user does not want it.
    Default,
    /// If the user asks for it.
    Optional,
    /// Always.
    Mandatory,
}

/// A package of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// The package's name.
    pub name: String,
    /// How it is wanted.
    pub kind: PackageType,
    /// The package that makes a conditional one wanted.
    pub requires: Option<String>,
    /// Whether only packages of the root's own architecture are meant.
    pub basearch_only: bool,
}

/// A group of packages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Group {
    /// The id.
    pub id: String,
    /// The name.
    pub name: String,
    /// The name in other languages.
    pub translated: BTreeMap<String, String>,
    /// Whether users are shown it.
    pub visible: bool,
    /// The packages.
    pub members: Vec<Member>,
}

/// A group of an environment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GroupId {
    /// The group's id.
    pub id: String,
    /// Whether an optional group comes unless the user does not want it.
    pub default: bool,
}

/// An environment: a set of groups that makes a system.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Environment {
    /// The id.
    pub id: String,
    /// The name.
    pub name: String,
    /// The name in other languages.
    pub translated: BTreeMap<String, String>,
    /// Groups that come with it.
    pub groups: Vec<String>,
    /// Groups that may come with it.
    pub options: Vec<GroupId>,
}

/// What a repository's comps.xml has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Comps {
    /// The groups.
    pub groups: Vec<Group>,
    /// The environments.
    pub environments: Vec<Environment>,
}

impl Group {
    /// Whether the user may mean it by this word: its id, or its name in any language.
    pub fn is_called(&self, word: &str) -> bool {
        is_called(&self.id, &self.name, &self.translated, word)
    }
}

impl Environment {
    /// Whether the user may mean it by this word: its id, or its name in any language.
    pub fn is_called(&self, word: &str) -> bool {
        is_called(&self.id, &self.name, &self.translated, word)
    }
}

/// dnf matches ids as they are and names whatever their case.
fn is_called(id: &str, name: &str, translated: &BTreeMap<String, String>, word: &str) -> bool {
    let same = |name: &str| name.to_lowercase() == word.to_lowercase();
    id == word || same(name) || translated.values().any(|name| same(name))
}

/// What is being read.
#[derive(Default)]
enum Open {
    #[default]
    Nothing,
    Group(Group),
    Environment(Environment),
}

/// The attributes of a `packagereq`.
#[derive(Default)]
struct Requirement {
    kind: String,
    requires: Option<String>,
    basearch_only: bool,
}

impl Comps {
    /// Reads comps.xml. `name` is for messages.
    ///
    /// # Errors
    /// [`Error::Malformed`], and what `input` says.
    pub fn parse(name: &str, input: impl BufRead) -> Result<Comps, Error> {
        let mut xml = Xml::new(name, input);
        let mut comps = Comps::default();
        let mut open = Open::Nothing;
        let (mut root, mut in_options) = (false, false);
        let mut lang: Option<String> = None;
        let mut requirement = Requirement::default();
        let mut group_default = false;
        loop {
            match xml.next()? {
                Item::Start(element) => {
                    let result = match element.name() {
                        "comps" => {
                            root = true;
                            Ok(())
                        }
                        other if !root => Err(format!("its first element is `{other}`; expected `comps`")),
                        "group" => {
                            open = Open::Group(Group {
                                visible: true,
                                ..Group::default()
                            });
                            Ok(())
                        }
                        "environment" => {
                            open = Open::Environment(Environment::default());
                            Ok(())
                        }
                        "category" | "langpacks" | "blacklist" | "whiteout" => {
                            open = Open::Nothing;
                            Ok(())
                        }
                        "optionlist" => {
                            in_options = true;
                            Ok(())
                        }
                        "name" => element.attribute("lang").map(|value| lang = value),
                        "groupid" => element
                            .attribute("default")
                            .map(|value| group_default = value.as_deref() == Some("true")),
                        "packagereq" => {
                            requirement = Requirement::default();
                            element.attributes(|name, value| match name {
                                "type" => requirement.kind = value.to_owned(),
                                "requires" => requirement.requires = Some(value.to_owned()),
                                "basearchonly" => requirement.basearch_only = value == "true",
                                _ => {}
                            })
                        }
                        _ => Ok(()),
                    };
                    result.map_err(|reason| xml.bad(reason))?;
                }
                Item::End => {
                    let text = xml.text().trim();
                    match (xml.name(), &mut open) {
                        ("id", Open::Group(group)) if group.id.is_empty() => group.id = text.to_owned(),
                        ("id", Open::Environment(environment)) if environment.id.is_empty() => {
                            environment.id = text.to_owned();
                        }
                        ("name", Open::Group(group)) => {
                            named(&mut group.name, &mut group.translated, lang.take(), text);
                        }
                        ("name", Open::Environment(environment)) => {
                            named(
                                &mut environment.name,
                                &mut environment.translated,
                                lang.take(),
                                text,
                            );
                        }
                        ("uservisible", Open::Group(group)) => group.visible = text != "false",
                        ("packagereq", Open::Group(group)) if !text.is_empty() => {
                            let requirement = std::mem::take(&mut requirement);
                            group.members.push(Member {
                                name: text.to_owned(),
                                kind: match requirement.kind.as_str() {
                                    "default" => PackageType::Default,
                                    "optional" => PackageType::Optional,
                                    "conditional" => PackageType::Conditional,
                                    // libcomps takes a package without a type as mandatory.
                                    _ => PackageType::Mandatory,
                                },
                                requires: requirement.requires,
                                basearch_only: requirement.basearch_only,
                            });
                        }
                        ("groupid", Open::Environment(environment)) if in_options => {
                            environment.options.push(GroupId {
                                id: text.to_owned(),
                                default: std::mem::take(&mut group_default),
                            });
                        }
                        ("groupid", Open::Environment(environment)) => {
                            environment.groups.push(text.to_owned())
                        }
                        ("optionlist", _) => in_options = false,
                        ("group" | "environment", _) => match std::mem::take(&mut open) {
                            Open::Group(group) => comps.groups.push(group),
                            Open::Environment(environment) => comps.environments.push(environment),
                            Open::Nothing => {}
                        },
                        _ => {}
                    }
                }
                Item::Eof if root => return Ok(comps),
                Item::Eof => return Err(xml.bad("it has no element `comps`")),
            }
        }
    }

    /// The group of an id.
    pub fn group(&self, id: &str) -> Option<&Group> {
        self.groups.iter().find(|group| group.id == id)
    }
}

fn named(name: &mut String, translated: &mut BTreeMap<String, String>, lang: Option<String>, text: &str) {
    match lang {
        Some(lang) => {
            translated.insert(lang, text.to_owned());
        }
        None => *name = text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "<?xml version='1.0'?><!DOCTYPE comps PUBLIC 'x' 'comps.dtd'><comps>
<group><id>core</id><name>Core</name><name xml:lang='de'>Kern</name><default>true</default>
<uservisible>false</uservisible><packagelist>
<packagereq type='mandatory'>bash</packagereq><packagereq type='default'>vim</packagereq>
<packagereq type='optional'>nano</packagereq><packagereq>setup</packagereq>
<packagereq type='conditional' requires='bash'>bash-completion</packagereq>
<packagereq type='mandatory' basearchonly='true'>glibc</packagereq></packagelist></group>
<category><id>c</id><name>C</name><grouplist><groupid>core</groupid></grouplist></category>
<environment><id>minimal-environment</id><name>Minimal Install</name><name xml:lang='de'>Minimale Installation</name>
<grouplist><groupid>core</groupid></grouplist>
<optionlist><groupid default='true'>standard</groupid><groupid>guest</groupid></optionlist></environment>
<langpacks><match install='x-%s' name='x'/></langpacks></comps>";

    #[test]
    fn groups_and_environments() {
        let comps = Comps::parse("comps", TEXT.as_bytes()).unwrap();
        let [core] = &comps.groups[..] else {
            panic!("{comps:?}")
        };
        assert!(core.is_called("core") && core.is_called("CORE") && core.is_called("kern"));
        assert!(!core.is_called("cor") && !core.visible);
        let members: Vec<_> = core.members.iter().map(|m| (m.name.as_str(), m.kind)).collect();
        assert_eq!(
            members,
            [
                ("bash", PackageType::Mandatory),
                ("vim", PackageType::Default),
                ("nano", PackageType::Optional),
                ("setup", PackageType::Mandatory),
                ("bash-completion", PackageType::Conditional),
                ("glibc", PackageType::Mandatory),
            ]
        );
        assert_eq!(core.members[4].requires.as_deref(), Some("bash"));
        assert!(core.members[5].basearch_only);
        let [minimal] = &comps.environments[..] else {
            panic!("{comps:?}")
        };
        assert!(minimal.is_called("Minimal Install") && minimal.is_called("minimale installation"));
        assert_eq!(minimal.groups, ["core"]);
        let options: Vec<_> = minimal
            .options
            .iter()
            .map(|o| (o.id.as_str(), o.default))
            .collect();
        assert_eq!(options, [("standard", true), ("guest", false)]);
    }

    #[test]
    fn what_is_none() {
        for text in [
            "",
            "<metadata/>",
            "<comps>",
            "<comps><group></comps>",
            "<comps>&unknown;</comps>",
        ] {
            assert!(Comps::parse("comps", text.as_bytes()).is_err(), "{text}");
        }
        let deep = format!("<comps>{}", "<a>".repeat(1000));
        assert!(Comps::parse("comps", deep.as_bytes()).is_err());
    }
}
