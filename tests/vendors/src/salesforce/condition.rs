//! Which records a query wants: its conditions, bound to an object and asked of records.

use std::cmp::Ordering;

use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use serde_json::{Value, json};

use super::kinds::{Kind, Of};
use super::org::{Org, Record};
use super::problem::Problem;
use super::run::{Reach, compare, path};
use super::soql::{Cond, Item, Literal, Op};

/// A condition, ready to be asked of records.
type Test<'o> = Box<dyn Fn(&Record) -> bool + 'o>;

pub(super) fn bind<'o>(
    org: &'o Org,
    kind: &'static Kind,
    cond: Option<&Cond>,
    now_ms: i64,
) -> Result<Test<'o>, Problem> {
    let Some(cond) = cond else {
        return Ok(Box::new(|_| true));
    };
    let each = |conds: &[Cond]| {
        conds
            .iter()
            .map(|cond| bind(org, kind, Some(cond), now_ms))
            .collect::<Result<Vec<_>, Problem>>()
    };
    match cond {
        Cond::All(conds) => {
            let tests = each(conds)?;
            Ok(Box::new(move |record| tests.iter().all(|test| test(record))))
        }
        Cond::Any(conds) => {
            let tests = each(conds)?;
            Ok(Box::new(move |record| tests.iter().any(|test| test(record))))
        }
        Cond::Not(cond) => {
            let test = bind(org, kind, Some(cond), now_ms)?;
            Ok(Box::new(move |record| !test(record)))
        }
        Cond::Is { field, op, value } => {
            let reach = path(kind, field)?;
            let wanted = wanted(org, &reach, field, value, now_ms)?;
            let op = *op;
            if op == Op::Like && !reach.field.of.is_text() {
                return Err(Problem::bad(
                    "INVALID_FIELD",
                    format!(
                        "invalid operator on {} field '{field}'",
                        reach.field.of.type_name()
                    ),
                ));
            }
            Ok(Box::new(move |record| {
                holds(&reach.value(org, record), op, &wanted)
            }))
        }
    }
}

/// What a field is compared with.
enum Wanted {
    Value(Value),
    /// The first and the last day.
    Days(Date, Date),
    Moment(Timestamp),
    Any(Vec<Wanted>),
}

fn wanted(org: &Org, reach: &Reach, name: &str, value: &Literal, now_ms: i64) -> Result<Wanted, Problem> {
    let of = reach.field.of;
    let wrong = |quotes: &str| {
        Problem::bad(
            "INVALID_FIELD",
            format!(
                "value of filter criterion for field '{name}' must be of type {} and should {quotes}be enclosed in quotes",
                of.type_name()
            ),
        )
    };
    let is_time = matches!(of, Of::Date | Of::Time);
    Ok(match value {
        Literal::Null => Wanted::Value(Value::Null),
        Literal::Bool(flag) if of == Of::Bool => Wanted::Value(json!(flag)),
        Literal::Number(number) if of.is_number() => Wanted::Value(json!(number)),
        Literal::Text(text) if of.is_text() => Wanted::Value(json!(text)),
        Literal::Day(day) if is_time => {
            let day: Date = day.parse().map_err(|_| wrong("not "))?;
            Wanted::Days(day, day)
        }
        Literal::Moment(moment) if of == Of::Time => {
            Wanted::Moment(moment.parse().map_err(|_| wrong("not "))?)
        }
        Literal::Relative(name, number) if is_time => {
            let today = Timestamp::from_millisecond(now_ms)
                .map_err(|_| wrong("not "))?
                .to_zoned(TimeZone::UTC)
                .date();
            let (from, to) = relative(name, *number, today)
                .ok_or_else(|| Problem::malformed_query(format!("unexpected token: '{name}'")))?;
            Wanted::Days(from, to)
        }
        Literal::List(values) => Wanted::Any(
            values
                .iter()
                .map(|value| wanted(org, reach, name, value, now_ms))
                .collect::<Result<_, Problem>>()?,
        ),
        Literal::Rows(query) => {
            let kind = Kind::named(&query.from).ok_or_else(|| Problem::no_object(&query.from))?;
            let [Item::Field(field)] = &query.select[..] else {
                return Err(Problem::malformed_query("A semi-join selects one field."));
            };
            let field = path(kind, field)?;
            let test = bind(org, kind, query.filter.as_ref(), now_ms)?;
            Wanted::Any(
                org.all(kind)
                    .filter(|record| test(record))
                    .map(|record| Wanted::Value(field.value(org, record)))
                    .collect(),
            )
        }
        _ => return Err(wrong(if of.is_text() { "" } else { "not " })),
    })
}

fn holds(found: &Value, op: Op, wanted: &Wanted) -> bool {
    match (op, wanted) {
        (Op::In, Wanted::Any(all)) => all.iter().any(|one| holds(found, Op::Eq, one)),
        (Op::NotIn, Wanted::Any(all)) => !all.iter().any(|one| holds(found, Op::Eq, one)),
        (Op::Like, Wanted::Value(Value::String(pattern))) => found
            .as_str()
            .is_some_and(|text| like(&text.to_lowercase(), &pattern.to_lowercase())),
        (_, Wanted::Value(wanted)) => match (found.is_null(), wanted.is_null()) {
            (true, true) => matches!(op, Op::Eq),
            (true, false) | (false, true) => matches!(op, Op::Ne),
            (false, false) => decides(
                op,
                equal_ids(found, wanted).unwrap_or_else(|| compare(found, wanted)),
            ),
        },
        (_, Wanted::Days(from, to)) => {
            let Some(day) = found
                .as_str()
                .and_then(|text| text.get(..10))
                .and_then(|day| day.parse::<Date>().ok())
            else {
                return op == Op::Ne;
            };
            match op {
                Op::Eq => day >= *from && day <= *to,
                Op::Ne => day < *from || day > *to,
                Op::Lt => day < *from,
                Op::Le => day <= *to,
                Op::Gt => day > *to,
                Op::Ge => day >= *from,
                Op::Like | Op::In | Op::NotIn => false,
            }
        }
        (_, Wanted::Moment(moment)) => {
            let found = found.as_str().map(|text| text.replace("+0000", "Z"));
            match found.and_then(|text| text.parse::<Timestamp>().ok()) {
                Some(found) => decides(op, found.cmp(moment)),
                None => op == Op::Ne,
            }
        }
        (_, Wanted::Any(_)) => false,
    }
}

fn decides(op: Op, ordering: Ordering) -> bool {
    match op {
        Op::Eq => ordering.is_eq(),
        Op::Ne => ordering.is_ne(),
        Op::Lt => ordering.is_lt(),
        Op::Le => ordering.is_le(),
        Op::Gt => ordering.is_gt(),
        Op::Ge => ordering.is_ge(),
        Op::Like | Op::In | Op::NotIn => false,
    }
}

/// Ids are equal in either of their forms, and with regard to case.
fn equal_ids(found: &Value, wanted: &Value) -> Option<Ordering> {
    let (found, wanted) = (found.as_str()?, wanted.as_str()?);
    let is_id = found.len() == 18 && Kind::of_id(found).is_some();
    (is_id && (wanted.len() == 15 || wanted.len() == 18))
        .then(|| found[..15].cmp(wanted.get(..15).unwrap_or("")))
}

/// LIKE: `%` for any text, `_` for one character, a backslash before either for itself.
pub(super) fn like(text: &str, pattern: &str) -> bool {
    let text: Vec<char> = text.chars().collect();
    let mut parts: Vec<(char, bool)> = Vec::new();
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => parts.extend(chars.next().map(|next| (next, false))),
            '%' | '_' => parts.push((c, true)),
            other => parts.push((other, false)),
        }
    }
    // reachable[n]: whether the pattern so far can end at n.
    let mut reachable = vec![false; text.len() + 1];
    reachable[0] = true;
    for (c, is_wild) in parts {
        let before = reachable.clone();
        if is_wild && c == '%' {
            for at in 1..=text.len() {
                reachable[at] = before[at] || reachable[at - 1];
            }
        } else {
            reachable[0] = false;
            for at in 1..=text.len() {
                reachable[at] = before[at - 1] && (is_wild || text[at - 1] == c);
            }
        }
    }
    reachable[text.len()]
}

/// The first and last day of a date literal.
fn relative(name: &str, number: Option<i64>, today: Date) -> Option<(Date, Date)> {
    let shift = |date: Date, days: i64| date.checked_add(days.days()).ok();
    let months = |date: Date, months: i64| date.checked_add(months.months()).ok();
    if let Some(number) = number {
        return match name {
            // These include today, as the vendor's do.
            "LAST_N_DAYS" => Some((shift(today, -number)?, today)),
            "NEXT_N_DAYS" => Some((shift(today, 1)?, shift(today, number)?)),
            "N_DAYS_AGO" => Some((shift(today, -number)?, shift(today, -number)?)),
            _ => None,
        };
    }
    let (when, unit) = match name {
        "TODAY" => return Some((today, today)),
        "YESTERDAY" => return Some((shift(today, -1)?, shift(today, -1)?)),
        "TOMORROW" => return Some((shift(today, 1)?, shift(today, 1)?)),
        "LAST_90_DAYS" => return Some((shift(today, -90)?, today)),
        "NEXT_90_DAYS" => return Some((shift(today, 1)?, shift(today, 90)?)),
        other => other.split_once('_')?,
    };
    let step = match when {
        "LAST" => -1,
        "THIS" => 0,
        "NEXT" => 1,
        _ => return None,
    };
    match unit {
        "WEEK" => {
            let back = i64::from(today.weekday().since(Weekday::Sunday));
            let from = shift(today, step * 7 - back)?;
            Some((from, shift(from, 6)?))
        }
        "MONTH" => {
            let from = months(today.first_of_month(), step)?;
            Some((from, from.last_of_month()))
        }
        "QUARTER" => {
            let into = i64::from((today.month() - 1) % 3);
            let from = months(today.first_of_month(), step * 3 - into)?;
            Some((from, months(from, 2)?.last_of_month()))
        }
        "YEAR" => {
            let from = months(today.first_of_year(), step * 12)?;
            Some((from, from.last_of_year()))
        }
        _ => None,
    }
}
