//! What is known of a file, sealed by the vault beside its bytes: with the key that opens them.

use std::fs;
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::id::{EnvironmentId, FileId};
use crate::secret::SecretBytes;
use crate::text::is_deceptive;
use crate::vault::{Place, Vault};

/// Bytes of a file's name that are kept.
const MAX_NAME_BYTES: usize = 200;
/// Of what nothing is known.
const ANY_TYPE: &str = "application/octet-stream";

/// A file, without its bytes.
#[derive(Debug)]
pub struct Facts {
    /// `file_…`.
    pub id: FileId,
    /// The environment whose callers may have it.
    pub environment: EnvironmentId,
    /// The user whose calls may have it; none for every user of the environment.
    pub owner: Option<String>,
    /// What it is called, for people.
    pub name: String,
    /// Media type, as the uploader or the vendor said.
    pub content_type: String,
    /// Bytes.
    pub size: u64,
    /// SHA-256 of the bytes, hexadecimal.
    pub sha256: String,
    /// Milliseconds since 1970.
    pub created_at_ms: i64,
    /// Milliseconds since 1970.
    pub expires_at_ms: i64,
    pub(super) key: SecretBytes,
}

/// The same on the disk.
#[derive(Serialize, Deserialize)]
struct Written {
    owner: Option<String>,
    name: String,
    content_type: String,
    size: u64,
    sha256: String,
    created_at_ms: i64,
    expires_at_ms: i64,
    key: String,
}

fn place<'a>(environment: &'a EnvironmentId, id: &'a FileId) -> Place<'a> {
    Place {
        record: "file",
        environment,
        connection: "",
        identifier: id.as_str(),
        field: "facts",
        generation: 1,
    }
}

/// Puts the facts beside the bytes. The environment stands before the sealed part, which it is
/// bound to.
pub(super) fn write(path: &Path, facts: &Facts, vault: &Vault) -> io::Result<()> {
    let written = Written {
        owner: facts.owner.clone(),
        name: facts.name.clone(),
        content_type: facts.content_type.clone(),
        size: facts.size,
        sha256: facts.sha256.clone(),
        created_at_ms: facts.created_at_ms,
        expires_at_ms: facts.expires_at_ms,
        // Into the seal.
        key: STANDARD.encode(facts.key.expose()),
    };
    let plain = Zeroizing::new(serde_json::to_vec(&written)?);
    let sealed = vault
        .seal(place(&facts.environment, &facts.id), &plain)
        .map_err(io::Error::other)?;
    let mut text = facts.environment.as_str().as_bytes().to_vec();
    text.push(0);
    text.extend_from_slice(&sealed);
    let partial = path.with_extension("part");
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&partial)?;
    io::Write::write_all(&mut file, &text)?;
    fs::rename(partial, path)
}

/// The facts of every file in a folder; those that do not open are left out.
pub(super) fn read_all(folder: &Path, vault: &Vault) -> io::Result<Vec<Facts>> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "facts") {
            all.extend(read(&path, vault));
        }
    }
    Ok(all)
}

fn read(path: &Path, vault: &Vault) -> Option<Facts> {
    let id = FileId::new(path.file_stem()?.to_str()?).ok()?;
    let bytes = fs::read(path).ok()?;
    let end = bytes.iter().position(|byte| *byte == 0)?;
    let environment = EnvironmentId::new(std::str::from_utf8(&bytes[..end]).ok()?).ok()?;
    let plain = vault
        .open_sealed(place(&environment, &id), &bytes[end + 1..])
        .ok()?;
    let written: Written = serde_json::from_slice(plain.expose()).ok()?;
    Some(Facts {
        id,
        environment,
        owner: written.owner,
        name: written.name,
        content_type: written.content_type,
        size: written.size,
        sha256: written.sha256,
        created_at_ms: written.created_at_ms,
        expires_at_ms: written.expires_at_ms,
        key: SecretBytes::new(STANDARD.decode(Zeroizing::new(written.key)).ok()?),
    })
}

/// A name as people may see it: no path, nothing that hides or turns text.
pub(super) fn plain_name(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let mut plain = String::new();
    for character in last.chars().filter(|c| !is_deceptive(*c)) {
        if plain.len() + character.len_utf8() > MAX_NAME_BYTES {
            break;
        }
        plain.push(character);
    }
    if matches!(plain.trim(), "" | "." | "..") {
        "file".to_owned()
    } else {
        plain
    }
}

/// A media type that a header can carry; that of anything for what is none.
pub(super) fn plain_type(content_type: &str) -> String {
    let text = content_type.trim();
    let is_type = text.len() <= 200
        && text.bytes().all(|byte| (0x20..0x7f).contains(&byte))
        && text
            .split_once('/')
            .is_some_and(|(kind, rest)| !kind.is_empty() && !rest.is_empty());
    if is_type { text } else { ANY_TYPE }.to_owned()
}
