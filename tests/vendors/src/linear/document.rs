//! GraphQL documents: operations with variables, fields, aliases and arguments. Fragments and
//! directives are not there.

use serde_json::{Map, Number, Value};

use super::Problem;

/// A field with its arguments.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Field<A> {
    /// The name in the answer.
    pub(super) alias: String,
    pub(super) name: String,
    pub(super) arguments: A,
    pub(super) selection: Vec<Field<A>>,
}

/// A value as a document writes it.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Input {
    Variable(String),
    Plain(Value),
    List(Vec<Input>),
    Object(Vec<(String, Input)>),
}

/// One operation.
#[derive(Debug)]
pub(super) struct Operation {
    is_mutation: bool,
    /// Names, whether a value is needed, and what stands for none.
    variables: Vec<(String, bool, Option<Value>)>,
    selection: Vec<Field<Vec<(String, Input)>>>,
}

/// An operation with its variables put in; an absent variable leaves its argument out.
#[derive(Debug)]
pub(super) struct Bound {
    pub(super) is_mutation: bool,
    pub(super) selection: Vec<Field<Map<String, Value>>>,
}

impl Operation {
    /// Reads a document. Of several operations `name` has to say which one.
    pub(super) fn parse(text: &str, name: Option<&str>) -> Result<Self, Problem> {
        let tokens = tokens(text)?;
        let mut reader = Reader { tokens, at: 0 };
        let mut operations = Vec::new();
        while reader.at < reader.tokens.len() {
            operations.push(reader.operation()?);
        }
        if operations.len() > 1 && name.is_none() {
            return Err(Problem::invalid(
                "Must provide operation name if query contains multiple operations.",
            ));
        }
        let found = operations
            .into_iter()
            .find(|(known, _)| name.is_none() || known.as_deref() == name);
        found
            .map(|(_, operation)| operation)
            .ok_or_else(|| Problem::invalid("There is no such operation in the document."))
    }

    /// Puts the values of variables in.
    pub(super) fn bind(self, mut values: Map<String, Value>) -> Result<Bound, Problem> {
        for (name, needed, usual) in &self.variables {
            match (values.get(name), usual) {
                (None | Some(Value::Null), _) if *needed => {
                    return Err(Problem::invalid(format!(
                        "Variable \"${name}\" of required type was not provided."
                    )));
                }
                (None, Some(usual)) => {
                    values.insert(name.clone(), usual.clone());
                }
                _ => {}
            }
        }
        let known: Vec<&str> = self.variables.iter().map(|(name, ..)| name.as_str()).collect();
        let selection = self
            .selection
            .iter()
            .map(|field| bind(field, &known, &values))
            .collect::<Result<_, _>>()?;
        Ok(Bound {
            is_mutation: self.is_mutation,
            selection,
        })
    }
}

type Written = Field<Vec<(String, Input)>>;

fn bind(
    field: &Written,
    known: &[&str],
    values: &Map<String, Value>,
) -> Result<Field<Map<String, Value>>, Problem> {
    let mut arguments = Map::new();
    for (name, input) in &field.arguments {
        if let Some(value) = value_of(input, known, values)? {
            arguments.insert(name.clone(), value);
        }
    }
    let selection = field
        .selection
        .iter()
        .map(|field| bind(field, known, values))
        .collect::<Result<_, _>>()?;
    Ok(Field {
        alias: field.alias.clone(),
        name: field.name.clone(),
        arguments,
        selection,
    })
}

fn value_of(input: &Input, known: &[&str], values: &Map<String, Value>) -> Result<Option<Value>, Problem> {
    Ok(match input {
        Input::Plain(value) => Some(value.clone()),
        Input::Variable(name) if known.contains(&name.as_str()) => values.get(name).cloned(),
        Input::Variable(name) => {
            return Err(Problem::invalid(format!("Variable \"${name}\" is not defined.")));
        }
        Input::List(inputs) => {
            let mut list = Vec::new();
            for input in inputs {
                list.extend(value_of(input, known, values)?);
            }
            Some(Value::Array(list))
        }
        Input::Object(members) => {
            let mut object = Map::new();
            for (name, input) in members {
                if let Some(value) = value_of(input, known, values)? {
                    object.insert(name.clone(), value);
                }
            }
            Some(Value::Object(object))
        }
    })
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Mark(char),
    Name(String),
    Text(String),
    Number(Number),
}

fn tokens(text: &str) -> Result<Vec<Token>, Problem> {
    let bad = |text: &str| Problem::invalid(format!("Syntax Error: {text}."));
    let mut tokens = Vec::new();
    let mut chars = text.chars().peekable();
    while let Some(&c) = chars.peek() {
        match c {
            c if c.is_whitespace() || c == ',' => {
                chars.next();
            }
            '#' => while chars.next_if(|c| *c != '\n').is_some() {},
            '"' => {
                chars.next();
                let mut raw = String::from('"');
                loop {
                    match chars.next() {
                        Some('"') => break,
                        Some('\\') => {
                            raw.push('\\');
                            raw.extend(chars.next());
                        }
                        Some(c) => raw.push(c),
                        None => return Err(bad("Unterminated string")),
                    }
                }
                raw.push('"');
                let text = serde_json::from_str(&raw).map_err(|_| bad("Bad character escape sequence"))?;
                tokens.push(Token::Text(text));
            }
            c if c.is_ascii_alphabetic() || c == '_' => {
                let mut name = String::new();
                while let Some(c) = chars.next_if(|c| c.is_ascii_alphanumeric() || *c == '_') {
                    name.push(c);
                }
                tokens.push(Token::Name(name));
            }
            c if c.is_ascii_digit() || c == '-' => {
                let mut digits = String::new();
                while let Some(c) = chars.next_if(|c| c.is_ascii_digit() || "+-.eE".contains(*c)) {
                    digits.push(c);
                }
                let number = serde_json::from_str(&digits).map_err(|_| bad("Invalid number"))?;
                tokens.push(Token::Number(number));
            }
            '{' | '}' | '(' | ')' | '[' | ']' | ':' | '$' | '!' | '=' => {
                chars.next();
                tokens.push(Token::Mark(c));
            }
            other => return Err(bad(&format!("Unexpected character \"{other}\""))),
        }
    }
    Ok(tokens)
}

struct Reader {
    tokens: Vec<Token>,
    at: usize,
}

impl Reader {
    fn peek(&self, mark: char) -> bool {
        self.tokens.get(self.at) == Some(&Token::Mark(mark))
    }

    fn eat(&mut self, mark: char) -> bool {
        let found = self.peek(mark);
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, mark: char) -> Result<(), Problem> {
        if self.eat(mark) {
            Ok(())
        } else {
            Err(self.unexpected(&format!("\"{mark}\"")))
        }
    }

    fn unexpected(&self, wanted: &str) -> Problem {
        let found = self
            .tokens
            .get(self.at)
            .map_or_else(|| "<EOF>".to_owned(), |token| format!("{token:?}"));
        Problem::invalid(format!("Syntax Error: Expected {wanted}, found {found}."))
    }

    fn name(&mut self) -> Result<String, Problem> {
        match self.tokens.get(self.at) {
            Some(Token::Name(name)) => {
                self.at += 1;
                Ok(name.clone())
            }
            _ => Err(self.unexpected("Name")),
        }
    }

    fn operation(&mut self) -> Result<(Option<String>, Operation), Problem> {
        let (mut name, mut is_mutation) = (None, false);
        let mut variables = Vec::new();
        if !self.peek('{') {
            match self.name()?.as_str() {
                "query" => {}
                "mutation" => is_mutation = true,
                other => {
                    return Err(Problem::invalid(format!(
                        "There is no operation \"{other}\" here."
                    )));
                }
            }
            if matches!(self.tokens.get(self.at), Some(Token::Name(_))) {
                name = Some(self.name()?);
            }
            if self.eat('(') {
                while !self.eat(')') {
                    variables.push(self.variable()?);
                }
            }
        }
        let selection = self.selection()?;
        Ok((
            name,
            Operation {
                is_mutation,
                variables,
                selection,
            },
        ))
    }

    fn variable(&mut self) -> Result<(String, bool, Option<Value>), Problem> {
        self.expect('$')?;
        let name = self.name()?;
        self.expect(':')?;
        let mut depth = 0;
        while self.eat('[') {
            depth += 1;
        }
        self.name()?;
        let mut needed = self.eat('!');
        for _ in 0..depth {
            self.expect(']')?;
            needed = self.eat('!');
        }
        let usual = if self.eat('=') {
            match self.input()? {
                Input::Plain(value) => Some(value),
                _ => return Err(self.unexpected("a constant")),
            }
        } else {
            None
        };
        Ok((name, needed && usual.is_none(), usual))
    }

    fn selection(&mut self) -> Result<Vec<Written>, Problem> {
        self.expect('{')?;
        let mut fields = Vec::new();
        while !self.eat('}') {
            fields.push(self.field()?);
        }
        if fields.is_empty() {
            return Err(self.unexpected("a field"));
        }
        Ok(fields)
    }

    fn field(&mut self) -> Result<Written, Problem> {
        let alias = self.name()?;
        let name = if self.eat(':') {
            self.name()?
        } else {
            alias.clone()
        };
        let mut arguments = Vec::new();
        if self.eat('(') {
            while !self.eat(')') {
                let name = self.name()?;
                self.expect(':')?;
                arguments.push((name, self.input()?));
            }
        }
        let selection = if self.peek('{') {
            self.selection()?
        } else {
            Vec::new()
        };
        Ok(Field {
            alias,
            name,
            arguments,
            selection,
        })
    }

    fn input(&mut self) -> Result<Input, Problem> {
        if self.eat('$') {
            return self.name().map(Input::Variable);
        }
        if self.eat('[') {
            let mut list = Vec::new();
            while !self.eat(']') {
                list.push(self.input()?);
            }
            return Ok(Input::List(list));
        }
        if self.eat('{') {
            let mut members = Vec::new();
            while !self.eat('}') {
                let name = self.name()?;
                self.expect(':')?;
                members.push((name, self.input()?));
            }
            return Ok(Input::Object(members));
        }
        let plain = match self.tokens.get(self.at) {
            Some(Token::Text(text)) => Value::from(text.as_str()),
            Some(Token::Number(number)) => Value::Number(number.clone()),
            Some(Token::Name(name)) => match name.as_str() {
                "null" => Value::Null,
                "true" => Value::Bool(true),
                "false" => Value::Bool(false),
                // A word of an enumeration.
                other => Value::from(other),
            },
            _ => return Err(self.unexpected("a value")),
        };
        self.at += 1;
        Ok(Input::Plain(plain))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn bound(text: &str, variables: Value) -> Result<Bound, Problem> {
        let Value::Object(variables) = variables else {
            panic!()
        };
        Operation::parse(text, None)?.bind(variables)
    }

    #[test]
    fn aliases_arguments_and_variables_are_read() {
        let text = "query A($n: Int = 5, $f: F) { page: issues(first: $n, filter: $f, ids: [1, \"a\"], o: { x: null, y: up }) { nodes { id } } }";
        let page = bound(text, json!({})).unwrap().selection.remove(0);
        assert_eq!((page.alias.as_str(), page.name.as_str()), ("page", "issues"));
        assert_eq!(
            Value::Object(page.arguments),
            json!({ "first": 5, "ids": [1, "a"], "o": { "x": null, "y": "up" } })
        );
        assert_eq!(page.selection[0].selection[0].name, "id");
    }

    #[test]
    fn what_is_missing_or_ambiguous_is_refused() {
        assert!(bound("query A($id: String!) { issue(id: $id) { id } }", json!({})).is_err());
        assert!(bound("{ issue(id: $id) { id } }", json!({})).is_err());
        assert!(bound("query A { viewer { id } } mutation B { x }", json!({})).is_err());
        assert!(bound("{ viewer { id }", json!({})).is_err());
        assert!(bound("{ viewer { } }", json!({})).is_err());
    }
}
