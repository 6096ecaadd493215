//! How records of this module and of `servers` lie in the store: a plain generation, then the
//! sealed JSON. The generation is part of what the seal binds, so an altered one does not open.

use serde::Serialize;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use crate::error::Fault;
use crate::id::EnvironmentId;
use crate::store::StoreError;
use crate::vault::{Place, Vault};

/// Where a record belongs, without its generation.
#[derive(Clone, Copy)]
pub(crate) struct Spot<'a> {
    pub record: &'a str,
    pub environment: &'a EnvironmentId,
    pub connection: &'a str,
    pub identifier: &'a str,
    pub field: &'a str,
}

impl<'a> Spot<'a> {
    fn at(self, generation: u64) -> Place<'a> {
        Place {
            record: self.record,
            environment: self.environment,
            connection: self.connection,
            identifier: self.identifier,
            field: self.field,
            generation,
        }
    }
}

/// Seals `value` for its spot.
pub(crate) fn seal<T: Serialize>(
    vault: &Vault,
    spot: Spot<'_>,
    generation: u64,
    value: &T,
) -> Result<Vec<u8>, Fault> {
    let plain = Zeroizing::new(serde_json::to_vec(value).map_err(Fault::internal)?);
    let sealed = vault.seal(spot.at(generation), &plain)?;
    let mut out = Vec::with_capacity(8 + sealed.len());
    out.extend_from_slice(&generation.to_be_bytes());
    out.extend_from_slice(&sealed);
    Ok(out)
}

/// Opens what [`seal`] made for the same spot.
pub(crate) fn open<T: DeserializeOwned>(vault: &Vault, spot: Spot<'_>, bytes: &[u8]) -> Result<T, Fault> {
    let Some((generation, sealed)) = bytes.split_first_chunk::<8>() else {
        return Err(corrupt(spot.record, "shorter than its header"));
    };
    let plain = vault.open_sealed(spot.at(u64::from_be_bytes(*generation)), sealed)?;
    serde_json::from_slice(plain.expose()).map_err(|error| {
        // The error's text may quote the record; only where it failed is kept.
        corrupt(
            spot.record,
            &format!("not as written, at byte {}", error.column()),
        )
    })
}

/// A record that is not as we wrote it.
pub(crate) fn corrupt(record: &str, what: &str) -> Fault {
    StoreError::Corrupt {
        what: format!("a record of `{record}` is {what}"),
    }
    .into()
}
