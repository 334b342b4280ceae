/// How far the lab's machines have changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Changes {
    /// Commits that changed what machines show.
    pub n: i64,
    /// Of the last one that changed something that is none of theirs, such as a network's name.
    pub everything: i64,
}
