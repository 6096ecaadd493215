//! The callback: the vendor sends the browser back with a code, or with an error.

use std::collections::BTreeMap;

use super::Names;
use super::exchange::Onward;
use crate::accounts::Accounts;
use crate::accounts::connections::Configured;
use crate::accounts::discover::may_ask;
use crate::accounts::flow::{Stage, digest_of, invalid};
use crate::accounts::model::Reason;
use crate::accounts::page::{CallbackQuery, Step};
use crate::accounts::provision::named_by_application;
use crate::accounts::quirks::known_code;
use crate::error::{Fault, Kind};
use crate::id::{ConnectionName, EnvironmentId};
use crate::journal::Actor;
use crate::secret::Secret;

/// Longest parameter of a callback.
const MAX_PARAMETER_BYTES: usize = 8 * 1024;

impl Accounts {
    /// The vendor sent the browser back to the redirect URI of one connection. `browser` is the
    /// value of the browser's cookie: an answer that another browser brings is not taken, so that
    /// nobody can be made to consent to somebody else's attempt.
    ///
    /// # Errors
    /// `flow_invalid`; the account's own faults.
    pub async fn callback(
        &self,
        environment: &EnvironmentId,
        connection: &ConnectionName,
        query: CallbackQuery,
        browser: Option<&Secret>,
    ) -> Result<Step, Fault> {
        let answer = Answer::read(query).ok_or_else(invalid)?;
        let mut flow = self
            .flows
            .by_state(&self.parts, &answer.state)
            .await?
            .ok_or_else(invalid)?;
        if flow.environment != *environment || flow.connection != *connection {
            return Err(invalid());
        }
        let Stage::Consent {
            state,
            verifier,
            browser: owner,
        } = &flow.stage
        else {
            return Err(invalid());
        };
        if *state != digest_of(&answer.state) {
            return Err(invalid());
        }
        let owner = *owner;
        let came = browser.map(|browser| digest_of(browser.expose()));
        if owner.is_some() && owner != came {
            // The attempt goes on in the browser that it belongs to.
            return Err(invalid().reason("other_browser"));
        }
        let verifier = verifier.clone();
        let (configured, entry) = self.of_flow(&flow).await?;
        if !answer.issued_by(&configured) {
            // Somebody else's server answers for the vendor: the attempt is over (RFC 9207).
            self.flows.end(&self.parts, &flow).await?;
            return Err(invalid());
        }
        let actor = Actor::Browser(flow.id.to_string());
        let code = match answer.outcome {
            Ok(code) => code,
            Err(code) => {
                self.flows.end(&self.parts, &flow).await?;
                self.step_back(&entry, Reason::ConsentDenied, &actor).await?;
                return Err(denied(code, &Names::of(&configured, &self.parts)));
            }
        };
        let manifest = configured.manifest(&self.parts)?;
        let given = named_by_application(&entry.live().account, &flow.account_config);
        let declared = manifest.discover.as_ref();
        // Only the owner can be asked for a site, and only now: then the code cannot wait.
        let may_ask = declared.is_some_and(|declared| may_ask(declared, &given));
        if let Some(url) = flow.user_verify_url.clone().filter(|_| !may_ask) {
            let stage = Stage::Code {
                code,
                verifier,
                browser: owner,
            };
            self.flows.advance(&self.parts, &mut flow, stage).await?;
            return self.await_confirmation(&flow, &entry, &url, &actor).await;
        }
        // The state is gone before the code goes out: a code is exchanged once at most. Where a site
        // is to be found the link stays, so that an attempt that finds none can be begun again.
        let open = declared.is_some();
        if open {
            self.flows
                .advance(&self.parts, &mut flow, Stage::Open { tries: 0 })
                .await?;
        } else {
            self.flows.end(&self.parts, &flow).await?;
        }
        let (code, verifier) = (Secret::new(code), Secret::new(verifier));
        let onward = Onward {
            open,
            confirm: true,
            browser: owner,
        };
        self.exchange(&mut flow, (&configured, &entry), &code, &verifier, &actor, onward)
            .await
    }
}

/// The parameters of a callback that count.
struct Answer {
    state: String,
    issuer: Option<String>,
    /// The code, or the vendor's error as a known code.
    outcome: Result<String, &'static str>,
}

impl Answer {
    /// Exactly one of each, and either a code or an error.
    fn read(query: CallbackQuery) -> Option<Self> {
        let mut seen: BTreeMap<String, String> = BTreeMap::new();
        for (name, value) in query {
            if name.len() > MAX_PARAMETER_BYTES
                || value.len() > MAX_PARAMETER_BYTES
                || seen.insert(name, value).is_some()
            {
                return None;
            }
        }
        let printable =
            |text: &String| !text.is_empty() && text.bytes().all(|byte| (0x20..0x7f).contains(&byte));
        let outcome = match (seen.remove("code"), seen.remove("error")) {
            (Some(code), None) if printable(&code) => Ok(code),
            (None, Some(error)) => Err(known_code(&error).unwrap_or("refused")),
            _ => return None,
        };
        Some(Self {
            state: seen.remove("state")?,
            issuer: seen.remove("iss"),
            outcome,
        })
    }

    /// RFC 9207: when we know who the server is, nobody else's answer counts.
    fn issued_by(&self, configured: &Configured) -> bool {
        let connection = configured.connection();
        let Some(oauth2) = &connection.oauth2 else {
            return false;
        };
        match (&oauth2.issuer, &self.issuer) {
            (Some(expected), Some(issuer)) => expected == issuer,
            (_, None) => !oauth2.iss_required,
            (None, Some(_)) => true,
        }
    }
}

fn denied(code: &'static str, names: &Names) -> Fault {
    let Names { application, vendor } = names;
    Fault::new(
        Kind::AccountNotActive,
        format!(
            "{vendor} reports that access was not given ({code}). Nothing was connected, and nothing was shared with {application}. To try again, ask {application} for a new link."
        ),
    )
    .reason("consent_denied")
}
