//! As much of DER (X.690) as the trust store needs: writing, definite lengths, no sorting of sets beyond what the caller does.

/// The content octets of an object identifier.
pub(super) type Oid = &'static [u8];

/// The tags that occur.
#[derive(Clone, Copy)]
pub(super) enum Tag {
    BmpString = 0x1e,
    Context0 = 0xa0,
    Integer = 0x02,
    Null = 0x05,
    Object = 0x06,
    Octets = 0x04,
    Sequence = 0x30,
    Set = 0x31,
}

/// One value whose content is `parts` in that order.
pub(super) fn encode(tag: Tag, parts: &[&[u8]]) -> Vec<u8> {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    let mut out = Vec::with_capacity(length + 6);
    out.push(tag as u8);
    push_length(&mut out, length);
    for part in parts {
        out.extend_from_slice(part);
    }
    out
}

pub(super) fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    encode(Tag::Sequence, parts)
}

pub(super) fn object(oid: Oid) -> Vec<u8> {
    encode(Tag::Object, &[oid])
}

pub(super) fn octets(bytes: &[u8]) -> Vec<u8> {
    encode(Tag::Octets, &[bytes])
}

/// A positive number, most significant byte first, its top bit clear.
pub(super) fn integer(bytes: &[u8]) -> Vec<u8> {
    encode(Tag::Integer, &[bytes])
}

/// Section 8.1.3: short form below 128, else the count of length bytes first.
fn push_length(out: &mut Vec<u8>, length: usize) {
    let bytes = length.to_be_bytes();
    let skipped = bytes.iter().take_while(|&&b| b == 0).count();
    let significant = &bytes[skipped..];
    match significant {
        [] => out.push(0),
        [short] if *short < 0x80 => out.push(*short),
        long => {
            // At most eight bytes, so the count fits beside the flag.
            out.push(0x80 | long.len() as u8);
            out.extend_from_slice(long);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_take_as_many_bytes_as_they_need() {
        let cases: [(usize, &[u8]); 6] = [
            (0, &[0x00]),
            (1, &[0x01]),
            (127, &[0x7f]),
            (128, &[0x81, 0x80]),
            (256, &[0x82, 0x01, 0x00]),
            (65_536, &[0x83, 0x01, 0x00, 0x00]),
        ];
        for (length, expected) in cases {
            let encoded = octets(&vec![0; length]);
            assert_eq!(encoded[0], 0x04);
            assert_eq!(&encoded[1..encoded.len() - length], expected, "{length}");
        }
    }
}
