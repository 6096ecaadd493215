//! Open streams of notifications, counted by user: each costs memory for as long as it stays.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::id::{EnvironmentId, Identifier};

type Owner = (EnvironmentId, Identifier);

/// The count.
pub(super) struct Streams {
    most: u32,
    open: Mutex<HashMap<Owner, u32>>,
}

/// The place of one stream, given back when it is dropped.
pub(super) struct Place {
    streams: Arc<Streams>,
    owner: Owner,
}

impl Streams {
    pub(super) fn new(most: u32) -> Self {
        Self {
            most,
            open: Mutex::default(),
        }
    }

    /// A place for one more stream of this user; none when they have the most already.
    pub(super) fn enter(
        self: &Arc<Self>,
        environment: &EnvironmentId,
        identifier: &Identifier,
    ) -> Option<Place> {
        let owner = (environment.clone(), identifier.clone());
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let count = open.entry(owner.clone()).or_default();
        if *count >= self.most {
            return None;
        }
        *count += 1;
        Some(Place {
            streams: Arc::clone(self),
            owner,
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.streams.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = open.get_mut(&self.owner) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.owner);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_has_so_many_streams_and_another_has_their_own() {
        let streams = Arc::new(Streams::new(2));
        let dev = EnvironmentId::new("dev").expect("a name");
        let one = Identifier::new("one").expect("a name");
        let other = Identifier::new("other").expect("a name");
        let first = streams.enter(&dev, &one);
        let second = streams.enter(&dev, &one);
        assert!(first.is_some() && second.is_some());
        assert!(streams.enter(&dev, &one).is_none());
        assert!(streams.enter(&dev, &other).is_some());
        drop(first);
        assert!(streams.enter(&dev, &one).is_some());
        drop(second);
        assert!(streams.open.lock().expect("lock").is_empty());
    }
}
