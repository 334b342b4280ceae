use std::io::Write;

use super::*;

fn env(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect()
}

fn file(text: &str) -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file
}

#[test]
fn nothing_set_is_a_lab_on_this_machine() {
    let empty = file("");
    let config = Config::load(Some(empty.path()), env(&[("HOME", "/home/ann")]), vec![("data_dir", "/srv/lab".into())]).unwrap();
    assert_eq!(config.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(config.database.url, "sqlite:///srv/lab/mr-provisioner.db");
    assert_eq!(config.tftp.listen.unwrap().to_string(), "0.0.0.0:69");
    assert_eq!(config.netboot_url(), "http://127.0.0.1:8080");
    assert_eq!(config.uploads.limit, 4 << 30);
    assert_eq!(config.ipmi.poll_interval.as_secs(), 15);
    assert!(!config.http.secure_cookies);
    assert!(config.netboot.loader_dirs.contains(&PathBuf::from("/srv/lab/loaders")));
}

#[test]
fn flags_go_over_the_environment_which_goes_over_the_file() {
    let written = file("listen = '127.0.0.1:1'\n[ipmi]\npoll_interval_seconds = 5\nconcurrency = 2\n[tftp]\nlisten = '127.0.0.1:69'\n");
    let environment = env(&[("MRP_LISTEN", "127.0.0.1:2"), ("MRP_IPMI_CONCURRENCY", "7"), ("MRP_TFTP_LISTEN", "off")]);
    let config = Config::load(Some(written.path()), environment, vec![("listen", "127.0.0.1:3".into())]).unwrap();
    assert_eq!(config.listen.port(), 3);
    assert_eq!(config.ipmi.concurrency, 7);
    assert_eq!(config.ipmi.poll_interval.as_secs(), 5);
    assert!(config.tftp.listen.is_none());
}

#[test]
fn lists_and_strings_that_look_like_numbers_come_through_the_environment() {
    let empty = file("");
    let environment = env(&[
        ("MRP_HTTP_TRUSTED_PROXIES", "['10.0.0.1', '192.168.0.0/16']"),
        ("MRP_DATA_DIR", "2024"),
        ("MRP_PUBLIC_URL", "https://lab.example.org/"),
    ]);
    let config = Config::load(Some(empty.path()), environment, vec![]).unwrap();
    assert_eq!(config.http.trusted_proxies.len(), 2);
    assert_eq!(config.data_dir, PathBuf::from("2024"));
    assert_eq!(config.public_url(), "https://lab.example.org");
    assert!(config.http.secure_cookies);
}

#[test]
fn a_misspelt_key_is_named_with_its_file_and_line() {
    let written = file("data_dir = '/srv'\n[tftp]\nlisen = 'off'\n");
    let error = Config::load(Some(written.path()), env(&[]), vec![]).unwrap_err().to_string();
    assert!(error.contains(&written.path().display().to_string()), "{error}");
    assert!(error.contains("lisen") && error.contains("line 3"), "{error}");
}

#[test]
fn a_misspelt_variable_is_named() {
    let empty = file("");
    let error = Config::load(Some(empty.path()), env(&[("MRP_TFTP_LISEN", "off")]), vec![]).unwrap_err().to_string();
    assert!(error.starts_with("MRP_TFTP_LISEN") && error.contains("lisen"), "{error}");
}

#[test]
fn a_wrong_value_is_refused_with_its_key() {
    for (text, key) in [
        ("listen = 'here'", "listen"),
        ("[tftp]\nlisten = 'here'", "tftp.listen"),
        ("[ipmi]\nconcurrency = 0", "ipmi.concurrency"),
        ("[netboot]\nurl = 'lab'", "netboot.url"),
        ("[log]\nformat = 'xml'", "format"),
        ("[http]\ntrusted_proxies = ['proxy']", "trusted_proxies"),
        ("[uploads]\nlimit = -1", "limit"),
    ] {
        let error = Config::load(Some(file(text).path()), env(&[]), vec![]).unwrap_err().to_string();
        assert!(error.contains(key), "{text}: {error}");
    }
}

#[test]
fn a_file_that_is_not_there_is_an_error_when_it_was_named() {
    let error = Config::load(Some(Path::new("/nonexistent/config.toml")), env(&[]), vec![]).unwrap_err().to_string();
    assert!(error.contains("/nonexistent/config.toml"), "{error}");
}

#[test]
fn everywhere_is_no_address_to_connect_to() {
    let empty = file("");
    let config = Config::load(Some(empty.path()), env(&[]), vec![("listen", "0.0.0.0:8080".into())]).unwrap();
    assert_eq!(config.public_url(), "http://127.0.0.1:8080");
    let config = Config::load(Some(empty.path()), env(&[]), vec![("listen", "[::]:8080".into())]).unwrap();
    assert_eq!(config.public_url(), "http://[::1]:8080");
}

#[test]
fn what_the_originals_companions_may_ask_is_loopbacks_and_a_preseed_needs_its_key() {
    let empty = file("");
    let config = Config::load(Some(empty.path()), env(&[]), vec![]).unwrap();
    let may = |address: &str| covers(&config.compat.clients, address.parse().unwrap());
    assert!(may("127.0.0.1") && may("127.9.9.9") && may("::1"));
    assert!(!may("10.0.0.1") && !may("fe80::1"));
    assert!(config.compat.bare_preseeds.is_empty());
    assert_eq!(config.next_server(), None, "nobody else reaches loopback");
    assert_eq!(config.retention.events.unwrap().as_secs(), 30 * 86_400);

    let written = file(
        "[compat]\nclients = ['10.0.0.2']\nnext_server = '10.0.0.3'\nbare_preseeds = ['10.0.0.0/24']\n[retention]\nevents_days = 0\nleases_days = 7",
    );
    let config = Config::load(Some(written.path()), env(&[("MRP_NETBOOT_URL", "http://lab.example.org")]), vec![]).unwrap();
    assert_eq!(config.compat.clients.len(), 1);
    assert_eq!(config.next_server().unwrap().to_string(), "10.0.0.3");
    assert!(covers(&config.compat.bare_preseeds, "10.0.0.77".parse().unwrap()));
    assert_eq!((config.retention.events, config.retention.leases.unwrap().as_secs()), (None, 7 * 86_400));
    for (url, expected) in [("http://lab.example.org", None), ("http://10.0.0.1:8080/x", Some("10.0.0.1".parse().unwrap()))] {
        let config = Config::load(Some(file("").path()), env(&[("MRP_NETBOOT_URL", url)]), vec![]).unwrap();
        assert_eq!(config.next_server(), expected, "DHCP takes no names");
    }
}
