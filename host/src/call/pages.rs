//! Running the tool in the sandbox: once, or once for each vendor page up to the caller's
//! `limit`, each in a fresh instance.

use std::sync::Arc;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Map, Value};
use tracing::Instrument as _;
use valetkey_manifest::Identity;

use super::Outcome;
use super::cursor::{Binding, Position};
use super::record::Record;
use crate::accounts::{Account, Usable};
use crate::capability::{CallContext, Grant, GuestLog, Limits, Progress, Step, Tape};
use crate::egress::Reach;
use crate::error::{Fault, Kind};
use crate::files::Shelf;
use crate::registry::LoadedTool;
use crate::runtime::Runtime;
use crate::sandbox::{Component, GuestOutput, Sandbox};
use crate::trace;

/// The most vendor pages that one call walks.
const MAX_PAGES: u32 = 50;

/// All that one instance of the guest needs, but for the page.
pub(super) struct Guest<'a> {
    pub(super) sandbox: &'a Sandbox,
    pub(super) component: &'a Arc<Component>,
    pub(super) connector: &'a Identity,
    pub(super) limits: Limits,
    pub(super) account: &'a Account,
    pub(super) tool: &'a LoadedTool,
    pub(super) tool_name: &'a str,
    pub(super) execution_id: &'a str,
    pub(super) reach: Reach,
    pub(super) files: Shelf,
    pub(super) log: &'a Arc<GuestLog>,
    /// Who is told how far the call is.
    pub(super) progress: Option<&'a Progress>,
    /// Where its exchanges are kept.
    pub(super) tape: Option<&'a Arc<Tape>>,
    /// What the guest learns besides.
    pub(super) ext: Vec<(String, String)>,
    /// Characters that the result may have, so that a model can read it whole.
    pub(super) room: Option<usize>,
}

impl Guest<'_> {
    async fn call(&self, input: String, page: Option<(&Position, u32)>) -> Result<GuestOutput, Fault> {
        let grant = Grant {
            reach: self.reach.clone(),
            limits: self.limits.clone(),
            credential_kind: self.account.credential_kind,
            scopes: Arc::clone(&self.account.scopes),
            account_config: Arc::clone(&self.account.account_config),
            files: Some(self.files.clone()),
            log: Arc::clone(self.log),
            progress: self.progress.cloned(),
            tape: self.tape.cloned(),
        };
        let context = CallContext {
            execution_id: self.execution_id.to_owned(),
            declaration: self.tool.declaration.clone(),
            page_token: page.and_then(|(position, _)| position.token.clone()),
            page_size: page.map(|(_, size)| size),
            ext: self.ext.clone(),
        };
        let connector = &self.connector;
        let span = trace::sandbox_call(&connector.id, &connector.version, self.tool_name);
        let answered = self
            .sandbox
            .call(self.component, grant, context, self.tool_name, input)
            .instrument(span.clone())
            .await;
        trace::fault(&span, &answered);
        answered
    }
}

/// How a call goes through the vendor's pages.
pub(super) enum Walk {
    /// The tool does not page.
    Once,
    /// From a position, until `want` items are together.
    Pages {
        /// JSON pointer to the items.
        items: String,
        /// The largest page that the vendor gives.
        max_page_size: u32,
        /// Items wanted.
        want: usize,
        /// Where to begin.
        from: Position,
    },
}

impl Walk {
    /// Reads `limit` and `cursor` of a checked input.
    pub(super) fn plan(
        runtime: &Runtime,
        tool: &LoadedTool,
        tool_name: &str,
        usable: &Usable,
        input: &Map<String, Value>,
    ) -> Result<Self, Fault> {
        let Some(paging) = &tool.declared.paging else {
            return Ok(Self::Once);
        };
        let limit = input.get("limit").and_then(Value::as_u64);
        let limit = limit
            .and_then(|limit| u32::try_from(limit).ok())
            .unwrap_or(paging.default_limit);
        let from = match input.get("cursor").and_then(Value::as_str) {
            None => Position {
                token: None,
                skip: 0,
                size: None,
            },
            Some(cursor) => {
                let binding = Binding {
                    account: &usable.account,
                    tool: tool_name,
                    input,
                };
                binding.open(&runtime.vault, cursor)?
            }
        };
        Ok(Self::Pages {
            items: paging.items.clone(),
            max_page_size: paging.max_page_size,
            want: limit.max(1) as usize,
            from,
        })
    }

    pub(super) async fn run(
        self,
        runtime: &Runtime,
        guest: Guest<'_>,
        input: &Map<String, Value>,
        record: &Record<'_>,
    ) -> Result<Outcome, Fault> {
        let guest_input = serde_json::to_string(&WithoutPaging(input)).map_err(Fault::internal)?;
        match self {
            Self::Once => {
                record.page();
                let output = guest.call(guest_input, None).await?;
                Ok(Outcome {
                    data: output.data,
                    next_cursor: None,
                })
            }
            Self::Pages {
                items,
                max_page_size,
                want,
                from,
            } => {
                let binding = Binding {
                    account: guest.account,
                    tool: guest.tool_name,
                    input,
                };
                let mut gathered = Gathered::new(items, want, guest.room);
                let span = trace::page_walk(want);
                let end = gathered
                    .walk(&guest, &guest_input, max_page_size, from, record)
                    .instrument(span.clone())
                    .await;
                trace::walked(&span, gathered.count, record.pages());
                let end = end?;
                let next_cursor = end
                    .map(|position| binding.seal(&runtime.vault, position))
                    .transpose()?;
                Ok(Outcome {
                    data: gathered.into_data()?,
                    next_cursor,
                })
            }
        }
    }
}

/// The pages so far. The common call is one page that fits; then its text is passed on untouched.
struct Gathered {
    pointer: String,
    want: usize,
    count: usize,
    bytes: usize,
    /// Characters that are left; none for as many as there are.
    room: Option<usize>,
    shape: Shape,
}

enum Shape {
    Empty,
    /// One page, whole.
    Text(String),
    /// The first page's shape with the items of all.
    Merged {
        first: Value,
        items: Vec<Value>,
    },
}

impl Gathered {
    fn new(pointer: String, want: usize, room: Option<usize>) -> Self {
        Self {
            pointer,
            want,
            count: 0,
            bytes: 0,
            room,
            shape: Shape::Empty,
        }
    }

    /// Walks until enough; answers where a later call goes on, none at the end.
    async fn walk(
        &mut self,
        guest: &Guest<'_>,
        input: &str,
        max_page_size: u32,
        from: Position,
        record: &Record<'_>,
    ) -> Result<Option<Position>, Fault> {
        let mut position = from;
        for _ in 0..MAX_PAGES {
            // A page begun by an earlier call is asked for in full: its size must not move it.
            let missing = u32::try_from(self.want - self.count + position.skip).unwrap_or(u32::MAX);
            let size = position.size.unwrap_or(missing.min(max_page_size));
            let steady = guest.tool.numbered_pages.then_some(size);
            let output = match guest.call(input.to_owned(), Some((&position, size))).await {
                Ok(output) => output,
                // What is there already is not lost to a vendor that has no room for the rest.
                Err(fault) if self.count > 0 && is_passing(&fault) => return Ok(Some(position)),
                Err(fault) => return Err(fault),
            };
            if self.count > 0 && self.bytes + output.data.len() > guest.limits.output_bytes {
                return Ok(Some(position));
            }
            record.page();
            let page_items = self.count_items(&output.data)?;
            let fresh = page_items.saturating_sub(position.skip);
            let taken = fresh.min(self.want - self.count);
            let taken = self.fitting(&output.data, position.skip, taken)?;
            self.add(output.data, position.skip, taken, page_items)?;
            self.tell(guest);

            if taken < fresh {
                return Ok(Some(Position {
                    token: position.token,
                    skip: position.skip + taken,
                    size: steady,
                }));
            }
            let Some(next) = output.next_page_token else {
                return Ok(None);
            };
            if position.token.as_deref() == Some(next.as_str()) {
                return Err(Fault::new(
                    Kind::ConnectorOutputInvalid,
                    "The vendor's pages do not move on: the next page's token is this page's. The connector's author must mend the paging of this tool.",
                )
                .reason("paging"));
            }
            position = Position {
                token: Some(next),
                skip: 0,
                size: steady,
            };
            if self.count >= self.want {
                return Ok(Some(position));
            }
        }
        Ok(Some(position))
    }

    fn count_items(&self, data: &str) -> Result<usize, Fault> {
        let steps: Vec<String> = pointer_steps(&self.pointer);
        let mut json = serde_json::Deserializer::from_str(data);
        let counted = CountItems { steps: &steps }
            .deserialize(&mut json)
            .map_err(Fault::internal)?;
        counted.ok_or_else(|| {
            Fault::new(
                Kind::ConnectorOutputInvalid,
                format!(
                    "The connector's answer has no list at `{}`, where this tool promises its items. The connector's author must mend it.",
                    self.pointer
                ),
            )
            .reason("paging")
        })
    }

    /// How many of the next `taken` items there is room for; the first of all always.
    fn fitting(&mut self, data: &str, skip: usize, taken: usize) -> Result<usize, Fault> {
        let Some(room) = self.room else { return Ok(taken) };
        let whole = data.chars().count();
        if self.count == 0 && skip == 0 && whole <= room {
            self.room = Some(room - whole);
            return Ok(taken);
        }
        let mut page = parse(data)?;
        let items: Vec<usize> = self
            .take_items(&mut page)
            .iter()
            .map(|item| item.to_string().chars().count() + 1)
            .collect();
        // What stands around the items comes with the first page.
        let around = if self.count == 0 {
            whole.saturating_sub(items.iter().sum())
        } else {
            0
        };
        let mut left = room.saturating_sub(around);
        let mut fit = 0;
        for size in items.iter().skip(skip).take(taken) {
            if *size > left && self.count + fit > 0 {
                break;
            }
            left = left.saturating_sub(*size);
            fit += 1;
        }
        self.room = Some(left);
        Ok(fit)
    }

    /// Says how many items there are by now, when more than one page is walked.
    #[allow(clippy::cast_precision_loss, reason = "counts of items are far below 2^52")]
    fn tell(&self, guest: &Guest<'_>) {
        if let Some(progress) = guest.progress {
            progress.tell(Step {
                done: Some(self.count as f64),
                total: Some(self.want as f64),
                message: format!("{} items so far", self.count),
            });
        }
    }

    fn add(&mut self, data: String, skip: usize, taken: usize, page_items: usize) -> Result<(), Fault> {
        self.bytes += data.len();
        self.count += taken;
        if matches!(self.shape, Shape::Empty) && skip == 0 && taken == page_items {
            self.shape = Shape::Text(data);
            return Ok(());
        }
        let (mut first, mut items) = match std::mem::replace(&mut self.shape, Shape::Empty) {
            Shape::Empty => (None, Vec::new()),
            Shape::Text(text) => {
                let mut page = parse(&text)?;
                let items = self.take_items(&mut page);
                (Some(page), items)
            }
            Shape::Merged { first, items } => (Some(first), items),
        };
        let mut page = parse(&data)?;
        items.extend(self.take_items(&mut page).into_iter().skip(skip).take(taken));
        let first = first.take().unwrap_or(page);
        self.shape = Shape::Merged { first, items };
        Ok(())
    }

    fn take_items(&self, page: &mut Value) -> Vec<Value> {
        match page.pointer_mut(&self.pointer).map(Value::take) {
            Some(Value::Array(items)) => items,
            Some(_) | None => Vec::new(),
        }
    }

    fn into_data(self) -> Result<String, Fault> {
        match self.shape {
            Shape::Empty => Err(Fault::internal("a walk without pages")),
            Shape::Text(text) => Ok(text),
            Shape::Merged { mut first, items } => {
                if let Some(place) = first.pointer_mut(&self.pointer) {
                    *place = Value::Array(items);
                }
                serde_json::to_string(&first).map_err(Fault::internal)
            }
        }
    }
}

fn parse(text: &str) -> Result<Value, Fault> {
    serde_json::from_str(text).map_err(Fault::internal)
}

/// Whether a fault passes by itself, so that the rest can be had later.
fn is_passing(fault: &Fault) -> bool {
    matches!(
        fault.kind(),
        Kind::RateLimited | Kind::VendorUnavailable | Kind::VendorTimeout | Kind::Overloaded
    )
}

fn pointer_steps(pointer: &str) -> Vec<String> {
    pointer
        .split('/')
        .skip(1)
        .map(|step| step.replace("~1", "/").replace("~0", "~"))
        .collect()
}

/// Counts the items at a JSON pointer without building the rest.
struct CountItems<'a> {
    steps: &'a [String],
}

impl<'de> DeserializeSeed<'de> for CountItems<'_> {
    type Value = Option<usize>;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for CountItems<'_> {
    type Value = Option<usize>;

    fn expecting(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut found = None;
        while let Some(key) = map.next_key::<std::borrow::Cow<'de, str>>()? {
            match self.steps.split_first() {
                Some((step, rest)) if *step == key => {
                    found = map.next_value_seed(CountItems { steps: rest })?
                }
                Some(_) | None => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(found)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        let mut count = 0;
        while items.next_element::<IgnoredAny>()?.is_some() {
            count += 1;
        }
        Ok(self.steps.is_empty().then_some(count))
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_str<E>(self, _: &str) -> Result<Self::Value, E> {
        Ok(None)
    }
}

/// The input as the guest gets it.
struct WithoutPaging<'a>(&'a Map<String, Value>);

impl Serialize for WithoutPaging<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_map(None)?;
        for (name, value) in self.0 {
            if name != "limit" && name != "cursor" {
                map.serialize_entry(name, value)?;
            }
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gathered(pages: &[(&str, usize, usize)]) -> (String, usize) {
        let mut gathered = Gathered::new("/results".to_owned(), 100, None);
        for (page, skip, taken) in pages {
            let items = gathered.count_items(page).expect("a list");
            gathered
                .add((*page).to_owned(), *skip, *taken, items)
                .expect("added");
        }
        let count = gathered.count;
        (gathered.into_data().expect("data"), count)
    }

    #[test]
    fn single_page_is_passed_on_untouched() {
        let page = r#"{ "results": [1, 2],   "total": 2 }"#;
        assert_eq!(gathered(&[(page, 0, 2)]), (page.to_owned(), 2));
    }

    #[test]
    fn pages_are_joined_in_the_shape_of_the_first() {
        let (data, count) = gathered(&[
            (r#"{"results":[1,2],"total":5}"#, 0, 2),
            (r#"{"results":[3,4],"total":5}"#, 0, 2),
            (r#"{"results":[5,6],"total":5}"#, 0, 1),
        ]);
        assert_eq!(data, r#"{"results":[1,2,3,4,5],"total":5}"#);
        assert_eq!(count, 5);
    }

    #[test]
    fn page_begun_earlier_goes_on_after_the_items_answered() {
        let (data, _) = gathered(&[(r#"{"results":[1,2,3]}"#, 2, 1)]);
        assert_eq!(data, r#"{"results":[3]}"#);
    }

    #[test]
    fn answer_without_the_promised_list_is_the_connectors_fault() {
        let gathered = Gathered::new("/a~1b/items".to_owned(), 1, None);
        assert_eq!(
            gathered
                .count_items(r#"{"x":1,"a/b":{"items":[{},[]],"y":[1]}}"#)
                .expect("found"),
            2
        );
        for other in [
            r#"{"a/b":{"items":7}}"#,
            r#"{"a/b":[]}"#,
            "[]",
            "null",
            r#"{"items":[1]}"#,
        ] {
            let fault = gathered.count_items(other).expect_err(other);
            assert_eq!(fault.kind(), Kind::ConnectorOutputInvalid, "{other}");
        }
    }

    #[test]
    fn room_is_kept_item_by_item_and_the_first_item_always_comes() {
        let page = r#"{"results":["aaaaaaaa","bbbbbbbb","cccccccc"],"total":9}"#;
        let whole = page.len();
        for (room, fits) in [(whole, 3), (whole - 1, 2), (whole - 12, 1), (1, 1)] {
            let mut gathered = Gathered::new("/results".to_owned(), 100, Some(room));
            assert_eq!(gathered.fitting(page, 0, 3).expect("counted"), fits, "{room}");
        }
        let mut gathered = Gathered::new("/results".to_owned(), 100, Some(whole + 11));
        let first = gathered.fitting(page, 0, 3).expect("counted");
        gathered.add(page.to_owned(), 0, first, 3).expect("added");
        assert_eq!((first, gathered.fitting(page, 0, 3).expect("counted")), (3, 1));
        assert_eq!(gathered.fitting(page, 1, 2).expect("counted"), 0);
    }
}
