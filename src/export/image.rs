//! Disk images, by way of `qemu-img`: overlay, conversion, check. Formats are always named, never guessed.

use super::error::ExportError;
use super::options::{Compression, OutputFormat};
use super::program::Call;
use crate::guest::image::Graph;
use crate::job::Job;
use crate::program::Handed;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::path::Path;

const QEMU_IMG: &str = "qemu-img";

/// QEMU forgets only whole clusters of what a file system gives back; around the usual 64 KiB, pieces of freed files would
/// stay in the output. This is the block of nearly all file systems; smaller clusters make the export slower.
pub(super) const OVERLAY_CLUSTER: u64 = 4096;

/// What a disk is converted from.
#[derive(Debug, Clone, Copy)]
pub(super) enum Medium<'a> {
    /// An image or an overlay.
    Graph(&'a Graph),
    /// A file of plain bytes.
    Raw(&'a Path),
}

/// Creates an overlay for a disk of `size` bytes. Its header names no backing file: who opens it says what lies below
/// ([`Graph::overlay`]).
pub(super) fn create_overlay(overlay: &Path, size: u64, job: &Job) -> Result<(), ExportError> {
    let clusters = format!("cluster_size={OVERLAY_CLUSTER}");
    let mut arguments = words(["create", "-q", "-f", "qcow2", "-o", &clusters, "--"]);
    arguments.extend([overlay.into(), size.to_string().into()]);
    qemu_img("create the overlay", arguments, overlay)
        .run(job)
        .map(drop)
}

/// A call of `qemu-img` that may write in the folder of `file`.
fn qemu_img(operation: &'static str, arguments: Vec<OsString>, file: &Path) -> Call {
    let call = Call::new(QEMU_IMG, operation, arguments);
    call.with_folder(file.parent().unwrap_or(Path::new(".")))
}

/// Cuts the end off an overlay's disk.
pub(super) fn cut(overlay: &Path, size: u64, job: &Job) -> Result<(), ExportError> {
    let mut arguments = words(["resize", "-q", "--shrink", "-f", "qcow2"]);
    arguments.extend([overlay.into(), size.to_string().into()]);
    qemu_img("make the disk smaller", arguments, overlay)
        .run(job)
        .map(drop)
}

/// Creates the file of a new, empty disk, which takes room only where it is written.
pub(super) fn create_disk(path: &Path, size: u64) -> Result<(), ExportError> {
    let file = File::create_new(path).map_err(ExportError::host("create", path))?;
    file.set_len(size)
        .map_err(ExportError::host("create", path))
}

/// Writes a disk to a new file `to`; `progress` hears per cent.
pub(super) fn convert(
    from: Medium<'_>,
    to: &Path,
    format: OutputFormat,
    compression: Compression,
    job: &Job,
    mut progress: impl FnMut(f64),
) -> Result<(), ExportError> {
    // Without -W clusters are written in order: the same guest gives the same bytes, and on two cores it is as fast.
    let mut arguments = words(["convert", "-p", "-m", "8", "-O", format.name()]);
    arguments.extend(words(packing(format, compression).iter().copied()));
    let mut handed = Handed::default();
    match from {
        Medium::Raw(path) => {
            arguments.extend(words(["-f", "raw"]));
            arguments.push(path.into());
        }
        Medium::Graph(graph) => {
            let name = graph.file_name(&mut handed);
            arguments.push(name.map_err(ExportError::host("open", to))?.into());
        }
    }
    arguments.push(to.into());
    let mut ear = Percent::default();
    qemu_img("convert the image", arguments, to)
        .with_files(handed)
        .run_heard(job, |piece| ear.hear(piece, &mut progress))
        .map(drop)
}

/// Checks an image's own structure; formats without a check pass.
pub(super) fn check(image: &Path, format: OutputFormat, job: &Job) -> Result<(), ExportError> {
    let mut arguments = words(["check", "-q", "-f", format.name()]);
    arguments.push(image.into());
    let call = qemu_img("check the output", arguments, image);
    let answer = call.answer(job, |_| ())?;
    match answer.status.code() {
        // 63: the format has no check (qemu-img(1)).
        Some(0 | 63) => Ok(()),
        _ => Err(call.failure(&answer.complaint_text())),
    }
}

/// Measured on a guest of 690 MB, the README has the table. Zstandard packs 256 KiB about 5 % better than the usual 64, and
/// a whole MiB, all of which must be unpacked for any byte of it, only 1 % better still; deflate gains nothing. A VHDX
/// takes its smallest blocks, for what a block holds besides is zeros.
const fn packing(format: OutputFormat, compression: Compression) -> &'static [&'static str] {
    match (format, compression) {
        (OutputFormat::Qcow2, Compression::Zstd) => {
            &["-c", "-o", "compression_type=zstd,cluster_size=256k"]
        }
        (OutputFormat::Qcow2, Compression::Zlib) => {
            &["-c", "-o", "compression_type=zlib,cluster_size=64k"]
        }
        (OutputFormat::Vmdk, _) => &["-o", "subformat=streamOptimized"],
        (OutputFormat::Vhdx, _) => &["-o", "block_size=1M"],
        _ => &[],
    }
}

fn words<'a>(words: impl IntoIterator<Item = &'a str>) -> Vec<OsString> {
    words
        .into_iter()
        .map(|word| OsStr::new(word).to_owned())
        .collect()
}

/// Listens to `qemu-img -p`: `    (12.34/100%)` and a carriage return.
#[derive(Debug, Default)]
struct Percent {
    rest: Vec<u8>,
}

impl Percent {
    fn hear(&mut self, piece: &[u8], progress: &mut impl FnMut(f64)) {
        self.rest.extend_from_slice(piece);
        while let Some(end) = self.rest.iter().position(|&byte| byte == b'/') {
            let said = self.rest[..end].rsplit(|&byte| byte == b'(').next();
            let number = said.and_then(|bytes| std::str::from_utf8(bytes).ok());
            if let Some(percent) = number.and_then(|text| text.trim().parse::<f64>().ok()) {
                progress(percent.clamp(0.0, 100.0));
            }
            self.rest.drain(..=end);
        }
        if self.rest.len() > 1024 {
            self.rest.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guest::image::Image;
    use std::fs;

    #[test]
    fn progress_is_read_across_pieces() {
        let mut heard = Vec::new();
        let mut ear = Percent::default();
        for piece in [
            &b"    (0.00/100%)\r    (12."[..],
            b"50/100%)\r",
            b"garbage/((",
            b"99.00/100%)\r\n",
        ] {
            ear.hear(piece, &mut |percent| heard.push(percent));
        }
        assert_eq!(heard, [0.0, 12.5, 99.0]);
    }

    #[test]
    fn every_format_holds_what_is_left_of_a_source_with_a_hostile_name() {
        let folder = tempfile::tempdir().expect("the host has a temporary folder");
        let source = folder.path().join("json:a,b:c=\u{fc} %s.img");
        let mut disk = vec![0; 4 << 20];
        let (something, freed) = (1 << 20, (1 << 20) + OVERLAY_CLUSTER as usize);
        disk[something..][..9].copy_from_slice(b"something");
        disk[freed..][..5].copy_from_slice(b"freed");
        fs::write(&source, &disk).expect("writable");
        let overlay = folder.path().join("over:lay,1.qcow2");
        let job = Job::quiet();
        create_overlay(&overlay, disk.len() as u64, &job).expect("qemu-img creates overlays");
        let image = Image::probe(&source, Some("raw")).expect("a raw image");
        let graph = Graph::overlay(&overlay, &image).expect("it opens");
        free(&graph, freed);
        let left = {
            let mut left = disk.clone();
            left[freed..][..5].fill(0);
            left
        };
        let disks = OutputFormat::ALL.into_iter();
        for format in disks.filter(|format| !format.is_archive()) {
            for compression in Compression::ALL {
                let name = format!("file:{}-{}", format.name(), compression.name());
                let output = folder.path().join(&name);
                let mut last = 0.0;
                let from = Medium::Graph(&graph);
                convert(from, &output, format, compression, &job, |percent| {
                    last = percent;
                })
                .expect("converted");
                check(&output, format, &job).expect("sound");
                assert!((last - 100.0_f64).abs() < f64::EPSILON, "{last}");
                let bytes = fs::read(&output).expect("there");
                assert!(!bytes.windows(5).any(|piece| piece == b"freed"), "{name}");
                assert!(as_raw(&output, format) == left, "{name}");
            }
        }
        assert_eq!(fs::read(&source).expect("there"), disk);
    }

    /// Gives one cluster of the overlay back, as a guest does that trims.
    fn free(graph: &Graph, offset: usize) {
        let discard = format!("discard {offset} {OVERLAY_CLUSTER}");
        let mut handed = Handed::default();
        let name = graph.file_name(&mut handed).expect("few files are open");
        let arguments = ["-d", "unmap", "-c", &discard, &name];
        let call = Call::new("qemu-io", "discard", arguments).with_files(handed);
        call.run(&Job::quiet())
            .expect("it comes with qemu-img and discards");
    }

    fn as_raw(image: &Path, format: OutputFormat) -> Vec<u8> {
        let raw = image.with_file_name("raw");
        let arguments = words(["convert", "-f", format.name(), "-O", "raw"]);
        let arguments = arguments
            .into_iter()
            .chain([image.into(), raw.clone().into()]);
        qemu_img("read", arguments.collect(), image)
            .run(&Job::quiet())
            .expect("converted");
        fs::read(raw).expect("there")
    }

    #[test]
    fn a_damaged_output_does_not_pass() {
        let folder = tempfile::tempdir().expect("the host has a temporary folder");
        let path = folder.path().join("bad");
        fs::write(&path, b"not an image at all").expect("writable");
        assert!(check(&path, OutputFormat::Qcow2, &Job::quiet()).is_err());
    }
}
