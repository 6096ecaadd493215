//! A schema in GraphQL's schema language.

use apollo_parser::Parser;
use apollo_parser::cst;

use super::{Argument, Field, Kind, Schema, Type};
use crate::Error;

/// How deep types and values may be nested.
const MAX_DEPTH: usize = 64;
/// How many words a schema may have; the largest that vendors publish have a million.
const MAX_TOKENS: usize = 10_000_000;

/// Reads a schema.
///
/// # Errors
/// What is wrong with it, with the line.
pub(super) fn read(text: &str) -> Result<Schema, Error> {
    let tree = Parser::new(text)
        .recursion_limit(MAX_DEPTH)
        .token_limit(MAX_TOKENS)
        .parse();
    if let Some(error) = tree.errors().next() {
        let at = text.floor_char_boundary(error.index().min(text.len()));
        let line = text[..at].matches('\n').count() + 1;
        return Err(Error::Unreadable(format!("line {line}: {}", error.message())));
    }
    let mut schema = Schema {
        query: "Query".to_owned(),
        mutation: "Mutation".to_owned(),
        ..Schema::default()
    };
    for definition in tree.document().definitions() {
        take(definition, &mut schema);
    }
    Ok(schema)
}

fn take(definition: cst::Definition, schema: &mut Schema) {
    use cst::Definition as D;
    let Some(name) = definition.name().map(|name| name.text().to_string()) else {
        if let D::SchemaDefinition(definition) = definition {
            roots(definition.root_operation_type_definitions(), schema);
        }
        return;
    };
    let kind = match definition {
        D::ScalarTypeDefinition(_) => Kind::Scalar,
        D::UnionTypeDefinition(_) => Kind::Union,
        D::EnumTypeDefinition(definition) => Kind::Enum(values(definition.enum_values_definition())),
        D::InputObjectTypeDefinition(definition) => Kind::Input(inputs(definition.input_fields_definition())),
        D::ObjectTypeDefinition(definition) => Kind::Object(fields(definition.fields_definition())),
        D::InterfaceTypeDefinition(definition) => Kind::Object(fields(definition.fields_definition())),
        D::ObjectTypeExtension(extension) => Kind::Object(fields(extension.fields_definition())),
        D::InterfaceTypeExtension(extension) => Kind::Object(fields(extension.fields_definition())),
        D::InputObjectTypeExtension(extension) => Kind::Input(inputs(extension.input_fields_definition())),
        D::EnumTypeExtension(extension) => Kind::Enum(values(extension.enum_values_definition())),
        _ => return,
    };
    match (schema.types.get_mut(&name), kind) {
        (Some(Kind::Object(known)), Kind::Object(more)) => known.extend(more),
        (Some(Kind::Input(known)), Kind::Input(more)) => known.extend(more),
        (Some(Kind::Enum(known)), Kind::Enum(more)) => known.extend(more),
        (Some(_), _) => {}
        (None, kind) => {
            schema.types.insert(name, kind);
        }
    }
}

fn roots(definitions: cst::CstChildren<cst::RootOperationTypeDefinition>, schema: &mut Schema) {
    for definition in definitions {
        let (Some(operation), Some(name)) = (definition.operation_type(), named(definition.named_type()))
        else {
            continue;
        };
        if operation.query_token().is_some() {
            schema.query = name;
        } else if operation.mutation_token().is_some() {
            schema.mutation = name;
        }
    }
}

fn named(kind: Option<cst::NamedType>) -> Option<String> {
    Some(kind?.name()?.text().to_string())
}

fn words(description: Option<cst::Description>) -> String {
    description
        .and_then(|description| description.string_value())
        .map(String::from)
        .unwrap_or_default()
}

fn is_deprecated(directives: Option<cst::Directives>) -> bool {
    let mut directives = directives
        .into_iter()
        .flat_map(|directives| directives.directives());
    directives.any(|directive| directive.name().is_some_and(|name| name.text() == "deprecated"))
}

fn values(definition: Option<cst::EnumValuesDefinition>) -> Vec<String> {
    let values = definition
        .into_iter()
        .flat_map(|values| values.enum_value_definitions());
    values
        .filter(|value| !is_deprecated(value.directives()))
        .filter_map(|value| Some(value.enum_value()?.text().to_string()))
        .collect()
}

fn fields(definition: Option<cst::FieldsDefinition>) -> Vec<Field> {
    let fields = definition
        .into_iter()
        .flat_map(|fields| fields.field_definitions());
    fields
        .filter_map(|field| {
            let arguments = field.arguments_definition();
            let arguments = arguments
                .into_iter()
                .flat_map(|arguments| arguments.input_value_definitions());
            Some(Field {
                name: field.name()?.text().to_string(),
                description: words(field.description()),
                arguments: arguments.filter_map(argument).collect(),
                kind: kind(field.ty()?)?,
                deprecated: is_deprecated(field.directives()),
            })
        })
        .collect()
}

fn inputs(definition: Option<cst::InputFieldsDefinition>) -> Vec<Argument> {
    let fields = definition
        .into_iter()
        .flat_map(|fields| fields.input_value_definitions());
    fields.filter_map(argument).collect()
}

fn argument(definition: cst::InputValueDefinition) -> Option<Argument> {
    Some(Argument {
        name: definition.name()?.text().to_string(),
        description: words(definition.description()),
        kind: kind(definition.ty()?)?,
        has_default: definition.default_value().is_some(),
        deprecated: is_deprecated(definition.directives()),
    })
}

fn kind(written: cst::Type) -> Option<Type> {
    Some(match written {
        cst::Type::NamedType(name) => Type::Named(named(Some(name))?),
        cst::Type::ListType(list) => Type::List(Box::new(kind(list.ty()?)?)),
        cst::Type::NonNullType(inner) => {
            let inner = match (inner.named_type(), inner.list_type()) {
                (Some(name), _) => cst::Type::NamedType(name),
                (None, Some(list)) => cst::Type::ListType(list),
                (None, None) => return None,
            };
            Type::Required(Box::new(kind(inner)?))
        }
    })
}
