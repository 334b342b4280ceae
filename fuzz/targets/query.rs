//! The query language of machine lists.

#![no_main]

use libfuzzer_sys::fuzz_target;

// not `app` itself, which brings the whole browser framework
#[allow(dead_code)]
#[path = "../../app/src/api/query.rs"]
mod query;

use query::{Held, Query, Subject, Symbol};

struct Machine;

impl Subject for Machine {
    fn held(&self, symbol: Symbol) -> Held<'_> {
        match symbol {
            Symbol::Assignee | Symbol::Mac | Symbol::Network => Held::Texts(vec!["ann", "bob"]),
            Symbol::AssigneeCount | Symbol::InterfaceCount => Held::Number(2),
            Symbol::NetbootEnabled => Held::Flag(true),
            Symbol::Subarch => Held::Text(None),
            _ => Held::Text(Some("arm64")),
        }
    }
}

fuzz_target!(|data: &[u8]| {
    let text = String::from_utf8_lossy(data);
    match Query::parse(&text) {
        Ok(query) => {
            let fits = query.fits(&Machine);
            assert!(fits || !query.is_all());
        }
        // where it says the mistake is, there is text, or its end
        Err(error) => assert!((1..=text.chars().count() + 1).contains(&error.position) && !error.message.is_empty(), "{error:?}"),
    }
});
