/// A machine's (or chassis') management controller. `(ip, port)` is unique.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BmcRow {
    pub id: i64,
    /// Unique.
    pub name: String,
    pub ip: String,
    /// UDP, 1 to 65535.
    pub port: i64,
    /// `plain` or `moonshot`.
    pub bmc_type: String,
    /// `native` or `ipmitool`.
    pub backend: String,
    /// Names, comma-separated; empty: it keeps to the specification.
    pub quirks: String,
    pub username: String,
    /// Encrypted under the server's key file; None: no password set.
    pub password_sealed: Option<String>,
    /// `admin`, `operator` or `user`.
    pub privilege_level: String,
    /// The BMC's own key (K_g), encrypted as the password is.
    pub key_sealed: Option<String>,
    /// Strongest cipher suite ever agreed on; a session below it is refused.
    pub cipher_suite: Option<i64>,
    pub created_at: i64,
}

/// A BMC to be created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewBmc {
    pub name: String,
    pub ip: String,
    pub port: i64,
    pub bmc_type: String,
    pub backend: String,
    /// Names, comma-separated; empty: it keeps to the specification.
    pub quirks: String,
    pub username: String,
    pub password_sealed: Option<String>,
    pub privilege_level: String,
    /// The BMC's own key (K_g), encrypted as the password is.
    pub key_sealed: Option<String>,
    pub cipher_suite: Option<i64>,
    pub created_at: i64,
}
