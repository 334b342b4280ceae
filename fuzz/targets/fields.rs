//! Values that can be wrong: MAC and IP addresses, networks, names, kernel options. What is accepted is in a form that is
//! accepted again and stays as it is.

#![no_main]

use libfuzzer_sys::fuzz_target;

#[allow(dead_code)]
#[path = "../../app/src/api/fields.rs"]
mod fields;

use fields::{Cidr, Description, Email, IpAddress, Ipv4, KernelOpts, MacAddr, MachineName, Username};

macro_rules! check {
    ($text:expr, $($kind:ident),*) => {
        $(
            match $kind::parse($text) {
                Ok(value) => {
                    assert_eq!($kind::parse(value.as_str()).as_ref(), Ok(&value));
                    assert!(!value.as_str().contains('\n'), "{value:?}");
                }
                Err(message) => assert!(!message.is_empty()),
            }
        )*
    };
}

fuzz_target!(|data: &[u8]| {
    let text = &*String::from_utf8_lossy(data);
    check!(text, MacAddr, Cidr, IpAddress, Ipv4, MachineName, Username, Description, Email, KernelOpts);
    if let Ok(mac) = MacAddr::parse(text) {
        assert_eq!(mac.as_str().len(), 17);
    }
    if let Ok(network) = Cidr::parse(text) {
        let (address, prefix) = network.as_str().split_once('/').expect("a prefix");
        assert!(address.parse::<std::net::Ipv4Addr>().is_ok() && prefix.parse::<u8>().is_ok_and(|prefix| prefix <= 32));
    }
});
