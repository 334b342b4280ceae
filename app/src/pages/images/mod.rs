//! Kernels, initrds and bootloaders.

mod edit;
mod upload;

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

use self::{edit::EditForm, upload::UploadPanel};
use super::{
    flags::Flags,
    session::{Failed, Session},
};
use crate::{
    api::{Api, ApiError, Arch, Image, Me},
    ui::{
        AddButton, Confirm, CopyButton, Dialog, Empty, FilterBox, Icon, Loading, PageHead, RowButton, Sort, SortHead, Submit, Toasts,
        format::{bytes, counted},
        matches, natural,
    },
};

type Lists = Resource<Result<(Vec<Image>, Vec<Arch>), ApiError>>;

#[component]
pub(super) fn Images() -> impl IntoView {
    let session = expect_context::<Session>();
    let api = expect_context::<Api>();
    let lists: Lists = Resource::new(
        || (),
        move |()| {
            let api = api.clone();
            async move { futures_util::future::try_join(api.images(true), api.archs()).await }
        },
    );
    view! {
        <Title text="Images"/>
        <div class="p-4">
            <Suspense fallback=Loading>
                {move || Suspend::new(async move {
                    match session.with(lists).await {
                        Ok((me, (images, archs))) => view! { <List me images archs/> }.into_any(),
                        Err(error) => view! { <Failed error retry=move |()| lists.refetch()/> }.into_any(),
                    }
                })}
            </Suspense>
        </div>
    }
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

#[component]
fn List(me: Me, images: Vec<Image>, archs: Vec<Arch>) -> impl IntoView {
    let api = StoredValue::new(expect_context::<Api>());
    let toasts = expect_context::<Toasts>();
    let images = RwSignal::new(images);
    let query = use_query_map().get_untracked();
    let filter = RwSignal::new(query.get("q").unwrap_or_default());
    let only_mine = RwSignal::new(query.get("mine").is_some());
    // newest first: what one just uploaded is what one looks for
    let sort = RwSignal::new(Sort { column: Column::Date, descending: true });
    let username = me.username.clone();
    let shown = Memo::new(move |_| {
        let (filter, only_mine, sort) = (filter.get(), only_mine.get(), sort.get());
        let mine = |image: &Image| !only_mine || image.user.as_deref() == Some(&username);
        let mut list: Vec<Image> =
            images.with(|images| images.iter().filter(|image| mine(image) && found(image, &filter)).cloned().collect());
        list.sort_by(|a, b| compare(a, b, sort));
        list
    });
    let uploading = RwSignal::new(false);
    let editing = RwSignal::new(None::<Image>);
    let edit_open = RwSignal::new(false);
    let deleting = RwSignal::new(None::<Image>);
    let delete_open = RwSignal::new(false);
    let submit = Submit::new();
    let delete = move |()| {
        let Some(image) = deleting.get_untracked() else { return };
        let api = api.get_value();
        submit.run(async move { api.delete_image(image.id).await }, move |()| {
            delete_open.set(false);
            images.update(|images| images.retain(|own| own.id != image.id));
            toasts.ok(format!("{} deleted.", image.filename));
        });
    };
    let put = Callback::new(move |image: Image| {
        images.update(|images| match images.iter_mut().find(|own| own.id == image.id) {
            Some(own) => *own = image,
            None => images.push(image),
        });
    });
    let archs = StoredValue::new(archs);
    view! {
        <PageHead title="Images">
            <AddButton label="Upload image" open=uploading testid="upload-image"/>
        </PageHead>
        <Show when=move || uploading.get()>
            <UploadPanel open=uploading archs=archs.get_value() done=put/>
        </Show>
        <div class="mb-3 flex flex-wrap items-center gap-x-4 gap-y-2">
            <FilterBox value=filter label="Filter images"/>
            <label class="flex cursor-pointer items-center gap-2 text-sm">
                <input
                    type="checkbox"
                    class="toggle toggle-sm toggle-primary"
                    prop:checked=move || only_mine.get()
                    on:change=move |event| only_mine.set(event_target_checked(&event))
                />
                "Only my images"
            </label>
            <span class="text-sm opacity-70" role="status">{move || counted(shown.with(Vec::len), "image", "images")}</span>
        </div>
        <Show
            when=move || !images.with(Vec::is_empty)
            fallback=|| view! { <Empty title="No images yet">"Upload the kernel and the initrd of an installer, unmodified, and the bootloader of each architecture."</Empty> }
        >
            <div class="rounded-box border-base-300 overflow-x-auto border">
                <table class="table-sm table" data-testid="images">
                    <caption class="sr-only">"Images"</caption>
                    <thead class="bg-base-200">
                        <tr>
                            <SortHead label="File" column=Column::File sort/>
                            <SortHead label="Type" column=Column::Kind sort/>
                            <SortHead label="Architecture" column=Column::Arch sort/>
                            <SortHead label="Size" column=Column::Size sort/>
                            <th scope="col">"SHA-256"</th>
                            <SortHead label="Owner" column=Column::Owner sort/>
                            <SortHead label="Uploaded (UTC)" column=Column::Date sort/>
                            <th scope="col">"Flags"</th>
                            <th scope="col"><span class="sr-only">"Actions"</span></th>
                        </tr>
                    </thead>
                    <tbody>
                        <For each=move || shown.get() key=|image| serde_json::to_string(image).unwrap_or_default() let:image>
                            {
                                let (edited, deleted) = (image.clone(), image.clone());
                                view! {
                                    <tr class="hover:bg-base-200" data-testid="image-row" data-image=image.filename.clone()>
                                        <th scope="row" class="max-w-72 font-normal">
                                            <span class="font-medium break-all">{image.filename.clone()}</span>
                                            {(!image.description.is_empty()).then(|| view! { <span class="block text-xs opacity-70">{image.description.clone()}</span> })}
                                            <span class="block font-mono text-xs break-all opacity-60">{image.name.clone()}</span>
                                        </th>
                                        <td>{image.file_type.word()}</td>
                                        <td>{image.arch.clone()}</td>
                                        <td class="text-right whitespace-nowrap" title=format!("{} bytes", image.size)>{bytes(image.size as f64)}</td>
                                        <td class="whitespace-nowrap">
                                            <code class="text-xs" title=image.sha256.clone()>{image.sha256.get(..12).unwrap_or(&image.sha256).to_owned()}"…"</code>
                                            <CopyButton text=image.sha256.clone() what="SHA-256"/>
                                        </td>
                                        <td>{image.user.clone().unwrap_or_else(|| "–".into())}</td>
                                        <td class="text-xs whitespace-nowrap">{image.upload_date.seconds()}</td>
                                        <td><Flags public=image.public known_good=image.known_good/></td>
                                        <td class="w-0 text-right whitespace-nowrap">
                                            {image.may_change.then(|| view! {
                                                <RowButton
                                                    icon=Icon::Pencil
                                                    label=format!("Edit {}", edited.filename)
                                                    action=move |()| { editing.set(Some(edited.clone())); edit_open.set(true); }
                                                />
                                                <RowButton
                                                    icon=Icon::Trash
                                                    label=format!("Delete {}", deleted.filename)
                                                    action=move |()| { deleting.set(Some(deleted.clone())); delete_open.set(true); }
                                                />
                                            })}
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
        <Dialog open=edit_open title="Edit image">
            {move || editing.get().map(|image| view! { <EditForm open=edit_open image archs=archs.get_value() done=put/> })}
        </Dialog>
        <Confirm
            open=delete_open
            title="Delete image"
            text=Signal::derive(move || {
                format!("Are you sure you want to delete image {}?", deleting.get().map(|image| image.name).unwrap_or_default())
            })
            acknowledge=true
            submit
            action=delete
        />
    }
}
