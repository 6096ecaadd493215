//! Removing connectors, which is refused while a connection pins what would go: its calls would
//! fail from one moment to the next.

use std::sync::Arc;

use super::Accounts;
use super::connections::{Configured, list};
use crate::error::{Fault, Kind};
use crate::id::{ConnectorId, EnvironmentId};
use crate::journal::Actor;

impl Accounts {
    /// Takes a version of a connector away (none: all of the connector).
    ///
    /// # Errors
    /// `conflict` while a connection pins it, naming those of `environment`; what
    /// [`crate::registry::Registry::remove`] refuses.
    pub async fn remove_connector(
        &self,
        environment: &EnvironmentId,
        connector: &ConnectorId,
        version: Option<&str>,
        actor: &Actor,
    ) -> Result<(), Fault> {
        let _turn = self.pinning.lock().await;
        let pinning: Vec<Arc<Configured>> = self
            .directory
            .everywhere()
            .into_iter()
            .filter(|configured| {
                let connection = configured.connection();
                let pinned = connection.pinned_version.as_deref();
                connection.connector == *connector
                    && pinned.is_some_and(|pinned| version.is_none_or(|version| version == pinned))
            })
            .collect();
        if pinning.is_empty() {
            return self.parts.registry.remove(connector, version, actor).await;
        }
        let own: Vec<String> = pinning
            .iter()
            .map(|configured| configured.connection())
            .filter(|connection| connection.environment == *environment)
            .map(|connection| connection.name.to_string())
            .collect();
        let others = pinning.len() - own.len();
        let who = match (own.is_empty(), others) {
            (false, 0) => format!("connections pin it: {}", list(&own)),
            (false, _) => format!(
                "connections pin it: {}, and {others} of other environments",
                list(&own)
            ),
            (true, _) => format!("{others} connections of other environments pin it"),
        };
        let what = version.map_or_else(
            || format!("Connector `{connector}`"),
            |version| format!("Version {version} of connector `{connector}`"),
        );
        Err(Fault::new(
            Kind::Conflict,
            format!("{what} was not removed: {who}. Unpin them first (`valetkey connection pin NAME`)."),
        )
        .reason("version_pinned"))
    }
}
