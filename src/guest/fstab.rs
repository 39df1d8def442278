//! `/etc/fstab` as fstab(5) and getmntent(3) describe it: which file system the guest mounts where.

/// One line that mounts something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    /// What is mounted, as written: `UUID=...`, `/dev/sda1`.
    pub source: Vec<u8>,
    /// Where: absolute, or `none` for swap.
    pub at: Vec<u8>,
    /// The type: `ext4`, `swap`.
    pub kind: Vec<u8>,
    /// Options, separated by commas.
    pub options: Vec<u8>,
}

impl Line {
    /// The value of an option such as `subvol=@`.
    pub fn option(&self, name: &[u8]) -> Option<&[u8]> {
        self.options
            .split(|&byte| byte == b',')
            .find_map(|option| option.strip_prefix(name)?.strip_prefix(b"="))
    }

    /// Whether it mounts swap space.
    pub fn is_swap(&self) -> bool {
        self.kind == b"swap"
    }
}

/// All lines that could be understood, in order.
pub(super) fn parse(text: &[u8]) -> Vec<Line> {
    text.split(|&byte| byte == b'\n')
        .filter_map(parse_line)
        .collect()
}

fn parse_line(line: &[u8]) -> Option<Line> {
    let mut fields = line
        .split(u8::is_ascii_whitespace)
        .filter(|field| !field.is_empty());
    let source = fields.next().filter(|field| field[0] != b'#')?;
    let at = unescape(fields.next()?);
    Some(Line {
        source: unescape(&unquoted(source)),
        at: tidy(at),
        kind: fields.next()?.to_vec(),
        options: fields.next().unwrap_or_default().to_vec(),
    })
}

/// `LABEL="my disk"` is allowed for the tags' values.
fn unquoted(source: &[u8]) -> Vec<u8> {
    source
        .iter()
        .copied()
        .filter(|&byte| byte != b'"')
        .collect()
}

/// Without slashes at the end or doubled ones.
fn tidy(path: Vec<u8>) -> Vec<u8> {
    if path.first() != Some(&b'/') {
        return path;
    }
    let mut tidy = Vec::with_capacity(path.len());
    for part in path
        .split(|&byte| byte == b'/')
        .filter(|part| !part.is_empty())
    {
        tidy.push(b'/');
        tidy.extend_from_slice(part);
    }
    if tidy.is_empty() { b"/".to_vec() } else { tidy }
}

/// Turns `\040` into a space: three octal digits stand for a byte.
fn unescape(field: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(field.len());
    let mut rest = field;
    while let Some((&byte, after)) = rest.split_first() {
        let octal = after
            .get(..3)
            .filter(|digits| digits.iter().all(|digit| matches!(digit, b'0'..=b'7')))
            .map(|digits| {
                digits
                    .iter()
                    .fold(0u32, |value, digit| value * 8 + u32::from(digit - b'0'))
            })
            .and_then(|value| u8::try_from(value).ok());
        if let Some(value) = octal.filter(|_| byte == b'\\') {
            out.push(value);
            rest = &after[3..];
        } else {
            out.push(byte);
            rest = after;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_as_mount_reads_them() {
        let lines = parse(
            b"# comment\n\nUUID=ab / ext4 errors=remount-ro 0 1\nLABEL=\"my\\040disk\" /srv/my\\040data// xfs defaults\n\
              /dev/sda2\tnone\tswap\tsw\nbroken\n\xff /x\\400 ext4 subvol=@x,ro\n",
        );
        let shown: Vec<(&[u8], &[u8])> = lines
            .iter()
            .map(|line| (&line.source[..], &line.at[..]))
            .collect();
        assert_eq!(
            shown,
            [
                (&b"UUID=ab"[..], &b"/"[..]),
                (b"LABEL=my disk", b"/srv/my data"),
                (b"/dev/sda2", b"none"),
                (b"\xff", b"/x\\400"),
            ]
        );
        assert!(lines[2].is_swap());
        assert_eq!(lines[3].option(b"subvol"), Some(&b"@x"[..]));
        assert_eq!(lines[0].option(b"subvol"), None);
    }
}
