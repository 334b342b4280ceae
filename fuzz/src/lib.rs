//! What the targets share: a meter for memory, and sessions to put packets into.

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
};

use ipmi_wire::{
    CipherSuite, Privilege,
    session::{
        BmcHandshake, BmcUser, ConsoleHandshake, ConsoleParams, Datagram, Established, PayloadType, SecretKey, Setup, Step, Username,
    },
};

/// The system's allocator, counting what it hands out.
struct Metered;

thread_local! {
    static HANDED_OUT: Cell<usize> = const { Cell::new(0) };
}

#[global_allocator]
static METERED: Metered = Metered;

fn count(bytes: usize) {
    // a thread that ends has no meter any more
    let _ = HANDED_OUT.try_with(|total| total.set(total.get().wrapping_add(bytes)));
}

// SAFETY: every call is passed on to the system's allocator unchanged.
unsafe impl GlobalAlloc for Metered {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        unsafe { System.dealloc(at, layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size);
        unsafe { System.realloc(at, layout, size) }
    }
}

/// Runs `work` on an input of `len` octets.
///
/// # Panics
/// When it allocates more than `times` the input and a little: a length field must not be believed.
pub fn metered<T>(len: usize, times: usize, work: impl FnOnce() -> T) -> T {
    let before = HANDED_OUT.get();
    let result = work();
    let used = HANDED_OUT.get().wrapping_sub(before);
    assert!(used <= 256 + times * len, "{used} octets allocated for {len} octets of input");
    result
}

pub const PASSWORD: &[u8] = b"secret";
pub const USER: &[u8] = b"admin";
pub const CONSOLE_RANDOM: [u8; 16] = [0x11; 16];
pub const BMC_RANDOM: [u8; 16] = [0x22; 16];
pub const CONSOLE_ID: u32 = 0x0102_0304;
pub const BMC_ID: u32 = 0x0506_0708;
/// ADMINISTRATOR, looked up by name alone.
pub const ROLE: u8 = 0x14;

/// A console about to open a session.
pub fn console(suite: CipherSuite) -> ConsoleHandshake {
    ConsoleHandshake::new(ConsoleParams {
        username: Username::new(USER).expect("short"),
        password: SecretKey::new(PASSWORD).expect("short"),
        kg: None,
        privilege: Privilege::Administrator,
        open_privilege: None,
        name_only: true,
        rakp3_without_lookup: false,
        suite,
        session_id: CONSOLE_ID,
        random: CONSOLE_RANDOM,
        tag: 0,
    })
}

pub fn user() -> BmcUser {
    BmcUser { password: SecretKey::new(PASSWORD).expect("short"), max_privilege: Privilege::Administrator }
}

/// The payload of a datagram that the set-up of a session sends.
pub fn payload(datagram: &[u8]) -> &[u8] {
    match Datagram::decode(datagram) {
        Ok(Datagram::V20(packet)) => packet.plain().expect("unprotected"),
        other => panic!("{other:?}"),
    }
}

/// The BMC's side, after Open Session.
pub fn bmc(open: &[u8]) -> (Vec<u8>, BmcHandshake) {
    let Ok(Setup::OpenRequest(request)) = Setup::decode(PayloadType::OpenSessionRequest, payload(open)) else { panic!("Open Session") };
    let (answer, handshake) = BmcHandshake::open(&request, BMC_ID, &CipherSuite::ALL);
    (answer, handshake.expect("a suite both have"))
}

fn read(payload_type: PayloadType, datagram: &[u8]) -> Setup<'_> {
    Setup::decode(payload_type, payload(datagram)).expect("ours")
}

/// Both ends of a session, opened in order.
pub fn established(suite: CipherSuite) -> Established {
    let mut console = console(suite);
    let (answer, mut bmc) = bmc(&console.message());

    console.handle(&read(PayloadType::OpenSessionResponse, &answer)).expect("fits");
    let message = console.message();
    let Setup::Rakp1(rakp1) = read(PayloadType::Rakp1, &message) else { panic!("RAKP 1") };
    let rakp2 = bmc.rakp1(&rakp1, Some(user()), None, BMC_RANDOM, [0x33; 16]);
    console.handle(&read(PayloadType::Rakp2, &rakp2)).expect("fits");
    let message = console.message();
    let Setup::Rakp3(rakp3) = read(PayloadType::Rakp3, &message) else { panic!("RAKP 3") };
    let (rakp4, established) = bmc.rakp3(&rakp3);
    let rakp4 = rakp4.expect("an answer");
    assert!(matches!(console.handle(&read(PayloadType::Rakp4, &rakp4)), Ok(Step::Established(_))));
    established.expect("a session")
}
