//! Things that go wrong on demand: the next requests of a kind are answered otherwise.

use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::log::Side;

/// What goes wrong, where and how often.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// Which requests.
    #[serde(default)]
    pub on: On,
    /// How many of them; none for all from now on.
    #[serde(default)]
    pub times: Option<u32>,
    /// What happens to them.
    pub effect: Effect,
}

/// Which requests: all that match every given part.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct On {
    /// To this side.
    pub side: Option<Side>,
    /// With this method.
    pub method: Option<String>,
    /// Whose path begins so (`/hubspot`, `/gmail/v1/users/me/messages`).
    pub path_prefix: Option<String>,
    /// Whose path ends so.
    pub path_suffix: Option<String>,
}

/// What happens instead of, or to, the usual answer.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Effect {
    /// The vendor's own way of saying this status (401, 403, 429, 5xx), with `Retry-After` values
    /// as given. The request has no effect.
    Status {
        /// The status.
        status: u16,
        /// Values of `Retry-After` headers.
        #[serde(default)]
        retry_after: Vec<String>,
    },
    /// This answer to the letter. The request has no effect.
    Answer {
        /// The status.
        status: u16,
        /// Headers.
        #[serde(default)]
        headers: Vec<(String, String)>,
        /// Body.
        #[serde(default)]
        body: String,
    },
    /// The usual JSON answer with a merge patch (RFC 7386) applied.
    Patch {
        /// The patch; null removes a member.
        patch: Value,
    },
    /// The usual answer, late.
    Slow {
        /// By how many milliseconds.
        delay_ms: u64,
    },
    /// The connection is closed without an answer and the request has no effect.
    HangUp,
    /// The request has its effect, and the connection is closed without an answer.
    LoseAnswer,
    /// The answer's status and headers, half of its body, and the connection is closed.
    CutOff,
}

impl Fault {
    /// The next `times` requests to `side` are answered with `status`.
    #[must_use]
    pub fn status(side: Side, times: u32, status: u16) -> Self {
        Self::new(
            side,
            times,
            Effect::Status {
                status,
                retry_after: Vec::new(),
            },
        )
    }

    /// The next `times` requests to `side` are told to come back after `retry_after`.
    #[must_use]
    pub fn throttle(side: Side, times: u32, retry_after: &str) -> Self {
        Self::new(
            side,
            times,
            Effect::Status {
                status: 429,
                retry_after: vec![retry_after.to_owned()],
            },
        )
    }

    /// The next `times` requests to `side` meet `effect`.
    #[must_use]
    pub fn new(side: Side, times: u32, effect: Effect) -> Self {
        Self {
            on: On {
                side: Some(side),
                ..On::default()
            },
            times: Some(times),
            effect,
        }
    }

    /// Only requests whose path begins so.
    #[must_use]
    pub fn under(mut self, path_prefix: &str) -> Self {
        self.on.path_prefix = Some(path_prefix.to_owned());
        self
    }
}

impl On {
    fn matches(&self, side: Side, method: &str, path: &str) -> bool {
        self.side.is_none_or(|wanted| wanted == side)
            && self
                .method
                .as_deref()
                .is_none_or(|wanted| wanted.eq_ignore_ascii_case(method))
            && self
                .path_prefix
                .as_deref()
                .is_none_or(|prefix| path.starts_with(prefix))
            && self
                .path_suffix
                .as_deref()
                .is_none_or(|suffix| path.ends_with(suffix))
    }
}

/// The faults to come, oldest first.
#[derive(Default)]
pub(crate) struct Faults {
    waiting: Mutex<Vec<Fault>>,
}

impl Faults {
    pub(crate) fn add(&self, fault: Fault) {
        self.lock().push(fault);
    }

    pub(crate) fn clear(&self) {
        self.lock().clear();
    }

    /// The fault that meets this request, used up by it.
    pub(crate) fn take(&self, side: Side, method: &str, path: &str) -> Option<Effect> {
        let mut waiting = self.lock();
        let at = waiting
            .iter()
            .position(|fault| fault.times != Some(0) && fault.on.matches(side, method, path))?;
        let effect = waiting[at].effect.clone();
        if let Some(times) = &mut waiting[at].times {
            *times -= 1;
            if *times == 0 {
                waiting.remove(at);
            }
        }
        Some(effect)
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Fault>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Applies a merge patch (RFC 7386).
pub(crate) fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(members) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = Value::Object(serde_json::Map::new());
    }
    if let Value::Object(object) = target {
        for (name, value) in members {
            if value.is_null() {
                object.remove(name);
            } else {
                merge(object.entry(name.clone()).or_insert(Value::Null), value);
            }
        }
    }
}
