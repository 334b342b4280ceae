//! HP Moonshot: one chassis manager for all cartridges. Each has a controller of its own behind two buses.

use app::api::Cartridge;
use ipmi_client::{Hop, Route};

/// From the chassis manager to the slots.
const SLOTS: u8 = 0;
/// From a slot to the node on the cartridge in it.
const NODES: u8 = 7;
/// Address of a cartridge's first node.
const NODE: u8 = 0x72;

/// The 8-bit address of a cartridge's slot.
pub(super) fn slot(cartridge: Cartridge) -> u8 {
    // 63 at most: 0xfe
    0x80 + 2 * cartridge.number()
}

/// What `ipmitool -B 0 -T <slot> -b 7 -t 0x72` does.
pub(super) fn route(cartridge: Cartridge) -> Route {
    Route::Double { transit: Hop { channel: SLOTS, address: slot(cartridge) }, target: Hop { channel: NODES, address: NODE } }
}

/// The same for `ipmitool`.
pub(super) fn options(cartridge: Cartridge) -> [String; 8] {
    let [slots, slot, nodes, node] = [SLOTS, slot(cartridge), NODES, NODE].map(|number| number.to_string());
    ["-B".into(), slots, "-T".into(), slot, "-b".into(), nodes, "-t".into(), node]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_originals_addresses() {
        let cartridge = Cartridge::parse("12").unwrap();
        assert_eq!(options(cartridge).join(" "), "-B 0 -T 152 -b 7 -t 114");
        let hops = (Hop { channel: 0, address: 152 }, Hop { channel: 7, address: 114 });
        assert_eq!(route(cartridge), Route::Double { transit: hops.0, target: hops.1 });
        assert_eq!(slot(Cartridge::parse("63").unwrap()), 0xfe);
    }
}
