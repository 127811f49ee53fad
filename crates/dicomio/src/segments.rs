//! Segmented palettes: PS3.3 C.7.9.2.

const DISCRETE: u16 = 0;
const LINEAR: u16 = 1;
const INDIRECT: u16 = 2;

/// Writes a segmented table out in full, at most `entries` values. `items` are the segments'
/// numbers, of `item_bytes` bytes each; `None` when they make no table.
pub(crate) fn expand(items: &[u16], item_bytes: usize, entries: usize) -> Option<Vec<u16>> {
    let mut values = Vec::new();
    let mut at = 0;
    while values.len() < entries && at + 1 < items.len() {
        if items[at] != INDIRECT {
            at = append(items, at, &mut values)?;
            continue;
        }
        let mut copied = copied_from(items.get(at + 2..)?, item_bytes)?;
        for _ in 0..items[at + 1] {
            let before = values.len();
            copied = append(items, copied, &mut values)?;
            // Copies of nothing could go on for hours.
            if values.len() == before {
                return None;
            }
            if values.len() >= entries {
                break;
            }
        }
        at += 2 + 4 / item_bytes;
    }
    values.truncate(entries);
    Some(values)
}

/// Appends one discrete or linear segment and returns where the next one starts.
fn append(items: &[u16], at: usize, values: &mut Vec<u16>) -> Option<usize> {
    let (kind, length) = (*items.get(at)?, usize::from(*items.get(at + 1)?));
    let rest = items.get(at + 2..)?;
    match kind {
        DISCRETE => {
            values.extend_from_slice(rest.get(..length)?);
            Some(at + 2 + length)
        }
        LINEAR => {
            let start = f64::from(*values.last()?);
            let step = (f64::from(*rest.first()?) - start) / length as f64;
            let value = |i: usize| (start + step * i as f64).round_ties_even() as u16;
            values.extend((1..=length).map(value));
            Some(at + 3)
        }
        // A segment that is copied may not copy itself.
        _ => None,
    }
}

/// Where a copy starts: a byte offset, least significant part first.
fn copied_from(rest: &[u16], item_bytes: usize) -> Option<usize> {
    let parts = rest.get(..4 / item_bytes)?;
    let bits = 8 * item_bytes;
    let offset = parts
        .iter()
        .rev()
        .fold(0_usize, |n, &part| n << bits | usize::from(part));
    Some(offset / item_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_of_all_kinds_are_written_out() {
        // Two values, a line to 10, then both again; offsets are in bytes.
        let sixteen = [0, 2, 1, 2, 1, 4, 10, 2, 2, 0, 0];
        let eight = [0, 2, 1, 2, 1, 4, 10, 2, 2, 0, 0, 0, 0];
        let expected = [1, 2, 4, 6, 8, 10, 1, 2, 4, 6, 8, 10];
        assert_eq!(expand(&sixteen, 2, 99).unwrap(), expected);
        assert_eq!(expand(&eight, 1, 99).unwrap(), expected);
        assert_eq!(expand(&eight, 1, 5).unwrap(), expected[..5]);
    }

    #[test]
    fn impossible_segments_are_refused() {
        let cases: [&[u16]; 6] = [
            &[0, 0, 2, 9, 0, 0],
            &[1, 4, 10],
            &[0, 9, 1],
            &[7, 1, 1],
            &[0, 1, 5, 2, 1],
            &[0, 1, 5, 2, 1, 6, 0],
        ];
        for items in cases {
            assert!(expand(items, 2, 99).is_none(), "{items:?}");
        }
    }
}
