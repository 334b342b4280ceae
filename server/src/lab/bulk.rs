//! The same for many machines. Each has an outcome of its own: one that fails holds up no other.

use app::api::{Assignee, MachineState, NewAssignee, PowerAction, PowerAnswer, Tag};
use futures_util::{StreamExt, stream};

use super::{
    Actor, Lab, LabError,
    assignments::{self, Which},
    machines, power, provision,
};

/// BMCs talked to at the same time: each waits for its own network.
const AT_ONCE: usize = 32;

/// A power command to each.
pub async fn power(lab: &Lab, actor: &Actor, machines: Vec<i64>, action: PowerAction) -> Vec<(i64, Result<PowerAnswer, LabError>)> {
    let each = machines.into_iter().map(|id| async move { (id, power::act(lab, actor, id, action).await) });
    stream::iter(each).buffered(AT_ONCE).collect().await
}

/// Boots each from the network with the settings it has.
pub async fn provision(lab: &Lab, actor: &Actor, machines: Vec<i64>) -> Vec<(i64, Result<MachineState, LabError>)> {
    let each = machines.into_iter().map(|id| async move { (id, provision::start(lab, actor, id).await) });
    stream::iter(each).buffered(AT_ONCE).collect().await
}

/// Gives each to a user.
pub async fn assign(lab: &Lab, actor: &Actor, machines: Vec<i64>, new: &NewAssignee) -> Vec<(i64, Result<Assignee, LabError>)> {
    let mut outcomes = Vec::new();
    for id in machines {
        outcomes.push((id, assignments::create(lab, actor, id, new.clone()).await));
    }
    outcomes
}

/// Takes each from a user.
pub async fn release(lab: &Lab, actor: &Actor, machines: Vec<i64>, user: &str) -> Vec<(i64, Result<(), LabError>)> {
    let mut outcomes = Vec::new();
    for id in machines {
        outcomes.push((id, release_one(lab, actor, id, user).await));
    }
    outcomes
}

async fn release_one(lab: &Lab, actor: &Actor, machine: i64, user: &str) -> Result<(), LabError> {
    let assignees = assignments::list(lab, actor, machine).await?;
    let assignee = assignees.into_iter().find(|assignee| assignee.user == user);
    let assignee = assignee.ok_or_else(|| LabError::not_found(format!("{user} does not have it")))?;
    assignments::delete(lab, actor, machine, Which::Id(assignee.id)).await
}

/// Gives each labels and takes others from it.
pub async fn tag(lab: &Lab, actor: &Actor, machines: Vec<i64>, add: &[Tag], remove: &[Tag]) -> Vec<(i64, Result<Vec<String>, LabError>)> {
    let mut outcomes = Vec::new();
    for id in machines {
        outcomes.push((id, machines::relabel(lab, actor, id, add, remove).await.map(|machine| machine.tags)));
    }
    outcomes
}
