//! The bodies of the fuzz targets over seeded mutations: no input may panic or break what the bodies promise.

use bareroot_testkit::mutate;

mod fuzz;

#[test]
fn macros() {
    let seeds = [
        "%aa %{_prefix}/x\n%bb() <%1|%*|%{-a:%{-a*}}|%#>\n%cc(ab:) %{expand:%%{?%{1}:1}}\n%dd {a\nb}\n\
         %[1 + 2 * (3 - %{?aa:1}) == 7 ? \"%{aa}\" : \"b\"] %{cc -a -b x y} %{bb:z} %{quote:a b} %{upper:a}",
        "%define foo(a:) %{define:inner %{1}}%{inner}\n%{foo -a %{basename:/a/b} %{suffix:x.y}} %{!?none:%{?none}}\n\
         %undefine foo\n%{lua:print(1)} %(id) %{expr:v\"1.0\" < v\"1.1\" || !\"\" && -1} %dnl x\n%%{a} %{shrink: a  b }",
    ];
    let tokens = [
        "%",
        "%{",
        "}",
        "%[",
        "]",
        "%(",
        ")",
        "%%",
        "\\",
        "\n",
        "?",
        "!",
        ":",
        "-",
        "%define ",
        "%global ",
        "%{expand:",
        "%aa %aa\n",
        "%{aa}",
        "%bb ",
        "\"",
        "v\"",
        "&&",
        "||",
        "99999999999",
        "/0",
        "%*",
        "%{-a",
        "\x1f",
        "\0",
        "\u{e9}",
        "{",
        "(",
        "()",
        " ",
    ];
    mutate::over(
        "rpm_macros",
        &seeds.map(str::as_bytes),
        &tokens,
        4000,
        fuzz::macros,
    );
}

#[test]
fn query_formats() {
    let seeds = [
        "%{NAME} %-20{VERSION} [%{=NAME} %{PROVIDENAME:shescape} %{PROVIDEFLAGS:depflags}\\n]%|EPOCH?{%{EPOCH}:}:{no}|",
        "%{BUILDTIME:date} %{BUILDTIME:humansi} [%10{PROVIDENEVRS}] %{#PROVIDENAME} %|NAME?{%|EPOCH?{a}:{b}|}| %% \\t",
    ];
    let tokens = [
        "%",
        "{",
        "}",
        "[",
        "]",
        "%|",
        "|",
        "?{",
        ":{",
        ":",
        "=",
        "#",
        "\\",
        "%%",
        "%4096{NAME}",
        "%{NAME:",
        "day",
        "\0",
        "\u{e9}",
        "-",
        "99999",
    ];
    mutate::over(
        "rpm_query_format",
        &seeds.map(str::as_bytes),
        &tokens,
        4000,
        fuzz::query_format,
    );
}

#[test]
fn sysusers() {
    let seeds = [
        "u aa - \"A user\" /var/lib/aa /bin/sh\ng bb 65\nu bb 66\nm aa bb\nr - 500-510\nu! cc -:bin\nu dd 70:1\nu ee /etc\n",
        "# comment\nm ff gg\nu hh 1\ng hh 1\nu ii 5:hh 'x y'\nr - 900\n",
    ];
    let tokens = [
        "u ",
        "g ",
        "m ",
        "r ",
        "-",
        "\n",
        "\"",
        "'",
        "\\",
        ":",
        ",",
        "root",
        "bin",
        "0",
        "4294967295",
        "65535",
        "999",
        "/",
        "\0",
        "\u{e9}",
        "#",
        "%",
        " - - ",
        "1-0",
    ];
    mutate::over(
        "sysusers",
        &seeds.map(str::as_bytes),
        &tokens,
        4000,
        fuzz::sysusers,
    );
}
