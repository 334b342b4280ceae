//! What is in the wasm because Leptos' views could need it, and ours do not.

use anyhow::{Context, Result, bail};

/// Reached through tables of functions only, and never merged with others, for nothing else returns what they do:
/// - hydration that waits for pages in between, `hydrate_lazy`. `frontend` loads the page before it hydrates. Each view brings a future
///   for it, a tenth of all code;
/// - the list of all routes, which a server asks for.
///
/// Not among them: hydration of attributes from a template. It is never called either, but has the signature of the one that is, and often
/// its very code: the linker keeps one of the two for both.
const NEVER_CALLED: [&str; 2] = [
    "any_view..IntoAny$GT$8into_any13hydrate_async17h",
    "any_nested_route..IntoAnyNestedRoute$GT$21into_any_nested_route15generate_routes17h",
];

/// Has no arguments, as the above have: a call through the table by mistake traps at once.
const INSTEAD: &str = "alloc7raw_vec17capacity_overflow";

/// The linker's subsection and the symbols in it, from the conventions of wasm object files ("Linking.md" of tool-conventions).
const SYMBOL_TABLE: u8 = 8;
const FUNCTION: u8 = 0;
const DATA: u8 = 1;
const SECTION: u8 = 3;
const UNDEFINED: u32 = 0x10;
const EXPLICIT_NAME: u32 = 0x40;

/// Points the symbols of functions that are never called to another: the splitter, which knows functions by their symbols, then finds
/// that nothing needs their code. Returns how many there were.
pub(super) fn drop_unused(wasm: &mut Vec<u8>) -> Result<usize> {
    let Some(section) = linking(wasm)? else { return Ok(0) };
    let mut read = Read { bytes: wasm, at: section.content };
    read.u32()?; // version
    while read.at < section.end {
        let kind = read.byte()?;
        let length_at = read.at;
        let length = read.u32()? as usize;
        if kind != SYMBOL_TABLE {
            read.at += length;
            continue;
        }
        let end = read.at + length;
        let (table, changed) = retarget(wasm, read.at, end)?;
        let mut content = wasm[section.content..length_at].to_vec();
        content.extend(leb(table.len())?);
        content.extend(table);
        content.extend(&wasm[end..section.end]);
        let mut whole = wasm[section.name..section.content].to_vec();
        whole.extend(content);
        let mut replaced = wasm[..section.length].to_vec();
        replaced.extend(leb(whole.len())?);
        replaced.extend(whole);
        replaced.extend(&wasm[section.end..]);
        *wasm = replaced;
        return Ok(changed);
    }
    Ok(0)
}

/// The symbol table with those functions replaced.
fn retarget(wasm: &[u8], start: usize, end: usize) -> Result<(Vec<u8>, usize)> {
    let mut symbols = Vec::new();
    let mut instead = None;
    let mut read = Read { bytes: wasm, at: start };
    let count = read.u32()?;
    let head = start..read.at;
    for _ in 0..count {
        let from = read.at;
        let kind = read.byte()?;
        let flags = read.u32()?;
        let mut function = None;
        match kind {
            DATA => {
                read.name()?;
                if flags & UNDEFINED == 0 {
                    for _ in ["segment", "offset", "size"] {
                        read.u32()?;
                    }
                }
            }
            SECTION => drop(read.u32()?),
            _ => {
                let index_at = read.at;
                let index = read.u32()?;
                let index_end = read.at;
                if flags & UNDEFINED == 0 || flags & EXPLICIT_NAME != 0 {
                    let name = read.name()?;
                    if kind == FUNCTION && name.contains(INSTEAD) {
                        instead = Some(index);
                    }
                    if kind == FUNCTION && NEVER_CALLED.iter().any(|never| name.contains(never)) {
                        function = Some(index_at..index_end);
                    }
                }
            }
        }
        symbols.push((from..read.at, function));
    }
    if read.at != end {
        bail!("the symbol table is not as long as it says");
    }
    let Some(instead) = instead else { return Ok((wasm[start..end].to_vec(), 0)) };
    let mut table = wasm[head].to_vec();
    let mut changed = 0;
    for (symbol, function) in symbols {
        if let Some(index) = function {
            table.extend(&wasm[symbol.start..index.start]);
            table.extend(leb(instead as usize)?);
            table.extend(&wasm[index.end..symbol.end]);
            changed += 1;
        } else {
            table.extend(&wasm[symbol]);
        }
    }
    Ok((table, changed))
}

/// Where the custom section is: its length, its name, what comes after the name, and its end.
struct Linking {
    length: usize,
    name: usize,
    content: usize,
    end: usize,
}

fn linking(wasm: &[u8]) -> Result<Option<Linking>> {
    let mut read = Read { bytes: wasm, at: 8 };
    while read.at < wasm.len() {
        let id = read.byte()?;
        let length = read.at;
        let size = read.u32()? as usize;
        let name = read.at;
        let end = name + size;
        if id == 0 && read.name()? == "linking" {
            return Ok(Some(Linking { length, name, content: read.at, end }));
        }
        read.at = end;
    }
    Ok(None)
}

struct Read<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Read<'a> {
    fn byte(&mut self) -> Result<u8> {
        let byte = self.bytes.get(self.at).context("the wasm ends early")?;
        self.at += 1;
        Ok(*byte)
    }

    /// LEB128
    fn u32(&mut self) -> Result<u32> {
        let mut value = 0;
        for shift in [0, 7, 14, 21, 28] {
            let byte = self.byte()?;
            value |= u32::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        bail!("a number of more than 32 bits")
    }

    fn name(&mut self) -> Result<&'a str> {
        let length = self.u32()? as usize;
        let name = self.bytes.get(self.at..self.at + length).context("the wasm ends early")?;
        self.at += length;
        Ok(std::str::from_utf8(name)?)
    }
}

fn leb(value: usize) -> Result<Vec<u8>> {
    let mut value = u32::try_from(value)?;
    let mut out = Vec::new();
    loop {
        let low = (value & 0x7f) as u8;
        value >>= 7;
        if value == 0 {
            out.push(low);
            return Ok(out);
        }
        out.push(low | 0x80);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wasm_encoder::{CustomSection, DataSymbolDefinition, LinkingSection, Module, SymbolTable};

    fn module(functions: &[(u32, &str)]) -> Vec<u8> {
        let mut symbols = SymbolTable::new();
        symbols.data(UNDEFINED, "some.data", None);
        let definition = DataSymbolDefinition { index: 0, offset: 300, size: 7 };
        symbols.data(0, "own.data", Some(definition));
        for (index, name) in functions {
            symbols.function(0, *index, Some(name));
        }
        symbols.global(0, 0, Some("__stack_pointer"));
        let mut linking = LinkingSection::new();
        linking.symbol_table(&symbols);
        let mut module = Module::new();
        module.section(&linking);
        module.section(&CustomSection { name: "after".into(), data: [1, 2, 3].as_slice().into() });
        module.finish()
    }

    const VIEW: &str = "_ZN63_$LT$T$u20$as$u20$tachys..view..any_view..IntoAny$GT$8into_any13hydrate_async17h0123456789abcdefE";
    const OTHER: &str = "_ZN63_$LT$T$u20$as$u20$tachys..view..any_view..IntoAny$GT$8into_any5build17h0123456789abcdefE";
    const OVERFLOW: &str = "_ZN5alloc7raw_vec17capacity_overflow17h0123456789abcdefE";

    #[test]
    fn what_is_never_called_becomes_what_traps() {
        let mut wasm = module(&[(7, VIEW), (8, OTHER), (300, OVERFLOW), (9000, VIEW)]);
        assert_eq!(drop_unused(&mut wasm).expect("read"), 2);
        assert_eq!(wasm, module(&[(300, VIEW), (8, OTHER), (300, OVERFLOW), (300, VIEW)]));
    }

    #[test]
    fn nothing_is_changed_where_names_are_others() {
        for functions in [[(8, OTHER), (300, OVERFLOW)], [(7, VIEW), (8, OTHER)]] {
            let mut wasm = module(&functions);
            assert_eq!(drop_unused(&mut wasm).expect("read"), 0);
            assert_eq!(wasm, module(&functions));
        }
    }
}
