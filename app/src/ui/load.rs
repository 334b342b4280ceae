use std::future::Future;

use leptos::{prelude::*, task::spawn_local};

use crate::api::ApiError;

/// What a dialog needs, asked for when it opens.
///
/// Not a resource: read below a page's `<Suspense>`, one would put the whole page back into its loading state.
pub(crate) fn load<T>(call: impl Future<Output = Result<T, ApiError>> + 'static) -> ReadSignal<Option<Result<T, ApiError>>>
where
    T: Send + Sync + 'static,
{
    let (loaded, set_loaded) = signal(None);
    spawn_local(async move {
        drop(set_loaded.try_set(Some(call.await)));
    });
    loaded
}
