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

    #[test]
    fn what_is_no_answer_of_xfs_info_is_refused() {
        assert!(make("", "/dev/new1", "0f", b"").is_err());
        assert!(make(INFO, "/dev/new1", "$(x)", b"").is_err());
        let line = make("meta-data=x crc=$(reboot) crc=1\n", "/dev/new1", "0f", b"").expect("crc");
        assert!(!line.contains(&b'$'));
    }
}
