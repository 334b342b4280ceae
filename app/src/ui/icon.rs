//! Icons: one sprite per document, drawn with the text's colour. A row of a table then costs one `<use>`.

use leptos::prelude::*;

/// An icon's symbol in the sprite.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Icon {
    Power,
    Terminal,
    Play,
    Reset,
    Trash,
    Copy,
    Plus,
    Pencil,
    Check,
    Close,
    Theme,
    Warning,
    Download,
    Upload,
    Search,
    User,
    Up,
    Down,
    FullScreen,
    Menu,
    Network,
    Keyboard,
    Machine,
    Key,
}

impl Icon {
    pub(crate) const ALL: [Self; 24] = [
        Self::Power,
        Self::Terminal,
        Self::Play,
        Self::Reset,
        Self::Trash,
        Self::Copy,
        Self::Plus,
        Self::Pencil,
        Self::Check,
        Self::Close,
        Self::Theme,
        Self::Warning,
        Self::Download,
        Self::Upload,
        Self::Search,
        Self::User,
        Self::Up,
        Self::Down,
        Self::FullScreen,
        Self::Menu,
        Self::Network,
        Self::Keyboard,
        Self::Machine,
        Self::Key,
    ];

    fn id(self) -> &'static str {
        match self {
            Self::Power => "i-power",
            Self::Terminal => "i-terminal",
            Self::Play => "i-play",
            Self::Reset => "i-reset",
            Self::Trash => "i-trash",
            Self::Copy => "i-copy",
            Self::Plus => "i-plus",
            Self::Pencil => "i-pencil",
            Self::Check => "i-check",
            Self::Close => "i-close",
            Self::Theme => "i-theme",
            Self::Warning => "i-warning",
            Self::Download => "i-download",
            Self::Upload => "i-upload",
            Self::Search => "i-search",
            Self::User => "i-user",
            Self::Up => "i-up",
            Self::Down => "i-down",
            Self::FullScreen => "i-full",
            Self::Menu => "i-menu",
            Self::Network => "i-network",
            Self::Keyboard => "i-keyboard",
            Self::Machine => "i-machine",
            Self::Key => "i-key",
        }
    }

    pub(super) fn reference(self) -> String {
        format!("#{}", self.id())
    }

    /// On a 24 by 24 grid, stroked.
    fn path(self) -> &'static str {
        match self {
            Self::Power => "M12 3v9M6.5 6.5a8 8 0 1 0 11 0",
            Self::Terminal => "M3 5h18v14H3zM7 9l3 3-3 3M12.5 15H17",
            Self::Play => "M7 4.5v15l12-7.5z",
            Self::Reset => "M4 12a8 8 0 1 0 2.6-5.9M4 4v4.5h4.5",
            Self::Trash => "M4 7h16M9.5 7V4h5v3M6 7l1 13h10l1-13M10 11v5M14 11v5",
            Self::Copy => "M9 9h11v11H9zM15 5.5V4H4v11h1.5",
            Self::Plus => "M12 5v14M5 12h14",
            Self::Pencil => "M4 20l1-4.5L16 4.5l3.5 3.5L8.5 19zM13.5 7l3.5 3.5",
            Self::Check => "M5 12.5l4.5 4.5L19 7",
            Self::Close => "M6 6l12 12M18 6L6 18",
            Self::Theme => "M12 4a8 8 0 1 0 0 16zM12 4a8 8 0 0 1 0 16M12 8l6-2M12 12h8M12 16l6 2",
            Self::Warning => "M12 4L2.5 20h19zM12 10v5M12 17.3v.4",
            Self::Download => "M12 4v11M7.5 10.5L12 15l4.5-4.5M4 20h16",
            Self::Upload => "M12 15V4M7.5 8.5L12 4l4.5 4.5M4 20h16",
            Self::Search => "M10.5 4a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13zM15.5 15.5L20 20",
            Self::User => "M12 4a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM4.5 20c.6-4 3.6-5.5 7.5-5.5s6.9 1.5 7.5 5.5",
            Self::Up => "M6 14.5l6-6 6 6",
            Self::FullScreen => "M4 9V4h5M15 4h5v5M20 15v5h-5M9 20H4v-5",
            Self::Down => "M6 9.5l6 6 6-6",
            Self::Menu => "M4 7h16M4 12h16M4 17h16",
            Self::Network => "M9 3h6v5H9zM3 16h6v5H3zM15 16h6v5h-6zM12 8v4M6 16v-4h12v4",
            Self::Keyboard => "M2.5 6h19v12h-19zM6 10h.5M10 10h.5M14 10h.5M18 10h.3M7.5 14h9",
            Self::Key => "M15 4a5 5 0 1 0 0 10 5 5 0 0 0 0-10zM11.5 12.5L4 20M7 17l2.5 2.5",
            Self::Machine => "M4 4h16v6H4zM4 14h16v6H4zM7.5 7h.4M7.5 17h.4M12 7h5M12 17h5",
        }
    }
}

/// The symbols that [`Icon`]s refer to. Once per document, before their first use.
#[component]
pub(crate) fn IconSprite() -> impl IntoView {
    view! {
        <svg class="hidden" aria-hidden="true">
            {Icon::ALL
                .map(|icon| {
                    view! {
                        <symbol id=icon.id() viewBox="0 0 24 24">
                            <path d=icon.path() fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round" stroke-linejoin="round"></path>
                        </symbol>
                    }
                })
                .collect_view()}
        </svg>
    }
}

/// Decoration beside a word, or inside a button that has an `aria-label`.
#[component]
pub(crate) fn Glyph(icon: Icon, #[prop(default = "size-4")] class: &'static str) -> impl IntoView {
    view! {
        <svg class=format!("{class} shrink-0") aria-hidden="true">
            <use href=icon.reference()></use>
        </svg>
    }
}
