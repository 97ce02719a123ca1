use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};

use bareroot_rpm_script::{Action, EXPAND, Task};
use bareroot_testkit::harness::{Case, Need};

use crate::place::{Place, lua};

pub const CASES: &[Case] = &[
    case("lua::it_gets_its_arguments", arguments),
    case("lua::errors_have_rpm_s_words", errors),
    case("lua::files_are_made_and_looked_at", files),
    case("lua::failures_are_nil_words_and_a_number", failures),
    case("lua::wrong_arguments_are_errors_at_their_place", wrong_arguments),
    case("lua::directories_are_listed", directories),
    case("lua::modes_and_owners_are_changed", modes),
    case("lua::the_environment_can_be_changed", environment),
    case("lua::people_are_those_of_the_root", people),
    case("lua::children_are_forked_and_waited_for", children),
    case("lua::only_children_may_end_or_become_another", only_children),
    case("lua::programs_that_are_not_there_are_failures", programs),
    case("lua::a_script_may_not_return_from_a_fork", runaway),
    case("lua::macros_are_those_of_the_root", macros),
    case("lua::versions_are_compared", versions),
    case("lua::texts_are_encoded_and_split", texts),
    case("lua::paths_of_a_file_trigger_come_one_by_one", input),
    case("lua::bodies_are_expanded_first", expanded),
    case("lua::bodies_are_written_for_other_interpreters", written),
    case("lua::old_functions_are_refused_to_new_packages", deprecated),
    case("lua::the_pretrans_of_a_file_system_package", filesystem),
    case("lua::nothing_of_bareroot_s_is_left_open", descriptors),
];

const fn case(name: &'static str, run: fn()) -> Case {
    Case {
        name,
        need: Need::Root,
        run,
    }
}

fn arguments() {
    let place = Place::new();
    assert_eq!(
        place.say("print(arg[1], arg[2], math.type(arg[2]), #arg, type(opt), next(opt))"),
        "<lua>\t1\tinteger\t2\ttable\tnil\n"
    );
    assert_eq!(
        place.say("print(posix.getcwd(), posix.umask())"),
        "/\trwxr-xr-x\n"
    );
    assert_eq!(
        place.say("print(rpm.next_file, RPM_INSTALL_PREFIX, package.path)"),
        "nil\tnil\t/usr/lib/rpm/lua/?.lua\n"
    );
    let task = Task {
        action: Action::Lua {
            arguments: vec![1, 2],
            input: false,
            prefixes: vec![b"/opt".to_vec()],
            built_by: String::new(),
        },
        ..lua(0, false)
    };
    let body = "print(arg[2], arg[3], RPM_INSTALL_PREFIX[1], require('posix') == posix)";
    assert_eq!(
        place.task(&task, body, None),
        (0, "1\t2\t/opt\ttrue\n".to_owned())
    );
    // What is printed and what is written is one stream.
    assert_eq!(
        place.say("print('a') io.write('b\\n') print('c', nil, 1.5)"),
        "a\nb\nc\tnil\t1.5\n"
    );
}

fn errors() {
    let place = Place::new();
    for (body, message) in [
        (
            "error('no')",
            "lua script failed: [string \"%post(test-1-1.noarch)\"]:1: no",
        ),
        (
            "\n\nlocal x = nil + 1",
            "lua script failed: [string \"%post(test-1-1.noarch)\"]:3: attempt to perform arithmetic on a nil value",
        ),
        ("error({})", "lua script failed: (null)"),
        ("error('plain', 0)", "lua script failed: plain"),
        ("error(5)", "lua script failed: 5"),
        (
            "x = = 1",
            "invalid syntax in lua script: [string \"%post(test-1-1.noarch)\"]:1: unexpected symbol near '='",
        ),
        (
            "assert(posix.mkdir('/a/b'))",
            "lua script failed: [string \"%post(test-1-1.noarch)\"]:1: /a/b: No such file or directory",
        ),
    ] {
        assert_eq!(place.lua(body), (1, format!("error: {message}\n")), "{body}");
    }
    // What was done before stays.
    assert_eq!(
        place.lua("print('a') posix.mkdir('/made') error('b', 0)").1,
        "error: lua script failed: b\na\n"
    );
    assert!(place.root.join("made").is_dir());
}

fn files() {
    let place = Place::new();
    let body = r#"
print(posix.mkdir("/d"), posix.symlink("d", "/l"), posix.mkfifo("/f"), posix.link("/f", "/g"))
print(posix.stat("/l", "type"), posix.stat("/d", "type"), posix.stat("/f", "type"), posix.stat("/dev/null", "type"))
print(posix.readlink("/l"), posix.stat("/f", "nlink"), posix.stat("/d").mode, posix.stat("/d", "_mode"))
print(posix.access("/d"), posix.access("/d", "rwx"), posix.unlink("/g"), posix.rmdir("/d"))
local f = assert(io.open("/made", "a+")) f:write("x\n") f:close()
print(posix.utime("/made", 5, 6), posix.stat("/made").mtime, posix.stat("/made", "size"))
local file, path = posix.mkstemp("/tmp/x.XXXXXX")
file:write("y") file:close()
print(path:match("^/tmp/x%.......$") ~= nil, posix.stat(path, "mode"), os.rename(path, "/moved"), os.remove("/made"))
"#;
    assert_eq!(
        place.say(body),
        "0.0\t0.0\t0.0\t0.0\nlink\tdirectory\tfifo\tcharacter device\nd\t2.0\trwxr-xr-x\t16877.0\n0.0\t0.0\t0.0\t0.0\n\
         0.0\t5.0\t2.0\ntrue\trw-------\ttrue\ttrue\n"
    );
    assert_eq!(fs::read_link(place.root.join("l")).unwrap().to_str(), Some("d"));
    assert_eq!(fs::read_to_string(place.root.join("moved")).unwrap(), "y");
}

fn failures() {
    let place = Place::new();
    for (call, expected) in [
        (
            "posix.stat('/none')",
            "nil\t/none: No such file or directory\t2.0",
        ),
        (
            "posix.stat('/none', 'type')",
            "nil\t/none: No such file or directory\t2.0",
        ),
        ("posix.mkdir('/tmp')", "nil\t/tmp: File exists\t17.0"),
        (
            "posix.symlink('a', '/none/b')",
            "nil\tNo such file or directory\t2.0",
        ),
        ("posix.link('/none', '/b')", "nil\tNo such file or directory\t2.0"),
        ("posix.readlink('/tmp')", "nil\t/tmp: Invalid argument\t22.0"),
        (
            "posix.rmdir('/none')",
            "nil\t/none: No such file or directory\t2.0",
        ),
        (
            "posix.unlink('/none')",
            "nil\t/none: No such file or directory\t2.0",
        ),
        (
            "posix.access('/none')",
            "nil\t/none: No such file or directory\t2.0",
        ),
        (
            "posix.chmod('/none', '644')",
            "nil\t/none: No such file or directory\t2.0",
        ),
        (
            "posix.chown('/none', 1, 1)",
            "nil\t/none: No such file or directory\t2.0",
        ),
        (
            "posix.chdir('/none')",
            "nil\t/none: No such file or directory\t2.0",
        ),
        ("posix.dir('/none')", "nil\t/none: No such file or directory\t2.0"),
        (
            "posix.files('/none')",
            "nil\t/none: No such file or directory\t2.0",
        ),
        ("posix.kill(99999999)", "nil\tNo such process\t3.0"),
        ("posix.wait()", "nil\tNo child processes\t10.0"),
        ("posix.umask('zz')", "nil"),
        ("posix.getenv('NONE')", "nil"),
        ("posix.setenv('a=b', 'c')", "nil\ta=b: Invalid argument\t22.0"),
        ("posix.ttyname(0)", "nil"),
        ("posix.errno()", "Success\t0.0"),
    ] {
        assert_eq!(
            place.say(&format!("print({call})")),
            format!("{expected}\n"),
            "{call}"
        );
    }
    assert_eq!(
        place.say("posix.stat('/none') print(posix.errno())"),
        "No such file or directory\t2.0\n"
    );
}

fn wrong_arguments() {
    let place = Place::new();
    for (call, message) in [
        (
            "posix.stat()",
            "bad argument #1 to 'stat' (string expected, got no value)",
        ),
        (
            "posix.stat({})",
            "bad argument #1 to 'stat' (string expected, got table)",
        ),
        (
            "posix.stat('/', 'zz')",
            "bad argument #2 to 'stat' (invalid option 'zz')",
        ),
        (
            "posix.access('/', 'q')",
            "bad argument #2 to 'access' (unknown mode option `q')",
        ),
        ("posix.chmod('/', 'qq')", "bad argument #2 to 'chmod' (bad mode)"),
        (
            "posix.chown('/', {})",
            "bad argument #2 to 'chown' (string or number expected, got table)",
        ),
        (
            "posix.sleep('x')",
            "bad argument #1 to 'sleep' (number expected, got string)",
        ),
        (
            "posix.kill(1.5)",
            "bad argument #1 to 'kill' (number has no integer representation)",
        ),
        (
            "rpm.vercmp('', '1')",
            "bad argument #1 to 'vercmp' (invalid version )",
        ),
        ("rpm.interactive()", "not a tty"),
        ("rpm.spawn({})", "command not supplied"),
        (
            "rpm.open('/none')",
            "/none open failed: No such file or directory",
        ),
        ("rpm.define('1x')", "error defining macro"),
        ("rpm.expand('%{')", "error expanding macro"),
    ] {
        let body = format!("\nprint(pcall(function()\n{call} end))");
        let expected = format!("false\t[string \"%post(test-1-1.noarch)\"]:3: {message}\n");
        assert_eq!(place.say(&body), expected, "{call}");
    }
}

fn directories() {
    let place = Place::with(|root| {
        fs::create_dir(root.join("d")).unwrap();
        fs::write(root.join("d/a"), "").unwrap();
    });
    let body = "local t = posix.dir('/d') table.sort(t) print(table.concat(t, ' '))\n\
        local n = {} for name in posix.files('/d') do n[#n + 1] = name end table.sort(n) print(table.concat(n, ' '))\n\
        posix.chdir('/d') print(#posix.dir())\n\
        local f = posix.files() while f() do end print(pcall(f))";
    let printed = place.say(body);
    assert!(printed.starts_with(". .. a\n. .. a\n3\nfalse\t"), "{printed}");
    assert!(printed.ends_with("attempt to use closed dir\n"), "{printed}");
    assert_eq!(
        place.say("print(table.concat(rpm.glob('/d{ev/n*ll,}'), ' '), rpm.glob('/none*')[1])"),
        "/dev/null /d\t/none*\n"
    );
}

fn modes() {
    let place = Place::with(|root| {
        fs::create_dir(root.join("etc")).unwrap();
        fs::write(
            root.join("etc/passwd"),
            "root:x:0:0::/root:/bin/sh\nme:x:1234:5::/:/bin/sh\n",
        )
        .unwrap();
        fs::write(root.join("etc/group"), "root:x:0:\nus:x:5678:me,root\n").unwrap();
        fs::write(root.join("f"), "").unwrap();
    });
    let body = "print(posix.chmod('/f', 'u=rw,go='), posix.chmod('/f', 'a+x'), posix.stat('/f', 'mode'))\n\
        print(posix.chown('/f', 'me', 'us'), posix.stat('/f', 'uid'), posix.stat('/f', 'gid'))\n\
        print(posix.umask('rwx------'), posix.mkdir('/new'), posix.chown('/f', -1, 7))";
    let printed = place.say(body);
    assert!(printed.ends_with("rwx------\t0.0\t0.0\n"), "{printed}");
    let stat = fs::metadata(place.root.join("f")).unwrap();
    assert_eq!((stat.uid(), stat.gid()), (1234, 7));
    assert_eq!(
        fs::metadata(place.root.join("new")).unwrap().permissions().mode() & 0o777,
        0o700
    );
}

fn environment() {
    let place = Place::new();
    let body = "print(posix.getenv('HOME'), posix.setenv('A', 'b'), posix.getenv('A'), os.getenv('A'))\n\
        print(posix.setenv('A', 'c', false), os.getenv('A'), posix.putenv('D=e=f'), os.getenv('D'))\n\
        print(os.getenv('A'), posix.getenv().D, posix.unsetenv('D'))";
    assert_eq!(place.say(body), "/root\t0.0\tb\tb\n0.0\tb\t0.0\te=f\nb\te=f\n");
}

fn people() {
    let place = Place::with(|root| {
        fs::create_dir(root.join("etc")).unwrap();
        fs::write(root.join("etc/passwd"), "root:x:0:0:Me:/root:/bin/sh\n").unwrap();
        fs::write(root.join("etc/group"), "root:x:0:\nus:x:5:a,b\n").unwrap();
    });
    let body = "local p = posix.getpasswd() print(p.name, p.uid, p.gid, p.gecos, p.dir, p.shell, p.passwd)\n\
        print(posix.getpasswd('root', 'shell'), posix.getpasswd(7), posix.getpasswd('none'))\n\
        local g = posix.getgroup('us') print(g.name, g.gid, g[1], g[2], #g, posix.getgroup(9))\n\
        print(posix.getprocessid('uid'), posix.getprocessid().egid, posix.getlogin(), posix.uname('%s %%'))";
    assert_eq!(
        place.say(body),
        "root\t0.0\t0.0\tMe\t/root\t/bin/sh\tx\n/bin/sh\tnil\tnil\nus\t5.0\ta\tb\t2\tnil\n0.0\t0.0\tnil\tLinux %\n"
    );
}

fn children() {
    let place = Place::new();
    let body = "local pid = posix.fork()\n\
        if pid == 0 then print('child') io.stdout:flush() posix.redirect2null(1) print('nobody hears') os.exit(3) end\n\
        print(posix.wait(pid) == pid)";
    let printed = place.say(body);
    assert_eq!(printed, "child\ntrue\n");
}

fn only_children() {
    let place = Place::new();
    for (call, what) in [
        ("os.exit(0)", "exit"),
        ("posix.exec('/bin/true')", "exec"),
        ("posix.redirect2null(1)", "redirect2null"),
        ("rpm.redirect2null(1)", "redirect2null"),
    ] {
        let (code, printed) = place.lua(call);
        assert_eq!(code, 1);
        assert!(
            printed.ends_with(&format!(":1: {what} not permitted in this context\n")),
            "{printed}"
        );
    }
}

fn programs() {
    let place = Place::new();
    let body = "print(rpm.execute('/bin/none', 'x'))\nprint(rpm.execute('none'))\n\
        print(rpm.spawn({'/bin/none'}, {stdout='/out', stderr='/out'}))\n\
        local pid = posix.fork() if pid == 0 then print(posix.exec('/bin/none')) os.exit(0) end posix.wait(pid)";
    let missing = "nil\tNo such file or directory\t2.0\n";
    assert_eq!(
        place.say(body),
        format!("{missing}{missing}{missing}nil\t/bin/none: No such file or directory\t2.0\n")
    );
}

fn runaway() {
    let place = Place::new();
    let (code, printed) = place.lua("if posix.fork() ~= 0 then posix.wait() end");
    assert_eq!(
        (code, printed.as_str()),
        (0, "warning: runaway fork() in Lua script\n")
    );
}

fn macros() {
    let place = Place::with(|root| {
        fs::create_dir_all(root.join("usr/lib/rpm/macros.d")).unwrap();
        fs::write(
            root.join("usr/lib/rpm/macros"),
            "%_mine %{_prefix}/mine\n%_args() <%1|%#>\n",
        )
        .unwrap();
        fs::write(
            root.join("usr/lib/rpm/macros.d/macros.x"),
            "%_code %{lua: print(1 + 1)}\n",
        )
        .unwrap();
        fs::write(root.join("more"), "%_more more\n").unwrap();
    });
    let body = r#"
print(rpm.expand("%{_mine} %{_code} %{none} %{?none}"), rpm.isdefined("_mine"))
print(rpm.isdefined("_args"), rpm.isdefined("none"))
rpm.define("own() [%1]") print(rpm.expand("%{own a}"), macros.own("b"), macros.own({"c d"}), macros._mine, macros.none)
rpm.undefine("own") print(rpm.expand("%{own a}"))
macros.set = "value" print(macros.set) macros.set = nil print(macros.set)
print(rpm.load("/more"), macros._more, rpm.load("/none"))
print(rpm.expand("%{lua: for i = 1, 2 do print(rpm.expand('%{_mine}')) end return 7}"))
print(macros._args({"a b", "c"}))
"#;
    assert_eq!(
        place.say(body),
        "/usr/mine 2 %{none} \ttrue\tfalse\ntrue\tfalse\tfalse\n[a]\t[b]\t[c d]\t/usr/mine\tnil\n%{own a}\nvalue\n\
         nil\n0.0\tmore\t-1.0\n/usr/mine/usr/mine7\n<a b|2>\n"
    );
}

fn versions() {
    let place = Place::new();
    let body = r#"
print(rpm.vercmp("1.0-1", "1.0-2"), rpm.vercmp("1:1", "2"), rpm.vercmp("1", "1"), rpm.vercmp("1.0~rc", "1.0"))
local v = rpm.ver("1:2-3") print(v.e, v.v, v.r, v, rpm.ver("2").r, rpm.ver(1, 2, 3), rpm.ver(""))
print(rpm.ver("1") < rpm.ver("2"), rpm.ver("1") == rpm.ver("1"), rpm.ver("2") <= rpm.ver("1"))
print(pcall(function() return v.x end))
"#;
    let printed = place.say(body);
    assert!(
        printed.starts_with("-1\t1\t0\t-1\n1\t2\t3\t1:2-3\tnil\t1:2-3\ntrue\ttrue\tfalse\nfalse\t"),
        "{printed}"
    );
    assert!(printed.ends_with("invalid attribute: x\n"), "{printed}");
}

fn texts() {
    let place = Place::new();
    let body = r#"
print(rpm.b64encode("hello world", 0), rpm.b64decode("aGVsbG8="), rpm.b64decode("***"), rpm.b64encode(""))
print(rpm.b64encode(string.rep("x", 60)))
print(table.concat(rpm.splitargs("a \31b c\31 d"), "|"), #rpm.splitargs(rpm.unsplitargs({"a", "b c", ""})))
local f = rpm.open("/f", "w") print(f:write("abc"), f:seek("set", 1), f:flush(), tostring(f), f:close())
print(rpm.open("/f"):read(), rpm.open("/f", "r.fdio"):read(2))
local h = rpm.register("hook", function(t) print("called", t[1]) end) rpm.call("hook", 5) rpm.unregister("hook", h)
rpm.call("hook", 6)
"#;
    assert_eq!(
        place.say(body),
        "aGVsbG8gd29ybGQ=\thello\tnil\t\n\
         eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4\neHh4eHh4eHh4eHh4\n\n\
         a|b c|d\t3\n3\t1\t0\t/f\t0\nabc\tab\ncalled\t5\n"
    );
}

fn input() {
    let place = Place::new();
    let body = "local f = rpm.next_file() while f do print(f) f = rpm.next_file() end print(rpm.next_file())";
    let outcome = place.task(&lua(0, true), body, Some("/usr/bin/a\n/usr/bin/b c\n"));
    assert_eq!(outcome, (0, "/usr/bin/a\n/usr/bin/b c\nnil\n".to_owned()));
}

fn expanded() {
    let place = Place::new();
    let task = lua(EXPAND, false);
    let body = "print('%{_prefix} %%{_prefix} %{?none:x}')";
    assert_eq!(
        place.task(&task, body, None),
        (0, "/usr %{_prefix} \n".to_owned())
    );
    let failed = place.task(&task, "%{error:no}", None);
    assert_eq!(
        failed,
        (1, "error: no\nerror: A macro ends in an error\n".to_owned())
    );
}

fn written() {
    let place = Place::new();
    let task = Task {
        name: "%post(test-1-1.noarch)".to_owned(),
        flags: EXPAND,
        action: Action::Write(b"/tmp/below/body".to_vec()),
    };
    let outcome = place.task(&task, "echo %{_prefix} %{lua: print(posix.getcwd())}\n", None);
    assert_eq!(outcome, (0, String::new()));
    let made = place.root.join("tmp/below/body");
    assert_eq!(fs::read_to_string(&made).unwrap(), "echo /usr /\n");
    assert_eq!(fs::metadata(&made).unwrap().permissions().mode() & 0o7777, 0o700);
}

fn deprecated() {
    let place = Place::new();
    let by = |version: &str| Task {
        action: Action::Lua {
            arguments: vec![1],
            input: false,
            prefixes: Vec::new(),
            built_by: version.to_owned(),
        },
        ..lua(0, false)
    };
    let body = "if posix.fork() == 0 then os.exit(0) end posix.wait()";
    let (code, printed) = place.task(&by("4.20.1"), body, None);
    assert_eq!(code, 0);
    assert!(
        printed
            .contains("warning: posix.fork(): .fork(), .exec(), .wait() and .redirect2null() are deprecated")
    );
    let (code, printed) = place.task(&by("6.0.0"), body, None);
    assert_eq!(code, 1);
    assert!(
        printed.contains("posix.fork() is no longer available, use rpm.spawn() or rpm.execute() instead")
    );
}

/// In the manner of Fedora's: directories and links of a merged /usr, made in a root that has nothing.
fn filesystem() {
    let place = Place::new();
    let body = r#"
for _, d in ipairs({"/usr", "/usr/bin", "/usr/lib", "/usr/lib64", "/usr/share"}) do
  assert(posix.stat(d) or posix.mkdir(d) == 0)
end
local links = {["/bin"] = "usr/bin", ["/sbin"] = "usr/sbin", ["/lib"] = "usr/lib", ["/lib64"] = "usr/lib64"}
for path, text in pairs(links) do posix.symlink(text, path) end
if not posix.stat("/usr/sbin") then posix.symlink("bin", "/usr/sbin") end
local st = posix.stat("/usr/sbin")
assert(st and st.type == "link" and posix.readlink("/usr/sbin") == "bin")
"#;
    assert_eq!(place.say(body), "");
    for (path, text) in [("bin", "usr/bin"), ("sbin", "usr/sbin"), ("usr/sbin", "bin")] {
        assert_eq!(fs::read_link(place.root.join(path)).unwrap().to_str(), Some(text));
    }
}

fn descriptors() {
    let place = Place::new();
    let body = "local n = 0 for name in posix.files('/proc/self/fd') do if tonumber(name) then n = n + 1 end end print(n)";
    // Its own three, the body, the pipe for its end, and the directory itself.
    assert_eq!(place.say(body), "6\n");
}
