//! SOQL as text to a tree: `SELECT … FROM … USING SCOPE … WHERE … GROUP BY … ORDER BY … LIMIT … OFFSET …`
//! with parents, one level of children, aggregates, semi-joins and date literals. What is not read
//! here (HAVING, TYPEOF, geolocation, aliases of objects) is a malformed query, never ignored.

use super::problem::Problem;

/// A query.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Query {
    pub(super) select: Vec<Item>,
    pub(super) from: String,
    /// `USING SCOPE mine`.
    pub(super) mine: bool,
    pub(super) filter: Option<Cond>,
    pub(super) group: Vec<String>,
    pub(super) order: Vec<Order>,
    pub(super) limit: Option<usize>,
    pub(super) offset: usize,
}

/// What is selected.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Item {
    Field(String),
    /// `COUNT()`, alone.
    Count,
    Aggregate {
        function: Function,
        field: String,
        alias: Option<String>,
    },
    Children(Box<Query>),
    /// `FIELDS(ALL)`, `FIELDS(STANDARD)`, `FIELDS(CUSTOM)`.
    Fields {
        standard: bool,
        custom: bool,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Function {
    Count,
    CountDistinct,
    Sum,
    Average,
    Least,
    Most,
}

/// A condition.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Cond {
    All(Vec<Cond>),
    Any(Vec<Cond>),
    Not(Box<Cond>),
    Is { field: String, op: Op, value: Literal },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Op {
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
    Like,
    In,
    NotIn,
}

/// A value to compare with.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Literal {
    Null,
    Bool(bool),
    Number(f64),
    Text(String),
    /// `2026-12-31`.
    Day(String),
    /// `2026-12-31T09:00:00Z`.
    Moment(String),
    /// `TODAY`, `LAST_N_DAYS:30`; the name in capitals.
    Relative(String, Option<i64>),
    List(Vec<Literal>),
    Rows(Box<Query>),
}

/// One order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Order {
    pub(super) field: String,
    pub(super) descending: bool,
    /// `NULLS LAST`; first otherwise.
    pub(super) nulls_last: bool,
}

/// Reads a whole query.
pub(super) fn parse(text: &str) -> Result<Query, Problem> {
    let mut parser = Parser {
        tokens: tokens(text)?,
        at: 0,
    };
    let query = parser.query(false)?;
    match parser.peek() {
        None => Ok(query),
        Some(token) => Err(unexpected(token)),
    }
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    /// A name, with dots, and for date literals a colon and a number.
    Word(String),
    Text(String),
    /// A number, a date or a time.
    Digits(String),
    Sign(&'static str),
}

fn unexpected(token: &Token) -> Problem {
    let shown = match token {
        Token::Word(text) | Token::Digits(text) => text.clone(),
        Token::Text(text) => format!("'{text}'"),
        Token::Sign(sign) => (*sign).to_owned(),
    };
    Problem::malformed_query(format!("unexpected token: '{shown}'"))
}

const SIGNS: [&str; 12] = ["<=", ">=", "!=", "<>", "=", "<", ">", "(", ")", ",", "*", ";"];

fn tokens(text: &str) -> Result<Vec<Token>, Problem> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        if first == '\'' {
            let (value, after) = quoted(&rest[1..])?;
            tokens.push(Token::Text(value));
            rest = after;
        } else if let Some(sign) = SIGNS.iter().copied().find(|sign| rest.starts_with(sign)) {
            tokens.push(Token::Sign(sign));
            rest = &rest[sign.len()..];
        } else {
            let is_number = first.is_ascii_digit() || first == '-' || first == '+';
            let end = rest
                .find(|c: char| {
                    !(c.is_ascii_alphanumeric() || "_.:".contains(c) || is_number && "+-".contains(c))
                })
                .unwrap_or(rest.len());
            if end == 0 {
                return Err(Problem::malformed_query(format!(
                    "line 1 no viable alternative at character '{first}'"
                )));
            }
            let (word, after) = rest.split_at(end);
            tokens.push(if is_number {
                Token::Digits(word.to_owned())
            } else {
                Token::Word(word.to_owned())
            });
            rest = after;
        }
        rest = rest.trim_start();
    }
    Ok(tokens)
}

/// The text up to the closing quote, its escapes undone but for those of LIKE, and what follows.
fn quoted(text: &str) -> Result<(String, &str), Problem> {
    let mut value = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '\'' => return Ok((value, &text[at + 1..])),
            '\\' => match chars.next() {
                Some((_, 'n')) => value.push('\n'),
                Some((_, 't')) => value.push('\t'),
                Some((_, wild @ ('%' | '_'))) => {
                    value.push('\\');
                    value.push(wild);
                }
                Some((_, other @ ('\'' | '"' | '\\'))) => value.push(other),
                _ => return Err(Problem::malformed_query("Invalid string literal: illegal escape")),
            },
            other => value.push(other),
        }
    }
    Err(Problem::malformed_query("expecting a right quote, found nothing"))
}

struct Parser {
    tokens: Vec<Token>,
    at: usize,
}

const KEYWORDS: [&str; 10] = [
    "FROM", "USING", "WHERE", "WITH", "GROUP", "ORDER", "LIMIT", "OFFSET", "HAVING", "FOR",
];

impl Parser {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    fn next(&mut self) -> Result<Token, Problem> {
        let token = self
            .tokens
            .get(self.at)
            .cloned()
            .ok_or_else(|| Problem::malformed_query("unexpected end of the query"))?;
        self.at += 1;
        Ok(token)
    }

    /// Whether the next words are these; takes them if so.
    fn took(&mut self, words: &[&str]) -> bool {
        let found = words.iter().enumerate().all(|(at, wanted)| {
            matches!(self.tokens.get(self.at + at), Some(Token::Word(word)) if word.eq_ignore_ascii_case(wanted))
        });
        if found {
            self.at += words.len();
        }
        found
    }

    fn took_sign(&mut self, wanted: &str) -> bool {
        let found = matches!(self.peek(), Some(Token::Sign(sign)) if *sign == wanted);
        if found {
            self.at += 1;
        }
        found
    }

    fn expect(&mut self, word: &str) -> Result<(), Problem> {
        if self.took(&[word]) {
            return Ok(());
        }
        Err(self.peek().map_or_else(
            || Problem::malformed_query(format!("expecting '{word}'")),
            unexpected,
        ))
    }

    fn expect_sign(&mut self, sign: &str) -> Result<(), Problem> {
        if self.took_sign(sign) {
            return Ok(());
        }
        Err(self.peek().map_or_else(
            || Problem::malformed_query(format!("expecting '{sign}'")),
            unexpected,
        ))
    }

    fn name(&mut self) -> Result<String, Problem> {
        match self.next()? {
            Token::Word(word) => Ok(word),
            other => Err(unexpected(&other)),
        }
    }

    fn query(&mut self, is_child: bool) -> Result<Query, Problem> {
        self.expect("SELECT")?;
        let mut select = vec![self.item(is_child)?];
        while self.took_sign(",") {
            select.push(self.item(is_child)?);
        }
        self.expect("FROM")?;
        let from = self.name()?;
        let mut mine = false;
        if self.took(&["USING", "SCOPE"]) {
            let scope = self.name()?;
            mine = scope.eq_ignore_ascii_case("mine");
            if !mine && !scope.eq_ignore_ascii_case("everything") {
                return Err(Problem::malformed_query(format!(
                    "the scope {scope} is not supported by {from}"
                )));
            }
        }
        let filter = if self.took(&["WHERE"]) {
            Some(self.any()?)
        } else {
            None
        };
        // Rights on fields are not simulated: everything may be seen.
        let _secured = self.took(&["WITH", "SECURITY_ENFORCED"]) || self.took(&["WITH", "USER_MODE"]);
        let mut group = Vec::new();
        if self.took(&["GROUP", "BY"]) {
            group.push(self.name()?);
            while self.took_sign(",") {
                group.push(self.name()?);
            }
        }
        let mut order = Vec::new();
        if self.took(&["ORDER", "BY"]) {
            order.push(self.order()?);
            while self.took_sign(",") {
                order.push(self.order()?);
            }
        }
        let limit = if self.took(&["LIMIT"]) {
            Some(self.count()?)
        } else {
            None
        };
        let offset = if self.took(&["OFFSET"]) { self.count()? } else { 0 };
        Ok(Query {
            select,
            from,
            mine,
            filter,
            group,
            order,
            limit,
            offset,
        })
    }

    fn item(&mut self, is_child: bool) -> Result<Item, Problem> {
        if !is_child && self.took_sign("(") {
            let query = self.query(true)?;
            self.expect_sign(")")?;
            return Ok(Item::Children(Box::new(query)));
        }
        let name = self.name()?;
        if !self.took_sign("(") {
            return Ok(Item::Field(name));
        }
        if name.eq_ignore_ascii_case("fields") {
            let which = self.name()?.to_ascii_uppercase();
            self.expect_sign(")")?;
            let (standard, custom) = match which.as_str() {
                "ALL" => (true, true),
                "STANDARD" => (true, false),
                "CUSTOM" => (false, true),
                _ => return Err(unexpected(&Token::Word(which))),
            };
            return Ok(Item::Fields { standard, custom });
        }
        let function = match name.to_ascii_uppercase().as_str() {
            "COUNT" if self.took_sign(")") => return Ok(Item::Count),
            "COUNT" => Function::Count,
            "COUNT_DISTINCT" => Function::CountDistinct,
            "SUM" => Function::Sum,
            "AVG" => Function::Average,
            "MIN" => Function::Least,
            "MAX" => Function::Most,
            _ => return Err(unexpected(&Token::Word(name))),
        };
        let field = self.name()?;
        self.expect_sign(")")?;
        let alias = match self.peek() {
            Some(Token::Word(word)) if !KEYWORDS.iter().any(|keyword| keyword.eq_ignore_ascii_case(word)) => {
                Some(self.name()?)
            }
            _ => None,
        };
        Ok(Item::Aggregate {
            function,
            field,
            alias,
        })
    }

    fn order(&mut self) -> Result<Order, Problem> {
        let field = self.name()?;
        let descending = self.took(&["DESC"]);
        if !descending {
            self.took(&["ASC"]);
        }
        let nulls_last = self.took(&["NULLS", "LAST"]);
        if !nulls_last {
            self.took(&["NULLS", "FIRST"]);
        }
        Ok(Order {
            field,
            descending,
            nulls_last,
        })
    }

    fn count(&mut self) -> Result<usize, Problem> {
        match self.next()? {
            Token::Digits(digits) => digits
                .parse()
                .map_err(|_| unexpected(&Token::Digits(digits.clone()))),
            other => Err(unexpected(&other)),
        }
    }

    /// Conditions joined by OR. The vendor wants parentheses where AND and OR meet.
    fn any(&mut self) -> Result<Cond, Problem> {
        let first = self.one()?;
        let mut joined = vec![first];
        if self.took(&["AND"]) {
            joined.push(self.one()?);
            while self.took(&["AND"]) {
                joined.push(self.one()?);
            }
            if self.took(&["OR"]) {
                return Err(unexpected(&Token::Word("OR".to_owned())));
            }
            return Ok(Cond::All(joined));
        }
        while self.took(&["OR"]) {
            joined.push(self.one()?);
        }
        if self.took(&["AND"]) {
            return Err(unexpected(&Token::Word("AND".to_owned())));
        }
        Ok(match (joined.len(), joined.pop()) {
            (1, Some(only)) => only,
            (_, Some(last)) => {
                joined.push(last);
                Cond::Any(joined)
            }
            (_, None) => Cond::All(Vec::new()),
        })
    }

    fn one(&mut self) -> Result<Cond, Problem> {
        if self.took(&["NOT"]) {
            return Ok(Cond::Not(Box::new(self.one()?)));
        }
        if self.took_sign("(") {
            let cond = self.any()?;
            self.expect_sign(")")?;
            return Ok(cond);
        }
        let field = self.name()?;
        let op = if self.took(&["LIKE"]) {
            Op::Like
        } else if self.took(&["NOT", "IN"]) {
            Op::NotIn
        } else if self.took(&["IN"]) {
            Op::In
        } else {
            match self.next()? {
                Token::Sign("=") => Op::Eq,
                Token::Sign("!=" | "<>") => Op::Ne,
                Token::Sign("<") => Op::Lt,
                Token::Sign("<=") => Op::Le,
                Token::Sign(">") => Op::Gt,
                Token::Sign(">=") => Op::Ge,
                other => return Err(unexpected(&other)),
            }
        };
        let value = if matches!(op, Op::In | Op::NotIn) {
            self.expect_sign("(")?;
            let value = if matches!(self.peek(), Some(Token::Word(word)) if word.eq_ignore_ascii_case("select"))
            {
                Literal::Rows(Box::new(self.query(true)?))
            } else {
                let mut values = vec![self.literal()?];
                while self.took_sign(",") {
                    values.push(self.literal()?);
                }
                Literal::List(values)
            };
            self.expect_sign(")")?;
            value
        } else {
            self.literal()?
        };
        Ok(Cond::Is { field, op, value })
    }

    fn literal(&mut self) -> Result<Literal, Problem> {
        let token = self.next()?;
        match &token {
            Token::Text(text) => Ok(Literal::Text(text.clone())),
            Token::Digits(digits) if digits.contains('T') => Ok(Literal::Moment(digits.clone())),
            Token::Digits(digits) if digits.len() == 10 && digits.matches('-').count() == 2 => {
                Ok(Literal::Day(digits.clone()))
            }
            Token::Digits(digits) => digits
                .parse()
                .map(Literal::Number)
                .map_err(|_| unexpected(&token)),
            Token::Word(word) => match word.to_ascii_uppercase().as_str() {
                "NULL" => Ok(Literal::Null),
                "TRUE" => Ok(Literal::Bool(true)),
                "FALSE" => Ok(Literal::Bool(false)),
                upper => match upper.split_once(':') {
                    Some((name, number)) => number
                        .parse()
                        .map(|number| Literal::Relative(name.to_owned(), Some(number)))
                        .map_err(|_| unexpected(&token)),
                    None => Ok(Literal::Relative(upper.to_owned(), None)),
                },
            },
            Token::Sign(_) => Err(unexpected(&token)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_read_with_all_of_its_parts() {
        let query = parse(
            "SELECT Id, Account.Name, (SELECT Email FROM Contacts WHERE Email != null) FROM Opportunity \
             USING SCOPE mine WHERE (IsClosed = false) AND StageName LIKE 'O\\'Neil%' AND CloseDate <= 2026-12-31 \
             AND Id IN ('006', '007') ORDER BY CloseDate DESC NULLS LAST, Name LIMIT 20 OFFSET 5",
        )
        .unwrap();
        assert_eq!(query.from, "Opportunity");
        assert!(query.mine);
        assert_eq!((query.limit, query.offset), (Some(20), 5));
        assert_eq!(query.order.len(), 2);
        assert!(query.order[0].descending && query.order[0].nulls_last);
        assert!(matches!(&query.select[2], Item::Children(child) if child.from == "Contacts"));
        let Some(Cond::All(all)) = query.filter else {
            panic!("four conditions")
        };
        assert_eq!(
            all[1],
            Cond::Is {
                field: "StageName".to_owned(),
                op: Op::Like,
                value: Literal::Text("O'Neil%".to_owned())
            }
        );
        assert!(
            matches!(&all[2], Cond::Is { value: Literal::Day(day), op: Op::Le, .. } if day == "2026-12-31")
        );
    }

    #[test]
    fn what_the_vendor_refuses_is_refused() {
        for text in [
            "SELECT * FROM Account",
            "SELECT Id",
            "SELECT Id FROM Account WHERE",
            "SELECT Id FROM Account WHERE Name = 'x",
            "SELECT Id FROM Account WHERE Name = 'x' AND Name = 'y' OR Name = 'z'",
            "SELECT Id FROM Account LIMIT x",
            "SELECT Id FROM Account; DELETE",
            "SELECT Id FROM Account HAVING COUNT(Id) > 1",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
