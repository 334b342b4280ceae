//! Accounts, sessions and tokens.

use serde::{Deserialize, Serialize};

use super::{
    ApiError, Removal,
    client::{Api, Edit},
    fields::{Email, Instant, NewPassword, TokenDescription, Username},
};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct User {
    pub id: i64,
    pub username: String,
    /// One's own, and for admins everybody's; else `null`.
    pub email: Option<String>,
    /// Likewise.
    pub admin: Option<bool>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NewUser {
    pub username: Username,
    #[serde(default)]
    pub email: Option<Email>,
    #[serde(default)]
    pub admin: bool,
}

/// A user just made, with the generated password: shown this once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CreatedUser {
    #[serde(flatten)]
    pub user: User,
    pub password: String,
}

/// A change of a user by an admin: absent members stay as they are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UserChange {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<Username>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<Email>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub admin: Option<bool>,
    /// Ends all of the user's sessions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<NewPassword>,
}

/// The logged-in user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Me {
    pub id: i64,
    pub username: String,
    pub email: String,
    pub admin: bool,
    /// Public keys handed to preseeds, one or more lines.
    pub ssh_key: String,
}

#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Credentials {
    pub username: String,
    pub password: String,
}

#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PasswordChange {
    pub old_password: String,
    pub password: NewPassword,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MeChange {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<Email>,
    /// At most 512 KiB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ssh_key: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Token {
    pub id: i64,
    pub description: String,
    /// The first characters, to tell tokens apart.
    pub prefix: String,
    pub created: Instant,
    /// Within a minute.
    pub last_used: Option<Instant>,
    /// `null`: never.
    #[serde(default)]
    pub expires: Option<Instant>,
    /// `null`: everything its user may do.
    #[serde(default)]
    pub scopes: Option<Vec<Scope>>,
}

/// What a limited token may be used for, within what its user may do. Every one includes `read`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// See what the user sees.
    Read,
    /// Provision, power, open consoles of and give back the user's machines.
    Machines,
    /// Upload and change images and preseeds.
    Images,
    /// Act as an admin, if the user is one; withdraw tokens and sessions.
    Admin,
}

impl Scope {
    pub const ALL: [Self; 4] = [Self::Read, Self::Machines, Self::Images, Self::Admin];

    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Machines => "machines",
            Self::Images => "images",
            Self::Admin => "admin",
        }
    }

    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.word() == word)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NewToken {
    /// Its name: what it is for.
    #[serde(alias = "name")]
    pub description: TokenDescription,
    /// RFC 3339, in the future. Absent or `null`: never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Instant>,
    /// Absent or `null`: everything the user may do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scopes: Option<Vec<Scope>>,
}

/// A login with a browser.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Session {
    /// Names it; lets nobody in.
    pub id: String,
    /// Whether it is the one that asks.
    pub current: bool,
    pub created: Instant,
    /// Within an hour.
    pub last_seen: Instant,
    pub expires: Instant,
    /// Whence the login came.
    pub address: Option<String>,
    /// What the browser calls itself.
    pub user_agent: Option<String>,
}

/// A token just made, with its secret: shown this once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CreatedToken {
    #[serde(flatten)]
    pub token: Token,
    pub secret: String,
}

impl Api {
    pub async fn login(&self, credentials: &Credentials) -> Result<Me, ApiError> {
        self.post("/session", credentials).await
    }
    pub async fn logout(&self) -> Result<(), ApiError> {
        self.delete("/session").await
    }
    /// Who is logged in; 401 when nobody is.
    pub async fn me(&self) -> Result<Me, ApiError> {
        self.get("/self").await
    }
    /// As long as it is as `known`.
    pub async fn edit_me(&self, known: &Me, change: &MeChange) -> Result<Edit<Me>, ApiError> {
        self.edit("/self", change, |now| now == known).await
    }
    pub async fn change_own_password(&self, change: &PasswordChange) -> Result<(), ApiError> {
        self.put_empty("/self/password", change).await
    }
    pub async fn tokens(&self) -> Result<Vec<Token>, ApiError> {
        self.get("/self/token").await
    }
    pub async fn create_token(&self, new: &NewToken) -> Result<CreatedToken, ApiError> {
        self.post("/self/token", new).await
    }
    pub async fn delete_token(&self, id: i64) -> Result<(), ApiError> {
        self.delete(&format!("/self/token/{id}")).await
    }
    /// One's own.
    pub async fn own_sessions(&self) -> Result<Vec<Session>, ApiError> {
        self.get("/self/session").await
    }
    /// A user's: for that user and admins, as the two that follow.
    pub async fn sessions(&self, user: i64) -> Result<Vec<Session>, ApiError> {
        self.get(&format!("/user/{user}/session")).await
    }
    pub async fn end_session(&self, user: i64, id: &str) -> Result<(), ApiError> {
        self.delete(&format!("/user/{user}/session/{id}")).await
    }
    pub async fn user_tokens(&self, user: i64) -> Result<Vec<Token>, ApiError> {
        self.get(&format!("/user/{user}/token")).await
    }
    pub async fn users(&self) -> Result<Vec<User>, ApiError> {
        self.get("/user").await
    }
    pub async fn create_user(&self, new: &NewUser) -> Result<CreatedUser, ApiError> {
        self.post("/user", new).await
    }
    pub async fn change_user(&self, id: i64, change: &UserChange) -> Result<User, ApiError> {
        self.put(&format!("/user/{id}"), change).await
    }
    /// As long as it is as `known`.
    pub async fn edit_user(&self, known: &User, change: &UserChange) -> Result<Edit<User>, ApiError> {
        self.edit(&format!("/user/{}", known.id), change, |now| now == known).await
    }
    pub async fn delete_user(&self, id: i64, removal: Removal) -> Result<(), ApiError> {
        self.delete(&format!("/user/{id}{}", removal.query())).await
    }
}
