//! Components that know nothing of machines.

mod chart;
pub(crate) mod clock;
mod copy;
mod curl;
mod dialog;
pub(crate) mod dom;
mod editor;
mod field;
mod find;
pub(crate) mod format;
mod icon;
mod kept;
mod load;
mod page;
mod palette;
mod submit;
mod table;
mod terminal;
mod toast;

pub(crate) use chart::{Donut, Slice};
pub(crate) use copy::CopyButton;
pub(crate) use curl::{Curl, CurlMenu};
pub(crate) use dialog::{Confirm, Dialog};
pub(crate) use editor::Editor;
pub(crate) use field::{Choice, FieldState, SelectField, SwitchField, TextArea, TextField};
pub(crate) use find::TerminalSearch;
pub(crate) use icon::{Glyph, Icon, IconSprite};
pub(crate) use kept::{keep, kept};
pub(crate) use load::load;
pub(crate) use natural_order::compare as natural;
pub(crate) use page::{AddButton, Empty, Loading, Notice, PageHead, Panel, RowButton};
pub(crate) use palette::{Command, Palette};
pub(crate) use submit::{Submit, SubmitButton, SubmitErrors};
pub(crate) use table::{FilterBox, SearchBox, Sort, SortHead, matches};
pub(crate) use terminal::{Link, Terminal, TerminalHandle, full_screen};
pub(crate) use toast::{ToastStack, Toasts};
