//! The query language of machine lists: S-expressions such as `(and (= arch "arm64") (= assignee_count 0))`.
//!
//! Operators: `and or = != > >= < <= =~` (`=~`: contains). A `;` begins a comment. An empty query, `nil` and `t` mean all.
//! Comparing with `nil` asks whether there is a value; any other comparison with a value that is not there is false.
//! Symbols that hold several values (`assignee`, `mac`, `network`, `tag`) fit when one of them fits, and `!=` when none is equal.

use std::{fmt, iter::Peekable, str::CharIndices};

/// Most bytes of a query.
const LENGTH: usize = 4096;
/// Deepest nesting.
const DEPTH: usize = 32;

/// A query that was understood.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query(Option<Expression>);

/// What is wrong with a query, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct QueryError {
    pub message: String,
    /// Character of the query, from 1.
    pub position: usize,
}

impl fmt::Display for QueryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "query: {}, at character {}", self.message, self.position)
    }
}

/// What can be asked of a machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Symbol {
    Name,
    Arch,
    Subarch,
    BmcType,
    State,
    Power,
    Assignee,
    AssigneeCount,
    InterfaceCount,
    Mac,
    Network,
    NetbootEnabled,
    Tag,
}

/// What a machine holds under a symbol.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Held<'a> {
    Text(Option<&'a str>),
    Texts(Vec<&'a str>),
    Number(i64),
    Flag(bool),
}

/// A text as it stands in a query.
#[must_use]
pub fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// Something queries are asked of.
pub trait Subject {
    fn held(&self, symbol: Symbol) -> Held<'_>;
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Expression {
    All,
    And(Vec<Expression>),
    Or(Vec<Expression>),
    Compare(Symbol, Operator, Constant),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    Equal,
    NotEqual,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
    Contains,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Constant {
    Text(String),
    Number(i64),
    True,
    Nil,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Texts,
    Number,
    Flag,
}

impl Symbol {
    const ALL: [(&'static str, Self); 13] = [
        ("name", Self::Name),
        ("arch", Self::Arch),
        ("subarch", Self::Subarch),
        ("bmc_type", Self::BmcType),
        ("state", Self::State),
        ("power", Self::Power),
        ("assignee", Self::Assignee),
        ("assignee_count", Self::AssigneeCount),
        ("interface_count", Self::InterfaceCount),
        ("mac", Self::Mac),
        ("network", Self::Network),
        ("netboot_enabled", Self::NetbootEnabled),
        ("tag", Self::Tag),
    ];

    /// What they are called in queries.
    pub fn names() -> impl Iterator<Item = &'static str> {
        Self::ALL.into_iter().map(|(name, _)| name)
    }

    fn kind(self) -> Kind {
        match self {
            Self::Name | Self::Arch | Self::Subarch | Self::BmcType | Self::State | Self::Power => Kind::Text,
            Self::Assignee | Self::Mac | Self::Network | Self::Tag => Kind::Texts,
            Self::AssigneeCount | Self::InterfaceCount => Kind::Number,
            Self::NetbootEnabled => Kind::Flag,
        }
    }
}

impl Operator {
    const ALL: [(&'static str, Self); 7] = [
        ("=", Self::Equal),
        ("!=", Self::NotEqual),
        (">", Self::Greater),
        (">=", Self::GreaterOrEqual),
        ("<", Self::Less),
        ("<=", Self::LessOrEqual),
        ("=~", Self::Contains),
    ];

    /// The operator that says the same with its sides exchanged.
    fn turned(self) -> Self {
        match self {
            Self::Greater => Self::Less,
            Self::GreaterOrEqual => Self::LessOrEqual,
            Self::Less => Self::Greater,
            Self::LessOrEqual => Self::GreaterOrEqual,
            same => same,
        }
    }

    fn holds<T: Ord>(self, left: &T, right: &T) -> bool {
        match self {
            Self::Equal => left == right,
            Self::NotEqual => left != right,
            Self::Greater => left > right,
            Self::GreaterOrEqual => left >= right,
            Self::Less => left < right,
            Self::LessOrEqual => left <= right,
            Self::Contains => false,
        }
    }

    fn holds_text(self, left: &str, right: &str) -> bool {
        if self == Self::Contains { left.contains(right) } else { self.holds(&left, &right) }
    }
}

impl Query {
    /// # Errors
    /// What is wrong, and where.
    pub fn parse(text: &str) -> Result<Self, QueryError> {
        let mut reader = Reader { text, left: text.char_indices().peekable() };
        if text.len() > LENGTH {
            return Err(reader.fault(0, format!("longer than {LENGTH} bytes")));
        }
        reader.skip_blank();
        if reader.left.peek().is_none() {
            return Ok(Self(None));
        }
        let expression = reader.expression(1)?;
        reader.skip_blank();
        match reader.left.peek().copied() {
            Some((at, _)) => Err(reader.fault(at, "there is something after the end of the expression".into())),
            None => Ok(Self(Some(expression))),
        }
    }

    /// Whether it asks for all.
    #[must_use]
    pub fn is_all(&self) -> bool {
        matches!(self.0, None | Some(Expression::All))
    }

    #[must_use]
    pub fn fits(&self, subject: &impl Subject) -> bool {
        self.0.as_ref().is_none_or(|expression| expression.fits(subject))
    }
}

impl Expression {
    fn fits(&self, subject: &impl Subject) -> bool {
        match self {
            Self::All => true,
            Self::And(parts) => parts.iter().all(|part| part.fits(subject)),
            Self::Or(parts) => parts.iter().any(|part| part.fits(subject)),
            Self::Compare(symbol, operator, constant) => compare(&subject.held(*symbol), *operator, constant),
        }
    }
}

fn compare(held: &Held<'_>, operator: Operator, constant: &Constant) -> bool {
    let nothing = operator == Operator::Equal;
    match (held, constant) {
        (Held::Text(held), Constant::Nil) => held.is_none() == nothing,
        (Held::Texts(held), Constant::Nil) => held.is_empty() == nothing,
        (Held::Text(held), Constant::Text(text)) => held.is_some_and(|held| operator.holds_text(held, text)),
        (Held::Texts(held), Constant::Text(text)) if operator == Operator::NotEqual => held.iter().all(|held| held != text),
        (Held::Texts(held), Constant::Text(text)) => held.iter().any(|held| operator.holds_text(held, text)),
        (Held::Number(held), Constant::Number(number)) => operator.holds(held, number),
        (Held::Flag(held), Constant::True | Constant::Nil) => operator.holds(held, &(*constant == Constant::True)),
        // `Reader::fitting` lets no other pair pass
        _ => false,
    }
}

struct Reader<'a> {
    text: &'a str,
    left: Peekable<CharIndices<'a>>,
}

enum Atom {
    Symbol(Symbol),
    Constant(Constant),
}

impl Reader<'_> {
    fn fault(&self, at: usize, message: String) -> QueryError {
        let position = self.text.get(..at).unwrap_or(self.text).chars().count() + 1;
        QueryError { message, position }
    }

    fn skip_blank(&mut self) {
        while let Some((_, c)) = self.left.next_if(|(_, c)| c.is_whitespace() || *c == ';') {
            if c == ';' {
                while self.left.next_if(|(_, c)| *c != '\n').is_some() {}
            }
        }
    }

    /// Where the next thing begins.
    fn next(&mut self, wanted: &str) -> Result<(usize, char), QueryError> {
        self.skip_blank();
        let end = self.text.len();
        self.left.peek().copied().ok_or_else(|| self.fault(end, format!("it ends where {wanted} should be")))
    }

    fn expression(&mut self, depth: usize) -> Result<Expression, QueryError> {
        let (at, c) = self.next("an expression")?;
        if c != '(' {
            return match self.atom()? {
                (Atom::Constant(Constant::True | Constant::Nil), _) => Ok(Expression::All),
                _ => Err(self.fault(at, "an expression begins with `(`".into())),
            };
        }
        if depth > DEPTH {
            return Err(self.fault(at, format!("nested deeper than {DEPTH} levels")));
        }
        self.left.next();
        let (at, _) = self.next("an operation")?;
        let word = self.word();
        match word.as_str() {
            "and" => self.parts(depth).map(Expression::And),
            "or" => self.parts(depth).map(Expression::Or),
            word => match Operator::ALL.iter().find(|(name, _)| *name == word) {
                Some((_, operator)) => self.comparison(at, word, *operator),
                None => Err(self.fault(at, format!("`{word}` is not a valid operation"))),
            },
        }
    }

    /// Expressions up to the closing bracket.
    fn parts(&mut self, depth: usize) -> Result<Vec<Expression>, QueryError> {
        let mut parts = Vec::new();
        while self.next("`)`")?.1 != ')' {
            parts.push(self.expression(depth + 1)?);
        }
        self.left.next();
        Ok(parts)
    }

    fn comparison(&mut self, at: usize, word: &str, operator: Operator) -> Result<Expression, QueryError> {
        let mut sides = Vec::new();
        while self.next("`)`")?.1 != ')' {
            sides.push(self.atom()?);
        }
        self.left.next();
        let expression = match <[(Atom, usize); 2]>::try_from(sides) {
            Ok([(Atom::Symbol(symbol), _), (Atom::Constant(constant), at)]) => self.fitting(symbol, operator, constant, at)?,
            Ok([(Atom::Constant(constant), at), (Atom::Symbol(symbol), _)]) if operator != Operator::Contains => {
                self.fitting(symbol, operator.turned(), constant, at)?
            }
            Ok(_) => return Err(self.fault(at, format!("`{word}` compares a symbol with a value"))),
            Err(sides) => return Err(self.fault(at, format!("`{word}` takes two arguments, not {}", sides.len()))),
        };
        Ok(expression)
    }

    fn fitting(&self, symbol: Symbol, operator: Operator, constant: Constant, at: usize) -> Result<Expression, QueryError> {
        let equality = matches!(operator, Operator::Equal | Operator::NotEqual);
        let fits = match (symbol.kind(), &constant) {
            (Kind::Text | Kind::Texts, Constant::Text(_)) => true,
            (Kind::Text | Kind::Texts, Constant::Nil) | (Kind::Flag, Constant::True | Constant::Nil) => equality,
            (Kind::Number, Constant::Number(_)) => operator != Operator::Contains,
            _ => false,
        };
        if fits {
            return Ok(Expression::Compare(symbol, operator, constant));
        }
        let wanted = match symbol.kind() {
            Kind::Text | Kind::Texts => "a text in double quotes, or (with = and !=) nil",
            Kind::Number => "a whole number",
            Kind::Flag => "t or nil, with = or !=",
        };
        Err(self.fault(at, format!("what this compares with must be {wanted}")))
    }

    fn atom(&mut self) -> Result<(Atom, usize), QueryError> {
        let (at, c) = self.next("a value")?;
        if c == '"' {
            return Ok((Atom::Constant(Constant::Text(self.string(at)?)), at));
        }
        let word = self.word();
        let atom = match word.as_str() {
            "t" => Atom::Constant(Constant::True),
            "nil" => Atom::Constant(Constant::Nil),
            "" => return Err(self.fault(at, format!("`{c}` is not expected here"))),
            word => match Symbol::ALL.iter().find(|(name, _)| *name == word) {
                Some((_, symbol)) => Atom::Symbol(*symbol),
                None => match word.parse() {
                    Ok(number) => Atom::Constant(Constant::Number(number)),
                    Err(_) => return Err(self.fault(at, format!("`{word}` is not a valid symbol"))),
                },
            },
        };
        Ok((atom, at))
    }

    fn word(&mut self) -> String {
        let mut word = String::new();
        while let Some((_, c)) = self.left.next_if(|(_, c)| !c.is_whitespace() && !"()\";".contains(*c)) {
            word.push(c);
        }
        word
    }

    /// A text in double quotes; a backslash takes the next character as it is.
    fn string(&mut self, at: usize) -> Result<String, QueryError> {
        self.left.next();
        let mut text = String::new();
        loop {
            match self.left.next() {
                Some((_, '"')) => return Ok(text),
                Some((_, '\\')) => text.extend(self.left.next().map(|(_, c)| c)),
                Some((_, c)) => text.push(c),
                None => return Err(self.fault(at, "a text without its closing quote".into())),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Sample;

    impl Subject for Sample {
        fn held(&self, symbol: Symbol) -> Held<'_> {
            match symbol {
                Symbol::Name => Held::Text(Some("d05-1")),
                Symbol::Arch => Held::Text(Some("arm64")),
                Symbol::Subarch | Symbol::BmcType => Held::Text(None),
                Symbol::State => Held::Text(Some("ready")),
                Symbol::Power => Held::Text(Some("off")),
                Symbol::Assignee => Held::Texts(vec!["ann", "bob"]),
                Symbol::AssigneeCount => Held::Number(2),
                Symbol::InterfaceCount => Held::Number(0),
                Symbol::Mac | Symbol::Network => Held::Texts(vec![]),
                Symbol::NetbootEnabled => Held::Flag(true),
                Symbol::Tag => Held::Texts(vec!["rack 4"]),
            }
        }
    }

    fn fits(text: &str) -> bool {
        Query::parse(text).unwrap().fits(&Sample)
    }

    #[test]
    fn queries_of_the_original() {
        for yes in [
            "",
            "nil",
            "t",
            " ; all of them",
            "(and)",
            "(= name \"d05-1\")",
            "(= \"d05-1\" name)",
            "(=~ name \"05\")",
            "(and (= arch \"arm64\") (> assignee_count 1))",
            "(or (= name \"x\") (>= 2 assignee_count))",
            "(< 1 assignee_count)",
            "(= bmc_type nil)",
            "(!= arch nil)",
            "(= interface_count 0) ; none",
            "(and (= arch \"arm64\")\n ; a comment\n (!= name \"d05-2\"))",
        ] {
            assert!(fits(yes), "{yes}");
        }
        for no in [
            "(or)",
            "(= name \"D05-1\")",
            "(=~ name \"%\")",
            "(=~ name \"D05\")",
            "(!= bmc_type \"plain\")",
            "(= bmc_type \"plain\")",
            "(> assignee_count 2)",
        ] {
            assert!(!fits(no), "{no}");
        }
    }

    #[test]
    fn symbols_with_several_values() {
        assert!(fits("(= assignee \"ann\")"));
        assert!(fits("(= assignee \"bob\")"));
        assert!(!fits("(!= assignee \"bob\")"));
        assert!(fits("(!= assignee \"eve\")"));
        assert!(fits("(!= assignee nil)"));
        assert!(fits("(= network nil)"));
        assert!(!fits("(= mac \"52:54:00:00:00:01\")"));
    }

    #[test]
    fn new_symbols() {
        assert!(fits("(= netboot_enabled t)"));
        assert!(!fits("(= netboot_enabled nil)"));
        assert!(fits("(and (= state \"ready\") (= subarch nil))"));
    }

    #[test]
    fn a_fault_is_told_with_its_place() {
        for (text, message, position) in [
            ("(", "it ends where an operation should be", 2),
            ("(foo)", "`foo` is not a valid operation", 2),
            ("name", "an expression begins with `(`", 1),
            ("(= name \"x\"", "it ends where `)` should be", 12),
            ("(= name \"x)", "a text without its closing quote", 9),
            ("(= name)", "`=` takes two arguments, not 1", 2),
            ("(= \"é\" nome)", "`nome` is not a valid symbol", 8),
            ("(=~ name 5)", "what this compares with must be a text in double quotes, or (with = and !=) nil", 10),
            ("(= assignee_count \"0\")", "what this compares with must be a whole number", 19),
            ("(> name nil)", "what this compares with must be a text in double quotes, or (with = and !=) nil", 9),
            ("(= name arch)", "`=` compares a symbol with a value", 2),
            ("(and) (and)", "there is something after the end of the expression", 7),
            ("(and (= name (or)))", "`(` is not expected here", 14),
            (")", "`)` is not expected here", 1),
        ] {
            let fault = Query::parse(text).unwrap_err();
            assert_eq!((fault.message.as_str(), fault.position), (message, position), "{text}");
        }
    }

    #[test]
    fn size_and_depth_are_bounded() {
        let nested = |depth: usize| "(and ".repeat(depth) + &")".repeat(depth);
        assert!(Query::parse(&nested(DEPTH)).is_ok());
        assert!(Query::parse(&nested(DEPTH + 1)).unwrap_err().message.contains("deeper"));
        assert!(Query::parse(&" ".repeat(LENGTH + 1)).is_err());
    }

    #[test]
    fn quotes_within_texts_are_escaped_by_a_backslash() {
        assert_eq!(quoted(r#"a"b\c"#), r#""a\"b\\c""#);
        assert_eq!(
            Query::parse(r#"(= name "a\"b\\c")"#).unwrap(),
            Query(Some(Expression::Compare(Symbol::Name, Operator::Equal, Constant::Text(r#"a"b\c"#.into()))))
        );
    }
}
