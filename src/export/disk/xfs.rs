//! The command that makes an XFS file system like another one, whose `xfs_info` is read: same identifiers and features,
//! so that a boot loader and a kernel that could read the old one can read the new one.

/// The sections of mkfs.xfs(8)'s options, and the keys that are taken over in each: those that change the format.
const KEYS: [(&str, &[&str]); 4] = [
    (
        "-m",
        &[
            "crc",
            "finobt",
            "rmapbt",
            "reflink",
            "bigtime",
            "inobtcount",
        ],
    ),
    ("-i", &["isize", "attr", "projid32bit", "sparse", "nrext64"]),
    ("-n", &["version", "ftype"]),
    ("-l", &["lazy-count"]),
];

/// Each line of `xfs_info` up to its `=` names what its keys are about.
const SECTIONS: [(&str, &[&str]); 3] = [
    ("meta-data", &["-m", "-i"]),
    ("naming", &["-n"]),
    ("log", &["-l"]),
];

/// The length of what [`check`] wants to see of the superblock, with which the partition begins.
const SUPERBLOCK: usize = 264;
/// `sb_versionnum`, which holds the version and the old features.
const VERSION: usize = 100;
const QUOTAS: u16 = 0x40;
const CASE_FOLDING: u16 = 0x4000;
/// Incompatible features that are taken over or mean nothing for a new file system: `ftype`, `spinodes`, `meta_uuid`, `bigtime`,
/// `nrext64`.
const KNOWN: u32 = 0x1 | 0x2 | 0x4 | 0x8 | 0x20;

/// Fails where a file system has what a new one would not get. Layout of the superblock: the kernel's `xfs_format.h`.
pub(in crate::export) fn check(raw: &[u8]) -> Result<(), String> {
    if raw.len() < SUPERBLOCK || &raw[..4] != b"XFSB" {
        return Err("it has no XFS superblock".to_owned());
    }
    let word = |at: usize| u16::from_be_bytes(raw[at..at + 2].try_into().expect("two bytes"));
    let long = |at: usize| u32::from_be_bytes(raw[at..at + 4].try_into().expect("four bytes"));
    let version = word(VERSION);
    let why = if version & CASE_FOLDING != 0 {
        "it has case folding"
    } else if version & QUOTAS != 0 && word(176) != 0 {
        "it has quotas"
    } else if raw[16..24] != [0; 8] {
        "it has a realtime section"
    } else if raw[48..56] == [0; 8] {
        "its log is on another device"
    } else if version & 0xf == 5 && long(216) & !KNOWN != 0 {
        "it has a feature that is not known here"
    } else {
        return Ok(());
    };
    Err(why.to_owned())
}

/// The shell's line that makes, on `device`, a file system like the one that `info` is about. `label` is one word for the shell.
pub(in crate::export) fn make(
    info: &str,
    device: &str,
    uuid: &str,
    label: &[u8],
) -> Result<Vec<u8>, String> {
    if !uuid
        .bytes()
        .all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
        || uuid.is_empty()
    {
        return Err("its UUID is not known".to_owned());
    }
    let found = keys(info);
    if !found.iter().any(|(_, key, _)| *key == "crc") {
        return Err("`xfs_info` does not tell its features".to_owned());
    }
    let mut line = b"mkfs.xfs -q -f -K".to_vec();
    for (option, wanted) in KEYS {
        let mut words: Vec<String> = found
            .iter()
            .filter(|(section, key, _)| sections(section).contains(&option) && wanted.contains(key))
            .map(|(_, key, value)| match *key {
                "isize" => format!("size={value}"),
                key => format!("{key}={value}"),
            })
            .collect();
        if option == "-m" {
            words.push(format!("uuid={uuid}"));
        }
        if !words.is_empty() {
            line.extend(format!(" {option} {}", words.join(",")).into_bytes());
        }
    }
    if let Some((_, _, size)) = found
        .iter()
        .find(|(section, key, _)| *section == "data" && *key == "bsize")
    {
        line.extend(format!(" -b size={size}").into_bytes());
    }
    if !label.is_empty() {
        line.extend_from_slice(b" -L ");
        line.extend_from_slice(label);
    }
    line.extend(format!(" {device}").into_bytes());
    Ok(line)
}

fn sections(name: &str) -> &'static [&'static str] {
    SECTIONS
        .iter()
        .find(|(section, _)| *section == name)
        .map_or(&[], |(_, options)| options)
}

/// Section, key and value of all that is a key and a plain number.
fn keys(info: &str) -> Vec<(&str, &str, &str)> {
    let mut section = "";
    let mut found = Vec::new();
    for line in info.lines() {
        let (name, rest) = line.split_once('=').unwrap_or(("", line));
        let name = name.trim();
        if !name.is_empty() {
            section = name;
        }
        let words = rest
            .split([' ', ',', '\t'])
            .filter_map(|word| word.split_once('='));
        found.extend(
            words
                .filter(|(_, value)| {
                    !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit())
                })
                .map(|(key, value)| (section, key, value)),
        );
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const INFO: &str = "\
meta-data=/dev/sda1              isize=512    agcount=4, agsize=131072 blks
         =                       sectsz=512   attr=2, projid32bit=1
         =                       crc=1        finobt=1, sparse=1, rmapbt=0
         =                       reflink=1    bigtime=0 inobtcount=1 nrext64=0
data     =                       bsize=4096   blocks=524288, imaxpct=25
         =                       sunit=0      swidth=0 blks
naming   =version 2              bsize=4096   ascii-ci=0, ftype=1
log      =internal log           bsize=4096   blocks=16384, version=2
         =                       sectsz=512   sunit=0 blks, lazy-count=1
realtime =none                   extsz=4096   blocks=0, rtextents=0
";

    #[test]
    fn features_are_taken_over_and_nothing_else() {
        let line = make(INFO, "/dev/new1", "0f-a1", b"'a b'").expect("all is known");
        insta::assert_snapshot!(String::from_utf8(line).expect("text"), @"mkfs.xfs -q -f -K -m crc=1,finobt=1,rmapbt=0,reflink=1,bigtime=0,inobtcount=1,uuid=0f-a1 -i size=512,attr=2,projid32bit=1,sparse=1,nrext64=0 -n ftype=1 -l lazy-count=1 -b size=4096 -L 'a b' /dev/new1");
    }

    /// The first bytes of a file system that the real program makes with these options.
    fn made_by_mkfs(options: &[&str]) -> Vec<u8> {
        let file = tempfile::NamedTempFile::new().expect("a temporary file");
        file.as_file().set_len(400 << 20).expect("it can be sparse");
        let made = crate::guest::tools::program("mkfs.xfs")
            .args(["-q", "-f"])
            .args(options)
            .arg(file.path())
            .status();
        assert!(made.expect("xfsprogs is installed").success());
        let mut head = vec![0; 4096];
        std::os::unix::fs::FileExt::read_exact_at(file.as_file(), &mut head, 0).expect("read");
        head
    }

    #[test]
    fn what_a_new_file_system_would_not_have_is_refused() {
        let usual = made_by_mkfs(&[]);
        assert_eq!(check(&usual), Ok(()));
        assert_eq!(check(&made_by_mkfs(&["-m", "crc=0,finobt=0"])), Ok(()));
        let folding = made_by_mkfs(&["-n", "version=ci"]);
        assert_eq!(check(&folding), Err("it has case folding".to_owned()));
        let with = |changes: &[(usize, u8)]| {
            let mut raw = usual.clone();
            for &(at, byte) in changes {
                raw[at] |= byte;
            }
            check(&raw).expect_err("it must not be made anew")
        };
        assert_eq!(with(&[(101, 0x40), (177, 0x1)]), "it has quotas");
        assert_eq!(with(&[(23, 1)]), "it has a realtime section");
        assert_eq!(
            with(&[(218, 0x80)]),
            "it has a feature that is not known here"
        );
        assert!(check(&usual[..100]).is_err() && check(&[0; 4096]).is_err());
    }

    #[test]
    fn what_is_no_answer_of_xfs_info_is_refused() {
        assert!(make("", "/dev/new1", "0f", b"").is_err());
        assert!(make(INFO, "/dev/new1", "$(x)", b"").is_err());
        let line = make("meta-data=x crc=$(reboot) crc=1\n", "/dev/new1", "0f", b"").expect("crc");
        assert!(!line.contains(&b'$'));
    }
}
