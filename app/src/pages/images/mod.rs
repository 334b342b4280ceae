//! Kernels, initrds and bootloaders.

mod edit;
mod upload;

use leptos::prelude::*;

use self::{edit::EditForm, upload::UploadPanel};
use super::{
    flags::Flags,
    records::{Record, Records, loaded},
    used::{Thing, UsedBy},
};
use crate::{
    api::{Arch, Image, Me},
    ui::{
        AddButton, Address, CopyButton, Empty, PageHead, SearchBox, Sort, SortHead, Switch, Time,
        format::{bytes, counted},
        matches, natural,
    },
};

#[component]
pub(super) fn Images() -> impl IntoView {
    loaded(
        "Images",
        |api| async move { futures_util::future::try_join(api.images(true), api.archs()).await },
        |me, (images, archs)| view! { <List me images archs/> }.into_any(),
    )
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Column {
    File,
    Kind,
    Arch,
    Size,
    Owner,
    Date,
}

fn compare(a: &Image, b: &Image, sort: Sort<Column>) -> std::cmp::Ordering {
    let by = match sort.column {
        Column::File => natural(&a.filename, &b.filename),
        Column::Kind => a.file_type.word().to_lowercase().cmp(&b.file_type.word().to_lowercase()),
        Column::Arch => natural(&a.arch, &b.arch),
        Column::Size => a.size.cmp(&b.size),
        Column::Owner => a.user.cmp(&b.user),
        Column::Date => a.upload_date.cmp(&b.upload_date),
    };
    sort.apply(by).then(b.id.cmp(&a.id))
}

fn found(image: &Image, query: &str) -> bool {
    let user = image.user.as_deref().unwrap_or_default();
    let all = [&image.name, &image.description, image.file_type.word(), &image.arch, user, &image.sha256].join("\n").to_lowercase();
    matches(&all, query)
}

impl Record for Image {
    const NOUN: &'static str = "image";

    fn id(&self) -> i64 {
        self.id
    }

    fn label(&self) -> &str {
        &self.filename
    }

    fn fits_for(&self, other: &Self) -> bool {
        (self.file_type, &self.arch) == (other.file_type, &other.arch)
    }
}

#[component]
fn List(me: Me, images: Vec<Image>, archs: Vec<Arch>) -> impl IntoView {
    let records = Records::new(images);
    let used = UsedBy::new();
    let address = Address::new();
    let filter = address.keeps::<String>("q");
    let only_mine = address.keeps::<bool>("mine");
    // newest first: what one just uploaded is what one looks for
    let sort = RwSignal::new(Sort { column: Column::Date, descending: true });
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
    let put = records.put();
    let archs = StoredValue::new(archs);
    view! {
        <PageHead title="Images">
            <AddButton label="Upload image" open=uploading testid="upload-image"/>
        </PageHead>
        <Show when=move || uploading.get()>
            <UploadPanel open=uploading archs=archs.get_value() done=put/>
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
                            <SortHead label="File" column=Column::File sort/>
                            <SortHead label="Type" column=Column::Kind sort/>
                            <SortHead label="Architecture" column=Column::Arch sort class="max-md:hidden"/>
                            <SortHead label="Size" column=Column::Size sort class="max-md:hidden"/>
                            <th scope="col" class="max-md:hidden">"SHA-256"</th>
                            <SortHead label="Owner" column=Column::Owner sort class="max-md:hidden"/>
                            <SortHead label="Uploaded" column=Column::Date sort class="max-md:hidden"/>
                            <th scope="col" class="max-md:hidden">"Flags"</th>
                            <th scope="col"><span class="sr-only">"Actions"</span></th>
                        </tr>
                    </thead>
                    <tbody>
                        <For each=move || shown.get() key=|image| serde_json::to_string(image).unwrap_or_default() let:image>
                            {
                                view! {
                                    <tr class="hover:bg-base-200" data-testid="image-row" data-image=image.filename.clone()>
                                        <th scope="row" class="max-w-72 font-normal">
                                            <span class="font-medium break-all">{image.filename.clone()}</span>
                                            {(!image.description.is_empty()).then(|| view! { <span class="block text-xs opacity-80">{image.description.clone()}</span> })}
                                            <span class="block font-mono text-xs break-all opacity-80">{image.name.clone()}</span>
                                            // what has no column of its own on a telephone
                                            <span class="block text-xs opacity-80 md:hidden">
                                                {format!("{}, {}, ", image.arch, bytes(image.size as f64))}
                                                <Time at=image.upload_date.clone()/>
                                            </span>
                                        </th>
                                        <td>{image.file_type.word()}</td>
                                        <td class="max-md:hidden">{image.arch.clone()}</td>
                                        <td class="text-right whitespace-nowrap max-md:hidden" title=format!("{} bytes", image.size)>{bytes(image.size as f64)}</td>
                                        <td class="whitespace-nowrap max-md:hidden">
                                            <code class="text-xs" title=image.sha256.clone()>{image.sha256.get(..12).unwrap_or(&image.sha256).to_owned()}"…"</code>
                                            <CopyButton text=image.sha256.clone() what="SHA-256"/>
                                        </td>
                                        <td class="max-md:hidden">{image.user.clone().unwrap_or_else(|| "–".into())}</td>
                                        <td class="text-xs whitespace-nowrap max-md:hidden"><Time at=image.upload_date.clone()/></td>
                                        <td class="max-md:hidden"><Flags public=image.public known_good=image.known_good/></td>
                                        <td class="w-0 text-right whitespace-nowrap">
                                            {used.button(Thing::Image(image.clone()))}
                                            {image.may_change.then(|| records.buttons(&image, true))}
                                        </td>
                                    </tr>
                                }
                            }
                        </For>
                    </tbody>
                </table>
            </div>
            <Show when=move || shown.with(Vec::is_empty)>
                <Empty title="No image matches"/>
            </Show>
        </Show>
        {records.editor(move |open, opened| view! { <EditForm open opened archs=archs.get_value() done=put/> }.into_any())}
        {used.dialog()}
        {records.deleter(|_| String::new(), |api, id, removal| async move { api.delete_image(id, removal).await })}
    }
}
