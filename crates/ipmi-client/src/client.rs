//! The handle: typed commands on top of requests to the session's task.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use ipmi_wire::bridge::Route;
use ipmi_wire::command::{
    BootDevice, BootFlags as WireFlags, BootParameter, ChassisControl, ChassisStatus, Command, DeactivatePayload, DeviceId, GetBootOption,
    GetChassisStatus, GetDeviceId, GetPayloadActivationStatus, GetPayloadInstanceInfo, GetSolConfig, ProgressState, SetBootOption,
    SetSolConfig, SolParameter, THIS_CHANNEL, explain,
};
use ipmi_wire::session::PayloadType;
use ipmi_wire::{CipherSuite, CompletionCode, NetFn};
use tokio::sync::{mpsc, oneshot};

use crate::driver::{self, Answered, Call, Job};
use crate::error::{Error, ErrorKind, Stage};
use crate::metrics::{Counters, Metrics};
use crate::network::{Network, Udp};
use crate::sol::SolSession;
use crate::target::Target;

/// Requests that may queue up for one BMC before callers wait.
const QUEUE: usize = 64;
const SET_IN_PROGRESS: CompletionCode = CompletionCode(0x81);

/// A handle to one BMC. Clones share the session; the last one dropped closes it.
#[derive(Debug, Clone)]
pub struct Client {
    target: Arc<Target>,
    jobs: mpsc::Sender<Job>,
    strongest: Arc<AtomicU8>,
    metrics: Arc<Metrics>,
}

/// The answer to a raw request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawResponse {
    pub code: CompletionCode,
    /// What follows the completion code.
    pub data: Vec<u8>,
}

/// What the machine boots from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BootFlags {
    pub device: BootDevice,
    /// The UEFI way.
    pub efi: bool,
    /// For every boot, not only the next.
    pub persistent: bool,
}

/// How to open a console.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SolOptions {
    /// End another session's console if there is one.
    pub take_over: bool,
    /// 1..=15; 1 except on BMCs with several serial ports.
    pub instance: u8,
    /// Which controller the activation goes to. Characters themselves are never bridged.
    pub route: Route,
}

impl Default for SolOptions {
    fn default() -> Self {
        Self { take_over: false, instance: 1, route: Route::Direct }
    }
}

impl Client {
    /// A handle; nothing is sent before the first request. Must be called within a tokio runtime.
    #[must_use]
    pub fn new(target: Target) -> Self {
        Self::start(Arc::new(Udp), target, Arc::default())
    }

    /// [`Self::new`], counting into metrics the owner has: of one BMC, or of all of them together.
    #[must_use]
    pub fn with_metrics(target: Target, metrics: Arc<Metrics>) -> Self {
        Self::start(Arc::new(Udp), target, metrics)
    }

    /// [`Self::new`] over another network than the operating system's UDP: for simulations in simulated time.
    #[must_use]
    pub fn over(network: Arc<dyn Network>, target: Target) -> Self {
        Self::start(network, target, Arc::default())
    }

    fn start(network: Arc<dyn Network>, target: Target, metrics: Arc<Metrics>) -> Self {
        let target = Arc::new(target);
        let strongest = Arc::new(AtomicU8::new(0));
        let (jobs, queue) = mpsc::channel(QUEUE);
        tokio::spawn(driver::run(network, Arc::clone(&target), queue, Arc::clone(&strongest), Arc::clone(&metrics)));
        Self { target, jobs, strongest, metrics }
    }

    /// Where and as whom this client talks.
    #[must_use]
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// The strongest cipher suite a session with this BMC was opened with; `None` before the first session.
    #[must_use]
    pub fn strongest_suite(&self) -> Option<CipherSuite> {
        CipherSuite::from_id(self.strongest.load(Ordering::Relaxed))
    }

    /// The weakest cipher suite this client still accepts: what its target demands, or what it has used since, whichever is
    /// stronger. See [`crate::SuitePolicy::not_below`].
    #[must_use]
    pub fn suite_floor(&self) -> CipherSuite {
        self.strongest_suite().map_or(self.target.suites.at_least, |seen| seen.max(self.target.suites.at_least))
    }

    /// What has happened so far.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.metrics.counters()
    }

    /// # Errors
    /// Any [`ErrorKind`] about reaching the BMC, opening a session, or the command; the same holds for all commands.
    pub async fn device_id(&self) -> Result<DeviceId, Error> {
        self.command(Route::Direct, &GetDeviceId).await
    }

    /// # Errors
    /// See [`Self::device_id`].
    pub async fn chassis_status(&self) -> Result<ChassisStatus, Error> {
        self.command(Route::Direct, &GetChassisStatus).await
    }

    /// Cycle, reset, diagnostic interrupt and soft shutdown are repeated only as the very same packet, which the BMC's replay
    /// protection executes at most once.
    ///
    /// # Errors
    /// See [`Self::device_id`]; a cycle or reset of a machine that is off is refused by most BMCs with code 0xD5.
    pub async fn chassis_control(&self, control: ChassisControl) -> Result<(), Error> {
        self.command(Route::Direct, &control).await
    }

    /// Sets what to boot from, bracketed by "set in progress" where the BMC knows that, and with the boot information
    /// acknowledge the firmware looks at.
    ///
    /// # Errors
    /// See [`Self::device_id`].
    pub async fn set_boot_flags(&self, flags: BootFlags) -> Result<(), Error> {
        self.set_boot_flags_via(Route::Direct, flags).await
    }

    /// [`Self::set_boot_flags`] for a controller behind the BMC.
    ///
    /// # Errors
    /// See [`Self::device_id`].
    pub async fn set_boot_flags_via(&self, route: Route, flags: BootFlags) -> Result<(), Error> {
        let set = async |parameter| self.command(route, &SetBootOption::new(parameter)).await;
        let in_progress = self.begin_boot_change(route).await?;
        // The firmware takes this for "there is something new for you"; BMCs without the parameter do without it.
        let acknowledged = set(BootParameter::InfoAcknowledge { mask: 0x01, data: 0x01 }).await;
        let result = match acknowledged {
            Err(e) if !matches!(e.kind, ErrorKind::Completion { .. }) => Err(e),
            _ => set(BootParameter::Flags(WireFlags::new(flags.device, flags.efi, flags.persistent))).await,
        };
        if in_progress {
            let done = set(BootParameter::SetInProgress(ProgressState::Complete)).await;
            if let Err(error) = done {
                tracing::debug!(%error, "ending the change of boot options");
            }
        }
        result
    }

    /// Locks the boot options; `false` when the BMC has no such lock.
    async fn begin_boot_change(&self, route: Route) -> Result<bool, Error> {
        let mark = async |state| self.command(route, &SetBootOption::new(BootParameter::SetInProgress(state))).await;
        for _ in 0..3 {
            match mark(ProgressState::InProgress).await {
                Ok(()) => return Ok(true),
                Err(Error { kind: ErrorKind::Completion { code: SET_IN_PROGRESS, .. }, .. }) => {
                    tokio::time::sleep(Duration::from_millis(200)).await;
                }
                Err(Error { kind: ErrorKind::Completion { .. }, .. }) => return Ok(false),
                Err(e) => return Err(e),
            }
        }
        // Whoever locked them is gone: nobody needs that long for three parameters.
        mark(ProgressState::Complete).await?;
        Ok(mark(ProgressState::InProgress).await.is_ok())
    }

    /// What the machine is set to boot from; device `None` when the BMC holds no valid flags.
    ///
    /// # Errors
    /// See [`Self::device_id`].
    pub async fn boot_flags(&self) -> Result<BootFlags, Error> {
        self.boot_flags_via(Route::Direct).await
    }

    /// [`Self::boot_flags`] of a controller behind the BMC.
    ///
    /// # Errors
    /// See [`Self::device_id`].
    pub async fn boot_flags_via(&self, route: Route) -> Result<BootFlags, Error> {
        let response = self.command(route, &GetBootOption::FLAGS).await?;
        Ok(match response.parameter {
            BootParameter::Flags(flags) if flags.valid || flags.device != BootDevice::None => {
                BootFlags { device: flags.device, efi: flags.efi, persistent: flags.persistent }
            }
            _ => BootFlags { device: BootDevice::None, efi: false, persistent: false },
        })
    }

    /// Sends any command of `ipmi-wire` along a route and reads its answer.
    ///
    /// # Errors
    /// See [`Self::device_id`].
    pub async fn command<C: Command>(&self, route: Route, command: &C) -> Result<C::Response, Error> {
        self.command_at(route, 0, command).await
    }

    /// [`Self::command`] to another LUN of the controller, as some sensors want it.
    ///
    /// # Errors
    /// See [`Self::device_id`].
    pub async fn command_at<C: Command>(&self, route: Route, lun: u8, command: &C) -> Result<C::Response, Error> {
        let mut data = Vec::new();
        command.encode(&mut data);
        let call = Call { route, net_fn: C::NET_FN, lun, cmd: C::CMD, data, name: C::NAME, repeatable: command.is_idempotent() };
        let Answered { raw, attempts } = self.call(call).await?;
        let failed = |kind| Error { attempt: attempts, ..self.error(kind) };
        if !raw.code.is_ok() {
            return Err(failed(ErrorKind::Completion { command: C::NAME, code: raw.code, text: explain::<C>(raw.code) }));
        }
        ipmi_wire::command::Body::decode(&raw.data).map_err(|error| failed(ErrorKind::Garbage { stage: Stage::Command(C::NAME), error }))
    }

    /// Sends any request at all. Taken to be harmful when executed twice, so repeated with the care of [`Self::chassis_control`].
    ///
    /// # Errors
    /// No answer; a completion code other than 0 is in the response.
    pub async fn request(&self, net_fn: NetFn, cmd: u8, data: &[u8]) -> Result<RawResponse, Error> {
        self.request_via(Route::Direct, net_fn, 0, cmd, data).await
    }

    /// [`Self::request`] to a controller behind the BMC, or to another LUN.
    ///
    /// # Errors
    /// No answer, or a hop that refused; a completion code other than 0 is in the response.
    pub async fn request_via(&self, route: Route, net_fn: NetFn, lun: u8, cmd: u8, data: &[u8]) -> Result<RawResponse, Error> {
        self.call(Call { route, net_fn, lun, cmd, data: data.to_vec(), name: "raw request", repeatable: false })
            .await
            .map(|answered| answered.raw)
    }

    /// Opens the console. One per client at a time.
    ///
    /// # Errors
    /// [`ErrorKind::SolHeld`] when another session has it and `take_over` is not set (unless that session is an earlier one
    /// of this client, which is ended without asking), [`ErrorKind::NoSol`], and all of [`Self::device_id`].
    pub async fn open_sol(&self, options: SolOptions) -> Result<SolSession, Error> {
        let mut take_over = options.take_over;
        let mut last = None;
        for _ in 0..3 {
            let (reply, answer) = oneshot::channel();
            self.submit(Job::OpenSol { options: SolOptions { take_over, ..options }, reply }).await?;
            let opened = answer.await.map_err(|_| self.error(ErrorKind::Closed))?;
            match opened {
                Ok(opened) => {
                    return Ok(SolSession { events: opened.events, writer: opened.writer, _client: self.clone() });
                }
                Err(error @ Error { kind: ErrorKind::SolHeld { .. }, .. }) => {
                    if !take_over {
                        let holder = self.sol_holder(options).await;
                        if !self.is_own_session(holder).await {
                            return Err(Error { kind: ErrorKind::SolHeld { holder }, ..error });
                        }
                        take_over = true;
                    }
                    self.deactivate_sol_via(options).await?;
                    last = Some(error);
                }
                Err(e) => return Err(e),
            }
        }
        Err(last.unwrap_or_else(|| self.error(ErrorKind::Closed)))
    }

    /// Who has the console, where the BMC tells.
    async fn sol_holder(&self, options: SolOptions) -> Option<u32> {
        let payload_type = PayloadType::Sol.value();
        let info = GetPayloadInstanceInfo { payload_type, instance: options.instance };
        self.command(options.route, &info).await.ok().map(|info| info.session_id).filter(|id| *id != 0)
    }

    async fn is_own_session(&self, id: Option<u32>) -> bool {
        let Some(id) = id else { return false };
        let (reply, answer) = oneshot::channel();
        self.submit(Job::IsOwnSession { id, reply }).await.is_ok() && answer.await.unwrap_or(false)
    }

    /// Whether any session has the console.
    ///
    /// # Errors
    /// See [`Self::device_id`].
    pub async fn sol_active(&self) -> Result<bool, Error> {
        self.sol_active_via(Route::Direct).await
    }

    /// [`Self::sol_active`] at a controller behind the BMC.
    ///
    /// # Errors
    /// See [`Self::device_id`].
    pub async fn sol_active_via(&self, route: Route) -> Result<bool, Error> {
        let status = GetPayloadActivationStatus { payload_type: PayloadType::Sol.value() };
        self.command(route, &status).await.map(|status| status.is_active(1))
    }

    /// Ends the console, whoever has it. Not being active is fine.
    ///
    /// # Errors
    /// See [`Self::device_id`].
    pub async fn deactivate_sol(&self) -> Result<(), Error> {
        self.deactivate_sol_via(SolOptions::default()).await
    }

    /// [`Self::deactivate_sol`] of another instance or at a controller behind the BMC.
    ///
    /// # Errors
    /// See [`Self::device_id`].
    pub async fn deactivate_sol_via(&self, options: SolOptions) -> Result<(), Error> {
        match self.command(options.route, &DeactivatePayload::sol(options.instance)).await {
            Err(Error { kind: ErrorKind::Completion { code: DeactivatePayload::ALREADY_INACTIVE, .. }, .. }) => Ok(()),
            other => other,
        }
    }

    /// One parameter of the SOL configuration of the channel this session uses.
    ///
    /// # Errors
    /// See [`Self::device_id`]; code 0x80 when the BMC has no such parameter.
    pub async fn sol_parameter_via(&self, route: Route, parameter: u8) -> Result<SolParameter, Error> {
        let answer = self.command(route, &GetSolConfig { channel: THIS_CHANNEL, parameter }).await?;
        SolParameter::from_parts(parameter, &answer.data)
            .map_err(|error| self.error(ErrorKind::Garbage { stage: Stage::Command(GetSolConfig::NAME), error }))
    }

    /// Sets one parameter of the SOL configuration of the channel this session uses.
    ///
    /// # Errors
    /// See [`Self::device_id`].
    pub async fn set_sol_parameter_via(&self, route: Route, parameter: SolParameter) -> Result<(), Error> {
        self.command(route, &SetSolConfig { channel: THIS_CHANNEL, parameter }).await
    }

    /// Closes the session now, consoles included. A later request opens another.
    pub async fn close(&self) {
        let (reply, done) = oneshot::channel();
        if self.submit(Job::Close { reply }).await.is_ok() {
            // An error only says that the task is gone already.
            let _ = done.await;
        }
    }

    async fn call(&self, call: Call) -> Result<Answered, Error> {
        // The longest inner message a Send Message frame and the BMC's buffers could carry.
        if call.data.len() > 255 {
            return Err(self.error(ErrorKind::TooLong(call.data.len())));
        }
        let (reply, answer) = oneshot::channel();
        self.submit(Job::Call { call, reply }).await?;
        answer.await.map_err(|_| self.error(ErrorKind::Closed))?
    }

    async fn submit(&self, job: Job) -> Result<(), Error> {
        self.jobs.send(job).await.map_err(|_| self.error(ErrorKind::Closed))
    }

    pub(crate) fn error(&self, kind: ErrorKind) -> Error {
        Error::new(self.target.addr, kind)
    }
}
