//! Kernels, initrds and bootloaders.

mod edit;
mod upload;

use futures_util::future::try_join;
use leptos::prelude::*;
use leptos_router::hooks::use_location;

use self::{edit::EditForm, upload::UploadPanel};
use super::{
    flags::Flags,
    follow::follow_list,
    records::{Record, Records, loaded_once, rows},
    used::{Thing, UsedBy, image_name},
};
use crate::{
    api::{self, Api, ApiError, Arch, Image, ImageType, InUseBy, Me},
    ui::{
        AddButton, Address, Columns, CopyButton, Empty, PageHead, SearchBox, Sort, SortHead, SortHeads, Switch, Time, Zone,
        format::{bytes, counted},
        matches, natural, within_page,
    },
};

/// After the page's path: with the form for a new image.
pub(super) const UPLOAD: &str = "#upload";

#[component]
pub(super) fn Images() -> impl IntoView {
    // an upload goes on, whatever the user becomes meanwhile
    loaded_once("Images", load, |me, (images, archs)| view! { <List me images archs/> }.into_any())
}

async fn load(api: Api) -> Result<(Vec<Image>, Vec<Arch>), ApiError> {
    try_join(api.images(true), api.archs()).await
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Column {
    File,
    Description,
    Kind,
    Arch,
    Size,
    Owner,
    Date,
    KnownGood,
    Public,
}

impl Columns for Column {
    const WORDS: &'static [(Self, &'static str)] = &[
        (Self::File, "file"),
        (Self::Description, "description"),
        (Self::Kind, "type"),
        (Self::Arch, "arch"),
        (Self::Size, "size"),
        (Self::Owner, "owner"),
        (Self::Date, "date"),
        (Self::KnownGood, "known_good"),
        (Self::Public, "public"),
    ];
}

/// What its type is called, here and in the forms.
fn kind_label(kind: ImageType) -> &'static str {
    match kind {
        ImageType::Bootloader => "Bootloader",
        other => other.word(),
    }
}

fn compare(a: &Image, b: &Image, sort: Sort<Column>) -> std::cmp::Ordering {
    let by = match sort.column {
        Column::File => natural(&a.filename, &b.filename),
        // those without one last
        Column::Description => {
            a.description.is_empty().cmp(&b.description.is_empty()).then_with(|| natural(&a.description, &b.description))
        }
        Column::Kind => a.file_type.word().to_ascii_lowercase().cmp(&b.file_type.word().to_ascii_lowercase()),
        Column::Arch => natural(&a.arch, &b.arch),
        Column::Size => a.size.cmp(&b.size),
        Column::Owner => a.user.cmp(&b.user),
        Column::Date => a.upload_date.cmp(&b.upload_date),
        // those that are come first
        Column::KnownGood => b.known_good.cmp(&a.known_good),
        Column::Public => b.public.cmp(&a.public),
    };
    sort.apply(by).then(b.id.cmp(&a.id))
}

fn found(image: &Image, query: &str) -> bool {
    let user = image.user.as_deref().unwrap_or_default();
    let all = [&image.filename, &image.name, &image.description, image.file_type.word(), &image.arch, user, &image.sha256].join("\n");
    matches(&all, query)
}

impl Record for Image {
    const NOUN: &'static str = "image";

    fn id(&self) -> i64 {
        self.id
    }

    fn label(&self, zone: Zone) -> String {
        image_name(self, zone)
    }

    fn fits_for(&self, other: &Self, _users: &[InUseBy]) -> bool {
        (self.file_type, &self.arch) == (other.file_type, &other.arch)
    }
}

#[component]
fn List(me: Me, images: Vec<Image>, archs: Vec<Arch>) -> impl IntoView {
    let records = Records::new(images);
    let used = UsedBy::new(me.admin);
    let address = Address::new();
    let filter = address.keeps::<String>("q");
    let only_mine = address.keeps::<bool>("mine");
    // newest first: what one just uploaded is what one looks for
    let sort = address.keeps_sort(Sort { column: Column::Date, descending: true });
    let username = me.username.clone();
    let shown = Memo::new(move |_| {
        let (filter, only_mine, sort) = (filter.get(), only_mine.get(), sort.get());
        let mine = |image: &Image| !only_mine || image.user.as_deref() == Some(&username);
        let mut list: Vec<Image> =
            records.list.with(|images| images.iter().filter(|image| mine(image) && found(image, &filter)).cloned().collect());
        list.sort_by(|a, b| compare(a, b, sort));
        list
    });
    let uploading = RwSignal::new(false);
    let (hash, go) = (use_location().hash, within_page());
    Effect::new(move |_| {
        if hash.get() == UPLOAD {
            uploading.set(true);
            // once: who comes back, or loads the page again, is not asked for a file
            go.run(("/images".into(), true));
        }
    });
    let put = records.put();
    let archs = RwSignal::new(archs);
    // accounts, too: an administrator may do more
    follow_list(&[api::List::Image, api::List::Arch, api::List::User], load, move |(list, all): (Vec<Image>, Vec<Arch>)| {
        records.replace()(list);
        archs.try_set(all);
    });
    let row = move |own: Memo<Image>| {
        let text = move |get: fn(&Image) -> String| move || own.with(get);
        let first = own.get_untracked();
        let may = Memo::new(move |_| own.with(|image| image.may_change));
        let size = bytes(first.size as f64);
        let flags = move || own.with(|image| view! { <Flags public=image.public known_good=image.known_good/> });
        let owner = |image: &Image| image.user.clone().unwrap_or_else(|| "–".into());
        let short = first.sha256.get(..12).unwrap_or(&first.sha256).to_owned();
        let hash = {
            let sha256 = first.sha256.clone();
            move || {
                view! {
                    <code class="text-xs" title=sha256.clone()>{short.clone()}"…"</code>
                    <CopyButton text=sha256.clone() what="SHA-256"/>
                }
            }
        };
        view! {
            <tr class="hover:bg-base-200" data-testid="image-row" data-image=text(|image| image.filename.clone())>
                <th scope="row" class="max-w-72 font-normal wrap-anywhere">
                    <span class="font-medium break-all">{text(|image| image.filename.clone())}</span>
                    {move || own.with(|image| {
                        let described = !image.description.is_empty();
                        described.then(|| view! { <span class="block text-xs opacity-80">{image.description.clone()}</span> })
                    })}
                    <span class="block font-mono text-xs break-all opacity-80">{text(|image| image.name.clone())}</span>
                    // what has no column of its own where it is narrow
                    <span class="block text-xs lg:hidden">
                        <span class="block opacity-80 md:hidden">
                            {text(|image| image.arch.clone())}", "{size.clone()}", "<Time at=first.upload_date.clone()/>
                        </span>
                        <span class="block opacity-80">"Owner: "{text(owner)}</span>
                        <span class="block opacity-80">"SHA-256: "{hash.clone()}</span>
                        {flags}
                    </span>
                </th>
                <td>{text(|image| kind_label(image.file_type).into())}</td>
                <td class="wrap-anywhere max-md:hidden">{text(|image| image.arch.clone())}</td>
                <td class="text-right whitespace-nowrap max-md:hidden" title=format!("{} bytes", first.size)>{size}</td>
                <td class="whitespace-nowrap max-lg:hidden">{hash}</td>
                <td class="wrap-anywhere max-lg:hidden">{text(owner)}</td>
                <td class="text-xs whitespace-nowrap max-md:hidden"><Time at=first.upload_date/></td>
                <td class="max-lg:hidden">{flags}</td>
                <td class="w-0 text-right whitespace-nowrap">
                    {used.button(move || Thing::Image(own.get()))}
                    {move || may.get().then(|| records.buttons(own, true))}
                </td>
            </tr>
        }
        .into_any()
    };
    view! {
        <PageHead title="Images">
            <AddButton label="Upload image" open=uploading testid="upload-image"/>
        </PageHead>
        <Show when=move || uploading.get()>
            <UploadPanel open=uploading archs done=put/>
        </Show>
        <div class="mb-3 flex flex-wrap items-center gap-x-4 gap-y-2">
            <SearchBox value=filter label="Filter images"/>
            <Switch id="only-mine" label="Only my images" checked=only_mine change=move |on| only_mine.set(on)/>
            <span class="text-sm opacity-80" role="status">{move || counted(shown.with(Vec::len), "image", "images")}</span>
        </div>
        <Show
            when=move || !records.list.with(Vec::is_empty)
            fallback=|| view! { <Empty title="No images yet">"Upload the kernel and the initrd of an installer, unmodified, and the bootloader of each architecture."</Empty> }
        >
            <div class="rounded-box border-base-300 overflow-x-auto border">
                <table class="table-sm table" data-testid="images">
                    <caption class="sr-only">"Images"</caption>
                    <thead class="bg-base-200">
                        <tr>
                            <SortHeads columns=&[("File", Column::File), ("Description", Column::Description)] sort/>
                            <SortHead label="Type" column=Column::Kind sort/>
                            <SortHead label="Architecture" column=Column::Arch sort class="max-md:hidden"/>
                            <SortHead label="Size" column=Column::Size sort class="text-right max-md:hidden"/>
                            <th scope="col" class="max-lg:hidden">"SHA-256"</th>
                            <SortHead label="Owner" column=Column::Owner sort class="max-lg:hidden"/>
                            <SortHead label="Uploaded" column=Column::Date sort class="max-md:hidden"/>
                            <SortHeads columns=&[("Known good", Column::KnownGood), ("Public", Column::Public)] sort class="max-lg:hidden"/>
                            <th scope="col"><span class="sr-only">"Actions"</span></th>
                        </tr>
                    </thead>
                    <tbody>{rows(move || shown.get(), |image| image.id, row)}</tbody>
                </table>
            </div>
            <Show when=move || shown.with(Vec::is_empty)>
                <Empty title="No image matches"/>
            </Show>
        </Show>
        {records.editor(move |open, opened| view! { <EditForm open opened archs=archs.get_untracked() done=put/> }.into_any())}
        {used.dialog()}
        {records.deleter(|_| String::new(), |api, id, removal| async move { api.delete_image(id, removal).await })}
    }
}
