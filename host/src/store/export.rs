//! The logical export: every record as a JSON line, still sealed. It is the backup and the way
//! to another store.

use std::io::{BufRead, Write};

use super::{Store, StoreError};

/// Writes every record to `out`; answers how many.
///
/// # Errors
/// The store or `out` fails.
pub async fn export(_store: &dyn Store, _out: &mut (dyn Write + Send)) -> Result<u64, StoreError> {
    todo!()
}

/// Reads an export into an empty store, in verified order; answers how many records.
///
/// # Errors
/// The store is not empty, or the export is damaged or cut off; then nothing has been written
/// that a later import would not overwrite.
pub async fn import(_store: &dyn Store, _input: &mut (dyn BufRead + Send)) -> Result<u64, StoreError> {
    todo!()
}
