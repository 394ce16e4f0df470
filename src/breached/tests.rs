use super::{
    BreachFile, BreachFileFault, CompileFault, compile,
    compile::compile_within,
    file::{BUCKETS, ENTRY_BYTES, HEAD_BYTES, INDEX_BYTES, MAX_BUCKET_ENTRIES, MAX_ENTRIES, false_positive_rate},
};
use countersign_domain::password::{BreachDigest, read_listed};
use std::{
    fmt::Write as _,
    fs,
    io::{Seek as _, SeekFrom, Write as _},
    path::PathBuf,
};
use tempfile::TempDir;

/// Hashes that are spread like real ones, sorted.
fn hashes(count: usize) -> Vec<[u8; 20]> {
    let mut hashes: Vec<[u8; 20]> = (0..count)
        .map(|number| {
            let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA1_FOR_LEGACY_USE_ONLY, &number.to_be_bytes());
            hash.as_ref().try_into().unwrap()
        })
        .collect();
    hashes.sort_unstable();
    hashes
}

fn list(hashes: &[[u8; 20]]) -> String {
    hashes.iter().fold(String::new(), |mut list, hash| {
        hash.iter().for_each(|byte| write!(list, "{byte:02X}").unwrap());
        list + ":3\r\n"
    })
}

struct Made {
    _folder: TempDir,
    path: PathBuf,
}

fn made(list: &str) -> Made {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("breached.bin");
    compile(list.as_bytes(), &path).unwrap();
    Made { _folder: folder, path }
}

async fn holds(file: &BreachFile, hash: [u8; 20]) -> bool {
    file.holds(BreachDigest::new(hash)).await.unwrap()
}

#[tokio::test]
async fn every_listed_hash_is_found_and_no_other() {
    let all = hashes(5_000);
    let (listed, others): (Vec<_>, Vec<_>) = all.iter().enumerate().partition(|(at, _)| at % 2 == 0);
    let listed: Vec<_> = listed.into_iter().map(|(_, hash)| *hash).collect();
    let made = made(&list(&listed));
    let file = BreachFile::open(&made.path).unwrap();
    assert_eq!(file.entries(), listed.len() as u64);
    for hash in listed {
        assert!(holds(&file, hash).await);
    }
    for (_, hash) in others {
        assert!(!holds(&file, *hash).await);
    }
    for hash in [[0; 20], [0xFF; 20]] {
        assert!(!holds(&file, hash).await);
    }
}

#[tokio::test]
async fn the_first_and_the_last_hash_there_can_be_are_found() {
    let made = made(&list(&[[0; 20], [0xFF; 20]]));
    let file = BreachFile::open(&made.path).unwrap();
    assert!(holds(&file, [0; 20]).await && holds(&file, [0xFF; 20]).await);
}

#[test]
fn hashes_that_agree_in_what_is_kept_and_lines_seen_never_make_no_entry_of_their_own() {
    let mut twin = [7; 20];
    twin[19] = 8;
    let made = made(&format!("{}{}{}:0\n", list(&[[7; 20], twin]), list(&[[8; 20]]), "09".repeat(20)));
    assert_eq!(BreachFile::open(&made.path).unwrap().entries(), 2);
}

#[test]
fn a_password_that_is_not_listed_is_hardly_ever_taken_for_one_that_is() {
    assert!(false_positive_rate(1_000_000_000) < 1.0 / 250_000.0);
    assert!(false_positive_rate(MAX_ENTRIES) <= 1.0 / 65_536.0);
}

#[test]
fn what_is_no_sorted_list_of_hashes_is_refused_and_leaves_what_was_there() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("breached.bin");
    compile(list(&hashes(10)).as_bytes(), &path).unwrap();
    let before = fs::read(&path).unwrap();
    let [low, high] = ["11".repeat(20), "22".repeat(20)];
    for (list, expected) in [
        (String::new(), "has no hashes"),
        (format!("{low}:0\n"), "has no hashes"),
        ("password\n".to_owned(), "line 1"),
        (format!("{low}\n\n{high}\n"), "line 2"),
        (format!("{high}\n{low}\n"), "line 2"),
        (format!("{low}\n{high}:many\n"), "line 2"),
        (format!("{low}\n{}", "2".repeat(1_000_000)), "line 2"),
        (format!("{low}\n\u{e9}\n"), "line 2"),
    ] {
        let fault = compile(list.as_bytes(), &path).unwrap_err();
        assert!(fault.to_string().contains(expected), "{fault}");
    }
    assert!(matches!(compile(&b"\xFF\n"[..], &path), Err(CompileFault::NoHash(1))));
    assert_eq!(fs::read(&path).unwrap(), before);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
}

/// Hashes with the same first two bytes.
fn crowded(count: u32) -> impl Iterator<Item = [u8; 20]> {
    (0..count).map(|number| {
        let mut hash = [0x5B; 20];
        hash[2..6].copy_from_slice(&number.to_be_bytes());
        hash
    })
}

#[test]
fn a_list_of_which_no_file_could_be_opened_is_refused_by_the_line_that_is_one_too_many() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("breached.bin");
    let listed = |count| list(&[&[[0x11; 20]][..], &crowded(count).collect::<Vec<_>>()].concat());
    compile_within(3, listed(3).as_bytes(), &path).unwrap();
    assert_eq!(BreachFile::open(&path).unwrap().entries(), 4);
    let fault = compile_within(3, listed(4).as_bytes(), &path).unwrap_err();
    assert!(matches!(fault, CompileFault::Crowded(5)), "{fault}");
    assert!(fault.to_string().contains("line 5 "), "{fault}");
    assert_eq!(BreachFile::open(&path).unwrap().entries(), 4, "what was there stays");
}

/// Compiling and opening have the same bound.
#[test]
fn a_file_with_as_many_entries_in_one_bucket_as_compile_takes_is_opened_and_one_with_more_is_not() {
    for (count, opens) in [(MAX_BUCKET_ENTRIES, true), (MAX_BUCKET_ENTRIES + 1, false)] {
        let made = made(&list(&[[0x5B; 20]]));
        let mut file = fs::OpenOptions::new().read(true).write(true).open(&made.path).unwrap();
        file.set_len((HEAD_BYTES + INDEX_BYTES) as u64 + count * ENTRY_BYTES as u64).unwrap();
        file.seek(SeekFrom::Start(16)).unwrap();
        file.write_all(&count.to_le_bytes()).unwrap();
        for bucket in 0x5B5C..=BUCKETS {
            file.seek(SeekFrom::Start((HEAD_BYTES + bucket * 8) as u64)).unwrap();
            file.write_all(&count.to_le_bytes()).unwrap();
        }
        assert_eq!(BreachFile::open(&made.path).is_ok(), opens, "{count}");
    }
}

#[test]
fn a_damaged_or_hostile_file_is_refused() {
    let made = made(&list(&hashes(1_000)));
    let good = fs::read(&made.path).unwrap();
    let refused = |what: &str, change: &dyn Fn(&mut Vec<u8>)| {
        let mut bad = good.clone();
        change(&mut bad);
        fs::write(&made.path, bad).unwrap();
        let fault = BreachFile::open(&made.path).expect_err(what);
        (format!("{fault:?}"), fault)
    };
    let index = |bucket: usize| HEAD_BYTES + bucket * 8;
    for (what, change) in [
        ("an entry is missing", (&|file: &mut Vec<u8>| file.truncate(file.len() - 4)) as &dyn Fn(&mut Vec<u8>)),
        ("half an entry", &|file| file.truncate(file.len() - 1)),
        ("an entry too many", &|file| file.extend([0; 4])),
        ("it says more entries", &|file| file[16] += 1),
        ("it says more entries than there can be", &|file| file[16..24].fill(0xFF)),
        ("a reserved byte is set", &|file| file[13] = 1),
        ("the index begins later", &|file| file[index(0)] = 1),
        ("the index goes back", &|file| file[index(10)..index(11)].fill(0xFF)),
        ("the index ends elsewhere", &|file| file[index(BUCKETS)] ^= 1),
    ] {
        assert!(matches!(refused(what, change).1, BreachFileFault::Damaged), "{what}");
    }
    assert!(matches!(refused("another release's", &|file| file[8] = 9).1, BreachFileFault::Version(9)));
    for change in [&(|file: &mut Vec<u8>| file[0] = b'X') as &dyn Fn(&mut Vec<u8>), &|file| file.clear(), &|file| {
        file.truncate(HEAD_BYTES + INDEX_BYTES - 1)
    }] {
        assert!(matches!(refused("somebody else's", change).1, BreachFileFault::Foreign));
    }
    assert!(matches!(BreachFile::open(&made.path.with_extension("gone")), Err(BreachFileFault::Io(_))));
}

/// A file with unsorted entries, or one that is truncated while it is open, gives a wrong answer or none, but does no
/// harm.
#[tokio::test]
async fn a_file_that_lies_about_its_entries_does_no_harm() {
    let made = made(&list(&hashes(1_000)));
    let file = BreachFile::open(&made.path).unwrap();
    let hash = read_listed(&"5B".repeat(20)).flatten().unwrap();
    fs::OpenOptions::new().write(true).open(&made.path).unwrap().set_len(100).unwrap();
    let looks = hashes(1_000).into_iter().chain([hash]);
    let mut unreadable = 0;
    for hash in looks {
        unreadable += usize::from(file.holds(BreachDigest::new(hash)).await.is_err());
    }
    assert!(unreadable > 900, "{unreadable}");
}
