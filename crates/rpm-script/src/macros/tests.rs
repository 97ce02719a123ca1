use std::cell::RefCell;

use super::*;

/// A place that notes what would be run and said.
#[derive(Default)]
struct Notes(RefCell<Vec<String>>);

impl Host for Notes {
    fn lua(&self, code: &[u8], options: &[(Vec<u8>, Vec<u8>)], arguments: &[Vec<u8>]) -> Option<Vec<u8>> {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let options: Vec<String> = options
            .iter()
            .map(|(name, value)| format!("{}={}", text(name), text(value)))
            .collect();
        let arguments: Vec<String> = arguments.iter().map(|argument| text(argument)).collect();
        Some(format!("<{}|{}|{}>", text(code), options.join(","), arguments.join(",")).into_bytes())
    }

    fn shell(&self, command: &[u8]) -> Option<Vec<u8>> {
        Some([b"$", command, b"\n\n"].concat())
    }

    fn message(&self, level: Level, text: &[u8]) {
        let text = String::from_utf8_lossy(text);
        self.0.borrow_mut().push(format!("{}{text}", level.prefix()));
    }

    fn variable(&self, name: &[u8]) -> Option<Vec<u8>> {
        (name == b"HOME").then(|| b"/root".to_vec())
    }

    fn exists(&self, path: &[u8]) -> bool {
        path == b"/etc"
    }
}

fn with_prefix() -> Macros {
    let macros = Macros::new();
    macros.set(b"_prefix", b"/usr");
    macros.set(b"_arch", b"x86_64");
    macros
}

fn expanded(text: &str) -> Result<String, MacroError> {
    let out = with_prefix().expand(text.as_bytes(), &Notes::default())?;
    Ok(String::from_utf8(out).unwrap())
}

/// Texts and what `rpm --eval` of rpm 4.18 makes of them.
#[test]
fn expansions_are_those_of_rpm() {
    for (text, expected) in [
        ("%{shescape:a b}", "'a b'"),
        ("%{shescape:it's}", "'it'\\''s'"),
        ("%{basename:/a/b}", "b"),
        ("%{basename a/b}", "b"),
        ("%basename a/b", "b"),
        ("%{basename:}", ""),
        ("%{basename:%%a}", "%a"),
        ("%{dirname:/a/b}", "/a"),
        ("%{dirname:/a}", ""),
        ("%{dirname:a}", "a"),
        ("%{suffix:a.tar.gz}", "gz"),
        ("%{suffix:abc}", ""),
        ("%{url2path:http://a/b}", "/b"),
        ("%{url2path:file:///a/b}", "/a/b"),
        ("%{url2path:}", "/"),
        ("%{getenv:HOME}", "/root"),
        ("%{getenv:NOPE}", ""),
        ("%{shrink:  a   b }", "a b"),
        ("%{verbose:x}", ""),
        ("%{verbose}", "0"),
        ("%{}", "%{}"),
        ("% x", "% x"),
        ("%", "%"),
        ("a%", "a%"),
        ("%%", "%"),
        ("%%{x}", "%{x}"),
        ("%{nope}", "%{nope}"),
        ("%nope x", "%nope x"),
        ("%{?nope}", ""),
        ("%{?_prefix}", "/usr"),
        ("%{?_prefix:yes}", "yes"),
        ("%{!?nope:yes}", "yes"),
        ("%{!?_prefix:yes}", ""),
        ("%{?!nope:a}", "a"),
        ("%{??_prefix:b}", "b"),
        ("%{!_prefix}", "/usr"),
        ("%?_prefix", "/usr"),
        ("%_prefix/x", "/usr/x"),
        ("%{_prefix}x%{_prefix}", "/usrx/usr"),
        ("%{nope %{_prefix}}", "%{nope /usr}"),
        ("%{?_prefix:%{_prefix}/%{nope}}", "/usr/%{nope}"),
        ("%{?nope:%{?_prefix}}x", "x"),
        ("%{?nope}%{!?nope: b }c", " b c"),
        ("%{expand:%{_prefix}}", "/usr"),
        ("%{expand:%%{_prefix}}", "/usr"),
        ("%{expand:}", ""),
        ("%{S:1}", "%SOURCE1"),
        ("%{P:2}", "%PATCH2"),
        ("%dnl foo", ""),
        ("%dnl x\ny", "y"),
        ("%{dnl:foo}", ""),
        ("%{macrobody:_prefix}", "/usr"),
        ("%{exists:/etc}", "1"),
        ("%{exists:/nope}", "0"),
        ("%{-f}", ""),
        ("%{-f:x}", ""),
        ("%{!-f:x}", "x"),
        ("%* %# %1 %**", "%* %# %1 %**"),
        ("%{*}", "%{*}"),
        ("%{uncompress:/a}", "/usr/lib/rpm/rpmuncompress /a"),
        ("%{getconfdir}", "/usr/lib/rpm"),
        ("%{?define:x}", "x"),
        ("%define foo bar\n%foo", "bar"),
        ("%define foo bar\n%{foo:x}", "bar"),
        ("%define foo bar\n%undefine foo\n%foo", "%foo"),
        ("%undefine nope", ""),
        ("%define foo 1\n%define foo 2\n%{foo}%undefine foo\n%{foo}", "21"),
        ("%define foo %{expand:%{bar}}\n%define bar 1\n%foo", "1"),
        ("%global foo %{_prefix}x\n%{foo}", "/usrx"),
        ("%define foo {a\nb}\n%foo", "a\nb"),
        ("%define foo a\\\nb\n%foo", "a\nb"),
        ("%define foo a\\nb\n%foo", "anb"),
        ("%define f x\n%f", "x"),
        ("%{define foo bar}%foo", "bar"),
        ("%{define:foo bar}%foo", "bar"),
        (
            "%define foo() [%1|%2|%*|%#|%0|%**]\n%foo a b",
            "[a|b|a b|2|foo|a b]",
        ),
        (
            "%define foo(ab:) [%{-a}|%{-b}|%{-b*}|%1|%*|%{-a:yes}|%{!-a:no}|%**|%#]\n%foo -a -b val rest",
            "[-a|-b val|val|rest|rest|yes||-a -b val rest|1]",
        ),
        (
            "%define foo(b:) [%{-b}|%{-b*}|%1|%*|%#]\n%{foo -b x y}",
            "[-b x|x|y|y|1]",
        ),
        ("%define foo(-) [%*]\n%foo -a -b", "[-a -b]"),
        ("%define foo(a) [%1][%{-a}]\n%foo x -a", "[x][-a]"),
        ("%define foo(a:) [%{-a*}]\n%foo -axyz", "[xyz]"),
        ("%define foo(ab) [%{-a}%{-b}]\n%foo -ab", "[-a-b]"),
        ("%define foo(a) [%1]\n%foo -- -a", "[-a]"),
        ("%define foo() [%1]\n%{foo:a b}", "[a b]"),
        ("%define foo() [%1]\n%{foo:%{_prefix} z}", "[/usr z]"),
        ("%define foo() [%1]\n%{foo a b}c", "[a]c"),
        ("%define foo() [%1]\n%foo a\nb", "[a]\nb"),
        ("%define foo() [%{1}]\n%foo %{quote:a b} c", "[a b]"),
        ("%define foo() [%1|%2]\n%{foo %{quote:} b}", "[|b]"),
        ("%define foo() [%1]\n%{foo %%x}", "[%x]"),
        ("%define foo() <%*>\n%{foo x %{foo y}}", "<x <y>>"),
        ("%define foo() [%1]\n%foo %{1}", "[%{1}]"),
        (
            "%define b() [%{1}%{expand:%1}]\n%define a() %b %{1}\n%{a x}",
            "[xx]",
        ),
        ("%define b() [%{1}]\n%define a() %b %%{1}\n%{a x}", "[%{1}]"),
        ("%define foo(a:) %{-a}|%{-a*}\n%{foo -a %%{1}}", "-a %{1}|%{1}"),
        ("%define foo() <%*>\n%foo x\\\ny", "<x\\>y"),
        ("%define foo() %{?1:one}%{!?1:none}\n%foo\n%foo x", "none\none"),
        ("%define foo() %{define:inner 5}%{inner}\n%foo|%inner", "5|%inner"),
        ("%define foo() %{expand:%%1}\n%foo x", "x"),
        ("%define foo() a\n%{?foo:%foo}|%{?foo}|%{?foo x}", "a|a|a"),
        ("%define foo() %dnl abc\n%foo", ""),
        ("%define foo(a:) %{lua:code}\n%foo -a 1 x y", "<code|a=1|x,y>"),
        ("%{lua:a{b}c}", "<a{b}c||>"),
        ("%(echo a)b", "$echo ab"),
    ] {
        assert_eq!(expanded(text).as_deref(), Ok(expected), "{text}");
    }
}

#[test]
fn expressions_are_those_of_rpm() {
    for (text, expected) in [
        ("1+2*3", "7"),
        ("(1+2)*3", "9"),
        ("10/3", "3"),
        ("7/2*2", "6"),
        ("1-1-1", "-1"),
        ("-3+1", "-2"),
        ("- -5", "5"),
        ("!!5", "1"),
        ("!\"a\"", "0"),
        ("1 ? \"a\" : \"b\"", "a"),
        (" 1 ?2:3?4:5 ", "2"),
        ("0 ? %{error:x} : 2", "2"),
        ("\"a\"==\"a\"", "1"),
        ("\"abc\" < \"abd\"", "1"),
        ("\"a\"+\"b\"", "ab"),
        ("1<2<3", "1"),
        ("1 == 1 == 1", "1"),
        ("2 && 3", "3"),
        ("2 || 3", "2"),
        ("0 || 3", "3"),
        ("0 && 3", "0"),
        ("\"\" || \"x\"", "x"),
        ("0%{?nope} == 1", "0"),
        ("%{?nope}", "0"),
        ("\"%{_arch}\"==\"x86_64\"", "1"),
        ("v\"1.0\" < v\"1.1\"", "1"),
        ("v\"1:1-1\" > v\"1-2\"", "1"),
        ("v\"1.0\"", "1.0"),
        ("\"\"", ""),
        ("%[1+1]+1", "3"),
        ("99999999999999999999", "-1"),
        ("2147483647+1", "-2147483648"),
    ] {
        for text in [format!("%[{text}]"), format!("%{{expr:{text}}}")] {
            assert_eq!(expanded(&text).as_deref(), Ok(expected), "{text}");
        }
    }
    for text in [
        "",
        "1 + ",
        "(1",
        "1 2",
        "a",
        "\"a",
        "%{_arch}==1",
        "12%{nope}",
        "1==\"1\"",
        "1==1 && \"x\"",
        "-\"a\"",
        "\"a\"*2",
        "\"a\"-\"b\"",
        "1 ? \"a\" : 2",
        "0 ? 1 : \"x\"",
        "1 || \"x\"",
        "0 && \"x\"",
        "v\"1\"+v\"2\"",
        "1/0",
        "'a'",
        "1?2",
    ] {
        let text = format!("%[{text}]");
        assert!(
            matches!(expanded(&text), Err(MacroError::Syntax(_))),
            "{text}: {:?}",
            expanded(&text)
        );
    }
}

#[test]
fn what_is_not_written_as_it_should_be_is_an_error() {
    for text in [
        "%{_prefix",
        "%(x",
        "%[1",
        "%define 1ab x",
        "%define foo",
        "%define foo a%{nope\n",
        "%define foo(  x",
        "%define basename x",
        "%undefine 1",
        "%{basename}",
        "%{lua}",
        "%{macrobody:nope}",
        "%{load:/nope}",
        "%define foo(a) x\n%foo -z",
        "%define foo(a:) x\n%foo -a",
    ] {
        assert!(
            matches!(expanded(text), Err(MacroError::Syntax(_))),
            "{text}: {:?}",
            expanded(text)
        );
    }
    assert_eq!(expanded("%{error:x}"), Err(MacroError::Raised));
}

#[test]
fn messages_have_their_levels() {
    let notes = Notes::default();
    let text = b"%{echo:a}%{warn:%{_prefix}}%define foo-bar x\n";
    with_prefix().expand(text, &notes).unwrap();
    let words = [
        "a",
        "warning: /usr",
        "warning: Macro %foo needs whitespace before body",
    ];
    assert_eq!(*notes.0.borrow(), words);
}

#[test]
fn what_has_no_end_is_ended() {
    assert_eq!(expanded("%define foo %foo\n%foo"), Err(MacroError::Depth));
    let mut text = "%define aa x\n".to_owned();
    let names: Vec<String> = (0..60).map(|number| format!("m{number}")).collect();
    let mut last = "aa";
    for name in &names {
        text.push_str(&format!("%define {name} %{{{last}}}%{{{last}}}\n"));
        last = name;
    }
    text.push_str(&format!("%{{{last}}}"));
    assert_eq!(expanded(&text), Err(MacroError::Size));
    let mut text = format!(
        "%define aa {}\n%define a1 %{{aa}}%{{aa}}%{{aa}}%{{aa}}\n",
        "x".repeat(1 << 20)
    );
    for number in 0..100 {
        text.push_str(&format!("%global b{number} %a1\n"));
    }
    assert_eq!(expanded(&text), Err(MacroError::Size));
    let nested = format!("%[{}1{}]", "(".repeat(1000), ")".repeat(1000));
    assert_eq!(expanded(&nested), Err(MacroError::Depth));
}

#[test]
fn nowhere_runs_nothing() {
    for text in ["%{lua:print(1)}", "%(id)"] {
        assert_eq!(
            Macros::new().expand(text.as_bytes(), &Nowhere),
            Err(MacroError::Code)
        );
    }
}

#[test]
fn calls_take_their_arguments_as_they_are() {
    let macros = with_prefix();
    macros.define(b"foo() <%1|%2>", &Nowhere).unwrap();
    let call = |name: &[u8], arguments: &[&str]| {
        let arguments = arguments.iter().map(|word| word.as_bytes().to_vec()).collect();
        macros.call(name, arguments, &Nowhere)
    };
    assert_eq!(call(b"foo", &["a b", "c"]).unwrap(), b"<a b|c>");
    assert_eq!(call(b"_prefix", &[]).unwrap(), b"/usr");
    assert!(call(b"nope", &[]).is_err());
    assert_eq!(macros.is_defined(b"foo"), Some(true));
    assert_eq!(macros.is_defined(b"_prefix"), Some(false));
    assert_eq!(macros.is_defined(b"basename"), Some(true));
    assert_eq!(macros.is_defined(b"nope"), None);
}

/// Files by path.
struct InMemory(Vec<(&'static str, &'static str)>);

impl Files for InMemory {
    fn read(&self, path: &str) -> Option<Vec<u8>> {
        let (_, text) = self.0.iter().find(|(known, _)| *known == path)?;
        Some(text.as_bytes().to_vec())
    }

    fn list(&self, directory: &str) -> Vec<String> {
        let below = |path: &&str| path.strip_prefix(directory)?.strip_prefix('/').map(str::to_owned);
        self.0.iter().filter_map(|(path, _)| below(path)).collect()
    }
}

#[test]
fn files_are_read_in_rpm_s_order() {
    let files = InMemory(vec![
        (
            "/usr/lib/rpm/macros",
            "%_dbpath %{_var}/lib/rpm\n%aa main\n%bb main\n%cc main\n%dd main\n",
        ),
        ("/usr/lib/rpm/macros.d/macros.b", "%aa b\n"),
        (
            "/usr/lib/rpm/macros.d/macros.a",
            "%aa a\n%bb a\n%_dbpath %{_usr}/lib/sysimage/rpm\n",
        ),
        ("/usr/lib/rpm/macros.d/macros.z.rpmnew", "%aa new\n"),
        ("/usr/lib/rpm/macros.d/other", "%aa other\n"),
        ("/usr/lib/rpm/platform/x86_64-linux/macros", "%cc platform\n"),
        ("/usr/lib/rpm/redhat/macros", "%dd vendor\n"),
        (
            "/etc/rpm/macros",
            "# comment\nno macro\n  %ee indented\n%ff %{lua:\nx\n\ny}\n%gg a\\\nb\n%bad\n%hh last\n",
        ),
        ("/etc/rpm/macros.dist", "%ee first\n"),
    ]);
    let notes = Notes::default();
    let macros = Macros::load(&files, "x86_64", &notes);
    let all = macros
        .expand(
            b"%{_dbpath} %aa %bb %cc %dd %ee %{ff} %{gg} %{hh} %{_target}",
            &notes,
        )
        .unwrap();
    assert_eq!(
        String::from_utf8(all).unwrap(),
        "/usr/lib/sysimage/rpm b a platform vendor indented <\nx\n\ny||> a\nb last x86_64-linux"
    );
    assert_eq!(
        *notes.0.borrow(),
        ["error: /etc/rpm/macros: Macro %bad has empty body"]
    );
}
