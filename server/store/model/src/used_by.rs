/// Something that refers to a row and so keeps it from being deleted, or is shown as linked to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsedBy {
    /// `machine`, `subarch`, `image` or `preseed`.
    pub kind: String,
    /// In what role: `kernel`, `initrd`, `preseed`, `arch`, `subarch`, `bmc`, `bootloader`, `owner`, `assignee` or `interface`.
    pub role: String,
    pub id: i64,
    pub name: String,
}
