//! Sizes and durations, as they are typed.

use std::time::Duration;

/// `500M`, `8G`, `1.5GB`, `4GiB`, `0`: bytes. K, M, G and T are powers of 1000, with `iB` of 1024.
pub fn size(text: &str) -> Result<u64, String> {
    let wrong = || format!("`{text}` is no size: expected a number with K, M, G, T, KiB, MiB, GiB or TiB");
    let (number, unit) = split(text);
    let power = match unit.to_ascii_lowercase().as_str() {
        "" | "b" => 0,
        "k" | "kb" | "kib" => 1,
        "m" | "mb" | "mib" => 2,
        "g" | "gb" | "gib" => 3,
        "t" | "tb" | "tib" => 4,
        _ => return Err(wrong()),
    };
    let base: f64 = if unit.len() == 3 { 1024.0 } else { 1000.0 };
    let bytes = number.parse::<f64>().map_err(|_| wrong())? * base.powi(power);
    // Far below where a float's whole numbers have gaps.
    match bytes.is_finite() && (0.0..1e15).contains(&bytes) {
        true => Ok(bytes as u64),
        false => Err(wrong()),
    }
}

/// `90s`, `45m`, `12h`, `30d`, `8w`: a whole number with its unit, and `0`.
pub fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("`{text}` is no duration: expected a whole number with s, m, h, d or w");
    let (number, unit) = split(text);
    let number: u64 = number.parse().map_err(|_| wrong())?;
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 24 * 3600,
        "w" => 7 * 24 * 3600,
        "" if number == 0 => 0,
        _ => return Err(wrong()),
    };
    number
        .checked_mul(seconds)
        .map(Duration::from_secs)
        .ok_or_else(wrong)
}

/// A number and what follows it.
fn split(text: &str) -> (&str, &str) {
    let end = text
        .find(|character: char| !character.is_ascii_digit() && character != '.')
        .unwrap_or(text.len());
    text.split_at(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_units() {
        for (text, expected) in [
            ("0", Some(0)),
            ("500M", Some(500_000_000)),
            ("1.5GB", Some(1_500_000_000)),
            ("4GiB", Some(4 << 30)),
            ("12", Some(12)),
            ("", None),
            ("M", None),
            ("-1G", None),
            ("1.2.3G", None),
            ("5 G", None),
            ("9999999T", None),
        ] {
            assert_eq!(size(text).ok(), expected, "{text}");
        }
    }

    #[test]
    fn durations_have_units() {
        for (text, expected) in [
            ("0", Some(0)),
            ("0s", Some(0)),
            ("90s", Some(90)),
            ("30d", Some(2_592_000)),
            ("2w", Some(1_209_600)),
            ("30", None),
            ("d", None),
            ("1.5h", None),
            ("99999999999999999999d", None),
            ("99999999999999999w", None),
        ] {
            assert_eq!(duration(text).ok(), expected.map(Duration::from_secs), "{text}");
        }
    }
}
