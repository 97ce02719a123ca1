//! The bodies of the fuzz targets over seeded mutations: no input may panic or break what the bodies promise.

use bareroot_testkit::mutate;

mod fuzz;

const STANZAS: &str = "Package: perl\nVersion: 5.40.1-6\nArchitecture: amd64\nMulti-Arch: allowed\n\
    Provides: libfoo-perl (= 1.0), libbar-perl,\n perl-abi\nDepends: libc6 (>= 2.38) | libc7:any\nSource: perl (5.40)\n\
    Filename: pool/main/p/perl/perl_5.40.1-6_amd64.deb\nSize: 267390\n\
    SHA256: 60acfd001c9b2e8c8e5e6b5f2e7a8a47b2ea0dd1ccad5f4da8ae4b7c3d8a7a11\nDescription: x\n y\n\n\
    Package: \u{e9}\nVersion: 1:2~\nArchitecture: all\nEssential: yes\nPriority: required\nSHA512: 00\n";

#[test]
fn packages() {
    let tokens = [
        "\n",
        "\n\n",
        "\n ",
        ": ",
        ",",
        " (= 1)",
        "../",
        "Package: ",
        "Filename: ",
        "Provides: ",
        "\r",
        "\u{fc}",
    ];
    mutate::over("packages", &[STANZAS.as_bytes()], &tokens, 20_000, fuzz::packages);
}

#[test]
fn cached_index() {
    let info = bareroot_deb::packages::IndexInfo::new(0, "seed");
    let index = bareroot_deb::packages::Index::read(STANZAS.as_bytes(), info, Default::default()).unwrap();
    mutate::over(
        "cached_index",
        &[&index.to_bytes()],
        &["\0", "\u{1}", "\u{e9}", "brdebix"],
        50_000,
        fuzz::cached_index,
    );
}

#[test]
fn release() {
    let digest = "60acfd001c9b2e8c8e5e6b5f2e7a8a47b2ea0dd1ccad5f4da8ae4b7c3d8a7a11";
    let text = format!(
        "Suite: stable\nCodename: trixie\nDate: Sat, 21 Nov 2026 09:15:44 UTC\n\
         Valid-Until: Sat, 28 Nov 2026 09:15:44 UTC\nArchitectures: all amd64\nComponents: updates/main\n\
         SHA256:\n {digest} 12 main/binary-amd64/Packages.xz\n {digest} 0 ./main/binary-amd64/Packages\n\
         SHA512:\n {digest}{digest} 12 main/binary-amd64/Packages.xz\n"
    );
    let tokens = [
        "\n", "\n ", ":", "..", "/", "9", " ", "UTC", "SHA256:", digest, "Date: ", "-",
    ];
    mutate::over("release", &[text.as_bytes()], &tokens, 20_000, fuzz::release);
}

#[test]
fn versions() {
    let seeds: [&[u8]; 2] = [
        b"1:2.3-4\n2.3~rc1-0\n2.3\n00002.03-\n",
        b"0\n~\n~~a\n1.0+\n:\n-\na:b-c:d",
    ];
    let tokens = ["\n", ":", "-", "~", "0", "9", "a", "Z", "+", ".", "\u{e9}"];
    mutate::over("versions", &seeds, &tokens, 10_000, fuzz::versions);
}

#[test]
fn relations() {
    let seed =
        b"libc6:any (>= 2.38), default-mta | mail-transport-agent,\n a (= 1:2-3) [!amd64 i386] <!nocheck>,";
    let tokens = [
        ",", "|", "(", ")", "[", "]", "<", ">", "=", ":", "!", " ", "\n", "\u{e9}", "\0",
    ];
    mutate::over("relations", &[seed], &tokens, 50_000, fuzz::relations);
}

#[test]
fn sources() {
    let seeds: [&[u8]; 2] = [
        b"# x\ndeb [arch=amd64,i386 signed-by=/a,0123456789abcdef0123456789abcdef01234567! x=y] http://a.example x main\n\
          deb cdrom:[Debian 13 #1]/ y/ # z\ndeb-src [by-hash=force lang+=de] \"file:/x\" z a b\n",
        b"Types: deb\nURIs: http://a.example file:/b\nSuites: x y\n# c\nComponents: main\n# d\n contrib\n\
          Signed-By:\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n abc\n -----END PGP PUBLIC KEY BLOCK-----\n\
          Valid-Until-Max: 60\nTrusted: no\nX-A: b\n\nEnabled: no\n\nTypes: deb-src\nURIs: a:b\nSuites: ./\n",
    ];
    let tokens = [
        "\n",
        " ",
        "\n ",
        "\n\n",
        "#",
        "[",
        "]",
        "\"",
        "=",
        ",",
        "/",
        ": ",
        "yes",
        "deb ",
        "enabled=no ",
        "Types: ",
        "Signed-By: ",
        "/k ",
        "\u{a0}",
        "\0",
        "\r",
        "\u{b}",
        ".",
        "-----BEGIN",
    ];
    mutate::over("sources", &seeds, &tokens, 20_000, fuzz::sources);
}

#[test]
fn control() {
    let seeds: [&[u8]; 2] = [
        b"A: b\nC:\n d\n .\n# e\n f\n\n\nG:h\n",
        b"// x\nA::B \"c\";\nD { E { F; \"g\"; }; /* h */ };\n#clear A;\n#include \"i\";\nJ:: k;\n",
    ];
    let tokens = [
        "\n", " ", ":", "::", "{", "}", ";", "\"", "#", "//", "/*", "*/", "#clear ", "\t", "\r\n", "\u{e9}",
    ];
    mutate::over("control", &seeds, &tokens, 20_000, fuzz::control);
}

#[test]
fn debfile() {
    use bareroot_testkit::Compression;
    use bareroot_testkit::deb::DebBuilder;
    // Nothing is compressed: what changes is read as it is.
    let deb = DebBuilder::new("hello", "1:2.0-1", "amd64")
        .field("Depends", "libc6 (>= 2.38)")
        .executable("/usr/bin/hello", "binary")
        .symlink("/usr/bin/hi", "hello")
        .hardlink("/usr/bin/ho", "/usr/bin/hello")
        .conffile("/etc/hello.conf", "greeting\n")
        .script("postinst", "#!/bin/sh\n")
        .md5sums()
        .compression(Compression::None)
        .control_compression(Compression::None);
    let tokens = [
        "\n",
        "`\n",
        "control.tar",
        "data.tar",
        ".xz",
        "/",
        "..",
        "0",
        "7777777",
        " ",
        "\0",
        "Package: ",
        "\u{e9}",
    ];
    mutate::over("debfile", &[&deb.build()], &tokens, 5_000, fuzz::debfile);
}
