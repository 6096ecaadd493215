//! Codes, grants and tokens, and how long each lives.

use std::collections::{BTreeSet, HashMap};
use std::time::{Duration, Instant};

use crate::Vendor;
use crate::options::Rotation;
use crate::text::token;

/// Whom a token speaks for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Actor {
    /// The person who consented.
    #[default]
    Person,
    /// The application itself (a bot at Slack).
    Application,
}

/// Whose data a request may reach.
#[derive(Debug, Clone)]
pub(crate) struct Session {
    pub(crate) vendor: Vendor,
    pub(crate) user: String,
    pub(crate) actor: Actor,
    pub(crate) scopes: BTreeSet<String>,
}

/// What a user consented to, waiting for its token request.
pub(crate) struct Code {
    pub(crate) vendor: Vendor,
    pub(crate) user: String,
    pub(crate) actor: Actor,
    pub(crate) scopes: BTreeSet<String>,
    pub(crate) redirect_uri: String,
    pub(crate) challenge: String,
    pub(crate) wants_refresh_token: bool,
    pub(crate) expires_at: Instant,
}

/// Why a code or refresh token is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refused {
    Unknown,
    Used,
    Expired,
    OtherRedirectUri,
    WrongVerifier,
    Revoked,
}

impl Refused {
    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::Unknown => "It was never issued here, or to another vendor's client.",
            Self::Used => "It was used before.",
            Self::Expired => "Its time is over.",
            Self::OtherRedirectUri => "The redirect_uri is not the one of the authorization request.",
            Self::WrongVerifier => "The code_verifier does not match the code_challenge.",
            Self::Revoked => "The grant was revoked.",
        }
    }
}

/// What a token request is answered with.
pub(crate) struct Issued {
    pub(crate) user: String,
    pub(crate) actor: Actor,
    pub(crate) scopes: BTreeSet<String>,
    pub(crate) access_token: String,
    /// A new refresh token, or the one that stays.
    pub(crate) refresh_token: Option<String>,
    /// Whether the refresh token is another one than was sent.
    pub(crate) rotated: bool,
}

struct Grant {
    vendor: Vendor,
    user: String,
    actor: Actor,
    scopes: BTreeSet<String>,
    revoked: bool,
}

struct Access {
    grant: usize,
    expires_at: Instant,
}

struct Refresh {
    grant: usize,
    generation: u64,
    /// From when on it is refused.
    dead_from: Option<Instant>,
}

/// All of a simulator's grants.
#[derive(Default)]
pub(crate) struct Grants {
    codes: HashMap<String, Code>,
    /// Redeemed codes and what they gave, so that a second use can end it (RFC 6749 section 4.1.2).
    redeemed: HashMap<String, usize>,
    grants: Vec<Grant>,
    access: HashMap<String, Access>,
    refresh: HashMap<String, Refresh>,
    generation: u64,
}

impl Grants {
    pub(crate) fn add_code(&mut self, code: Code) -> String {
        let text = token("code-");
        self.codes.insert(text.clone(), code);
        text
    }

    /// Whether a user has a live grant.
    pub(crate) fn consented(&self, vendor: Vendor, user: &str) -> bool {
        self.grants
            .iter()
            .any(|grant| grant.vendor == vendor && grant.user == user && !grant.revoked)
    }

    pub(crate) fn redeem(
        &mut self,
        vendor: Vendor,
        text: &str,
        redirect_uri: &str,
        challenge_of_verifier: &str,
        lifetime: Duration,
    ) -> Result<Issued, Refused> {
        if let Some(grant) = self.redeemed.get(text) {
            self.grants[*grant].revoked = true;
            return Err(Refused::Used);
        }
        let code = self.codes.remove(text).ok_or(Refused::Unknown)?;
        if code.vendor != vendor {
            return Err(Refused::Unknown);
        }
        if code.expires_at <= Instant::now() {
            return Err(Refused::Expired);
        }
        if code.redirect_uri != redirect_uri {
            return Err(Refused::OtherRedirectUri);
        }
        if code.challenge != challenge_of_verifier {
            return Err(Refused::WrongVerifier);
        }

        let grant = self.grants.len();
        self.grants.push(Grant {
            vendor,
            user: code.user,
            actor: code.actor,
            scopes: code.scopes,
            revoked: false,
        });
        self.redeemed.insert(text.to_owned(), grant);
        let refresh_token = code.wants_refresh_token.then(|| self.add_refresh(grant));
        Ok(self.issue(grant, refresh_token, true, lifetime))
    }

    pub(crate) fn renew(
        &mut self,
        vendor: Vendor,
        text: &str,
        rotation: Rotation,
        lifetime: Duration,
    ) -> Result<Issued, Refused> {
        let now = Instant::now();
        let used = self.refresh.get(text).ok_or(Refused::Unknown)?;
        let (grant, generation) = (used.grant, used.generation);
        let dead = used.dead_from.is_some_and(|from| from <= now);
        if self.grants[grant].vendor != vendor {
            return Err(Refused::Unknown);
        }
        if self.grants[grant].revoked {
            return Err(Refused::Revoked);
        }
        if dead {
            if rotation == (Rotation::SingleUse { revoke_family: true }) {
                self.grants[grant].revoked = true;
            }
            return Err(Refused::Used);
        }

        let dead_from = match rotation {
            Rotation::None => return Ok(self.issue(grant, Some(text.to_owned()), false, lifetime)),
            Rotation::Grace { seconds } => Some(now + Duration::from_secs(seconds)),
            Rotation::SingleUse { .. } => Some(now),
            Rotation::UntilUsed => {
                for older in self.refresh.values_mut() {
                    if older.grant == grant && older.generation < generation {
                        older.dead_from = Some(now);
                    }
                }
                None
            }
        };
        if let (Some(used), Some(from)) = (self.refresh.get_mut(text), dead_from) {
            // A second use within the grace does not lengthen it.
            used.dead_from = Some(used.dead_from.map_or(from, |earlier| earlier.min(from)));
        }
        let successor = self.add_refresh(grant);
        Ok(self.issue(grant, Some(successor), true, lifetime))
    }

    /// Who an access token stands for, while it does.
    pub(crate) fn session(&self, access_token: &str) -> Option<Session> {
        let access = self.access.get(access_token)?;
        let grant = &self.grants[access.grant];
        (access.expires_at > Instant::now() && !grant.revoked).then(|| Session {
            vendor: grant.vendor,
            user: grant.user.clone(),
            actor: grant.actor,
            scopes: grant.scopes.clone(),
        })
    }

    /// Why an access token stands for nobody; [`Refused::Expired`] where it still might.
    pub(crate) fn ended(&self, access_token: &str) -> Refused {
        match self.access.get(access_token) {
            None => Refused::Unknown,
            Some(access) if self.grants[access.grant].revoked => Refused::Revoked,
            Some(_) => Refused::Expired,
        }
    }

    /// Ends the grant that a token of either kind belongs to.
    pub(crate) fn revoke_token(&mut self, vendor: Vendor, text: &str) -> bool {
        let grant = match (self.refresh.get(text), self.access.get(text)) {
            (Some(refresh), _) => refresh.grant,
            (None, Some(access)) => access.grant,
            (None, None) => return false,
        };
        let grant = &mut self.grants[grant];
        let live = grant.vendor == vendor && !grant.revoked;
        grant.revoked |= live;
        live
    }

    pub(crate) fn revoke_user(&mut self, vendor: Vendor, user: Option<&str>) -> usize {
        let mut revoked = 0;
        for grant in &mut self.grants {
            if grant.vendor == vendor && !grant.revoked && user.is_none_or(|user| user == grant.user) {
                grant.revoked = true;
                revoked += 1;
            }
        }
        revoked
    }

    pub(crate) fn expire_access_tokens(&mut self) {
        let now = Instant::now();
        for access in self.access.values_mut() {
            access.expires_at = access.expires_at.min(now);
        }
    }

    pub(crate) fn live(&self, vendor: Vendor) -> usize {
        self.grants
            .iter()
            .filter(|grant| grant.vendor == vendor && !grant.revoked)
            .count()
    }

    pub(crate) fn live_refresh_tokens(&self, vendor: Vendor) -> Vec<String> {
        let now = Instant::now();
        let mut live: Vec<(u64, String)> = self
            .refresh
            .iter()
            .filter(|(_, refresh)| {
                let grant = &self.grants[refresh.grant];
                grant.vendor == vendor && !grant.revoked && refresh.dead_from.is_none_or(|from| from > now)
            })
            .map(|(text, refresh)| (refresh.generation, text.clone()))
            .collect();
        live.sort();
        live.into_iter().map(|(_, text)| text).collect()
    }

    fn add_refresh(&mut self, grant: usize) -> String {
        self.generation += 1;
        let text = token("refresh-");
        self.refresh.insert(
            text.clone(),
            Refresh {
                grant,
                generation: self.generation,
                dead_from: None,
            },
        );
        text
    }

    fn issue(
        &mut self,
        grant: usize,
        refresh_token: Option<String>,
        rotated: bool,
        lifetime: Duration,
    ) -> Issued {
        let access_token = token("access-");
        self.access.insert(
            access_token.clone(),
            Access {
                grant,
                expires_at: Instant::now() + lifetime,
            },
        );
        Issued {
            user: self.grants[grant].user.clone(),
            actor: self.grants[grant].actor,
            scopes: self.grants[grant].scopes.clone(),
            access_token,
            refresh_token,
            rotated,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIFETIME: Duration = Duration::from_secs(60);

    fn connected(grants: &mut Grants) -> Issued {
        let code = grants.add_code(Code {
            vendor: Vendor::Hubspot,
            user: "ada".into(),
            actor: Actor::Person,
            scopes: BTreeSet::new(),
            redirect_uri: "http://host/callback".into(),
            challenge: "challenge".into(),
            wants_refresh_token: true,
            expires_at: Instant::now() + LIFETIME,
        });
        grants
            .redeem(
                Vendor::Hubspot,
                &code,
                "http://host/callback",
                "challenge",
                LIFETIME,
            )
            .unwrap_or_else(|refused| panic!("{}", refused.text()))
    }

    fn renew(grants: &mut Grants, text: &str, rotation: Rotation) -> Result<String, Refused> {
        grants
            .renew(Vendor::Hubspot, text, rotation, LIFETIME)
            .map(|issued| issued.refresh_token.unwrap_or_default())
    }

    #[test]
    fn a_used_refresh_token_lives_on_as_the_rotation_says() {
        let family = Rotation::SingleUse { revoke_family: true };
        let single = Rotation::SingleUse { revoke_family: false };
        for (rotation, again, after_successor) in [
            (Rotation::None, true, true),
            (Rotation::Grace { seconds: 60 }, true, true),
            (Rotation::Grace { seconds: 0 }, false, false),
            (Rotation::UntilUsed, true, false),
            (single, false, false),
            (family, false, false),
        ] {
            let mut grants = Grants::default();
            let first = connected(&mut grants).refresh_token.unwrap();
            let second = renew(&mut grants, &first, rotation).unwrap();
            assert_eq!(second == first, rotation == Rotation::None);
            assert_eq!(
                renew(&mut grants, &first, rotation).is_ok(),
                again,
                "{rotation:?} again"
            );
            assert_eq!(
                renew(&mut grants, &second, rotation).is_ok(),
                rotation != family,
                "{rotation:?} successor"
            );
            assert_eq!(
                renew(&mut grants, &first, rotation).is_ok(),
                after_successor,
                "{rotation:?} after its successor was used"
            );
        }
    }

    #[test]
    fn a_code_used_twice_ends_what_it_gave() {
        let mut grants = Grants::default();
        let issued = connected(&mut grants);
        assert!(grants.session(&issued.access_token).is_some());
        let code = grants.redeemed.keys().next().cloned().unwrap();
        let again = grants.redeem(
            Vendor::Hubspot,
            &code,
            "http://host/callback",
            "challenge",
            LIFETIME,
        );
        assert_eq!(again.err(), Some(Refused::Used));
        assert!(grants.session(&issued.access_token).is_none());
    }

    #[test]
    fn expiry_and_revocation_end_sessions() {
        let mut grants = Grants::default();
        let issued = connected(&mut grants);
        grants.expire_access_tokens();
        assert!(grants.session(&issued.access_token).is_none());
        let refresh = issued.refresh_token.unwrap();
        assert!(grants.revoke_token(Vendor::Hubspot, &refresh));
        assert!(!grants.revoke_token(Vendor::Hubspot, &refresh));
        assert_eq!(
            renew(&mut grants, &refresh, Rotation::None),
            Err(Refused::Revoked)
        );
    }
}
