//! What a preseed's template may name.

use leptos::prelude::*;

/// Name, meaning.
const VARIABLES: [(&str, &str); 8] = [
    ("hostname", "The machine's name, fit for a host name, e.g. d03-1"),
    ("interfaces", "Those with a static address, each with name, static_ipv4, prefix, netmask and mac"),
    ("ssh_key", "Public keys of the first assignee, or nothing"),
    ("ssh_keys", "A list with the public keys of each assignee"),
    ("kernel", "The chosen kernel, with filename, description and known_good; or none"),
    ("initrd", "The chosen initrd, likewise"),
    ("kernel_options", "The machine's kernel options"),
    ("phone_home_url", "Fetched by the installed system when it is up: the machine is ready then, and boots from its disk"),
];

const KEYS: &str = "{% for key in ssh_keys %}
{{ key }}
{% endfor %}";

const ADDRESS: &str = "{% for i in interfaces %}
d-i netcfg/get_ipaddress string {{ i.static_ipv4 }}
d-i netcfg/get_netmask string {{ i.netmask }}
{% endfor %}";

#[component]
pub(super) fn Help() -> impl IntoView {
    view! {
        <aside class="rounded-box border-base-300 bg-base-200 border p-4 text-sm" aria-labelledby="template-help">
            <h2 id="template-help" class="mb-2 font-semibold">"Template variables"</h2>
            <p class="mb-2">"The text is a Jinja template. It is rendered anew for each machine that asks for it."</p>
            <dl class="flex flex-col gap-2">
                {VARIABLES
                    .map(|(name, meaning)| {
                        view! {
                            <div>
                                <dt><code class="bg-base-300 rounded px-1 text-xs">{name}</code></dt>
                                <dd class="opacity-80">{meaning}</dd>
                            </div>
                        }
                    })
                    .collect_view()}
            </dl>
            <h3 class="mt-3 mb-1 font-medium">"For example"</h3>
            <pre class="bg-base-100 overflow-x-auto rounded p-2 text-xs"><code>{KEYS}</code></pre>
            <pre class="bg-base-100 mt-2 overflow-x-auto rounded p-2 text-xs" tabindex="0"><code>{ADDRESS}</code></pre>
            <p class="mt-2 opacity-80">"A variable that does not exist renders as nothing, and the machine's events say so."</p>
        </aside>
    }
}
