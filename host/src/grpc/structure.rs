//! `google.protobuf.Struct` and JSON. A Struct has no numbers but doubles, so whole ones become
//! integers on the way in (vendors refuse `3.0` for a page number), and integers that a double
//! cannot hold become text on the way out (an id must not change by rounding).

use prost_types::value::Kind;
use prost_types::{ListValue, Struct, Value as Field};
use serde_json::{Map, Number, Value};

use crate::error::{Fault, Problem};

/// Up to here every integer has a double of its own.
const EXACT: u64 = 1 << 53;

/// The members of a Struct as JSON.
///
/// # Errors
/// `invalid_input` for a number that JSON does not have, with its place.
pub(super) fn to_json(structure: Struct) -> Result<Map<String, Value>, Fault> {
    members(structure, &mut String::new())
}

fn members(structure: Struct, path: &mut String) -> Result<Map<String, Value>, Fault> {
    let mut map = Map::new();
    for (name, field) in structure.fields {
        let length = path.len();
        path.push('/');
        path.push_str(&name.replace('~', "~0").replace('/', "~1"));
        let value = value(field, path)?;
        path.truncate(length);
        map.insert(name, value);
    }
    Ok(map)
}

fn value(field: Field, path: &mut String) -> Result<Value, Fault> {
    Ok(match field.kind {
        None | Some(Kind::NullValue(_)) => Value::Null,
        Some(Kind::BoolValue(value)) => Value::Bool(value),
        Some(Kind::StringValue(text)) => Value::String(text),
        Some(Kind::NumberValue(number)) => Value::Number(json_number(number, path)?),
        Some(Kind::StructValue(structure)) => Value::Object(members(structure, path)?),
        Some(Kind::ListValue(list)) => {
            let mut items = Vec::with_capacity(list.values.len());
            for (index, item) in list.values.into_iter().enumerate() {
                let length = path.len();
                path.push_str(&format!("/{index}"));
                items.push(value(item, path)?);
                path.truncate(length);
            }
            Value::Array(items)
        }
    })
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "only whole numbers within 2^53 are cast"
)]
fn json_number(number: f64, path: &str) -> Result<Number, Fault> {
    if number.fract() == 0.0 && number.abs() <= EXACT as f64 {
        return Ok(Number::from(number as i64));
    }
    Number::from_f64(number).ok_or_else(|| {
        Fault::invalid(
            "A number of the input is not one; see `fields`.",
            vec![Problem {
                path: path.to_owned(),
                problem: "is NaN or infinite".to_owned(),
            }],
        )
    })
}

/// JSON as a Struct. What is not an object becomes the member `result` of one.
pub(super) fn from_json(value: Value) -> Struct {
    match value {
        Value::Object(map) => structure(map),
        other => Struct {
            fields: [("result".to_owned(), field(other))].into(),
        },
    }
}

fn structure(map: Map<String, Value>) -> Struct {
    let fields = map.into_iter().map(|(name, value)| (name, field(value)));
    Struct {
        fields: fields.collect(),
    }
}

/// A JSON value as a field of a Struct.
pub(super) fn field(value: Value) -> Field {
    let kind = match value {
        Value::Null => Kind::NullValue(0),
        Value::Bool(value) => Kind::BoolValue(value),
        Value::String(text) => Kind::StringValue(text),
        Value::Number(number) => from_number(&number),
        Value::Array(items) => Kind::ListValue(ListValue {
            values: items.into_iter().map(field).collect(),
        }),
        Value::Object(map) => Kind::StructValue(structure(map)),
    };
    Field { kind: Some(kind) }
}

fn from_number(number: &Number) -> Kind {
    let whole = number.as_i64().map(i64::unsigned_abs).or_else(|| number.as_u64());
    match number.as_f64() {
        Some(double) if double.is_finite() && whole.is_none_or(|whole| whole <= EXACT) => {
            Kind::NumberValue(double)
        }
        _ => Kind::StringValue(number.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn round(value: &Value) -> Value {
        Value::Object(to_json(from_json(value.clone())).expect("finite numbers"))
    }

    #[test]
    fn json_survives_the_way_there_and_back() {
        let value = json!({
            "a": null, "b": true, "c": "text", "d": 3, "e": -7, "f": 2.5, "g": 1e300,
            "h": [1, [2, {"i": {}}], "x", []], "j": 9_007_199_254_740_992_u64,
        });
        assert_eq!(round(&value), value);
    }

    #[test]
    fn whole_doubles_become_integers_and_others_stay() {
        let double = |number| Struct {
            fields: [(
                "n".to_owned(),
                Field {
                    kind: Some(Kind::NumberValue(number)),
                },
            )]
            .into(),
        };
        let read = |number| to_json(double(number)).map(|map| map["n"].to_string());
        assert_eq!(read(10.0).expect("a number"), "10");
        assert_eq!(read(-0.0).expect("a number"), "0");
        assert_eq!(read(0.5).expect("a number"), "0.5");
        assert_eq!(read(1e18).expect("a number"), "1e+18");
        for no_number in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            let fault = read(no_number).expect_err("refused");
            assert_eq!(fault.fields()[0].path, "/n");
        }
    }

    #[test]
    fn an_integer_beyond_a_double_travels_as_text() {
        for (number, wanted) in [
            (json!(9_007_199_254_740_993_u64), json!("9007199254740993")),
            (json!(u64::MAX), json!("18446744073709551615")),
            (json!(i64::MIN), json!("-9223372036854775808")),
        ] {
            assert_eq!(round(&json!({ "id": number })), json!({ "id": wanted }));
        }
    }

    #[test]
    fn what_is_no_object_is_wrapped_into_one() {
        assert_eq!(round(&json!([1, 2])), json!({"result": [1, 2]}));
        assert_eq!(round(&json!("text")), json!({"result": "text"}));
        assert_eq!(round(&json!(null)), json!({"result": null}));
    }
}
