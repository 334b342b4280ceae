//! Who may do what: the one table. Every function of the lab asks it, and nothing else decides.
//!
//! A row is an action, a column what the asking user is to the thing. An actor may do what any column that is true of it says.
//! Who is not logged in never gets here: the extractor answers 401.
//!
//! What has no row nobody may do. Above all, no action reads a BMC's password: it is opened only on its way to the BMC.

use app::api::Scope;

use super::{Actor, LabError};

/// What a limited token needs to be used for an action. A login and a token without limits have it all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    Scope(Scope),
    /// The account itself: else a limited token could make itself an unlimited one.
    NoLimits,
}

/// What the actor is to a thing, beside being some user or an admin.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ties {
    /// The thing is everybody's to see and use.
    pub public: bool,
    /// The machine is assigned to the actor, or it is the actor's assignment.
    pub assigned: bool,
    /// The image, preseed, token, session or account is the actor's.
    pub owns: bool,
}

impl Ties {
    pub const NONE: Self = Self { public: false, assigned: false, owns: false };

    #[must_use]
    pub fn assigned(assigned: bool) -> Self {
        Self { assigned, ..Self::NONE }
    }

    /// To what one user has; None: the lab's own.
    #[must_use]
    pub fn owned(actor: &Actor, owner: Option<i64>) -> Self {
        Self { owns: owner == Some(actor.user_id), ..Self::NONE }
    }

    #[must_use]
    pub fn and_public(self, public: bool) -> Self {
        Self { public, ..self }
    }
}

/// A row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    pub action: Action,
    pub need: Need,
    pub any_user: bool,
    pub public: bool,
    pub assignee: bool,
    pub owner: bool,
    pub admin: bool,
}

const YES: bool = true;
const ___: bool = false;
const READ: Need = Need::Scope(Scope::Read);
const MACHINES: Need = Need::Scope(Scope::Machines);
const IMAGES: Need = Need::Scope(Scope::Images);
const ADMIN: Need = Need::Scope(Scope::Admin);
const NO_LIMITS: Need = Need::NoLimits;

macro_rules! table {
    ($($(#[$about:meta])* $action:ident | $need:ident | $any_user:tt $public:tt $assignee:tt $owner:tt $admin:tt)*) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Action { $($(#[$about])* $action),* }

        /// In the order of [`Action`].
        pub const TABLE: &[Row] = &[$(
            Row { action: Action::$action, need: $need, any_user: $any_user, public: $public, assignee: $assignee, owner: $owner, admin: $admin }
        ),*];
    };
}

#[rustfmt::skip]
table! {
    //                     a limited      any    of a    assignee  owner  admin
    //                     token needs    user   public
    //                                           thing

    // machines
    /// Machines with their interfaces, assignees, power and state.
    MachineRead          | READ         | YES    YES     YES       YES    YES
    /// What came from whose address, which files, and what its BMC complained of (W17) or tells of its hardware.
    MachineDetails       | READ         | ___    ___     YES       ___    YES
    MachineCreate        | ADMIN        | ___    ___     ___       ___    YES
    MachineDelete        | ADMIN        | ___    ___     ___       ___    YES
    /// Its name, architecture and BMC.
    MachineOverview      | ADMIN        | ___    ___     ___       ___    YES
    /// What it boots (W2).
    MachineProvisioning  | MACHINES     | ___    ___     YES       ___    YES
    /// Power, provisioning, and what became of it.
    MachineControl       | MACHINES     | ___    ___     YES       ___    YES
    MachineConsole       | MACHINES     | ___    ___     YES       ___    YES
    InterfaceCreate      | ADMIN        | ___    ___     ___       ___    YES
    InterfaceDelete      | ADMIN        | ___    ___     ___       ___    YES
    /// Its MAC and network.
    InterfaceWiring      | ADMIN        | ___    ___     ___       ___    YES
    /// Its label and address (W2).
    InterfaceAddress     | MACHINES     | ___    ___     YES       ___    YES
    AssigneeCreate       | ADMIN        | ___    ___     ___       ___    YES
    /// The reason, or giving the machine back: of one's own assignment.
    AssigneeChange       | MACHINES     | ___    ___     YES       ___    YES
    /// Taking a machine that nobody has.
    MachineReserve       | MACHINES     | YES    YES     YES       YES    YES
    /// Leases of no machine tell of the network, not of the lab.
    LeaseOfNobody        | READ         | ___    ___     ___       ___    YES
    /// MACs that no machine has.
    DiscoveryManage      | ADMIN        | ___    ___     ___       ___    YES

    // images and preseeds (W7)
    ImageRead            | READ         | ___    YES     ___       YES    YES
    ImageCreate          | IMAGES       | YES    YES     YES       YES    YES
    ImageChange          | IMAGES       | ___    ___     ___       YES    YES
    PreseedRead          | READ         | ___    YES     ___       YES    YES
    PreseedCreate        | IMAGES       | YES    YES     YES       YES    YES
    PreseedChange        | IMAGES       | ___    ___     ___       YES    YES

    // what the lab consists of
    ArchRead             | READ         | YES    YES     YES       YES    YES
    ArchManage           | ADMIN        | ___    ___     ___       ___    YES
    NetworkRead          | READ         | YES    YES     YES       YES    YES
    NetworkManage        | ADMIN        | ___    ___     ___       ___    YES
    BmcRead              | READ         | YES    YES     YES       YES    YES
    /// Where it is and whom it knows (W6, W17); its password nobody reads.
    BmcAddress           | READ         | ___    ___     ___       ___    YES
    BmcManage            | ADMIN        | ___    ___     ___       ___    YES

    // people
    UserRead             | READ         | YES    YES     YES       YES    YES
    /// E-mail address, and whether somebody is an admin (W17). SSH keys are shown to their owner only.
    UserDetails          | READ         | ___    ___     ___       YES    YES
    UserManage           | ADMIN        | ___    ___     ___       ___    YES
    AccountRead          | READ         | ___    ___     ___       YES    ___
    /// One's own address, SSH keys and password.
    AccountChange        | NO_LIMITS    | ___    ___     ___       YES    ___
    TokenCreate          | NO_LIMITS    | ___    ___     ___       YES    ___
    /// A user's tokens and sessions, never their secrets.
    CredentialsRead      | READ         | ___    ___     ___       YES    YES
    CredentialsRevoke    | ADMIN        | ___    ___     ___       YES    YES
    /// What becomes of those who use what is deleted.
    UsesManage           | ADMIN        | ___    ___     ___       ___    YES
    /// Who changed what.
    AuditRead            | ADMIN        | ___    ___     ___       ___    YES
}

impl Action {
    #[must_use]
    pub fn row(self) -> &'static Row {
        &TABLE[self as usize]
    }
}

impl Row {
    fn permits(&self, admin: bool, ties: Ties) -> bool {
        self.any_user
            || (self.public && ties.public)
            || (self.assignee && ties.assigned)
            || (self.owner && ties.owns)
            || (self.admin && admin)
    }

    /// Who may, for people.
    fn who(&self) -> &'static str {
        match (self.assignee, self.owner, self.admin) {
            (true, ..) => "only an admin or somebody the machine is assigned to may do this",
            (_, true, true) => "only an admin or the owner may do this",
            (_, true, false) => "only the owner may do this",
            _ => "only an admin may do this",
        }
    }
}

impl Actor {
    #[must_use]
    pub fn may(&self, action: Action, ties: Ties) -> bool {
        self.refusal(action, ties).is_none()
    }

    /// # Errors
    /// [`LabError::Forbidden`], with who may.
    pub fn must(&self, action: Action, ties: Ties) -> Result<(), LabError> {
        self.refusal(action, ties).map_or(Ok(()), |text| Err(LabError::Forbidden(text)))
    }

    fn refusal(&self, action: Action, ties: Ties) -> Option<String> {
        let row = action.row();
        if !row.permits(self.admin, ties) {
            let who = row.who();
            return Some(match self.reach.is_limited() && row.admin && !self.reach.has(Scope::Admin) {
                true => format!("{who}; a token needs the scope admin to act as one"),
                false => who.to_owned(),
            });
        }
        match row.need {
            _ if !self.reach.is_limited() => None,
            Need::Scope(scope) if self.reach.has(scope) => None,
            Need::Scope(scope) => Some(format!("this token lacks the scope {}", scope.word())),
            Need::NoLimits => Some("only a login or a token without limits may do this".into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_the_order_of_the_actions() {
        for (index, row) in TABLE.iter().enumerate() {
            assert_eq!(row.action as usize, index, "{:?}", row.action);
        }
    }

    #[test]
    fn what_every_user_may_every_column_says() {
        for row in TABLE.iter().filter(|row| row.any_user) {
            assert!(row.public && row.assignee && row.owner && row.admin, "{:?}", row.action);
        }
    }
}
