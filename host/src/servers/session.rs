//! Sessions: short-lived, one user, one URL. A token is shown once; the store has its SHA-256.

use std::collections::BTreeSet;
use std::sync::Arc;

use aws_lc_rs::digest;
use flate2::Crc;
use tokio_util::sync::CancellationToken;

use super::{
    AccessLevel, DEFAULT_SESSION_SECONDS, Live, MAX_NAMES, MAX_SESSION_SECONDS, MIN_SESSION_SECONDS,
    MintedSession, NewSession, Principal, Rules, Servers, Session, SessionQuery, State, Target, key,
    principal, read, spot, write,
};
use crate::access::Caller;
use crate::accounts::sealed;
use crate::error::{Fault, Kind, Problem};
use crate::id::{EnvironmentId, SessionId};
use crate::random;
use crate::secret::Secret;
use crate::store::{Batch, Expect, Table};

/// What every session token begins with, so that secret scanners recognise one.
pub const TOKEN_PREFIX: &str = "vkm_";
/// Sessions of one environment at a time.
const MAX_SESSIONS: usize = 100_000;
/// Records that one batch removes.
const SWEEP: usize = 256;

impl Servers {
    /// Makes a session. Its token is in the answer and nowhere else.
    ///
    /// # Errors
    /// `not_found` for its server or connection; `invalid_input` for its life or its tools.
    pub async fn create_session(&self, caller: &Caller, new: NewSession) -> Result<MintedSession, Fault> {
        let mut rules = self.rules_of(&caller.environment, &new.target).await?;
        let seconds = new.ttl_seconds.unwrap_or(DEFAULT_SESSION_SECONDS);
        if !(MIN_SESSION_SECONDS..=MAX_SESSION_SECONDS).contains(&seconds) {
            return Err(invalid(
                "/ttl_seconds",
                format!("must be {MIN_SESSION_SECONDS} to {MAX_SESSION_SECONDS}"),
            ));
        }
        rules.access = new.access;
        let tools = match new.tools {
            None => None,
            Some(tools) => Some(self.known_tools(&caller.environment, &rules, &tools).await?),
        };
        self.sweep(&caller.environment).await?;

        let now_ms = self.now_ms();
        let token = new_token();
        let session = Session {
            id: SessionId::generate(),
            environment: caller.environment.clone(),
            target: new.target,
            identifier: new.identifier,
            access: new.access,
            tools,
            client: caller.client.clone(),
            created_at_ms: now_ms,
            expires_at_ms: now_ms.saturating_add_unsigned(seconds * 1_000),
            token_sha256: hash(&token),
        };
        let place = spot("mcp_session", &session.environment, session.id.as_str());
        let value = sealed::seal(&self.vault, place, 1, &session)?;
        let batch = Batch::new().put(Table::Sessions, session_key(&session), Expect::Absent, value);
        let session = Arc::new(session);
        let kept = Session::clone(&session);
        self.commit(batch, move |state| state.admit(kept)).await?;
        self.note(
            &caller.actor(),
            &session.environment,
            "session.create",
            session.id.as_str(),
        )
        .await?;
        Ok(MintedSession { session, token })
    }

    /// Sessions of an environment that have not ended, by id.
    #[must_use]
    pub fn sessions(&self, environment: &EnvironmentId, query: &SessionQuery) -> Vec<Arc<Session>> {
        let now_ms = self.now_ms();
        let state = read(&self.state);
        state
            .of_environment(environment)
            .filter(|live| {
                let session = &live.session;
                session.expires_at_ms > now_ms
                    && query
                        .target
                        .as_ref()
                        .is_none_or(|target| *target == session.target)
                    && query
                        .identifier
                        .as_ref()
                        .is_none_or(|identifier| *identifier == session.identifier)
                    && query.after.as_ref().is_none_or(|after| session.id > *after)
            })
            .take(query.limit)
            .map(|live| Arc::clone(&live.session))
            .collect()
    }

    /// Ends a session at once, open streams included.
    ///
    /// # Errors
    /// `not_found`, the same for another environment's, another URL's and for none.
    pub async fn revoke_session(
        &self,
        caller: &Caller,
        target: &Target,
        id: &SessionId,
    ) -> Result<(), Fault> {
        let session = {
            let state = read(&self.state);
            let found = state
                .by_id
                .get(&(caller.environment.clone(), id.clone()))
                .and_then(|digest| state.sessions.get(digest))
                .filter(|live| live.session.target == *target);
            found.map(|live| Arc::clone(&live.session))
        };
        let session = session
            .ok_or_else(|| Fault::new(Kind::NotFound, "There is no such session, or it has ended."))?;
        self.drop_sessions(&[session]).await?;
        self.note(
            &caller.actor(),
            &caller.environment,
            "session.revoke",
            id.as_str(),
        )
        .await
    }

    /// Who presents this token at this URL.
    ///
    /// # Errors
    /// `unauthenticated`, the same for a token that was never made, has ended or is for another URL.
    /// `policy_denied` for another issuer's token without a scope for it; `vendor_unavailable`
    /// while that issuer's keys cannot be read.
    pub async fn authenticate(&self, target: &Target, token: &str) -> Result<Principal, Fault> {
        if !token.starts_with(TOKEN_PREFIX) {
            return self.authenticate_elsewhere(target, token).await;
        }
        let live = {
            let state = read(&self.state);
            state.sessions.get(&hash_text(token)).cloned()
        };
        self.admit(live.ok_or_else(unauthenticated)?, target)
    }

    /// A principal as it is now: with its server's present rules, or refused when it may no longer
    /// come in.
    ///
    /// # Errors
    /// `unauthenticated`.
    pub fn renewed(&self, who: &Principal) -> Result<Principal, Fault> {
        if who.expires_at_ms <= self.now_ms() {
            return Err(unauthenticated());
        }
        if let Some(id) = &who.session {
            let live = {
                let state = read(&self.state);
                let digest = state.by_id.get(&(who.caller.environment.clone(), id.clone()));
                digest.and_then(|digest| state.sessions.get(digest)).cloned()
            };
            return self.admit(live.ok_or_else(unauthenticated)?, &who.target);
        }
        let mut renewed = who.clone();
        if let Target::Server(id) = &who.target {
            let server = self
                .server(&who.caller.environment, id)
                .map_err(|_| unauthenticated())?;
            let access = who.rules.access;
            renewed.rules = Rules::of(&server);
            renewed.rules.access = access;
            renewed.server = Some(server);
        }
        Ok(renewed)
    }

    fn admit(&self, live: Live, target: &Target) -> Result<Principal, Fault> {
        let session = &live.session;
        if session.target != *target
            || session.expires_at_ms <= self.now_ms()
            || !self.access.knows(&session.client)
        {
            return Err(unauthenticated());
        }
        let (mut rules, server) = match target {
            Target::Server(id) => {
                let server = self
                    .server(&session.environment, id)
                    .map_err(|_| unauthenticated())?;
                (Rules::of(&server), Some(server))
            }
            Target::Connection(name) => (Rules::of_connection(name), None),
        };
        rules.access = session.access;
        rules.tools.clone_from(&session.tools);
        Ok(Principal {
            caller: principal::caller(&session.client, &session.environment),
            identifier: session.identifier.clone(),
            target: target.clone(),
            server,
            rules,
            session: Some(session.id.clone()),
            expires_at_ms: session.expires_at_ms,
            ended: live.ended,
        })
    }

    /// What a target shows before any session narrows it.
    async fn rules_of(&self, environment: &EnvironmentId, target: &Target) -> Result<Rules, Fault> {
        match target {
            Target::Server(id) => Ok(Rules::of(&*self.server(environment, id)?)),
            Target::Connection(name) => {
                self.accounts.connection(environment, name).await?;
                Ok(Rules::of_connection(name))
            }
        }
    }

    /// The tools' own names, when all of them are shown.
    async fn known_tools(
        &self,
        environment: &EnvironmentId,
        rules: &Rules,
        wanted: &BTreeSet<String>,
    ) -> Result<BTreeSet<String>, Fault> {
        if wanted.len() > MAX_NAMES {
            return Err(invalid("/tools", format!("must be at most {MAX_NAMES}")));
        }
        let shown = self.exposed(environment, rules).await?;
        let mut own = BTreeSet::new();
        let mut problems = Vec::new();
        for name in wanted {
            let tool = shown.values().find(|exposed| {
                exposed.tool.declared.name == *name || exposed.tool.declared.aliases.contains(name)
            });
            match tool {
                Some(exposed) => drop(own.insert(exposed.tool.declared.name.clone())),
                None => problems.push(Problem {
                    path: "/tools".to_owned(),
                    problem: format!(
                        "this session would not see a tool `{}`",
                        name.chars()
                            .take(64)
                            .flat_map(char::escape_default)
                            .collect::<String>()
                    ),
                }),
            }
        }
        if problems.is_empty() {
            return Ok(own);
        }
        Err(Fault::invalid(
            "The session is not acceptable; `fields` says where.",
            problems,
        ))
    }

    /// Takes away the sessions that are over, and refuses when the others are too many.
    async fn sweep(&self, environment: &EnvironmentId) -> Result<(), Fault> {
        let now_ms = self.now_ms();
        let (over, living) = {
            let state = read(&self.state);
            let over: Vec<Arc<Session>> = state
                .of_environment(environment)
                .filter(|live| live.session.expires_at_ms <= now_ms)
                .take(SWEEP)
                .map(|live| Arc::clone(&live.session))
                .collect();
            (over, state.of_environment(environment).count())
        };
        if !over.is_empty() {
            self.drop_sessions(&over).await?;
        }
        if living - over.len() >= MAX_SESSIONS {
            return Err(Fault::new(
                Kind::Overloaded,
                format!(
                    "This environment has {MAX_SESSIONS} open sessions, which is the most. End some, or wait for some to end."
                ),
            ));
        }
        Ok(())
    }

    /// Removes sessions; what runs in them ends.
    pub(super) async fn drop_sessions(&self, sessions: &[Arc<Session>]) -> Result<(), Fault> {
        for some in sessions.chunks(SWEEP) {
            // Refused from here on, whatever becomes of the record.
            let ended = {
                let mut state = write(&self.state);
                some.iter()
                    .filter_map(|session| state.dismiss(session))
                    .collect::<Vec<_>>()
            };
            ended.iter().for_each(CancellationToken::cancel);
            let batch = some.iter().fold(Batch::new(), |batch, session| {
                batch.delete(Table::Sessions, session_key(session), Expect::Any)
            });
            self.commit(batch, |_| ()).await?;
        }
        Ok(())
    }
}

impl State {
    pub(super) fn admit(&mut self, session: Session) {
        let digest = session.token_sha256;
        self.by_id
            .insert((session.environment.clone(), session.id.clone()), digest);
        let live = Live {
            session: Arc::new(session),
            ended: CancellationToken::new(),
        };
        self.sessions.insert(digest, live);
    }

    fn dismiss(&mut self, session: &Session) -> Option<CancellationToken> {
        self.by_id
            .remove(&(session.environment.clone(), session.id.clone()));
        self.sessions.remove(&session.token_sha256).map(|live| live.ended)
    }

    fn of_environment<'a>(&'a self, environment: &'a EnvironmentId) -> impl Iterator<Item = &'a Live> {
        self.by_id
            .iter()
            .filter(move |((of, _), _)| of == environment)
            .filter_map(|(_, digest)| self.sessions.get(digest))
    }
}

fn session_key(session: &Session) -> Vec<u8> {
    key(&session.environment, session.id.as_str())
}

/// A new token: prefix, 256 random bits, and a CRC-32 by which a scanner tells a token from a text
/// that merely looks like one.
fn new_token() -> Secret {
    let random = random::token();
    let mut crc = Crc::new();
    crc.update(random.as_bytes());
    Secret::new(format!("{TOKEN_PREFIX}{random}{:08x}", crc.sum()))
}

fn hash(token: &Secret) -> [u8; 32] {
    // The text goes into the digest and nowhere else.
    hash_text(token.expose())
}

/// Sessions are found by this digest: equal digests of 256 random bits need no comparison in
/// constant time, since nobody can choose a digest.
fn hash_text(token: &str) -> [u8; 32] {
    digest::digest(&digest::SHA256, token.as_bytes())
        .as_ref()
        .try_into()
        .expect("SHA-256 has 32 bytes")
}

/// The one answer to every missing, unknown, ended or foreign session token.
#[must_use]
pub fn unauthenticated() -> Fault {
    Fault::new(
        Kind::Unauthenticated,
        "There is no session token for this URL with this request. The application makes one (POST /api/v1/mcp_servers/ID/sessions); send it as `Authorization: Bearer TOKEN`.",
    )
    .reason("invalid_token")
}

fn invalid(path: &str, problem: String) -> Fault {
    Fault::invalid(
        "The session is not acceptable; `fields` says where.",
        vec![Problem {
            path: path.to_owned(),
            problem,
        }],
    )
}

impl AccessLevel {
    /// Its public text.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Full => "FULL",
            Self::ReadOnly => "READ_ONLY",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_has_a_prefix_256_bits_and_a_checksum() {
        let token = new_token();
        let body = token.expose().strip_prefix(TOKEN_PREFIX).expect("the prefix");
        assert_eq!(body.len(), 43 + 8);
        let mut crc = Crc::new();
        crc.update(&body.as_bytes()[..43]);
        assert_eq!(format!("{:08x}", crc.sum()), body[43..]);
        assert_ne!(token.expose(), new_token().expose());
    }
}
