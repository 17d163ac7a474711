use super::*;

const STRICT: Manners = Manners { are_names_lenient: false, is_lying: false };

fn file(disk: &mut Disk, name: &str) -> u64 {
    disk.make(ROOT, OsStr::new(name), 0o600, false).unwrap()
}

fn text(disk: &Disk, name: &str) -> Option<String> {
    let node = disk.find(ROOT, OsStr::new(name))?;
    Some(String::from_utf8(disk.read(node, 0, 1 << 20).unwrap()).unwrap())
}

#[test]
fn only_what_was_synced_is_found_after_a_cut() {
    let mut disk = Disk::new(STRICT);
    let node = file(&mut disk, "a");
    disk.write(node, 0, b"first").unwrap();
    assert_eq!(disk.cut(Cut::All).0.find(ROOT, OsStr::new("a")), None, "its name was not synced");
    disk.sync_folder(ROOT);
    assert_eq!(text(&disk.cut(Cut::All).0, "a").unwrap(), "", "nor its bytes");
    disk.sync(node).unwrap();
    disk.write(node, 0, b"FIRST and more").unwrap();
    let (found, damage) = disk.cut(Cut::All);
    assert_eq!(text(&found, "a").unwrap(), "first");
    assert_eq!(damage, Damage { pages: 1, torn: 0, names: 0 });
    assert_eq!(text(&disk.cut(Cut::Nothing).0, "a").unwrap(), "FIRST and more");
}

#[test]
fn a_rename_is_whole_and_lasts_from_the_folders_sync_on() {
    let mut disk = Disk::new(STRICT);
    let old = file(&mut disk, "a");
    disk.write(old, 0, b"old").unwrap();
    disk.sync(old).unwrap();
    disk.sync_folder(ROOT);
    let new = file(&mut disk, "b");
    disk.write(new, 0, b"new").unwrap();
    disk.sync(new).unwrap();
    disk.rename((ROOT, OsStr::new("b")), (ROOT, OsStr::new("a"))).unwrap();
    let (found, _) = disk.cut(Cut::All);
    assert_eq!((text(&found, "a").as_deref(), text(&found, "b")), (Some("old"), None));
    disk.sync_folder(ROOT);
    assert_eq!(text(&disk.cut(Cut::All).0, "a").as_deref(), Some("new"));
}

#[test]
fn lenient_names_come_with_any_sync() {
    let mut disk = Disk::new(Manners { are_names_lenient: true, is_lying: false });
    file(&mut disk, "a");
    let other = file(&mut disk, "b");
    disk.sync(other).unwrap();
    assert!(text(&disk.cut(Cut::All).0, "a").is_some());
}

#[test]
fn by_chance_a_page_is_old_or_new_or_both_by_sectors() {
    let mut disk = Disk::new(STRICT);
    let node = file(&mut disk, "a");
    disk.write(node, 0, &[b'o'; 8_192]).unwrap();
    disk.sync(node).unwrap();
    disk.sync_folder(ROOT);
    disk.write(node, 4_096, &[b'n'; 4_096]).unwrap();
    let (mut seed, mut torn, mut kept) = (Seed::of(1), 0, 0);
    for _ in 0..100 {
        let (found, damage) = disk.cut(Cut::Some(&mut seed));
        let bytes = text(&found, "a").unwrap().into_bytes();
        assert!(bytes[..4_096].iter().all(|byte| *byte == b'o'), "what was synced stays");
        assert!(bytes[4_096..].chunks(512).all(|sector| sector.iter().all(|byte| byte == &sector[0])));
        torn += damage.torn;
        kept += u64::from(damage.pages == 0);
    }
    assert!(torn > 0 && kept > 0, "{torn} torn, {kept} kept");
}

#[test]
fn a_full_disk_refuses_and_a_removed_file_makes_room() {
    let mut disk = Disk::new(STRICT);
    disk.set_capacity(3 * 4_096);
    let reserve = file(&mut disk, "reserve");
    disk.keep(reserve, 8_192).unwrap();
    let node = file(&mut disk, "a");
    disk.write(node, 0, &[1; 4_096]).unwrap();
    assert_eq!(disk.write(node, 4_096, &[1]), Err(Refusal::Full));
    disk.write(node, 0, &[2; 4_096]).unwrap();
    disk.remove(ROOT, OsStr::new("reserve")).unwrap();
    disk.write(node, 4_096, &[1]).unwrap();
}

#[test]
fn a_file_cut_short_has_zeros_when_it_grows_again() {
    let mut disk = Disk::new(STRICT);
    let node = file(&mut disk, "a");
    disk.write(node, 0, &[7; 5_000]).unwrap();
    disk.resize(node, 100).unwrap();
    disk.resize(node, 5_000).unwrap();
    let bytes = disk.read(node, 0, 5_000).unwrap();
    assert!(bytes[..100].iter().all(|byte| *byte == 7) && bytes[100..].iter().all(|byte| *byte == 0));
}

#[test]
fn a_copy_has_other_nodes_and_a_lying_disk_keeps_nothing() {
    let mut disk = Disk::new(STRICT);
    let node = file(&mut disk, "a");
    disk.write(node, 0, b"text").unwrap();
    let mut copy = disk.copy();
    assert_ne!(copy.find(ROOT, OsStr::new("a")), Some(node));
    assert_eq!(text(&copy, "a").as_deref(), Some("text"));
    copy.sync_all();
    assert_eq!(text(&copy.cut(Cut::All).0, "a").as_deref(), Some("text"));
    disk.behave(Manners { is_lying: true, ..STRICT });
    disk.sync(node).unwrap();
    disk.sync_folder(ROOT);
    assert_eq!(text(&disk.cut(Cut::All).0, "a"), None);
}

#[test]
fn a_truncation_is_lost_whole_with_what_came_after_it_or_not_at_all() {
    let mut disk = Disk::new(STRICT);
    let node = file(&mut disk, "a");
    disk.write(node, 0, &[b'o'; 12_288]).unwrap();
    disk.sync(node).unwrap();
    disk.sync_folder(ROOT);
    disk.resize(node, 0).unwrap();
    disk.write(node, 0, &[b'n'; 4_096]).unwrap();
    let mut seed = Seed::of(1);
    let mut sizes = BTreeSet::new();
    for _ in 0..100 {
        disk.write_back_one(&mut seed);
        let (found, _) = disk.cut(Cut::Some(&mut seed));
        let text = text(&found, "a").unwrap();
        assert!(text == "o".repeat(12_288) || !text.contains('o'), "half a truncation");
        sizes.insert(text.len());
    }
    assert_eq!(sizes, BTreeSet::from([0, 4_096, 12_288]));
}
