//! The bodies of the fuzz targets over seeded mutations: no input may panic or break what the bodies promise.

use bareroot_testkit::mutate;

mod fuzz;

const REPOMD: &[u8] = b"<?xml version=\"1.0\"?><repomd xmlns=\"http://linux.duke.edu/metadata/repo\"><revision>7</revision>\
    <data type=\"primary\"><checksum type=\"sha256\">60acfd001c9b2e8c8e5e6b5f2e7a8a47b2ea0dd1ccad5f4da8ae4b7c3d8a7a11</checksum>\
    <location href=\"repodata/primary.xml.gz\"/><size>12</size></data><data type=\"group\"><checksum type=\"sha\">\
    c1d8b4a70e4e2ed3cf5d68d27319974cc023cf03</checksum><location href=\"a&amp;b\"/></data></repomd>";

const PRIMARY: &[u8] = b"<metadata packages=\"2\"><package type=\"rpm\"><name>a</name><arch>x86_64</arch>\
    <version epoch=\"1\" ver=\"2\" rel=\"3\"/><checksum type=\"sha256\" pkgid=\"YES\">00ff</checksum><time file=\"1\" build=\"2\"/>\
    <size package=\"3\" installed=\"4\" archive=\"5\"/><location href=\"a.rpm\" xml:base=\"http://x/\"/><format>\
    <rpm:vendor>v</rpm:vendor><rpm:sourcerpm>a.src.rpm</rpm:sourcerpm><rpm:header-range start=\"6\" end=\"7\"/>\
    <rpm:provides><rpm:entry name=\"a\" flags=\"EQ\" epoch=\"1\" ver=\"2\" rel=\"3\"/></rpm:provides><rpm:requires>\
    <rpm:entry name=\"(b or &lt;c)\" pre=\"1\"/></rpm:requires><file>/etc/x</file><file type=\"dir\">/etc</file></format></package>\
    <package type=\"rpm\"><name>b</name><arch>noarch</arch><version epoch=\"0\" ver=\"1\" rel=\"1\"/><location href=\"b\"/>\
    </package></metadata>";

const COMPS: &[u8] = b"<comps><group><id>core</id><name>Core</name><name xml:lang=\"de\">Kern</name><packagelist>\
    <packagereq type=\"mandatory\">bash</packagereq><packagereq type=\"conditional\" requires=\"x\">y</packagereq></packagelist>\
    </group><environment><id>m</id><name>Minimal Install</name><grouplist><groupid>core</groupid></grouplist><optionlist>\
    <groupid default=\"true\">s</groupid></optionlist></environment></comps>";

const TOKENS: &[&[u8]] = &[
    b"<",
    b">",
    b"/>",
    b"</",
    b"\"",
    b"'",
    b"&",
    b"&amp;",
    b"&#0;",
    b"&#x110000;",
    b"<!--",
    b"-->",
    b"<![CDATA[",
    b"]]>",
    b"<!DOCTYPE a [<!ENTITY b \"c\">]>",
    b"<?",
    b"\0",
    b"\xff",
    b"\xc3\xa9",
    b"99999999999999999999",
    b"-1",
    b"<package>",
    b"</package>",
    b"<name>",
    b"<group>",
    b"<data type=\"primary\">",
    b"type=\"",
    b"\n",
    b" ",
];

#[test]
fn repomd() {
    mutate::over("repomd", &[REPOMD], TOKENS, 15_000, fuzz::repomd);
}

#[test]
fn primary() {
    mutate::over("primary", &[PRIMARY], TOKENS, 15_000, fuzz::primary);
}

#[test]
fn cached_primary() {
    let index = bareroot_rpm_repo::Index::read("seed", PRIMARY, "x86_64").unwrap();
    let tokens: [&[u8]; 5] = [b"\0\0\0\0", b"\xff\xff\xff\xff", b"\x01", b"\xc3", b"\x7f\0\0\0"];
    mutate::over(
        "cached_primary",
        &[&index.to_bytes()],
        &tokens,
        30_000,
        fuzz::cached_primary,
    );
}

#[test]
fn file_lists() {
    let seed = b"<filelists><package pkgid=\"00ff\" name=\"a\" arch=\"x\"><version ver=\"1\"/><file>/usr/bin/x</file>\
        <file type=\"dir\">/y</file></package></filelists>";
    mutate::over("file_lists", &[seed], TOKENS, 15_000, fuzz::file_lists);
}

#[test]
fn comps() {
    mutate::over("comps", &[COMPS], TOKENS, 15_000, fuzz::comps);
}

const MODULES: &[u8] = b"---\ndocument: modulemd\nversion: 2\ndata:\n  name: perl\n  stream: \"5.30\"\n  version: 1\n  \
    context: c\n  dependencies:\n  - requires: {platform: [el8], a: []}\n  profiles:\n    common: {rpms: [perl]}\n  \
    artifacts:\n    rpms:\n    - perl-4:5.30.1-1.x86_64\n...\n---\ndocument: modulemd-defaults\nversion: 1\ndata:\n  \
    module: perl\n  stream: 5.30\n  profiles:\n    5.30: [common]\n...\n";

#[test]
fn modules() {
    let tokens: [&[u8]; 12] = [
        b"- ", b": ", b"[", b"]", b"{", b"}", b"---\n", b"&a ", b"*a", b">-\n", b"\"", b"\n  ",
    ];
    mutate::over("modules", &[MODULES], &tokens, 15_000, fuzz::modules);
}

#[test]
fn mirrors() {
    let seeds: [&[u8]; 2] = [
        b"<metalink xmlns=\"http://www.metalinker.org/\"><files><file name=\"repomd.xml\"><mm0:timestamp>1</mm0:timestamp>\
          <size>2</size><verification><hash type=\"sha256\">00ff</hash></verification><mm0:alternates><mm0:alternate><size>3</size>\
          <verification><hash type=\"sha512\">00</hash></verification></mm0:alternate></mm0:alternates><resources>\
          <url protocol=\"https\" preference=\"100\">https://a.example/x/repodata/repomd.xml</url></resources></file></files></metalink>",
        b"# mirrors\nhttp://a.example/\nhttps://b.example/x\n",
    ];
    mutate::over("mirrors", &seeds, TOKENS, 15_000, fuzz::mirrors);
}

#[test]
fn repo_file() {
    let seed = b"# c\n[main]\na=b\n[x-$releasever]\nname=X ${basearch:-y}\nbaseurl=http://a.example/$basearch\n  http://b.example/${releasever_major}\n\
        gpgkey=file:///k\nenabled=1\ngpgcheck=no\npriority=5\nexcludepkgs=a*,b c\n";
    let tokens: [&[u8]; 13] = [
        b"\n",
        b"\n ",
        b"[",
        b"]",
        b"=",
        b"$",
        b"${",
        b"}",
        b":-",
        b":+",
        b"#",
        b"\0",
        b"\xc3\xa9",
    ];
    mutate::over("repo_file", &[seed], &tokens, 20_000, fuzz::repo_file);
}
