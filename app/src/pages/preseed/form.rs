//! The form of a preseed, new or old.

use std::time::Duration;

use leptos::{prelude::*, task::spawn_local};

use super::{
    super::{follow::Newest, preview::Told},
    help::Help,
};
use crate::{
    api::{Api, CONTENT_LIMIT, Description, Diagnostic, Preseed, PreseedChange, PreseedName, PreseedType},
    ui::{Choice, Editor, FieldState, SelectField, Submit, SubmitErrors, SwitchField, TextField, format::counted},
};

/// What keeps a text from being rendered; nothing as well when that could not be asked.
pub(super) async fn faults_of(api: &Api, content: &str) -> Vec<Diagnostic> {
    api.check_preseed(content.to_owned()).await.unwrap_or_default()
}

/// The first fault, to go on a sentence.
pub(super) fn told(faults: &[Diagnostic]) -> Option<String> {
    let Diagnostic { line, message, .. } = faults.first()?;
    Some(if *line == 0 { message.clone() } else { format!("line {line}: {message}") })
}

/// How long typing has to rest before the text is looked at.
const PAUSE: Duration = Duration::from_millis(600);

/// The form that both pages share.
#[derive(Clone, Copy)]
pub(super) struct Form {
    pub(super) name: FieldState,
    pub(super) kind: FieldState,
    pub(super) description: FieldState,
    pub(super) public: RwSignal<bool>,
    pub(super) known_good: RwSignal<bool>,
    pub(super) content: RwSignal<String>,
    pub(super) submit: Submit,
    /// What keeps the text from being rendered, as it was when it was looked at last.
    pub(super) faults: RwSignal<Vec<Diagnostic>>,
    checks: Newest,
}

/// What makes a preseed this one again. None: what the server has is not within the rules of today.
pub(super) fn as_change(preseed: &Preseed) -> Option<PreseedChange> {
    Some(PreseedChange {
        name: Some(PreseedName::parse(&preseed.name).ok()?),
        file_type: Some(preseed.file_type),
        description: Some(Description::parse(&preseed.description).ok()?),
        content: Some(preseed.content.clone()),
        known_good: Some(preseed.known_good),
        public: Some(preseed.public),
    })
}

/// What the form's fields hold once they have been parsed.
pub(super) struct Parsed {
    pub(super) name: PreseedName,
    pub(super) kind: PreseedType,
    pub(super) description: Description,
    pub(super) content: String,
}

impl Form {
    pub(super) fn of(preseed: Option<&Preseed>) -> Self {
        let text = |field: fn(&Preseed) -> &String| preseed.map(field).cloned().unwrap_or_default();
        let form = Self {
            name: FieldState::new(text(|own| &own.name)),
            kind: FieldState::new(preseed.map(|own| own.file_type).unwrap_or_default().word()),
            description: FieldState::new(text(|own| &own.description)),
            public: RwSignal::new(preseed.is_some_and(|own| own.public)),
            known_good: RwSignal::new(preseed.is_some_and(|own| own.known_good)),
            content: RwSignal::new(text(|own| &own.content)),
            submit: Submit::new(),
            faults: RwSignal::new(Vec::new()),
            checks: Newest::new(),
        };
        let api = StoredValue::new(expect_context::<Api>());
        // at once, and then whenever typing has rested
        Effect::new(move |before: Option<()>| {
            form.content.track();
            // whatever is still to be answered is about an older text
            form.checks.ask();
            if before.is_none() {
                form.check(api.get_value());
                return;
            }
            let rested = move || {
                if let Some(api) = api.try_get_value() {
                    form.check(api);
                }
            };
            if let Ok(timer) = set_timeout_with_handle(rested, PAUSE) {
                on_cleanup(move || timer.clear());
            }
        });
        form
    }

    /// Says beside the editor what keeps the text from being rendered. What was wrong stays there until the newest answer.
    fn check(self, api: Api) {
        let Some((content, question)) = self.content.try_get_untracked().zip(self.checks.ask()) else { return };
        // too long a text would only be refused, which saving it says
        if content.is_empty() || content.chars().count() > CONTENT_LIMIT {
            return self.tell(Vec::new());
        }
        spawn_local(async move {
            if let Ok(faults) = api.check_preseed(content).await
                && question.is_newest()
            {
                self.tell(faults);
            }
        });
    }

    /// Nothing is read out once more that is there already.
    fn tell(self, faults: Vec<Diagnostic>) {
        if self.faults.with_untracked(|shown| *shown != faults) {
            self.faults.set(faults);
        }
    }

    /// What was found in a text that was saved, if it is still the one that is shown.
    pub(super) fn found(self, content: &str, faults: Vec<Diagnostic>) {
        if self.content.with_untracked(|now| now == content) {
            self.tell(faults);
        }
    }

    /// The preseed as it would be if the form were saved now.
    pub(super) fn typed(self, saved: &Preseed) -> Preseed {
        Preseed {
            name: self.name.value.get_untracked(),
            content: self.content.get_untracked(),
            description: self.description.value.get_untracked(),
            file_type: self.kind.value.with_untracked(|kind| PreseedType::parse(kind)).unwrap_or(saved.file_type),
            known_good: self.known_good.get_untracked(),
            public: self.public.get_untracked(),
            user: saved.user.clone(),
            ..*saved
        }
    }

    /// Whether something is typed that is not saved.
    pub(super) fn differs(self, saved: &Preseed) -> bool {
        *self.name.value.read() != saved.name
            || *self.kind.value.read() != saved.file_type.word()
            || *self.description.value.read() != saved.description
            || self.public.get() != saved.public
            || self.known_good.get() != saved.known_good
            || *self.content.read() != saved.content
    }

    /// What the server has, instead of what was typed.
    pub(super) fn show(self, preseed: &Preseed) {
        self.name.reset(&preseed.name);
        self.kind.reset(preseed.file_type.word());
        self.description.reset(&preseed.description);
        self.public.set(preseed.public);
        self.known_good.set(preseed.known_good);
        self.content.set(preseed.content.clone());
        self.submit.clear();
    }

    /// None when something is wrong; the form then says what.
    pub(super) fn parse(self) -> Option<Parsed> {
        let (name, kind) = (self.name.parse(PreseedName::parse), self.kind.parse(PreseedType::parse));
        let description = self.description.parse(Description::parse);
        let content = self.content.get_untracked();
        let length = content.chars().count();
        self.submit.clear();
        if length > CONTENT_LIMIT {
            self.submit.refuse(vec![format!("content must be at most {CONTENT_LIMIT} characters long; it has {length}")]);
            return None;
        }
        Some(Parsed { name: name?, kind: kind?, description: description?, content })
    }

    pub(super) fn place(self, error: &str) -> Option<FieldState> {
        let error = error.to_ascii_lowercase();
        if error.contains("name") { Some(self.name) } else { error.starts_with("description").then_some(self.description) }
    }
}

#[component]
pub(super) fn Fields(
    form: Form,
    #[prop(optional, into)] readonly: Signal<bool>,
    /// The buttons.
    children: Children,
) -> impl IntoView {
    let kinds: Vec<Choice> = PreseedType::ALL.map(|kind| Choice::new(kind.word(), kind.word())).to_vec();
    view! {
        <div class="grid items-start grid-cols-1 gap-4 xl:grid-cols-[minmax(0,110rem)_minmax(22rem,32rem)]">
            <div class="flex min-w-0 flex-col gap-3">
                <div class="grid grid-cols-1 gap-3 sm:grid-cols-[2fr_1fr_3fr]">
                    <TextField id="preseed-name" label="Name" field=form.name required=true disabled=readonly/>
                    <SelectField id="preseed-type" label="Type" field=form.kind choices=kinds disabled=readonly/>
                    <TextField id="preseed-description" label="Description" field=form.description disabled=readonly/>
                </div>
                <div class="flex flex-wrap gap-6">
                    <SwitchField id="preseed-public" label="Public" checked=form.public help="Everybody may use it." disabled=readonly/>
                    <SwitchField id="preseed-good" label="Known good" checked=form.known_good help="A mark for others: this one works." disabled=readonly/>
                </div>
                <Editor id="preseed-content" label="Content" value=form.content readonly/>
                <div role="status">
                    <ul class="flex flex-col gap-1 text-sm empty:hidden" data-testid="preseed-faults">
                        {move || form.faults.get().into_iter().map(|told| view! { <Told told/> }).collect_view()}
                    </ul>
                </div>
                <p class="text-xs opacity-80">{move || form.content.with(|text| counted(text.chars().count(), "character", "characters"))}</p>
                <SubmitErrors submit=form.submit/>
                {children()}
            </div>
            <Help/>
        </div>
    }
}

#[cfg(test)]
mod tests {
    use super::{Diagnostic, told};
    use crate::api::Severity;

    #[test]
    fn a_fault_is_told_with_its_line_if_it_has_one() {
        let fault = |line| Diagnostic { line, severity: Severity::Error, message: "syntax error".into() };
        assert_eq!(told(&[fault(3), fault(4)]).as_deref(), Some("line 3: syntax error"));
        assert_eq!(told(&[fault(0)]).as_deref(), Some("syntax error"));
        assert_eq!(told(&[]), None);
    }
}
