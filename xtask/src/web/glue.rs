//! What wasm-bindgen writes between the wasm and the browser: without what nobody calls, and with short names.

use anyhow::{Context, Result, bail};
use std::{
    collections::BTreeMap,
    fmt::Write,
    fs,
    path::{Path, PathBuf},
};
use wasm_encoder::{EntityType, ExportSection, ImportSection, Module, RawSection, Section, SectionId, reencode::Reencode};
use wasmparser::{Parser, Payload};

/// What the wasm imports everything from that is no file of ours, and the object that the script has for it.
const MODULE: &str = "./app_bg.js";
const OBJECT: &str = "    const import0 = {";
const OBJECT_END: &str = "    };";
const ENTRY: &str = "        ";

fn script(package: &Path) -> PathBuf {
    package.join("app.js")
}

fn wasm(package: &Path) -> PathBuf {
    package.join("app_bg.wasm")
}

/// Takes out the classes that cannot have an instance, and what the wasm exports for them: no other tool dares to, for what is exported
/// could be called. (They are those of streams, which Leptos brings for server functions.)
pub(super) fn drop_classes(package: &Path) -> Result<()> {
    let text = fs::read_to_string(script(package))?;
    let classes = never_made(&text);
    fs::write(script(package), without_classes(&text, &classes))?;
    let exported = classes.iter().map(|class| class.to_lowercase()).collect::<Vec<_>>();
    let of_class =
        |name: &str| exported.iter().any(|class| name.starts_with(&format!("{class}_")) || name == format!("__wbg_{class}_free"));
    let bytes = fs::read(wasm(package))?;
    fs::write(wasm(package), without_exports(&bytes, of_class)?)?;
    Ok(())
}

/// The classes that have no constructor, and that the wasm hands out none of.
fn never_made(script: &str) -> Vec<String> {
    let names = script.lines().filter_map(|line| line.strip_prefix("export class ")?.strip_suffix(" {"));
    names.filter(|name| !script.contains(&format!("{name}.__wrap(")) && !has_constructor(script, name)).map(str::to_owned).collect()
}

fn has_constructor(script: &str, class: &str) -> bool {
    let start = format!("export class {class} {{");
    let body = script.lines().skip_while(|line| *line != start).take_while(|line| *line != "}");
    body.into_iter().any(|line| line.trim_start().starts_with("constructor("))
}

fn without_classes(script: &str, classes: &[String]) -> String {
    let mut out = String::new();
    // what ends the statement that is being left out
    let mut until = None;
    for line in script.lines() {
        for class in classes {
            if line == format!("export class {class} {{") {
                until = Some("}");
            } else if line.starts_with(&format!("if (Symbol.dispose) {class}.")) || line.starts_with(&format!("const {class}Finalization "))
            {
                until = Some(";");
            }
        }
        match until {
            Some(end) if line.ends_with(end) && (end == ";" || line == end) => until = None,
            Some(_) => {}
            None => {
                out.push_str(line);
                out.push('\n');
            }
        }
    }
    out
}

fn without_exports(wasm: &[u8], unwanted: impl Fn(&str) -> bool) -> Result<Vec<u8>> {
    let mut exports = ExportSection::new();
    for payload in Parser::new(0).parse_all(wasm) {
        if let Payload::ExportSection(section) = payload? {
            for export in section {
                let export = export?;
                if !unwanted(export.name) {
                    let kind = wasm_encoder::reencode::RoundtripReencoder.export_kind(export.kind)?;
                    exports.export(export.name, kind, export.index);
                }
            }
        }
    }
    with_section(wasm, SectionId::Export, &exports)
}

/// Gives everything in [`MODULE`] a short name, and takes out of the script what the wasm does not import (any more).
pub(super) fn shorten(package: &Path) -> Result<()> {
    let bytes = fs::read(wasm(package))?;
    let (bytes, names) = short_imports(&bytes)?;
    let text = fs::read_to_string(script(package))?;
    fs::write(script(package), renamed(&text, &names).context("app.js")?)?;
    fs::write(wasm(package), bytes)?;
    Ok(())
}

/// The wasm with short names, and which name became which.
fn short_imports(wasm: &[u8]) -> Result<(Vec<u8>, BTreeMap<String, String>)> {
    let mut imports = ImportSection::new();
    let mut names = BTreeMap::new();
    for payload in Parser::new(0).parse_all(wasm) {
        if let Payload::ImportSection(section) = payload? {
            for import in section.into_imports() {
                let import = import?;
                let next = format!("i{}", names.len());
                let name = if import.module == MODULE { names.entry(import.name.to_owned()).or_insert(next) } else { import.name };
                imports.import(import.module, name, EntityType::try_from(import.ty)?);
            }
        }
    }
    Ok((with_section(wasm, SectionId::Import, &imports)?, names))
}

fn renamed(script: &str, names: &BTreeMap<String, String>) -> Result<String> {
    let mut out = String::new();
    let (mut inside, mut wanted, mut found) = (false, true, 0);
    for line in script.lines() {
        if line == OBJECT {
            inside = true;
        } else if inside && line == OBJECT_END {
            (inside, wanted) = (false, true);
        } else if inside && let Some((name, value)) = entry(line) {
            wanted = name == "__proto__" || names.contains_key(name);
            if let Some(short) = names.get(name) {
                writeln!(out, "{ENTRY}{short}: {value}")?;
                found += 1;
                continue;
            }
        }
        if wanted {
            out.push_str(line);
            out.push('\n');
        }
    }
    if found != names.len() {
        bail!("{found} of the wasm's {} imports found in the script", names.len());
    }
    Ok(out)
}

/// The first line of a member of the object: its name and what follows.
fn entry(line: &str) -> Option<(&str, &str)> {
    let (name, value) = line.strip_prefix(ENTRY)?.split_once(": ")?;
    name.chars().all(|char| char.is_ascii_alphanumeric() || char == '_').then_some((name, value))
}

/// The module with another section of this kind, and all others as they are.
fn with_section(wasm: &[u8], id: SectionId, section: &impl Section) -> Result<Vec<u8>> {
    let mut module = Module::new();
    for payload in Parser::new(0).parse_all(wasm) {
        let Some((own, range)) = payload?.as_section() else { continue };
        if own == u8::from(id) {
            module.section(section);
        } else {
            let data = &wasm[usize::try_from(range.start)?..usize::try_from(range.end)?];
            module.section(&RawSection { id: own, data });
        }
    }
    Ok(module.finish())
}

#[cfg(test)]
mod tests {
    use super::*;
    use wasm_encoder::{CodeSection, ExportKind, Function, FunctionSection, TypeSection};

    const SCRIPT: &str = "\
export class Never {
    free() {
        const ptr = this.__destroy_into_raw();
    }
}
if (Symbol.dispose) Never.prototype[Symbol.dispose] = Never.prototype.free;
export class Made {
}
if (Symbol.dispose) Made.prototype[Symbol.dispose] = Made.prototype.free;
export class Built {
    constructor() {
    }
}
function __wbg_get_imports() {
    const import0 = {
        __proto__: null,
        __wbg_gone_1: function(arg0) {
            return arg0 ? { a: 1 } : 2;
        },
        __wbg_made_2: function(arg0) {
            return Made.__wrap(arg0);
        },
    };
    return {
        __proto__: null,
        \"./app_bg.js\": import0,
    };
}
const NeverFinalization = (typeof FinalizationRegistry === 'undefined')
    ? { register: () => {} }
    : new FinalizationRegistry(ptr => wasm.__wbg_never_free(ptr, 1));
const after = 1;
";

    /// Imports `imported` from the script's object and a function from elsewhere; exports `exported`.
    fn module(imported: &str, exported: &[&str]) -> Vec<u8> {
        let (mut types, mut imports, mut functions) = (TypeSection::new(), ImportSection::new(), FunctionSection::new());
        types.ty().function([], []);
        imports.import(MODULE, imported, EntityType::Function(0));
        imports.import("./link.js", "__wbg_made_2", EntityType::Function(0));
        functions.function(0);
        let (mut exports, mut code) = (ExportSection::new(), CodeSection::new());
        for name in exported {
            exports.export(name, ExportKind::Func, 2);
        }
        let mut function = Function::new([]);
        function.instructions().call(0).end();
        code.function(&function);
        let mut module = Module::new();
        module.section(&types).section(&imports).section(&functions).section(&exports).section(&code);
        module.finish()
    }

    #[test]
    fn a_class_goes_only_if_it_can_have_no_instance() {
        let classes = never_made(SCRIPT);
        assert_eq!(classes, ["Never"]);
        let text = without_classes(SCRIPT, &classes);
        assert!(!text.contains("Never"), "{text}");
        assert!(text.starts_with("export class Made {\n}\nif (Symbol.dispose) Made."), "{text}");
        assert!(text.contains("constructor()") && text.ends_with("}\nconst after = 1;\n"), "{text}");
    }

    #[test]
    fn its_exports_go_and_no_others() {
        let all = ["hydrate", "never_pull", "__wbg_never_free", "nevermore"];
        let kept = without_exports(&module("x", &all), |name| name.starts_with("never_") || name == "__wbg_never_free").expect("read");
        assert_eq!(kept, module("x", &["hydrate", "nevermore"]));
    }

    #[test]
    fn wasm_and_script_get_the_same_short_names() {
        let (wasm, names) = short_imports(&module("__wbg_made_2", &["hydrate"])).expect("read");
        assert_eq!(wasm, module("i0", &["hydrate"]));
        let text = renamed(SCRIPT, &names).expect("all found");
        assert!(text.contains(
            "        __proto__: null,\n        i0: function(arg0) {\n            return Made.__wrap(arg0);\n        },\n    };\n"
        ));
        assert!(!text.contains("__wbg_gone_1") && !text.contains("a: 1"), "{text}");
    }

    #[test]
    fn a_script_that_lacks_what_the_wasm_imports_is_refused() {
        let (_, names) = short_imports(&module("__wbg_other_3", &[])).expect("read");
        let error = renamed(SCRIPT, &names).expect_err("not in the script");
        assert!(error.to_string().contains("0 of the wasm's 1 imports"), "{error}");
    }
}
