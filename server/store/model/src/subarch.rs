/// A boot flavour of an architecture, with the loader that DHCP names. `(arch_id, name)` is unique.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubarchRow {
    pub id: i64,
    pub arch_id: i64,
    pub name: String,
    pub description: String,
    /// An image of type `bootloader`.
    pub bootloader_id: Option<i64>,
    /// Boot device commands carry the EFI flag.
    pub efiboot: bool,
}

/// A subarchitecture to be created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSubarch {
    pub arch_id: i64,
    pub name: String,
    pub description: String,
    pub bootloader_id: Option<i64>,
    pub efiboot: bool,
}

/// A subarchitecture with the names it refers to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubarchView {
    pub id: i64,
    pub arch_id: i64,
    pub arch_name: String,
    pub name: String,
    pub description: String,
    pub bootloader_id: Option<i64>,
    pub bootloader_filename: Option<String>,
    pub bootloader_description: Option<String>,
    pub efiboot: bool,
}
