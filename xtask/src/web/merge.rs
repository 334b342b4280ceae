//! Several pieces of split-off wasm as one module.
//!
//! What is used by several pages comes from the splitter as one module for each set of pages that share something: hundreds of them,
//! most smaller than the request for them.

use anyhow::{Result, bail};
use std::convert::Infallible;
use wasm_encoder::{
    CodeSection, DataCountSection, DataSection, ElementSection, EntityType, FunctionSection, ImportSection, Module, RawSection, SectionId,
    reencode::{self, Reencode},
};
use wasmparser::{Parser, Payload, TypeRef};

/// Where the indices of one piece are in the whole.
#[derive(Default)]
struct Moved {
    functions: u32,
    data: u32,
    globals: Vec<u32>,
}

type Index = Result<u32, reencode::Error<Infallible>>;

impl Reencode for Moved {
    type Error = Infallible;

    fn function_index(&mut self, index: u32) -> Index {
        Ok(index + self.functions)
    }

    fn data_index(&mut self, index: u32) -> Index {
        Ok(index + self.data)
    }

    fn global_index(&mut self, index: u32) -> Index {
        // validated where it was made
        Ok(self.globals.get(index as usize).copied().unwrap_or(index))
    }
}

#[derive(Default)]
struct Whole<'a> {
    types: Option<&'a [u8]>,
    imports: Vec<wasmparser::Import<'a>>,
    functions: FunctionSection,
    elements: ElementSection,
    code: CodeSection,
    data: DataSection,
}

/// One module that does what all `pieces` do together. They import the application's memory, table and globals, and nothing else;
/// each other they know by places in the table.
pub(super) fn merge(pieces: &[Vec<u8>]) -> Result<Vec<u8>> {
    let mut whole = Whole::default();
    for piece in pieces {
        whole.add(piece)?;
    }
    Ok(whole.finish())
}

impl<'a> Whole<'a> {
    fn add(&mut self, piece: &'a [u8]) -> Result<()> {
        let mut moved = Moved { functions: self.functions.len(), data: self.data.len(), globals: Vec::new() };
        for payload in Parser::new(0).parse_all(piece) {
            match payload? {
                Payload::TypeSection(section) => {
                    let range = section.range();
                    let bytes = &piece[usize::try_from(range.start)?..usize::try_from(range.end)?];
                    if *self.types.get_or_insert(bytes) != bytes {
                        bail!("pieces number their types differently");
                    }
                }
                Payload::ImportSection(section) => {
                    for import in section.into_imports() {
                        let import = import?;
                        let global = self.import(import)?;
                        moved.globals.extend(global);
                    }
                }
                Payload::FunctionSection(section) => moved.parse_function_section(&mut self.functions, section)?,
                Payload::ElementSection(section) => moved.parse_element_section(&mut self.elements, section)?,
                Payload::CodeSectionEntry(body) => moved.parse_function_body(&mut self.code, body)?,
                Payload::DataSection(section) => moved.parse_data_section(&mut self.data, section)?,
                Payload::ExportSection(section) if section.count() == 0 => {}
                // debuggers' and the linker's
                Payload::CustomSection(_) | Payload::Version { .. } | Payload::DataCountSection { .. } => {}
                Payload::CodeSectionStart { .. } | Payload::End(_) => {}
                other => bail!("a piece has what it should import: {other:?}"),
            }
        }
        Ok(())
    }

    /// Adds an import that is not there yet, and returns its index if it is a global.
    fn import(&mut self, import: wasmparser::Import<'a>) -> Result<Option<u32>> {
        let known = self.imports.iter().position(|known| (known.module, known.name) == (import.module, import.name));
        let at = known.unwrap_or_else(|| {
            self.imports.push(import);
            self.imports.len() - 1
        });
        match import.ty {
            TypeRef::Global(_) => {
                let before = self.imports[..at].iter().filter(|import| matches!(import.ty, TypeRef::Global(_))).count();
                Ok(Some(u32::try_from(before)?))
            }
            TypeRef::Memory(_) | TypeRef::Table(_) => Ok(None),
            other => bail!("a piece imports {} as {other:?}", import.name),
        }
    }

    fn finish(self) -> Vec<u8> {
        let mut imports = ImportSection::new();
        for import in self.imports {
            if let Ok(ty) = EntityType::try_from(import.ty) {
                imports.import(import.module, import.name, ty);
            }
        }
        let mut module = Module::new();
        if let Some(data) = self.types {
            module.section(&RawSection { id: SectionId::Type.into(), data });
        }
        module.section(&imports).section(&self.functions).section(&self.elements);
        module.section(&DataCountSection { count: self.data.len() });
        module.section(&self.code).section(&self.data);
        module.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wasm_encoder::{ConstExpr, Elements, Function, GlobalType, MemoryType, RefType, TableType, TypeSection, ValType};

    /// A piece with functions of which the first calls the last, at `place` of the table and `address` of the memory.
    fn piece(functions: u32, place: i32, address: i32, globals: &[&str]) -> Vec<u8> {
        let mut types = TypeSection::new();
        types.ty().function([], []);
        let mut imports = ImportSection::new();
        for name in globals {
            imports.import("main", name, GlobalType { val_type: ValType::I32, mutable: true, shared: false });
        }
        imports.import("main", "memory", MemoryType { minimum: 1, maximum: None, memory64: false, shared: false, page_size_log2: None });
        let table = TableType { element_type: RefType::FUNCREF, minimum: 9, maximum: None, table64: false, shared: false };
        imports.import("main", "table", table);
        let (mut declared, mut code, mut elements, mut data) =
            (FunctionSection::new(), CodeSection::new(), ElementSection::new(), DataSection::new());
        for index in 0..functions {
            declared.function(0);
            let mut function = Function::new([]);
            if index == 0 {
                let last = u32::try_from(globals.len()).expect("few") - 1;
                function.instructions().call(functions - 1).global_get(last).drop();
            }
            function.instructions().end();
            code.function(&function);
        }
        elements.active(None, &ConstExpr::i32_const(place), Elements::Functions([0].as_slice().into()));
        data.active(0, &ConstExpr::i32_const(address), [7]);
        let mut module = Module::new();
        module.section(&types).section(&imports).section(&declared).section(&elements);
        module.section(&DataCountSection { count: 1 }).section(&code).section(&data);
        module.finish()
    }

    fn text(wasm: &[u8]) -> Vec<String> {
        let mut out = Vec::new();
        for payload in Parser::new(0).parse_all(wasm) {
            match payload.expect("parsed") {
                Payload::ImportSection(section) => {
                    out.extend(section.into_imports().map(|import| format!("import {}", import.expect("read").name)));
                }
                Payload::ElementSection(section) => {
                    for element in section {
                        let wasmparser::ElementItems::Functions(items) = element.expect("read").items else { panic!("no functions") };
                        out.push(format!("element {:?}", items.into_iter().collect::<Result<Vec<_>, _>>().expect("read")));
                    }
                }
                Payload::CodeSectionEntry(body) => {
                    let operators =
                        body.get_operators_reader().expect("read").into_iter().map(|operator| format!("{:?}", operator.expect("read")));
                    out.push(operators.collect::<Vec<_>>().join(" "));
                }
                _ => {}
            }
        }
        out
    }

    #[test]
    fn pieces_keep_their_own_functions_and_share_what_they_import() {
        let merged = merge(&[piece(2, 1, 0, &["stack"]), piece(3, 4, 8, &["other", "stack"])]).expect("merged");
        let expected = [
            "import stack",
            "import memory",
            "import table",
            "import other",
            "element [0]",
            "element [2]",
            "Call { function_index: 1 } GlobalGet { global_index: 0 } Drop End",
            "End",
            "Call { function_index: 4 } GlobalGet { global_index: 0 } Drop End",
            "End",
            "End",
        ];
        assert_eq!(text(&merged), expected);
    }

    #[test]
    fn a_piece_that_is_more_than_a_piece_is_refused() {
        let mut module = Module::new();
        let mut memory = wasm_encoder::MemorySection::new();
        memory.memory(MemoryType { minimum: 1, maximum: None, memory64: false, shared: false, page_size_log2: None });
        module.section(&memory);
        let error = merge(&[module.finish()]).expect_err("has a memory of its own");
        assert!(error.to_string().contains("should import"), "{error}");
    }
}
