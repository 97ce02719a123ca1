//! The programs that are carried, and what each must do in its root.

/// A program and its job.
#[derive(Clone, Copy, Debug)]
pub struct Program {
    /// What is carried first, and measured alone.
    pub name: &'static str,
    /// What the job runs beside it, carried into the same root. A component `*` is the only name that the source has there.
    pub helpers: &'static [&'static str],
    /// Whom to be.
    pub user: &'static str,
    /// A command of sh, and what it must print.
    pub job: &'static str,
    /// A part of what it prints.
    pub expected: &'static str,
    /// Whether a quick run has it.
    pub quick: bool,
}

const fn program(
    name: &'static str,
    helpers: &'static [&'static str],
    job: &'static str,
    expected: &'static str,
) -> Program {
    Program {
        name,
        helpers,
        user: "root",
        job,
        expected,
        quick: false,
    }
}

impl Program {
    const fn quick(mut self) -> Program {
        self.quick = true;
        self
    }

    const fn by(mut self, user: &'static str) -> Program {
        self.user = user;
        self
    }
}

/// All of them. Where a server and a client are needed, both are in the root, and they speak over the loopback interface.
pub const PROGRAMS: &[Program] = &[
    program("bash", &["sh"], "bash -c 'u=~root; echo $u $((6 * 7))'", "/root 42").quick(),
    program(
        "sshd",
        &["sh", "mkdir", "ssh", "ssh-keygen"],
        "mkdir -p /run/sshd /root/.ssh && ssh-keygen -q -A && ssh-keygen -q -t ed25519 -N '' -f /root/.ssh/id_ed25519 \
         && read key < /root/.ssh/id_ed25519.pub && echo \"$key\" > /root/.ssh/authorized_keys && /usr/sbin/sshd -p 42299 \
         && ssh -o StrictHostKeyChecking=no -p 42299 root@127.0.0.1 'echo came in'",
        "came in",
    ),
    program(
        "nginx",
        &["sh", "curl"],
        "nginx -t && printf 'events {}\\nhttp { server { listen 127.0.0.1:42399; return 200 served; } }\\n' > /tmp/n.conf \
         && nginx -c /tmp/n.conf && curl -sS http://127.0.0.1:42399",
        "served",
    )
    .quick(),
    program(
        "/usr/bin/python3",
        &["sh"],
        "/usr/bin/python3 -c 'import ssl, json, sqlite3, ctypes, decimal, zoneinfo, curses, asyncio, lzma, bz2; \
         print(decimal.Decimal(\"3.0\"), sqlite3.connect(\":memory:\").execute(\"select 42\").fetchone()[0])'",
        "3.0 42",
    ),
    program(
        "perl",
        &["sh"],
        "perl -MPOSIX -MData::Dumper -MEncode -MIO::Socket::INET -MTime::Piece -e 'print \"floor \", floor(5.5), \"\\n\"'",
        "floor 5",
    )
    .quick(),
    // It must not trust the server until the server's own authority is among those that were carried.
    program(
        "curl",
        &["sh", "openssl", "cat"],
        "cd /tmp && openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -subj /CN=localhost \
         -addext subjectAltName=DNS:localhost -days 2 2>&1 && echo 'it came by https' > f \
         && { openssl s_server -quiet -WWW -accept 127.0.0.1:42499 -cert ca.pem -key ca.key & } \
         && ! curl -sS --retry 20 --retry-delay 1 --retry-connrefused https://localhost:42499/f \
         && cat ca.pem >> /etc/ssl/certs/ca-certificates.crt && curl -sS https://localhost:42499/f",
        "it came by https",
    )
    .quick(),
    program(
        "/usr/bin/git",
        &["sh"],
        "cd /tmp && git init -q r && cd r && git -c user.name=a -c user.email=a@b commit -q --allow-empty -m 'a commit' \
         && git log --format=%s",
        "a commit",
    ),
    // A server that runs as nobody, made for it.
    program(
        "psql",
        &["sh", "sleep", "/usr/lib/postgresql/*/bin/initdb", "/usr/lib/postgresql/*/bin/postgres"],
        "cd /tmp && bin=$(echo /usr/lib/postgresql/*/bin) && $bin/initdb -A trust -U owner -D d --no-sync --locale C.UTF-8 > initdb.log 2>&1 \
         && { $bin/postgres -D d -F -h 127.0.0.1 -p 42599 -k /tmp > postgres.log 2>&1 & } \
         && n=0 && until psql -q -w -h 127.0.0.1 -p 42599 -U owner postgres -c 'select 1' > /dev/null 2>&1 || [ $n -gt 30 ]; \
         do sleep 1; n=$((n + 1)); done \
         && psql -w -At -h 127.0.0.1 -p 42599 -U owner postgres -c \"select upper('asked ') || 6 * 7 || ' ' || 'ü' collate \\\"C\\\"\"",
        "ASKED 42 ü",
    )
    .by("nobody"),
    program(
        "gcc",
        &["sh"],
        "printf '#include <stdio.h>\\n#include <math.h>\\nint main(int c, char **v) { printf(\"compiled %%g\\\\n\", sqrt(c * 1764)); }\\n' \
         > /tmp/a.c && gcc -O2 -o /tmp/a /tmp/a.c -lm && /tmp/a",
        "compiled 42",
    ),
    program(
        "vim",
        &["sh", "script", "cat"],
        "TERM=xterm SHELL=/bin/sh script -qec \"vim -u NONE -c 'call setline(1,\\\"written by vim\\\")' -c 'wq! /tmp/x'\" \
         /dev/null < /dev/null > /tmp/screen; cat /tmp/x",
        "written by vim",
    ),
    program("ping", &["sh"], "ping -c 1 -W 2 127.0.0.1", "1 received")
        .by("nobody")
        .quick(),
    program(
        "sudo",
        &["sh", "id"],
        "sudo -n -u nobody id",
        "uid=65534(nobody)",
    ),
    program(
        "php",
        &["sh"],
        "php -r 'echo \"php \", 3 * 4, \" \", json_decode(\"\\\"json\\\"\"), \"\\n\";'",
        "php 12 json",
    ),
    program(
        "node",
        &["sh"],
        "node -e 'console.log(\"sha\", require(\"crypto\").createHash(\"sha256\").update(\"abc\").digest(\"hex\"))'",
        "sha ba7816bf",
    ),
    program(
        "openssl",
        &["sh"],
        "printf abc | openssl dgst -provider default -provider legacy -md4",
        "a448017aaf21d852",
    ),
    program(
        "ruby",
        &["sh"],
        "ruby -rjson -rset -ropenssl -e 'puts \"ruby #{JSON.parse(\"[12]\")[0]}\"'",
        "ruby 12",
    ),
    program("sqlite3", &["sh"], "sqlite3 :memory: 'select 6 * 7'", "42"),
    program("jq", &["sh"], "echo '{\"a\": [1, 12]}' | jq '.a | add'", "13"),
    program("ssh", &["sh"], "ssh -G -p 7 example.org", "hostname example.org"),
    program(
        "rsync",
        &["sh", "mkdir", "cat"],
        "mkdir -p /tmp/a && echo 'a copy' > /tmp/a/f && rsync -aHAX /tmp/a/ /tmp/b/ && cat /tmp/b/f",
        "a copy",
    ),
    program(
        "gpg",
        &["sh", "gpg-agent"],
        "echo 'kept secret' > /tmp/p && gpg -q --batch --pinentry-mode loopback --passphrase x -c /tmp/p \
         && gpg -q --batch --pinentry-mode loopback --passphrase x -d /tmp/p.gpg",
        "kept secret",
    ),
    program(
        "tar",
        &["sh", "zstd"],
        "echo packed > /tmp/f && tar -C /tmp --zstd -cf /tmp/x.tar.zst f && tar -xOf /tmp/x.tar.zst",
        "packed",
    )
    .quick(),
    // On a terminal, where it goes on to the second file and back, and leaves when it is told.
    program(
        "less",
        &["sh", "script", "cat"],
        "echo 'first page' > /tmp/f && echo 'second page' > /tmp/g && printf ':n:pq' | TERM=xterm SHELL=/bin/sh \
         script -qec 'less /tmp/f /tmp/g' /tmp/typescript > /tmp/screen; cat /tmp/screen",
        "second page",
    ),
    program(
        "tmux",
        &["sh", "cat", "sleep"],
        "tmux -f /dev/null new-session -d 'echo in a pane > /tmp/t' && sleep 2; cat /tmp/t",
        "in a pane",
    ),
    program(
        "dig",
        &["sh", "sleep", "named"],
        "cd /tmp && printf '@ 60 IN SOA a. b. 1 1 1 1 1\\n@ IN NS a.\\nwww IN A 192.0.2.7\\n' > zone \
         && printf 'options { directory \"/tmp\"; listen-on port 42699 { 127.0.0.1; }; listen-on-v6 { none; }; recursion no; \
         pid-file none; session-keyfile none; };\\ncontrols { };\\nzone \"example.org\" { type primary; file \"/tmp/zone\"; };\\n' > n.conf \
         && { named -g -c n.conf > named.log 2>&1 & } \
         && n=0 && until dig @127.0.0.1 -p 42699 +short +time=1 +tries=1 www.example.org | { read a && [ $a = 192.0.2.7 ]; } \
         || [ $n -gt 30 ]; do sleep 1; n=$((n + 1)); done; dig @127.0.0.1 -p 42699 +time=1 +tries=1 www.example.org",
        "192.0.2.7",
    ),
];

/// What an emulator runs: a program alone, an interpreter, and an interpreter with libraries loaded by name.
pub const EMULATED: [&str; 3] = ["bash", "perl", "/usr/bin/python3"];

/// The packages of Debian 13 that have all of them.
pub const PACKAGES: &str = "openssh-server,openssh-client,nginx-light,python3,perl,curl,git,postgresql,gcc,libc6-dev,vim,\
                            iputils-ping,sudo,php-cli,nodejs,openssl,ruby,sqlite3,jq,rsync,gpg,gpg-agent,zstd,less,tmux,\
                            bind9-dnsutils,bind9,ca-certificates";

/// The packages that have the emulated ones.
pub const EMULATED_PACKAGES: &str = "python3,perl";
