//! Form fields: label, input, help, and the sentence that says what is wrong with it.

use leptos::{html, prelude::*};

use super::{dom, table::matches};
use crate::api::given;

/// A text the user edits, and why it was refused.
#[derive(Clone, Copy)]
pub(crate) struct FieldState {
    pub(crate) value: RwSignal<String>,
    pub(crate) error: RwSignal<Option<String>>,
}

impl FieldState {
    pub(crate) fn new(value: impl Into<String>) -> Self {
        Self { value: RwSignal::new(value.into()), error: RwSignal::new(None) }
    }

    /// Another value, as if nothing had been typed.
    pub(crate) fn reset(self, value: impl Into<String>) {
        self.value.set(value.into());
        self.error.set(None);
    }

    /// The value through its field's own rule; a refusal is shown beside the field.
    pub(crate) fn parse<T>(self, rule: impl Fn(&str) -> Result<T, String>) -> Option<T> {
        match self.value.with_untracked(|text| rule(text)) {
            Ok(value) => {
                self.error.set(None);
                Some(value)
            }
            Err(text) => {
                self.error.set(Some(text));
                None
            }
        }
    }

    /// As [`FieldState::parse`], with an empty field for "none".
    pub(crate) fn parse_optional<T>(self, rule: impl Fn(&str) -> Result<T, String>) -> Option<Option<T>> {
        self.parse(|text| if text.trim().is_empty() { Ok(None) } else { rule(text).map(Some) })
    }

    /// A value that must be there, whatever it is.
    pub(crate) fn given(self, what: &str) -> Option<String> {
        self.parse(|text| given(text, what).map(str::to_owned))
    }

    /// A value that must be there, chosen from a list.
    pub(crate) fn chosen(self, what: &str) -> Option<String> {
        self.parse(|text| if text.is_empty() { Err(format!("Choose {what}")) } else { Ok(text.to_owned()) })
    }

    fn typed(self, text: String) {
        self.value.set(text);
        // wrong until sent again, but not shouted at while it is being put right
        self.error.set(None);
    }
}

/// The sentences below a field. `id` is the field's; its input names `{id}-note` in `aria-describedby`.
#[component]
fn Notes(id: &'static str, help: Option<&'static str>, error: RwSignal<Option<String>>) -> impl IntoView {
    view! {
        <span id=format!("{id}-note") class="text-xs" data-field-note=id>
            // what is wrong is read out when it comes; not the help that takes its place again at the first key
            <span aria-live="polite">
                {move || error.get().map(|text| view! { <span class="text-error font-medium" data-testid="field-error">{text}</span> })}
            </span>
            {move || help.filter(|_| error.with(Option::is_none)).map(|text| view! { <span class="opacity-80">{text}</span> })}
        </span>
    }
}

/// That a field must not be left empty, for the eye: `aria-required` tells the others. Beside the label, of whose words it is none.
fn mark(required: bool) -> Option<impl IntoView> {
    required.then(|| view! { <span class="text-error text-sm font-medium" aria-hidden="true" title="Required">"*"</span> })
}

#[component]
pub(crate) fn TextField(
    /// Unique in the document.
    id: &'static str,
    label: &'static str,
    field: FieldState,
    #[prop(optional)] help: Option<&'static str>,
    #[prop(default = "text")] kind: &'static str,
    #[prop(default = "off")] autocomplete: &'static str,
    #[prop(optional)] placeholder: Option<&'static str>,
    #[prop(optional)] required: bool,
    #[prop(optional)] mono: bool,
    /// Has the focus when the page has been loaded.
    #[prop(optional)]
    autofocus: bool,
    /// Has the focus when its dialog opens. Not by `autofocus`, which is for a page that comes: the browser complains of one on a page
    /// where something else has the focus.
    #[prop(optional)]
    first: bool,
    /// Id of a `<datalist>` with what is likely.
    #[prop(optional)]
    list: Option<&'static str>,
    #[prop(optional, into)] disabled: Signal<bool>,
) -> impl IntoView {
    let node = NodeRef::<html::Input>::new();
    keep_in_step(field.value, move || node.get().map(|input| (input.value(), Box::new(move |text: &str| input.set_value(text)) as Setter)));
    view! {
        <div class="flex flex-col gap-1">
            <div class="flex items-baseline gap-1">
                <label class="text-sm font-medium" for=id>{label}</label>
                {mark(required)}
            </div>
            <input
                node_ref=node
                id=id
                name=id
                type=kind
                class=if mono { "input input-sm w-full font-mono" } else { "input input-sm w-full" }
                class=("input-error", move || field.error.with(Option::is_some))
                value=field.value.get_untracked()
                on:input=move |event| field.typed(event_target_value(&event))
                // half a date has no value: without this it would be sent as none
                on:invalid=move |_| field.error.set(Some(format!("{label} cannot be read: complete it, or empty it")))
                autocomplete=autocomplete
                placeholder=placeholder
                // the field's own rule says so when it is empty
                aria-required=required.then_some("true")
                autofocus=autofocus
                data-first=first.then_some("")
                list=list
                disabled=move || disabled.get()
                aria-describedby=format!("{id}-note")
                aria-invalid=move || field.error.with(Option::is_some).then_some("true")
                spellcheck="false"
            />
            <Notes id help error=field.error/>
        </div>
    }
}

#[component]
pub(crate) fn TextArea(
    id: &'static str,
    label: &'static str,
    field: FieldState,
    #[prop(optional)] help: Option<&'static str>,
    #[prop(default = 3)] rows: u32,
    #[prop(optional)] placeholder: Option<&'static str>,
) -> impl IntoView {
    let initial = textarea_html(&field.value.get_untracked());
    let node = NodeRef::<html::Textarea>::new();
    keep_in_step(field.value, move || node.get().map(|area| (area.value(), Box::new(move |text: &str| area.set_value(text)) as Setter)));
    view! {
        <div class="flex flex-col gap-1">
            <label class="text-sm font-medium" for=id>{label}</label>
            <textarea
                node_ref=node
                id=id
                name=id
                rows=rows
                class="textarea textarea-sm w-full font-mono text-xs"
                class=("textarea-error", move || field.error.with(Option::is_some))
                on:input=move |event| field.typed(event_target_value(&event))
                placeholder=placeholder
                aria-describedby=format!("{id}-note")
                aria-invalid=move || field.error.with(Option::is_some).then_some("true")
                spellcheck="false"
                inner_html=initial
            ></textarea>
            <Notes id help error=field.error/>
        </div>
    }
}

/// Writes a text into an element.
pub(super) type Setter = Box<dyn Fn(&str)>;

/// Keeps an element's text and its signal in step. `element` gives what the element holds and how to change it.
///
/// Not `prop:value`, which at hydration would wipe out what was typed while the application was still loading:
/// the first run takes that over instead.
pub(super) fn keep_in_step(value: RwSignal<String>, element: impl Fn() -> Option<(String, Setter)> + 'static) {
    Effect::new(move |taken_over: Option<bool>| {
        let wanted = value.get();
        let Some((shown, set)) = element() else { return taken_over.unwrap_or(false) };
        if shown != wanted {
            if taken_over == Some(true) || same_but_for_html(&shown, &wanted) {
                set(&wanted);
            } else {
                value.set(shown);
            }
        }
        true
    });
}

/// HTML drops a line break at the start of a `<textarea>`, and a form's line breaks are always single characters.
fn same_but_for_html(shown: &str, wanted: &str) -> bool {
    let wanted = wanted.replace("\r\n", "\n");
    shown == wanted || wanted.strip_prefix('\n') == Some(shown)
}

/// A `<textarea>`'s text as its HTML. Leptos does not escape what stands inside one: as a child, a text with
/// `</textarea>` in it would go on as part of the page.
pub(super) fn textarea_html(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// From so many choices on a list is searched rather than read.
const MANY: usize = 8;

/// One entry of a [`SelectField`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Choice {
    pub(crate) value: String,
    pub(crate) label: String,
}

impl Choice {
    pub(crate) fn new(value: impl ToString, label: impl Into<String>) -> Self {
        Self { value: value.to_string(), label: label.into() }
    }
}

/// Those whose labels fit, at most so many; the chosen one always.
fn offered(choices: Vec<Choice>, query: &str, chosen: &str, most: usize) -> Vec<Choice> {
    let fitting = choices.into_iter().filter(|own| own.value == chosen || matches(&own.label, query));
    let mut left = most;
    let within = |own: &Choice| {
        let fits = left > 0;
        left = left.saturating_sub(1);
        fits || own.value == chosen
    };
    fitting.filter(within).collect()
}

/// What a search leaves, in words.
fn fits(count: usize) -> String {
    match count {
        0 => "none fits".into(),
        1 => "1 fits".into(),
        count => format!("{count} fit"),
    }
}

#[component]
pub(crate) fn SelectField(
    id: &'static str,
    label: &'static str,
    field: FieldState,
    #[prop(into)] choices: Signal<Vec<Choice>>,
    /// Label of the empty value, if it can be chosen.
    #[prop(optional)]
    none: Option<&'static str>,
    #[prop(optional)] help: Option<&'static str>,
    #[prop(optional, into)] disabled: Signal<bool>,
    /// A long list gets a field that narrows it down.
    #[prop(optional)]
    search: bool,
    /// So many are offered at once; the search finds the others.
    #[prop(default = usize::MAX)]
    most: usize,
    #[prop(optional)] required: bool,
) -> impl IntoView {
    let query = RwSignal::new(String::new());
    // a list that has become short under a search can still be searched: nothing else would take the search back
    let searchable = move || search && (choices.with(Vec::len) >= MANY || query.with(|query| !query.is_empty())) && !disabled.get();
    let fitting =
        move || query.with(|query| choices.with(|all| all.iter().filter(|own| matches(&own.label, query)).cloned().collect::<Vec<_>>()));
    let found = move || query.with(|query| !query.trim().is_empty()).then(|| fits(fitting().len()));
    let key = move |event: leptos::ev::KeyboardEvent| {
        if event.is_composing() {
            return;
        }
        let searched = query.with_untracked(|query| !query.trim().is_empty());
        match event.key().as_str() {
            "Enter" => {
                // it would send the form
                event.prevent_default();
                match untrack(fitting).as_slice() {
                    [only] if searched => dom::choose(id, &only.value),
                    [_, ..] if searched => dom::open_select(id),
                    _ => {}
                }
            }
            "Escape" if query.with_untracked(|query| !query.is_empty()) => {
                // the search first, and only then the dialog around it
                event.prevent_default();
                event_target::<web_sys::HtmlInputElement>(&event).set_value("");
                query.set(String::new());
            }
            _ => {}
        }
    };
    let entries = move || {
        let mut list: Vec<Choice> = none.map(|label| Choice::new("", label)).into_iter().collect();
        let chosen = field.value.get_untracked();
        // what is chosen stays, whatever is looked for
        query.with(|query| list.extend(offered(choices.get(), query, &chosen, most)));
        // a value that is not offered stays visible instead of turning silently into the first entry
        let value = field.value.get_untracked();
        if !list.iter().any(|choice| choice.value == value) {
            let label = if value.is_empty() { "Choose…".to_owned() } else { format!("{value} (not in the list)") };
            list.insert(0, Choice { value, label });
        }
        list
    };
    view! {
        <div class="flex flex-col gap-1">
            <div class="flex items-baseline justify-between gap-2">
                <div class="flex items-baseline gap-1">
                    <label class="text-sm font-medium" for=id>{label}</label>
                    {mark(required)}
                </div>
                <Show when=searchable>
                    // there before it says something: a live region that appears together with its text is not read out
                    <span role="status" class="ml-auto text-xs whitespace-nowrap opacity-80" data-found=id>{found}</span>
                    <input
                        type="search"
                        class="input input-xs -my-1 w-32"
                        aria-label=format!("Search {}", label.to_ascii_lowercase())
                        aria-controls=id
                        placeholder="Search"
                        autocomplete="off"
                        data-search=id
                        on:input=move |event| query.set(event_target_value(&event))
                        on:keydown=key
                    />
                </Show>
            </div>
            <select
                id=id
                name=id
                class="select select-sm w-full"
                class=("select-error", move || field.error.with(Option::is_some))
                on:change=move |event| field.typed(event_target_value(&event))
                disabled=move || disabled.get()
                aria-required=required.then_some("true")
                aria-describedby=format!("{id}-note")
                aria-invalid=move || field.error.with(Option::is_some).then_some("true")
            >
                {move || {
                    entries()
                        .into_iter()
                        .map(|Choice { value, label }| {
                            let chosen = field.value.get_untracked() == value;
                            let own = value.clone();
                            view! {
                                // the attribute for the server's HTML, the property for everything after
                                <option value=value selected=chosen prop:selected=move || field.value.get() == own>
                                    {label}
                                </option>
                            }
                        })
                        .collect_view()
                }}
            </select>
            <Notes id help error=field.error/>
        </div>
    }
}

/// A switch with its words beside it, which does something at once.
#[component]
pub(crate) fn Switch(
    /// Unique in the document.
    id: &'static str,
    #[prop(into)] label: Signal<String>,
    #[prop(into)] checked: Signal<bool>,
    #[prop(into)] change: Callback<bool>,
    #[prop(default = "")] class: &'static str,
    #[prop(optional_no_strip, into)] help: Option<&'static str>,
    #[prop(optional, into)] disabled: Signal<bool>,
) -> impl IntoView {
    view! {
        <div class="flex flex-col gap-1">
            <label class=format!("flex cursor-pointer items-center gap-2 text-sm {class}") for=id>
                <input
                    id=id
                    name=id
                    type="checkbox"
                    class="toggle toggle-sm toggle-primary"
                    data-testid=id
                    checked=checked.get_untracked()
                    prop:checked=move || checked.get()
                    on:change=move |event| change.run(event_target_checked(&event))
                    disabled=move || disabled.get()
                    aria-describedby=help.map(|_| format!("{id}-note"))
                />
                {move || label.get()}
            </label>
            {help.map(|text| view! { <span id=format!("{id}-note") class="text-xs opacity-80">{text}</span> })}
        </div>
    }
}

/// A switch of a form.
#[component]
pub(crate) fn SwitchField(
    id: &'static str,
    label: &'static str,
    checked: RwSignal<bool>,
    #[prop(optional)] help: Option<&'static str>,
    #[prop(optional, into)] disabled: Signal<bool>,
) -> impl IntoView {
    view! { <Switch id label checked change=move |on| checked.set(on) class="font-medium" help disabled/> }
}

#[cfg(test)]
mod tests {
    use super::{Choice, fits, offered, same_but_for_html, textarea_html};

    #[test]
    fn a_search_says_what_it_leaves() {
        assert_eq!([0, 1, 3].map(fits), ["none fits", "1 fits", "3 fit"]);
    }

    #[test]
    fn a_chosen_one_stays_among_those_offered() {
        let lab = || (1..=200).map(|id| Choice::new(id, format!("D03-{id}"))).collect::<Vec<_>>();
        let ids = |query, chosen| offered(lab(), query, chosen, 50).into_iter().map(|choice| choice.value).collect::<Vec<_>>();
        assert_eq!(ids("", "").len(), 50);
        assert_eq!(ids("", "180").len(), 51);
        assert_eq!(ids("d03-199", ""), ["199"]);
        assert_eq!(ids("d03-199", "7"), ["7", "199"]);
    }

    #[test]
    fn a_text_cannot_leave_its_textarea() {
        assert_eq!(textarea_html("a</textarea><script>&lt;"), "a&lt;/textarea&gt;&lt;script&gt;&amp;lt;");
    }

    #[test]
    fn what_html_does_to_line_breaks_is_no_change_of_the_users() {
        assert!(same_but_for_html("a\nb", "a\r\nb"));
        assert!(same_but_for_html("a", "\na"));
        assert!(!same_but_for_html("ab", "a"));
    }
}
