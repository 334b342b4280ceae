//! A driver under observation: whatever is asked of a BMC, by whomever, says how the BMC is.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use app::api::{Fru, PowerState, SelEntry, Sensor};
use async_trait::async_trait;

use super::{Bmc, BmcError, BootDevice, Console, PowerControl, records::Records};

pub(super) struct Watched {
    bmc: i64,
    driver: Box<dyn Bmc>,
    records: Arc<Records>,
    retired: AtomicBool,
}

impl Watched {
    pub(super) fn new(bmc: i64, driver: Box<dyn Bmc>, records: Arc<Records>) -> Self {
        Self { bmc, driver, records, retired: AtomicBool::new(false) }
    }

    /// The BMC is reached in another way from now on: what this one still hears says nothing of it.
    pub(super) fn retire(&self) {
        self.retired.store(true, Ordering::Release);
    }

    fn seen<T>(&self, result: Result<T, BmcError>) -> Result<T, BmcError> {
        if !self.retired.load(Ordering::Acquire) {
            self.records.note_attempt(self.bmc, result.as_ref().err());
        }
        result
    }
}

#[async_trait]
impl Bmc for Watched {
    async fn power(&self) -> Result<PowerState, BmcError> {
        self.seen(self.driver.power().await)
    }

    async fn control(&self, control: PowerControl) -> Result<(), BmcError> {
        self.seen(self.driver.control(control).await)
    }

    async fn set_boot_device(&self, device: BootDevice, efi: bool, persistent: bool) -> Result<(), BmcError> {
        self.seen(self.driver.set_boot_device(device, efi, persistent).await)
    }

    async fn open_console(&self, take_over: bool) -> Result<Console, BmcError> {
        self.seen(self.driver.open_console(take_over).await)
    }

    async fn fru(&self) -> Result<Fru, BmcError> {
        self.seen(self.driver.fru().await)
    }

    async fn sensors(&self) -> Result<Vec<Sensor>, BmcError> {
        self.seen(self.driver.sensors().await)
    }

    async fn sel(&self) -> Result<Vec<SelEntry>, BmcError> {
        self.seen(self.driver.sel().await)
    }

    fn suite(&self) -> Option<u8> {
        self.driver.suite()
    }
}
