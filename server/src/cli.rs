//! The command line.

use std::{
    io::{Read, stdin},
    net::SocketAddr,
    path::PathBuf,
};

use anyhow::{Context, Result, bail};
use app::api::{NewPassword, Username};
use clap::{Args, Parser, Subcommand};
use server::{
    config::{Config, Flags, Format, Log},
    demo,
    lab::{Lab, accounts},
    netboot::sandbox,
    serve::Server,
};
use tokio_util::sync::CancellationToken;
use tracing_subscriber::EnvFilter;

/// Shares a lab's bare-metal machines: power, network boot, images, preseeds, serial consoles.
#[derive(Parser)]
#[command(version, about, disable_help_subcommand = true)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the server
    Serve(ServeArgs),
    /// Run the server with a lab of simulated machines
    Demo(DemoArgs),
    /// Make admins and reset passwords
    Admin {
        #[command(subcommand)]
        command: AdminCommand,
    },
    /// Bring the database's schema up to date (`serve` does it by itself)
    Migrate {
        #[command(flatten)]
        data: DataArgs,
        /// Only list what would be done
        #[arg(long)]
        dry_run: bool,
    },
    /// Renders one preseed in a process of its own
    #[command(name = sandbox::SUBCOMMAND, hide = true)]
    RenderPreseed,
}

#[derive(Subcommand)]
enum AdminCommand {
    /// Make a user who is an admin; prints the password
    Create(AdminArgs),
    /// Give a user a new password and log the user out everywhere; prints the password
    Password(AdminArgs),
}

#[derive(Args)]
struct AdminArgs {
    /// Name of the user
    user: String,
    /// Read the password from standard input instead of generating one
    #[arg(long)]
    password_stdin: bool,
    #[command(flatten)]
    data: DataArgs,
}

/// Where the settings and the data are. All settings: docs, `[section] key` is `MRP_SECTION_KEY` in the environment.
#[derive(Args)]
struct DataArgs {
    /// TOML file with settings [default: /etc/mr-provisioner/config.toml if it exists]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Folder of everything the server writes [default: ~/.local/share/mr-provisioner]
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// sqlite:///path/to/file or postgres://user@host/database [default: a file in the data folder]
    #[arg(long, value_name = "URL")]
    database_url: Option<String>,
}

#[derive(Args)]
struct ServeArgs {
    #[command(flatten)]
    data: DataArgs,
    /// Address and port of HTTP [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<String>,
    /// Address and port of TFTP, or `off` [default: 0.0.0.0:69]
    #[arg(long, value_name = "ADDRESS")]
    tftp_listen: Option<String>,
    /// Where users' browsers find the server, e.g. https://lab.example.org
    #[arg(long, value_name = "URL")]
    public_url: Option<String>,
    /// Where booting machines find the server, e.g. http://10.0.0.1:8080
    #[arg(long, value_name = "URL")]
    netboot_url: Option<String>,
    /// error, warn, info, debug, or directives such as info,server::bmc=debug
    #[arg(long, value_name = "LEVEL")]
    log_level: Option<String>,
}

#[derive(Args)]
struct DemoArgs {
    /// Keep the demo's data in this folder; without it they are gone at the end
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Address and port of HTTP
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// Simulated machines
    #[arg(long, value_name = "COUNT", default_value_t = 4)]
    machines: usize,
}

impl DataArgs {
    fn load(self, more: Flags) -> Result<Config> {
        let path = |path: PathBuf| path.into_os_string().into_string().ok().context("a folder's name must be UTF-8");
        let mut flags = more;
        flags.extend(self.data_dir.map(path).transpose()?.map(|dir| ("data_dir", dir)));
        flags.extend(self.database_url.map(|url| ("database_url", url)));
        Ok(Config::load(self.config.as_deref(), variables(), flags)?)
    }
}

/// Variables that are no UTF-8 are no settings of ours.
fn variables() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
}

impl Cli {
    /// # Errors
    /// Whatever stopped the command; to be shown to who called it.
    pub fn run(self) -> Result<()> {
        // before any thread is made: the child limits its own memory
        if let Command::RenderPreseed = self.command {
            return Ok(sandbox::child()?);
        }
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        let outcome = runtime.block_on(self.command.run());
        // what was cut off must not keep the process
        runtime.shutdown_background();
        outcome
    }
}

impl Command {
    async fn run(self) -> Result<()> {
        match self {
            Self::Serve(args) => {
                let flags = [
                    ("listen", args.listen),
                    ("tftp_listen", args.tftp_listen),
                    ("public_url", args.public_url),
                    ("netboot_url", args.netboot_url),
                    ("log_level", args.log_level),
                ];
                let flags = flags.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
                let config = args.data.load(flags)?;
                log_to_stderr(&config.log)?;
                Server::start(config).await?.run().await
            }
            Self::Demo(args) => {
                // without a folder the data go with the process
                let scratch = match args.data_dir {
                    Some(_) => None,
                    None => Some(tempfile::Builder::new().prefix("mr-provisioner-demo-").tempdir()?),
                };
                let data_dir = args.data_dir.or_else(|| scratch.as_ref().map(|dir| dir.path().to_owned()));
                let data = DataArgs { config: None, data_dir, database_url: None };
                let config = data.load(vec![("listen", args.listen.to_string())])?;
                log_to_stderr(&config.log)?;
                demo::run(config, args.machines).await
            }
            Self::Admin { command: AdminCommand::Create(args) } => {
                let username = Username::parse(&args.user).map_err(anyhow::Error::msg)?;
                let password = given_password(args.password_stdin)?;
                let lab = open(args.data).await?;
                let password = accounts::new_admin(&lab, &username, password).await?;
                println!("{username} password: {password}");
                Ok(())
            }
            Self::Admin { command: AdminCommand::Password(args) } => {
                let password = given_password(args.password_stdin)?;
                let lab = open(args.data).await?;
                let password = accounts::reset_password(&lab, &args.user, password).await?;
                println!("{} password: {password}", args.user);
                Ok(())
            }
            Self::Migrate { data, dry_run } => {
                let config = data.load(Vec::new())?;
                log_to_stderr(&config.log)?;
                migrate(config, dry_run).await
            }
            Self::RenderPreseed => Ok(()),
        }
    }
}

/// The lab with its schema up to date, without a server.
async fn open(data: DataArgs) -> Result<Lab> {
    let config = data.load(Vec::new())?;
    log_to_stderr(&config.log)?;
    let lab = Lab::open(config, CancellationToken::new()).await?;
    lab.store.migrate().await?;
    Ok(lab)
}

async fn migrate(config: Config, dry_run: bool) -> Result<()> {
    let lab = Lab::open(config, CancellationToken::new()).await?;
    let pending = lab.store.pending_migrations().await?;
    if pending.is_empty() {
        println!("the schema is up to date");
    }
    for migration in pending {
        println!("{migration}");
    }
    if !dry_run {
        lab.store.migrate().await?;
    }
    lab.store.close().await;
    Ok(())
}

/// The first line of standard input.
fn given_password(from_stdin: bool) -> Result<Option<NewPassword>> {
    if !from_stdin {
        return Ok(None);
    }
    let mut text = String::new();
    stdin().take(4096).read_to_string(&mut text).context("standard input")?;
    let Some(line) = text.lines().next() else { bail!("there is no password on standard input") };
    NewPassword::parse(line).map(Some).map_err(anyhow::Error::msg)
}

fn log_to_stderr(log: &Log) -> Result<()> {
    // libraries that log statements, or suspect an attack behind every session that has ended
    let directives = format!("sqlx=warn,tower_sessions=error,tower_sessions_core=error,{}", log.level);
    let filter = EnvFilter::try_new(directives).with_context(|| format!("log.level: `{}` is no level", log.level))?;
    let logger = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match log.format {
        Format::Text => logger.init(),
        Format::Json => logger.json().flatten_event(true).init(),
    }
    Ok(())
}
