//! A machine's preseed: what its template can read, and what becomes of it.

use std::net::IpAddr;

use app::api::{Diagnostic, EventKind, PreseedPreview, Severity, hostname};
use store::{Conn, MachineView, StoreError};
use subtle::ConstantTimeEq;

use super::{
    preseed::{ImageVariables, InterfaceVariables, PreseedError, Variables},
    sandbox,
    service::{Netboot, Refusal},
};
use crate::config::covers;

impl Netboot {
    /// A machine's preseed, rendered for the machine itself.
    ///
    /// # Errors
    /// Unknown machine or key, no preseed, or a template that cannot be rendered.
    pub async fn preseed(&self, machine: i64, key: &str, client: IpAddr) -> Result<String, Refusal> {
        let not_found = || Refusal::NotFound("no preseed here".into());
        let mut read = self.0.store.read().await?;
        let view = store::machines::view(&mut read, machine).await?.ok_or_else(not_found)?;
        let bare = key.is_empty() && covers(&self.0.settings.bare_preseeds, client);
        if !bare && !bool::from(view.preseed_key.as_bytes().ct_eq(key.as_bytes())) {
            return Err(not_found());
        }
        let preseed = match view.preseed_id {
            Some(id) => store::preseeds::get(&mut read, id).await?.ok_or_else(not_found)?,
            None => return Err(not_found()),
        };
        let variables = self.variables(&mut read, &view).await?;
        drop(read);
        let client_ip = client.to_string();
        match sandbox::render_apart(&self.0.settings.renderer, preseed.content, variables).await {
            Ok(rendered) => {
                for name in rendered.undefined {
                    let message = undefined(&name);
                    self.note(machine, EventKind::PreseedError { client_ip: client_ip.clone(), message, lineno: 0 }).await;
                }
                self.note(machine, EventKind::PreseedAccess { client_ip, bytes: rendered.text.len() as u64 }).await;
                Ok(rendered.text)
            }
            Err(error) => {
                self.note(machine, EventKind::PreseedError { client_ip, message: error.to_string(), lineno: error.line() }).await;
                Err(error.into())
            }
        }
    }

    /// What a machine would be sent for a template, and what is wrong with it. Leaves no event.
    ///
    /// # Errors
    /// The store's.
    pub async fn preview(&self, view: &MachineView, template: String) -> Result<PreseedPreview, StoreError> {
        let variables = self.variables(&mut *self.0.store.read().await?, view).await?;
        Ok(match sandbox::render_apart(&self.0.settings.renderer, template.clone(), variables).await {
            Ok(rendered) => {
                let mut diagnostics: Vec<_> = rendered
                    .undefined
                    .iter()
                    .map(|name| Diagnostic { line: line_of(&template, name), severity: Severity::Warning, message: undefined(name) })
                    .collect();
                diagnostics.sort_by_key(|diagnostic| diagnostic.line);
                PreseedPreview { text: Some(rendered.text), diagnostics }
            }
            Err(error) => PreseedPreview { text: None, diagnostics: vec![fatal(&error)] },
        })
    }

    /// What keeps a template from being rendered for any machine.
    pub async fn check(&self, template: String) -> Vec<Diagnostic> {
        match sandbox::check_apart(&self.0.settings.renderer, template).await {
            Ok(()) => Vec::new(),
            Err(error) => vec![fatal(&error)],
        }
    }

    async fn variables(&self, read: &mut Conn, view: &MachineView) -> Result<Variables, StoreError> {
        let mut variables = Variables {
            ssh_keys: store::assignments::list_ssh_keys(read, view.id).await?,
            hostname: hostname(&view.name),
            kernel_options: view.kernel_opts.clone(),
            phone_home_url: format!("{}/api/v1/machine/{}/phone-home?k={}", self.0.settings.url, view.id, view.preseed_key),
            ..Variables::default()
        };
        variables.ssh_key = variables.ssh_keys.first().cloned().unwrap_or_default();
        for interface in store::interfaces::list_views_of_machine(read, view.id).await? {
            // without its network an address has no prefix: nothing an installer could use (B6)
            let (Some(static_ipv4), Some(subnet)) = (interface.static_ipv4, interface.subnet) else { continue };
            let Ok(subnet) = subnet.parse::<ipnet::Ipv4Net>() else { continue };
            variables.interfaces.push(InterfaceVariables {
                name: interface.identifier,
                static_ipv4,
                prefix: subnet.prefix_len(),
                netmask: subnet.netmask().to_string(),
                mac: interface.mac,
            });
        }
        for (id, slot) in [(view.kernel_id, &mut variables.kernel), (view.initrd_id, &mut variables.initrd)] {
            let Some(id) = id else { continue };
            *slot = store::images::get(read, id).await?.map(|image| ImageVariables {
                filename: image.filename,
                description: image.description,
                known_good: image.known_good,
            });
        }
        Ok(variables)
    }
}

fn fatal(error: &PreseedError) -> Diagnostic {
    Diagnostic { line: error.line(), severity: Severity::Error, message: error.message().to_owned() }
}

fn undefined(name: &str) -> String {
    format!("'{name}' is undefined")
}

/// Where a name stands first in the template, as a word of its own; 0 when it does not, e.g. because it is put together. The
/// engine says which names it missed, not where.
fn line_of(template: &str, name: &str) -> u32 {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    let stands = |line: &str| {
        line.match_indices(name).any(|(at, _)| {
            let (before, after) = (line[..at].chars().next_back(), line[at + name.len()..].chars().next());
            !before.is_some_and(part) && !after.is_some_and(part)
        })
    };
    let line = template.lines().position(stands);
    line.and_then(|line| u32::try_from(line + 1).ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_where_it_stands_as_a_word() {
        let template = "gateways\n{{ my_gateway }}\n{{ gateway }}\n{{ gateway.v6 }}";
        assert_eq!(line_of(template, "gateway"), 3);
        assert_eq!(line_of(template, "gateway.v6"), 4);
        assert_eq!(line_of(template, "a member of a variable"), 0);
    }
}
