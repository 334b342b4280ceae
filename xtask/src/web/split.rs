//! Cuts the pages' code off the application's wasm, before wasm-bindgen and wasm-opt see either.
//!
//! A page is loaded with its own part and with the common parts that it uses something of.

use anyhow::{Context, Result, anyhow, bail};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
    fs,
    path::Path,
};
use wasm_split_cli_support::{Options, transform};

use super::{merge::merge, unused::drop_unused};

/// What pages have in common, by who is to load no more of it than they use: everything that page uses and another one, too.
/// The first that fits has it; what none of these pages uses is `SHARED`.
const COMMON: [(&str, &str); 2] = [("forms", "new_machine"), ("details", "machine")];
const SHARED: &str = "shared";

/// The parts of each page, its own last.
pub(super) type Pages = BTreeMap<String, Vec<String>>;

/// The file of a part in the package, without its ending.
pub(super) fn stem(part: &str) -> String {
    format!("part_{part}")
}

/// Writes the parts into `package`, with `main.wasm` for wasm-bindgen and `link.js`, which loads them.
pub(super) fn split(wasm: &Path, package: &Path) -> Result<Pages> {
    let mut input = fs::read(wasm).with_context(|| wasm.display().to_string())?;
    let unused = drop_unused(&mut input)?;
    eprintln!("{unused:>13} functions of views left out");
    let pieces = package.join("pieces");
    let main = package.join("main.wasm");
    let mut options = Options::new(&input);
    options.output_dir = &pieces;
    options.main_out_path = &main;
    options.link_name = "./link.js";
    let made = transform(options).map_err(|error| anyhow!("{error:?}"))?;
    let needs: BTreeMap<String, Vec<String>> = made.prefetch_map.into_iter().collect();
    if needs.is_empty() {
        bail!("{} has no parts", wasm.display());
    }
    let (parts, pages) = group(&needs);
    for (part, files) in &parts {
        let read = |file: &String| fs::read(pieces.join(format!("{file}.wasm"))).with_context(|| file.clone());
        let files = files.iter().map(read).collect::<Result<Vec<_>>>()?;
        fs::write(package.join(format!("{}.wasm", stem(part))), merge(&files).with_context(|| part.clone())?)?;
    }
    let canary = canary(&fs::read_to_string(pieces.join("link.js"))?);
    fs::write(package.join("link.js"), link(&pages, canary.as_deref()))?;
    Ok(pages)
}

/// What pieces each part is made of, and what parts each page is.
fn group(needs: &BTreeMap<String, Vec<String>>) -> (BTreeMap<String, Vec<String>>, Pages) {
    let mut users = BTreeMap::<&str, BTreeSet<&str>>::new();
    for (page, pieces) in needs {
        for piece in pieces {
            users.entry(piece).or_default().insert(page);
        }
    }
    let part_of = |piece: &str| {
        let users = &users[piece];
        match (users.first(), users.len()) {
            (Some(page), 1) => *page,
            _ => COMMON.iter().find(|(_, page)| users.contains(page)).map_or(SHARED, |(part, _)| part),
        }
    };
    let mut parts = BTreeMap::<String, Vec<String>>::new();
    for piece in users.keys() {
        parts.entry(part_of(piece).to_owned()).or_default().push((*piece).to_owned());
    }
    let order =
        |part: &str| COMMON.iter().map(|(common, _)| *common).chain([SHARED]).position(|common| common == part).unwrap_or(COMMON.len() + 1);
    let pages = needs.iter().map(|(page, pieces)| {
        let mut own: Vec<String> = pieces.iter().map(|piece| part_of(piece).to_owned()).collect::<BTreeSet<_>>().into_iter().collect();
        own.sort_by_key(|part| order(part));
        (page.clone(), own)
    });
    let pages = pages.collect();
    (parts, pages)
}

/// The import by which a part of a debug build makes sure that it belongs to this very build.
fn canary(link: &str) -> Option<String> {
    let start = link.find("__canary_")?;
    Some(link[start..].chars().take_while(|char| char.is_ascii_alphanumeric() || *char == '_').collect())
}

/// The module that the application's wasm imports the loading of its pages from.
fn link(pages: &Pages, canary: Option<&str>) -> String {
    let parts: BTreeSet<&String> = pages.values().flatten().collect();
    // esbuild turns the import of a .wasm into its hashed address
    let mut out = parts.iter().fold(String::from("import { loader } from \"./parts.js\";\n"), |mut out, part| {
        let stem = stem(part);
        let _ = writeln!(out, "import {stem} from \"./{stem}.wasm\";");
        out
    });
    let _ = writeln!(out, "const load = loader({});", canary.map(|name| format!("\"{name}\"")).unwrap_or_default());
    for (page, parts) in pages {
        let addresses: Vec<String> = parts.iter().map(|part| stem(part)).collect();
        let _ = writeln!(out, "export const __wasm_split_load_{page} = load({});", addresses.join(", "));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn needs(list: &[(&str, &[&str])]) -> BTreeMap<String, Vec<String>> {
        list.iter().map(|(page, pieces)| ((*page).to_owned(), pieces.iter().map(|piece| (*piece).to_owned()).collect())).collect()
    }

    #[test]
    fn every_piece_is_in_one_part_and_a_page_loads_all_it_needs() {
        let needs = needs(&[
            ("new_machine", &["a", "split_new_machine"]),
            ("machine", &["a", "b", "split_machine"]),
            ("users", &["b", "c", "split_users"]),
            ("audit", &["c", "split_audit"]),
            ("empty", &[]),
        ]);
        let (parts, pages) = group(&needs);
        let expected = [
            ("audit", vec!["split_audit"]),
            ("details", vec!["b"]),
            ("forms", vec!["a"]),
            ("machine", vec!["split_machine"]),
            ("new_machine", vec!["split_new_machine"]),
            ("shared", vec!["c"]),
            ("users", vec!["split_users"]),
        ];
        assert_eq!(parts, expected.map(|(part, pieces)| (part.to_owned(), pieces.into_iter().map(str::to_owned).collect())).into());
        assert_eq!(pages["machine"], ["forms", "details", "machine"]);
        assert_eq!(pages["users"], ["details", "shared", "users"]);
        assert_eq!(pages["audit"], ["shared", "audit"]);
        assert!(pages["empty"].is_empty());
    }

    #[test]
    fn the_loader_names_every_page_and_every_part_once() {
        let (_, pages) = group(&needs(&[("new_machine", &["a", "n"]), ("users", &["a", "u"])]));
        let expected = "import { loader } from \"./parts.js\";\nimport part_forms from \"./part_forms.wasm\";\n\
            import part_new_machine from \"./part_new_machine.wasm\";\nimport part_users from \"./part_users.wasm\";\nconst load = loader();\n\
            export const __wasm_split_load_new_machine = load(part_forms, part_new_machine);\n\
            export const __wasm_split_load_users = load(part_forms, part_users);\n";
        assert_eq!(link(&pages, None), expected);
        assert_eq!(canary("sharedImports = { __wasm_split: { __canary_1f: ~0xdead, } };").as_deref(), Some("__canary_1f"));
        assert!(link(&pages, Some("__canary_1f")).contains("loader(\"__canary_1f\")"));
    }
}
