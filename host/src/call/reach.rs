//! What a call may reach: the manifest, the operator's connection and the account's configuration
//! made into one [`Reach`]. The parts that calls share are built once and kept while the same
//! connection, version and configuration serve.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::time::Instant;

use valetkey_manifest::Manifest;

use crate::accounts::{Connection, Usable};
use crate::capability::Limits;
use crate::config;
use crate::egress::{self, Endpoint, Meter, Reach, Vendor};
use crate::error::{Fault, Kind, Side};
use crate::id::AccountId;
use crate::registry::{LoadedTool, Version};

/// Prepared accounts kept; beyond it all are forgotten and built anew.
const KEPT: usize = 16_384;

#[derive(Default)]
pub(super) struct Reaches {
    prepared: Mutex<HashMap<AccountId, Arc<Prepared>>>,
}

struct Prepared {
    connection: Arc<Connection>,
    account_config: Arc<BTreeMap<String, String>>,
    version: Arc<Version>,
    vendor: Arc<Vendor>,
    endpoints: Arc<BTreeMap<String, Endpoint>>,
    account_key: Arc<str>,
}

impl Prepared {
    fn serves(&self, usable: &Usable, version: &Arc<Version>) -> bool {
        Arc::ptr_eq(&self.connection, &usable.connection)
            && Arc::ptr_eq(&self.account_config, &usable.account.account_config)
            && Arc::ptr_eq(&self.version, version)
    }
}

impl Reaches {
    pub(super) fn reach(
        &self,
        version: &Arc<Version>,
        tool: &LoadedTool,
        usable: &Usable,
        deadline: Instant,
        meter: &Arc<Meter>,
    ) -> Result<Reach, Fault> {
        let prepared = self.prepared(version, usable)?;
        Ok(Reach {
            vendor: Arc::clone(&prepared.vendor),
            endpoints: Arc::clone(&prepared.endpoints),
            allowed: Arc::clone(&tool.allowed),
            read_only: tool.declared.hints.read_only,
            idempotent: tool.declared.hints.idempotent,
            account_key: Arc::clone(&prepared.account_key),
            credentials: Arc::clone(&usable.credentials),
            deadline,
            meter: Arc::clone(meter),
        })
    }

    fn prepared(&self, version: &Arc<Version>, usable: &Usable) -> Result<Arc<Prepared>, Fault> {
        let known = {
            let prepared = self.prepared.lock().unwrap_or_else(PoisonError::into_inner);
            prepared.get(&usable.account.id).cloned()
        };
        if let Some(known) = known.filter(|known| known.serves(usable, version)) {
            return Ok(known);
        }
        let fresh = Arc::new(prepare(version, usable)?);
        let mut prepared = self.prepared.lock().unwrap_or_else(PoisonError::into_inner);
        if prepared.len() >= KEPT {
            prepared.clear();
        }
        prepared.insert(usable.account.id.clone(), Arc::clone(&fresh));
        Ok(fresh)
    }
}

fn prepare(version: &Arc<Version>, usable: &Usable) -> Result<Prepared, Fault> {
    let (account, connection) = (&usable.account, &usable.connection);
    let manifest = &version.manifest;
    let vendor = connection.vendor(manifest);
    let account_key = format!("{}/{}", vendor.connection_key, account.id).into();
    let mut endpoints = BTreeMap::new();
    for (name, declared) in &manifest.endpoints {
        let template = connection.endpoints.get(name).unwrap_or(&declared.url);
        let url =
            fill(template, &account.account_config).map_err(|missing| not_configured(usable, &missing))?;
        let endpoint = egress::endpoint(
            &url,
            connection.development,
            declared.credential,
            &declared.headers,
        );
        endpoints.insert(
            name.clone(),
            endpoint.map_err(|problem| unusable_endpoint(usable, name, &problem))?,
        );
    }
    Ok(Prepared {
        connection: Arc::clone(connection),
        account_config: Arc::clone(&account.account_config),
        version: Arc::clone(version),
        vendor: Arc::new(vendor),
        endpoints: Arc::new(endpoints),
        account_key,
    })
}

/// Fills in `{config.NAME}`; the name of a missing value is the error. Values were checked
/// against the manifest's patterns when they were set, and the result is checked as a URL.
fn fill(template: &str, config: &BTreeMap<String, String>) -> Result<String, String> {
    let mut url = String::with_capacity(template.len());
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("{config.") {
        url.push_str(before);
        let (name, after) = after.split_once('}').ok_or_else(|| after.to_owned())?;
        url.push_str(config.get(name).ok_or_else(|| name.to_owned())?);
        rest = after;
    }
    url.push_str(rest);
    Ok(url)
}

fn not_configured(usable: &Usable, name: &str) -> Fault {
    Fault::new(
        Kind::AccountNotActive,
        format!(
            "The account on `{}` lacks its `{name}`. Set it in `account_config` when you make the authorization link, and have the owner connect again.",
            usable.connection.name
        ),
    )
    .reason("account_config")
}

fn unusable_endpoint(usable: &Usable, name: &str, problem: &str) -> Fault {
    Fault::new(
        Kind::EgressDenied,
        format!(
            "Endpoint `{name}` of connection `{}` is not usable: {problem}. The operator corrects the connection.",
            usable.connection.name
        ),
    )
    .reason("endpoint")
    .on(Side::Host)
}

/// The limits of a call: the operator's, with what the manifest asks for within them.
pub(super) fn limits(settings: &config::Sandbox, manifest: &Manifest) -> Limits {
    let asked = manifest.limits.as_ref();
    let memory_bytes = asked
        .and_then(|asked| asked.memory_mib)
        .map_or(settings.memory_bytes, |mib| {
            (mib as usize * 1024 * 1024).min(settings.max_memory_bytes)
        });
    let http_requests = asked
        .and_then(|asked| asked.http_requests)
        .map_or(settings.http_requests, |requests| {
            requests.min(settings.max_http_requests)
        });
    Limits {
        memory_bytes,
        http_requests,
        ..Limits::from(settings)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoint_url_takes_the_accounts_configuration() {
        let config = BTreeMap::from([("site".to_owned(), "acme".to_owned())]);
        assert_eq!(
            fill("https://{config.site}.example.com/v1", &config).expect("filled"),
            "https://acme.example.com/v1"
        );
        assert_eq!(
            fill("https://example.com", &config).expect("filled"),
            "https://example.com"
        );
        assert_eq!(
            fill("https://{config.region}.example.com", &config).expect_err("missing"),
            "region"
        );
    }
}
