//! The logical export: every record as a JSON line, still sealed. It is the backup and the way
//! to another store.
//!
//! ```text
//! {"valetkey_store_export":1}
//! {"table":"accounts","key":"<base64>","revision":3,"value":"<base64>"}      once per record
//! {"records":1,"sha256":"<hex, over every byte before this line>"}
//! ```
//!
//! Called by `valetkey store export|import` under the folder's lock: records that are written
//! while an export runs would be in it or not, each by itself. An import is checked to its last
//! line in memory and then written as one batch, so that a damaged or cut-off export, or a host
//! killed meanwhile, leaves the store empty. The imported store is opened by the same root key.

use std::io::{self, BufRead, Read as _, Write};

use aws_lc_rs::digest::{Context, SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use super::{MAX_KEY_BYTES, MAX_RECORD_BYTES, Record, Store, StoreError, Table};

const FORMAT: u32 = 1;
const PAGE_RECORDS: usize = 256;

/// Longer than any line of ours: base64 makes four bytes of three.
const MAX_LINE_BYTES: u64 = ((MAX_RECORD_BYTES + MAX_KEY_BYTES) * 4 / 3 + 1024) as u64;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    valetkey_store_export: u32,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    table: String,
    key: String,
    revision: u64,
    value: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Footer {
    records: u64,
    sha256: String,
}

/// Writes every record to `out`; answers how many.
///
/// # Errors
/// The store or `out` fails.
pub async fn export(store: &dyn Store, out: &mut (dyn Write + Send)) -> Result<u64, StoreError> {
    let mut digest = Context::new(&SHA256);
    let mut records = 0;
    write_line(
        out,
        &mut digest,
        &Header {
            valetkey_store_export: FORMAT,
        },
    )?;

    for table in Table::ALL {
        let mut after: Option<Vec<u8>> = None;
        loop {
            let page = store.scan(table, &[], after.as_deref(), PAGE_RECORDS).await?;
            for (key, record) in &page {
                let line = Line {
                    table: table.as_str().to_owned(),
                    key: STANDARD.encode(key),
                    revision: record.revision,
                    value: STANDARD.encode(&record.value),
                };
                write_line(out, &mut digest, &line)?;
                records += 1;
            }
            match page.into_iter().last() {
                Some((last, _)) => after = Some(last),
                None => break,
            }
        }
    }

    let sha256 = hex(&digest);
    write_line(out, &mut digest, &Footer { records, sha256 })?;
    out.flush().map_err(writing)?;
    Ok(records)
}

/// Reads an export into an empty store; answers how many records. All of the export is held in
/// memory until it is verified.
///
/// # Errors
/// The store is not empty, or the export is damaged, cut off or of another format; then nothing
/// has been written.
pub async fn import(store: &dyn Store, input: &mut (dyn BufRead + Send)) -> Result<u64, StoreError> {
    let records = read_verified(input)?;
    let count = records.len() as u64;
    store.fill(records).await?;
    Ok(count)
}

fn read_verified(input: &mut dyn BufRead) -> Result<Vec<(Table, Vec<u8>, Record)>, StoreError> {
    let mut digest = Context::new(&SHA256);
    let mut records = Vec::new();
    let mut number = 1;

    let first = read_line(input, number)?;
    let header: Header =
        serde_json::from_slice(&first).map_err(|_| damaged(number, "it is no export of a store"))?;
    if header.valetkey_store_export != FORMAT {
        return Err(damaged(
            number,
            "the export has another format; import it with the version that made it, or a newer one",
        ));
    }
    digest.update(&first);

    let footer: Footer = loop {
        number += 1;
        let line = read_line(input, number)?;
        if let Ok(footer) = serde_json::from_slice(&line) {
            break footer;
        }
        records.push(parse_record(&line).ok_or_else(|| damaged(number, "it is no record"))?);
        digest.update(&line);
    };

    if footer.records != records.len() as u64 || footer.sha256 != hex(&digest) {
        return Err(damaged(number, "the records are not those that were exported"));
    }
    let rest = input.fill_buf().map_err(reading)?;
    if !rest.is_empty() {
        return Err(damaged(number + 1, "something follows the end"));
    }
    Ok(records)
}

fn parse_record(line: &[u8]) -> Option<(Table, Vec<u8>, Record)> {
    let line: Line = serde_json::from_slice(line).ok()?;
    let table = Table::ALL
        .into_iter()
        .find(|table| table.as_str() == line.table)?;
    let record = Record {
        revision: line.revision,
        value: STANDARD.decode(line.value).ok()?,
    };
    Some((table, STANDARD.decode(line.key).ok()?, record))
}

/// A whole line with its end.
fn read_line(input: &mut dyn BufRead, number: u64) -> Result<Vec<u8>, StoreError> {
    let mut line = Vec::new();
    input
        .take(MAX_LINE_BYTES)
        .read_until(b'\n', &mut line)
        .map_err(reading)?;
    if line.ends_with(b"\n") {
        return Ok(line);
    }
    Err(damaged(number, "the export is cut off"))
}

fn write_line(out: &mut dyn Write, digest: &mut Context, line: &impl Serialize) -> Result<(), StoreError> {
    let mut text = serde_json::to_vec(line).expect("texts and numbers are JSON");
    text.push(b'\n');
    digest.update(&text);
    out.write_all(&text).map_err(writing)
}

fn hex(digest: &Context) -> String {
    let digest = digest.clone().finish();
    digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn damaged(line: u64, what: &'static str) -> StoreError {
    StoreError::Damaged { line, what }
}

fn reading(error: io::Error) -> StoreError {
    StoreError::Failed {
        what: "reading the export".to_owned(),
        source: Some(error.into()),
    }
}

fn writing(error: io::Error) -> StoreError {
    StoreError::Failed {
        what: "writing the export".to_owned(),
        source: Some(error.into()),
    }
}
