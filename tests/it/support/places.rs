//! A minimal database of countries by address (MaxMind DB format 2.0).

use std::{net::Ipv4Addr, path::Path};

/// Writes a file in which each of these networks, `(address, bits)`, is in a country.
pub(crate) fn write(file: &Path, networks: &[(Ipv4Addr, u8, &str)]) {
    let mut tree = vec![[None; 2]];
    let mut data = Vec::new();
    for (address, bits, country) in networks {
        let offset = data.len();
        data.extend(map(&[("country", map(&[("iso_code", text(country))]))]));
        let mut node = 0;
        for bit in 0..*bits {
            let side = (address.to_bits() >> (31 - bit) & 1) as usize;
            if bit + 1 == *bits {
                tree[node][side] = Some(Record::Data(offset));
                break;
            }
            node = match tree[node][side] {
                Some(Record::Node(next)) => next,
                _ => {
                    tree.push([None; 2]);
                    let next = tree.len() - 1;
                    tree[node][side] = Some(Record::Node(next));
                    next
                }
            };
        }
    }
    let count = tree.len();
    let mut bytes = Vec::new();
    for record in tree.iter().flatten() {
        let value = match record {
            None => count,
            Some(Record::Node(node)) => *node,
            Some(Record::Data(offset)) => count + 16 + offset,
        };
        bytes.extend(&u32::try_from(value).unwrap().to_be_bytes()[1..]);
    }
    bytes.extend([0; 16]);
    bytes.extend(data);
    bytes.extend(b"\xab\xcd\xefMaxMind.com");
    bytes.extend(map(&[
        ("node_count", number(6, count as u64)),
        ("record_size", number(5, 24)),
        ("ip_version", number(5, 4)),
        ("database_type", text("Countersign-Test-Country")),
        ("languages", [&[0x01, 0x04][..], &text("en")].concat()),
        ("binary_format_major_version", number(5, 2)),
        ("binary_format_minor_version", number(5, 0)),
        ("build_epoch", number(9, 1_800_000_000)),
        ("description", map(&[("en", text("Made by a test"))])),
    ]));
    std::fs::write(file, bytes).unwrap();
}

#[derive(Clone, Copy)]
enum Record {
    Node(usize),
    Data(usize),
}

fn text(text: &str) -> Vec<u8> {
    let length = u8::try_from(text.len()).unwrap();
    let head = if length < 29 { vec![0x40 | length] } else { vec![0x40 | 29, length - 29] };
    [&head, text.as_bytes()].concat()
}

fn number(kind: u8, value: u64) -> Vec<u8> {
    let bytes: Vec<u8> = value.to_be_bytes().into_iter().skip_while(|byte| *byte == 0).collect();
    let length = u8::try_from(bytes.len()).unwrap();
    let head = if kind < 8 { vec![kind << 5 | length] } else { vec![length, kind - 7] };
    [head, bytes].concat()
}

fn map(entries: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut bytes = vec![0xe0 | u8::try_from(entries.len()).unwrap()];
    for (key, value) in entries {
        bytes.extend(text(key));
        bytes.extend(value);
    }
    bytes
}
