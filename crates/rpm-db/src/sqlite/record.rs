//! Rows and numbers as sqlite stores them (sqlite's "Database File Format", section 2.1).

/// A value of a column.
#[derive(Clone, Copy, Debug)]
pub enum Value<'a> {
    /// What the row's number stands for.
    Null,
    Integer(i64),
    /// As rpm hands texts over, which need not be UTF-8.
    Text(&'a [u8]),
    Blob(&'a [u8]),
}

/// Appends a number in one to nine bytes, of which all but the last have their highest bit set.
pub fn push_varint(into: &mut Vec<u8>, number: u64) {
    if number >> 56 != 0 {
        // The ninth byte has all of its eight bits.
        let high = (0..8)
            .rev()
            .map(|place| (number >> (8 + 7 * place)) as u8 & 0x7f | 0x80);
        into.extend(high);
        into.push(number as u8);
        return;
    }
    let groups = (u64::BITS - number.leading_zeros()).div_ceil(7).max(1);
    for place in (0..groups).rev() {
        let more = if place == 0 { 0 } else { 0x80 };
        into.push((number >> (7 * place)) as u8 & 0x7f | more);
    }
}

/// Appends a row: the length of its head, the types of its values, the values.
pub fn push_row(into: &mut Vec<u8>, values: &[Value<'_>]) {
    let start = into.len();
    into.push(0);
    for value in values {
        push_varint(into, kind(*value));
    }
    // The types of the few values that a row has take less than 128 bytes: one byte holds the length.
    let head = into.len() - start;
    if let Some(length) = into.get_mut(start) {
        *length = head as u8;
    }
    for value in values {
        match value {
            Value::Null => {}
            Value::Integer(number) => {
                let bytes = number.to_be_bytes();
                into.extend_from_slice(bytes.get(8 - width(*number)..).unwrap_or_default());
            }
            Value::Text(bytes) | Value::Blob(bytes) => into.extend_from_slice(bytes),
        }
    }
}

/// The number of a value's type and length.
fn kind(value: Value<'_>) -> u64 {
    match value {
        Value::Null => 0,
        Value::Integer(0) => 8,
        Value::Integer(1) => 9,
        Value::Integer(number) => match width(number) {
            6 => 5,
            8 => 6,
            width => width as u64,
        },
        Value::Blob(bytes) => bytes.len() as u64 * 2 + 12,
        Value::Text(bytes) => bytes.len() as u64 * 2 + 13,
    }
}

/// Bytes that an integer takes: its sign has to fit too.
fn width(number: i64) -> usize {
    match number {
        0 | 1 => 0,
        -0x80..0x80 => 1,
        -0x8000..0x8000 => 2,
        -0x80_0000..0x80_0000 => 3,
        -0x8000_0000..0x8000_0000 => 4,
        -0x8000_0000_0000..0x8000_0000_0000 => 6,
        _ => 8,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_as_short_as_they_can_be() {
        let cases: [(u64, &[u8]); 7] = [
            (0, &[0]),
            (0x7f, &[0x7f]),
            (0x80, &[0x81, 0]),
            (0x3fff, &[0xff, 0x7f]),
            (0x4000, &[0x81, 0x80, 0]),
            ((1 << 56) - 1, &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]),
            (u64::MAX, &[0xff; 9]),
        ];
        for (number, bytes) in cases {
            let mut found = Vec::new();
            push_varint(&mut found, number);
            assert_eq!(found, bytes, "{number:#x}");
        }
    }

    #[test]
    fn rows_have_their_types_before_their_values() {
        let mut row = Vec::new();
        let values = [
            Value::Null,
            Value::Text(b"ab"),
            Value::Integer(1),
            Value::Integer(-2),
            Value::Blob(&[7]),
        ];
        push_row(&mut row, &values);
        assert_eq!(row, [6, 0, 17, 9, 1, 14, b'a', b'b', 0xfe, 7]);
        let widths = [0x7f, 0x80, 0x7fff, 0x8000, 0x7f_ffff, 0x8000_0000, i64::MAX].map(width);
        assert_eq!(widths, [1, 2, 2, 3, 3, 6, 8]);
    }
}
