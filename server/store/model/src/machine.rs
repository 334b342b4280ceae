/// A machine of the lab.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MachineRow {
    pub id: i64,
    /// Unique.
    pub name: String,
    pub arch_id: i64,
    pub subarch_id: Option<i64>,
    pub bmc_id: Option<i64>,
    /// Which machine behind the BMC (a cartridge number for `moonshot`), else empty.
    pub bmc_info: String,
    pub kernel_id: Option<i64>,
    pub initrd_id: Option<i64>,
    pub preseed_id: Option<i64>,
    pub kernel_opts: String,
    pub netboot_enabled: bool,
    /// `unknown`, `provisioning`, `ready` or `error`.
    pub state: String,
    /// The unguessable part of its preseed's URL.
    pub preseed_key: String,
    pub created_at: i64,
    pub updated_at: i64,
}

/// A machine to be created; the rest of a row starts empty, netboot off, state `unknown`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewMachine {
    pub name: String,
    pub arch_id: i64,
    pub subarch_id: Option<i64>,
    pub bmc_id: Option<i64>,
    pub bmc_info: String,
    pub preseed_key: String,
    /// Also the first `updated_at`.
    pub created_at: i64,
}

/// A machine with the names of everything it refers to: all that a list, a page's head or a boot answer needs, in one read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MachineView {
    pub id: i64,
    pub name: String,
    pub arch_id: i64,
    pub arch_name: String,
    pub subarch_id: Option<i64>,
    pub subarch_name: Option<String>,
    /// False without a subarchitecture.
    pub efiboot: bool,
    pub bootloader_id: Option<i64>,
    pub bootloader_filename: Option<String>,
    pub bmc_id: Option<i64>,
    pub bmc_name: Option<String>,
    pub bmc_type: Option<String>,
    pub bmc_info: String,
    pub kernel_id: Option<i64>,
    pub kernel_filename: Option<String>,
    pub initrd_id: Option<i64>,
    pub initrd_filename: Option<String>,
    pub preseed_id: Option<i64>,
    pub preseed_filename: Option<String>,
    /// `preseed`, `kickstart` or `autoyast`.
    pub preseed_type: Option<String>,
    pub kernel_opts: String,
    pub netboot_enabled: bool,
    pub state: String,
    pub preseed_key: String,
    pub created_at: i64,
    pub updated_at: i64,
}
