//! Who made a network card: looked up in the IEEE's registries of MAC prefixes, as CSV files on disk. Asked only for MACs
//! nobody registered, so the files are read each time and nothing of their 5 MB stays in memory.

use std::{
    fs::File,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
};

use app::api::MacAddr;

/// What the original says when no registry knows.
const UNKNOWN: &str = "unknown";

/// The owner of the MAC's longest registered prefix.
pub(super) async fn of(files: &[PathBuf], mac: &MacAddr) -> String {
    let (files, mac) = (files.to_vec(), mac.clone());
    // the lookup cannot panic; if the runtime ends meanwhile, nobody reads the answer
    tokio::task::spawn_blocking(move || look_up(&files, &mac)).await.unwrap_or_else(|_| UNKNOWN.into())
}

fn look_up(files: &[PathBuf], mac: &MacAddr) -> String {
    let digits: String = mac.as_str().chars().filter(char::is_ascii_hexdigit).map(|c| c.to_ascii_uppercase()).collect();
    let best = files.iter().filter_map(|file| search(file, &digits)).max_by_key(|(length, _)| *length);
    best.map_or_else(|| UNKNOWN.into(), |(_, name)| name)
}

/// Lines are `MA-L,00A0C9,Intel Corporation,…`, a name with a comma in it in quotes.
fn search(file: &Path, digits: &str) -> Option<(usize, String)> {
    let mut best: Option<(usize, String)> = None;
    for line in BufReader::new(File::open(file).ok()?).lines().map_while(Result::ok) {
        let Some((_, rest)) = line.split_once(',') else { continue };
        let Some((prefix, rest)) = rest.split_once(',') else { continue };
        let longer = best.as_ref().is_none_or(|(length, _)| prefix.len() > *length);
        if prefix.len() >= 6 && longer && digits.starts_with(prefix) {
            best = Some((prefix.len(), name(rest)));
        }
    }
    best
}

/// The first field of the rest of a line (RFC 4180).
fn name(rest: &str) -> String {
    let Some(quoted) = rest.strip_prefix('"') else {
        return rest.split(',').next().unwrap_or_default().trim().to_owned();
    };
    let mut name = String::new();
    let mut chars = quoted.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if chars.peek() == Some(&'"') => {
                chars.next();
                name.push('"');
            }
            '"' => break,
            c => name.push(c),
        }
    }
    name.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn vendor(mac: &str) -> String {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(
            b"Registry,Assignment,Organization Name,Organization Address\r\n\
              MA-L,00A0C9,Intel Corporation,M/S: JF3-420 2111 N.E. 25th Ave. Hillsboro OR US 97124\r\n\
              MA-L,D03C1F,\"Huawei \"\"Device\"\" Co., Ltd.\",\"No. 1, Shenzhen\"\r\n\
              MA-L,70B3D5,IEEE Registration Authority,445 Hoes Lane\r\n\
              MA-S,70B3D5123,Small Cards GmbH,Berlin\r\n",
        )
        .unwrap();
        look_up(&[PathBuf::from("/nonexistent/oui.csv"), file.path().to_owned()], &MacAddr::parse(mac).unwrap())
    }

    #[test]
    fn the_longest_prefix_names_the_maker() {
        assert_eq!(vendor("00:a0:c9:00:00:01"), "Intel Corporation");
        assert_eq!(vendor("d0:3c:1f:00:00:01"), "Huawei \"Device\" Co., Ltd.");
        assert_eq!(vendor("70:b3:d5:00:00:01"), "IEEE Registration Authority");
        assert_eq!(vendor("70:b3:d5:12:30:01"), "Small Cards GmbH");
        assert_eq!(vendor("52:54:00:00:00:01"), "unknown");
    }
}
