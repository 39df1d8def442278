//! A container image with one layer: the OCI image layout (<https://github.com/opencontainers/image-spec>), packed as
//! one tar file, which podman, skopeo and Docker load.

use super::{Hashing, copy, failed, newest};
use crate::export::epoch;
use crate::export::error::ExportError;
use crate::export::options::Compression;
use crate::export::report::hex;
use crate::job::Job;
use crate::load::Loaded;
use crate::pkgdb;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::Path;
use tar::{Archive, Builder, EntryType, Header};

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar";
/// What a container's shell finds its programs by.
const PATH: &str = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// Small and quick alike; higher levels take several times as long for a few per cent.
const ZSTD_LEVEL: i32 = 9;
/// The JSON files of a layout are small.
const LONGEST_JSON: u64 = 4 << 20;

/// What there is to say of an image besides its files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// The machine's name as the Go language spells it, and its variant where it has one.
    pub machine: (String, Option<&'static str>),
    /// How the layer is packed.
    pub compression: Compression,
    /// When it was made, in seconds since 1970.
    pub created: Option<u64>,
}

impl Layout {
    /// The layout for this guest.
    pub(super) fn of(loaded: &Loaded, compression: Compression) -> Self {
        Self {
            machine: pkgdb::of(&loaded.inventory).container_arch(&loaded.inventory.os.arch),
            compression,
            // Some readers fall over an image without a time.
            created: u64::try_from(newest(loaded)).ok(),
        }
    }

    /// Writes the image whose only layer is this archive.
    ///
    /// # Errors
    /// When a file cannot be read or written, or the job was cancelled.
    pub fn write(
        &self,
        archive: &Path,
        product: &Path,
        job: &Job,
        progress: impl FnMut(u64),
    ) -> Result<(), ExportError> {
        let layer = product.with_extension("layer");
        let (diff_id, descriptor) = self
            .pack(archive, &layer, job, progress)
            .map_err(failed("pack", archive))?;
        fs::remove_file(archive).map_err(ExportError::host("remove", archive))?;
        self.assemble(product, &layer, &diff_id, &descriptor, job)
            .map_err(failed("write", product))
    }

    /// Packs the layer; the digest of its unpacked bytes and its descriptor.
    fn pack(
        &self,
        archive: &Path,
        layer: &Path,
        job: &Job,
        progress: impl FnMut(u64),
    ) -> io::Result<(String, Value)> {
        let mut from = Hashing::new(BufReader::new(File::open(archive)?));
        let out = Hashing::new(BufWriter::new(File::create_new(layer)?));
        let (mut out, ending) = match self.compression {
            Compression::Zstd => {
                let mut packer = zstd::Encoder::new(out, ZSTD_LEVEL)?;
                copy(&mut from, &mut packer, job, progress)?;
                (packer.finish()?, "+zstd")
            }
            Compression::Zlib => {
                let mut packer = GzEncoder::new(out, flate2::Compression::default());
                copy(&mut from, &mut packer, job, progress)?;
                (packer.finish()?, "+gzip")
            }
            Compression::None => {
                let mut out = out;
                copy(&mut from, &mut out, job, progress)?;
                (out, "")
            }
        };
        out.flush()?;
        let (_, digest, size) = out.finish();
        let kind = format!("{LAYER}{ending}");
        Ok((
            from.finish().1,
            json!({ "mediaType": kind, "digest": digest, "size": size }),
        ))
    }

    fn assemble(
        &self,
        product: &Path,
        layer: &Path,
        diff_id: &str,
        descriptor: &Value,
        job: &Job,
    ) -> io::Result<()> {
        let config = bytes(&self.config(diff_id))?;
        let manifest = bytes(&json!({
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": described(CONFIG, &config),
            "layers": [descriptor],
        }))?;
        let mut entry = described(MANIFEST, &manifest);
        entry["annotations"] = json!({ "org.opencontainers.image.ref.name": "latest" });
        let index = bytes(&json!({
            "schemaVersion": 2,
            "mediaType": INDEX,
            "manifests": [entry],
        }))?;
        let mut out = Builder::new(BufWriter::new(File::create_new(product)?));
        self.add(&mut out, "oci-layout", br#"{"imageLayoutVersion":"1.0.0"}"#)?;
        self.add(&mut out, "index.json", &index)?;
        for folder in ["blobs/", "blobs/sha256/"] {
            let mut header = self.header(EntryType::Directory, 0, 0o755);
            out.append_data(&mut header, folder, io::empty())?;
        }
        for blob in [&config, &manifest] {
            self.add(&mut out, &blob_name(&digest(blob)), blob)?;
        }
        let mut from = File::open(layer)?;
        let mut header = self.header(EntryType::Regular, from.metadata()?.len(), 0o644);
        let name = blob_name(descriptor["digest"].as_str().unwrap_or_default());
        out.append_data(&mut header, name, Cancellable(&mut from, job))?;
        out.into_inner()?.into_inner()?;
        fs::remove_file(layer)
    }

    fn config(&self, diff_id: &str) -> Value {
        let made_by = format!("guestslim {}", env!("CARGO_PKG_VERSION"));
        let (architecture, variant) = &self.machine;
        let mut config = json!({
            "architecture": architecture,
            "os": "linux",
            "config": { "Env": [PATH], "Cmd": ["/bin/sh"] },
            "rootfs": { "type": "layers", "diff_ids": [diff_id] },
            "history": [{ "created_by": made_by }],
        });
        if let Some(variant) = variant {
            config["variant"] = json!(variant);
        }
        if let Some(time) = self.created.and_then(epoch::timestamp) {
            config["created"] = json!(time);
            config["history"][0]["created"] = json!(time);
        }
        config
    }

    fn add(&self, out: &mut Builder<impl Write>, name: &str, content: &[u8]) -> io::Result<()> {
        let mut header = self.header(EntryType::Regular, content.len() as u64, 0o644);
        out.append_data(&mut header, name, content)
    }

    fn header(&self, kind: EntryType, size: u64, mode: u32) -> Header {
        let mut header = Header::new_ustar();
        header.set_entry_type(kind);
        header.set_size(size);
        header.set_mode(mode);
        header.set_mtime(self.created.unwrap_or(0));
        header
    }

    /// Opens a written image and checks its structure: every blob is what its name says, and one leads to the next.
    pub(super) fn open(path: &Path, job: &Job) -> io::Result<Layer> {
        let mut blobs = Blobs::read(path, job)?;
        if blobs.json("oci-layout")?["imageLayoutVersion"] != "1.0.0" {
            return Err(io::Error::other("its version is not 1.0.0"));
        }
        let index = blobs.json("index.json")?;
        let manifest = blobs.follow(&index["manifests"][0])?;
        let manifest = blobs.json(&manifest)?;
        let config = blobs.follow(&manifest["config"])?;
        let config = blobs.json(&config)?;
        let descriptor = &manifest["layers"][0];
        let name = blobs.follow(descriptor)?;
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let (offset, size) = blobs.places[&name];
        Ok(Layer {
            file: blobs.file,
            offset,
            size,
            kind: text(&descriptor["mediaType"]),
            diff_id: text(&config["rootfs"]["diff_ids"][0]),
        })
    }
}

/// The layer of a written image.
pub(super) struct Layer {
    file: File,
    offset: u64,
    size: u64,
    kind: String,
    diff_id: String,
}

impl Layer {
    /// Its unpacked bytes.
    pub fn reader(&mut self) -> io::Result<Box<dyn Read + '_>> {
        self.file.seek(SeekFrom::Start(self.offset))?;
        let packed = BufReader::new((&self.file).take(self.size));
        Ok(match self.kind.strip_prefix(LAYER) {
            Some("") => Box::new(packed),
            Some("+gzip") => Box::new(flate2::bufread::GzDecoder::new(packed)),
            Some("+zstd") => Box::new(zstd::Decoder::with_buffer(packed)?),
            _ => return Err(io::Error::other("its layer is of an unknown kind")),
        })
    }

    /// Whether its unpacked bytes are those that the image's configuration names.
    pub fn check(&self, digest: &str) -> io::Result<()> {
        if self.diff_id == digest {
            Ok(())
        } else {
            Err(io::Error::other("its layer is not the one it names"))
        }
    }
}

/// The files of a layout, by name: where they lie in the packed file, and how long they are.
struct Blobs {
    file: File,
    places: HashMap<String, (u64, u64)>,
}

impl Blobs {
    fn read(path: &Path, job: &Job) -> io::Result<Self> {
        let mut places = HashMap::new();
        let mut archive = Archive::new(BufReader::new(File::open(path)?));
        for entry in archive.entries()? {
            let mut entry = entry?;
            if entry.header().entry_type() != EntryType::Regular {
                continue;
            }
            let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
            places.insert(name.clone(), (entry.raw_file_position(), entry.size()));
            if let Some(hash) = name.strip_prefix("blobs/sha256/") {
                let mut out = Hashing::new(io::sink());
                copy(&mut entry, &mut out, job, |_| ())?;
                if out.finish().1 != format!("sha256:{hash}") {
                    return Err(io::Error::other("a blob is not what its name says"));
                }
            }
        }
        Ok(Self {
            file: File::open(path)?,
            places,
        })
    }

    /// The name of the blob that a descriptor describes, if it has that size.
    fn follow(&self, descriptor: &Value) -> io::Result<String> {
        let name = blob_name(descriptor["digest"].as_str().unwrap_or_default());
        match self.places.get(&name) {
            Some(&(_, size)) if descriptor["size"] == size => Ok(name),
            Some(_) => Err(io::Error::other("a blob is not as long as it should be")),
            None => Err(io::Error::other("a blob is missing")),
        }
    }

    fn json(&mut self, name: &str) -> io::Result<Value> {
        let missing = || io::Error::other(format!("{name} is missing"));
        let &(offset, size) = self.places.get(name).ok_or_else(missing)?;
        self.file.seek(SeekFrom::Start(offset))?;
        let reader = (&self.file).take(size.min(LONGEST_JSON));
        Ok(serde_json::from_reader(reader)?)
    }
}

/// Reads until the job is cancelled.
struct Cancellable<'a>(&'a mut File, &'a Job);

impl Read for Cancellable<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.1.check().map_err(io::Error::other)?;
        self.0.read(buffer)
    }
}

fn bytes(value: &Value) -> io::Result<Vec<u8>> {
    Ok(serde_json::to_vec(value)?)
}

fn digest(bytes: &[u8]) -> String {
    format!("sha256:{}", hex(&Sha256::digest(bytes)))
}

fn described(kind: &str, content: &[u8]) -> Value {
    json!({ "mediaType": kind, "digest": digest(content), "size": content.len() })
}

fn blob_name(digest: &str) -> String {
    format!("blobs/{}", digest.replacen(':', "/", 1))
}
