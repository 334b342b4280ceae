//! The GRUB shell language, as far as network configurations use it (GRUB manual, "Writing full configuration files directly").

/// A part of a word: text, or a variable to put in its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part {
    /// As it stands.
    Text(String),
    /// `$name`; outside quotes its value is split at spaces.
    Variable {
        /// Without the dollar sign.
        name: String,
        /// Whether it stood in double quotes.
        quoted: bool,
    },
}

/// A word before expansion.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Word {
    /// In order.
    pub(super) parts: Vec<Part>,
    /// Whether any of it was quoted: an empty quoted word is still a word.
    pub(super) quoted: bool,
}

impl Word {
    /// The text, if it is nothing but unquoted text: the only form in which a keyword counts.
    #[must_use]
    pub(super) fn keyword(&self) -> Option<&str> {
        match self.parts.as_slice() {
            [Part::Text(text)] if !self.quoted => Some(text),
            _ => None,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Word(Word),
    End,
    Open,
    Close,
}

/// One statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Statement {
    /// A command and its arguments; assignments come as one word `name=value`.
    Command(Vec<Word>),
    /// Conditions with their bodies, then the else body.
    If(Vec<(Vec<Statement>, Vec<Statement>)>, Vec<Statement>),
    /// `while` (true) or `until` (false).
    While(bool, Vec<Statement>, Vec<Statement>),
    /// `for name in words`.
    For(String, Vec<Word>, Vec<Statement>),
    /// `function name { … }`.
    Function(String, Vec<Statement>),
    /// `menuentry` (true) or `submenu` (false) with its arguments and body.
    Menu(bool, Vec<Word>, Vec<Statement>),
}

/// Parses a script.
///
/// # Errors
/// GRUB's words for it, with the line.
pub(super) fn parse(text: &str) -> Result<Vec<Statement>, String> {
    let tokens = tokenize(text)?;
    let mut parser = Parser { tokens, at: 0, depth: 0 };
    let block = parser.block(&[])?;
    if parser.at < parser.tokens.len() {
        return Err(parser.error());
    }
    Ok(block)
}

fn tokenize(text: &str) -> Result<Vec<(Token, usize)>, String> {
    let mut tokens = Vec::new();
    let mut chars = text.chars().peekable();
    let mut line = 1;
    let mut word: Option<Word> = None;
    while let Some(c) = chars.next() {
        match c {
            ' ' | '\t' | '\r' => finish(&mut tokens, &mut word, line),
            '\n' | ';' => {
                finish(&mut tokens, &mut word, line);
                tokens.push((Token::End, line));
                line += usize::from(c == '\n');
            }
            '#' if word.is_none() => while chars.next_if(|&c| c != '\n').is_some() {},
            '{' | '}' if word.is_none() && chars.peek().is_none_or(|&next| next.is_whitespace() || next == ';') => {
                tokens.push((if c == '{' { Token::Open } else { Token::Close }, line));
            }
            '\\' => match chars.next() {
                Some('\n') => line += 1,
                Some(escaped) => text_part(word.get_or_insert_default(), escaped),
                None => return Err("syntax error: unexpected end of file".into()),
            },
            '\'' => {
                let word = word.get_or_insert_default();
                word.quoted = true;
                loop {
                    match chars.next() {
                        Some('\'') => break,
                        Some(c) => {
                            line += usize::from(c == '\n');
                            text_part(word, c);
                        }
                        None => return Err("syntax error: unterminated quote".into()),
                    }
                }
            }
            '"' => {
                let word = word.get_or_insert_default();
                word.quoted = true;
                loop {
                    match chars.next() {
                        Some('"') => break,
                        Some('$') => variable(word, &mut chars, true),
                        Some('\\') => match chars.next() {
                            Some('\n') => line += 1,
                            Some(escaped @ ('"' | '$' | '\\')) => text_part(word, escaped),
                            Some(other) => {
                                text_part(word, '\\');
                                text_part(word, other);
                            }
                            None => return Err("syntax error: unterminated quote".into()),
                        },
                        Some(c) => {
                            line += usize::from(c == '\n');
                            text_part(word, c);
                        }
                        None => return Err("syntax error: unterminated quote".into()),
                    }
                }
            }
            '$' => variable(word.get_or_insert_default(), &mut chars, false),
            '|' | '&' | '<' | '>' => return Err(format!("syntax error: line {line}: unexpected `{c}'")),
            c => text_part(word.get_or_insert_default(), c),
        }
    }
    finish(&mut tokens, &mut word, line);
    tokens.push((Token::End, line));
    Ok(tokens)
}

fn finish(tokens: &mut Vec<(Token, usize)>, word: &mut Option<Word>, line: usize) {
    if let Some(word) = word.take() {
        tokens.push((Token::Word(word), line));
    }
}

fn text_part(word: &mut Word, c: char) {
    match word.parts.last_mut() {
        Some(Part::Text(text)) => text.push(c),
        _ => word.parts.push(Part::Text(c.to_string())),
    }
}

fn variable(word: &mut Word, chars: &mut std::iter::Peekable<std::str::Chars<'_>>, quoted: bool) {
    let mut name = String::new();
    if chars.next_if_eq(&'{').is_some() {
        for c in chars.by_ref() {
            if c == '}' {
                break;
            }
            name.push(c);
        }
    } else if let Some(special) = chars.next_if(|c| matches!(c, '?' | '#' | '@' | '*')) {
        name.push(special);
    } else {
        while let Some(c) = chars.next_if(|c| c.is_ascii_alphanumeric() || *c == '_') {
            name.push(c);
        }
    }
    if name.is_empty() {
        text_part(word, '$');
    } else {
        word.parts.push(Part::Variable { name, quoted });
    }
}

struct Parser {
    tokens: Vec<(Token, usize)>,
    at: usize,
    depth: usize,
}

/// Deeper nesting than any real configuration has; keeps a hostile file from exhausting the stack.
const DEPTH: usize = 32;

impl Parser {
    fn error(&self) -> String {
        let line = self.tokens.get(self.at).or(self.tokens.last()).map_or(1, |(_, line)| *line);
        format!("syntax error: line {line}")
    }

    fn keyword(&self) -> Option<&str> {
        match self.tokens.get(self.at) {
            Some((Token::Word(word), _)) => word.keyword(),
            _ => None,
        }
    }

    fn skip_ends(&mut self) {
        while matches!(self.tokens.get(self.at), Some((Token::End, _))) {
            self.at += 1;
        }
    }

    fn expect_keyword(&mut self, wanted: &str) -> Result<(), String> {
        self.skip_ends();
        if self.keyword() != Some(wanted) {
            return Err(self.error());
        }
        self.at += 1;
        Ok(())
    }

    /// Statements up to one of the keywords, a closing brace or the end; none of which is consumed.
    fn block(&mut self, until: &[&str]) -> Result<Vec<Statement>, String> {
        self.depth += 1;
        if self.depth > DEPTH {
            return Err("syntax error: nested too deeply".into());
        }
        let mut block = Vec::new();
        loop {
            self.skip_ends();
            match self.tokens.get(self.at) {
                None | Some((Token::Close, _)) => break,
                Some(_) if self.keyword().is_some_and(|word| until.contains(&word)) => break,
                Some(_) => block.push(self.statement()?),
            }
        }
        self.depth -= 1;
        Ok(block)
    }

    fn braces(&mut self) -> Result<Vec<Statement>, String> {
        self.skip_ends();
        if !matches!(self.tokens.get(self.at), Some((Token::Open, _))) {
            return Err(self.error());
        }
        self.at += 1;
        let block = self.block(&[])?;
        if !matches!(self.tokens.get(self.at), Some((Token::Close, _))) {
            return Err(self.error());
        }
        self.at += 1;
        Ok(block)
    }

    fn words(&mut self) -> Vec<Word> {
        let mut words = Vec::new();
        while let Some((Token::Word(word), _)) = self.tokens.get(self.at) {
            words.push(word.clone());
            self.at += 1;
        }
        words
    }

    fn statement(&mut self) -> Result<Statement, String> {
        let keyword = self.keyword().unwrap_or_default().to_owned();
        let start = self.at;
        self.at += 1;
        match keyword.as_str() {
            "if" => {
                let mut branches = Vec::new();
                loop {
                    let condition = self.block(&["then"])?;
                    self.expect_keyword("then")?;
                    let body = self.block(&["elif", "else", "fi"])?;
                    branches.push((condition, body));
                    if self.keyword() != Some("elif") {
                        break;
                    }
                    self.at += 1;
                }
                let mut otherwise = Vec::new();
                if self.keyword() == Some("else") {
                    self.at += 1;
                    otherwise = self.block(&["fi"])?;
                }
                self.expect_keyword("fi")?;
                Ok(Statement::If(branches, otherwise))
            }
            "while" | "until" => {
                let condition = self.block(&["do"])?;
                self.expect_keyword("do")?;
                let body = self.block(&["done"])?;
                self.expect_keyword("done")?;
                Ok(Statement::While(keyword == "while", condition, body))
            }
            "for" => {
                let name = self.keyword().ok_or_else(|| self.error())?.to_owned();
                self.at += 1;
                self.expect_keyword("in")?;
                let words = self.words();
                self.expect_keyword("do")?;
                let body = self.block(&["done"])?;
                self.expect_keyword("done")?;
                Ok(Statement::For(name, words, body))
            }
            "function" => {
                let name = self.keyword().ok_or_else(|| self.error())?.to_owned();
                self.at += 1;
                Ok(Statement::Function(name, self.braces()?))
            }
            "menuentry" | "submenu" => {
                let words = self.words();
                Ok(Statement::Menu(keyword == "menuentry", words, self.braces()?))
            }
            "then" | "elif" | "else" | "fi" | "do" | "done" => {
                self.at = start;
                Err(self.error())
            }
            _ => {
                self.at = start;
                let words = self.words();
                if words.is_empty() { Err(self.error()) } else { Ok(Statement::Command(words)) }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(statement: &Statement) -> usize {
        match statement {
            Statement::Command(words) => words.len(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn commands_quotes_and_comments() {
        let script = parse("# hello\nset a=\"b c\"; echo 'x $y' z\\ z # not me\nlinux /k \\\n  one\n").unwrap();
        assert_eq!(script.len(), 3);
        assert_eq!(script.iter().map(words).collect::<Vec<_>>(), [2, 3, 3]);
    }

    #[test]
    fn blocks() {
        let script =
            parse("if [ \"$a\" = b ]; then\n echo 1\nelif true; then echo 2\nelse\n echo 3\nfi\nmenuentry 'T' --id x {\n linux /k\n}\nfunction f { echo; }").unwrap();
        assert!(matches!(&script[0], Statement::If(branches, otherwise) if branches.len() == 2 && otherwise.len() == 1));
        assert!(matches!(&script[1], Statement::Menu(true, words, body) if words.len() == 3 && body.len() == 1));
        assert!(matches!(&script[2], Statement::Function(name, _) if name == "f"));
    }

    #[test]
    fn nonsense_is_refused_with_its_line() {
        for bad in ["if true; then echo", "fi", "menuentry x { echo", "echo 'a", "}", "a | b", "\n\nthen"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
        assert_eq!(parse("\n\nthen").unwrap_err(), "syntax error: line 3");
        let deep = "if true; then ".repeat(5000);
        assert!(parse(&deep).is_err());
    }
}
