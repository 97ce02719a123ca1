//! The bodies of the fuzz targets over seeded mutations: no input may panic or break what the bodies promise.

mod fuzz;

/// xorshift64*: the same mutations in every run.
struct Random(u64);

impl Random {
    fn next(&mut self, below: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % below.max(1)
    }

    fn mutate(&mut self, seed: &[u8], tokens: &[&str]) -> Vec<u8> {
        let mut bytes = seed.to_vec();
        for _ in 0..=self.next(5) {
            let at = self.next(bytes.len() + 1);
            match self.next(6) {
                0 if at < bytes.len() => bytes[at] ^= 1 << self.next(8),
                1 => bytes.truncate(at),
                2 => {
                    bytes.drain(at..(at + self.next(40)).min(bytes.len()));
                }
                3 => {
                    let from = self.next(bytes.len());
                    let piece: Vec<u8> = bytes.iter().skip(from).take(self.next(80)).copied().collect();
                    bytes.splice(at..at, piece);
                }
                _ => {
                    let token = tokens[self.next(tokens.len())];
                    bytes.splice(at..at, token.bytes());
                }
            }
        }
        bytes
    }
}

fn over_mutations(seeds: &[&str], tokens: &[&str], count: usize, body: impl Fn(&[u8])) {
    let mut random = Random(0x5eed);
    for seed in seeds {
        for length in 0..=seed.len() {
            body(&seed.as_bytes()[..length]);
        }
        for _ in 0..count {
            body(&random.mutate(seed.as_bytes(), tokens));
        }
    }
}

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
    over_mutations(&seeds, &tokens, 4000, fuzz::macros);
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
    over_mutations(&seeds, &tokens, 4000, fuzz::query_format);
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
    over_mutations(&seeds, &tokens, 4000, fuzz::sysusers);
}
