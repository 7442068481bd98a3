//! A clinic signs excerpts with a key that no vault holds: here in a process of its
//! own behind a pipe, elsewhere on a smart card, in an HSM, with a KMS.
//!
//! `cargo run --release --example external_signer`

use std::cell::RefCell;
use std::error::Error;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::SystemTime;

use subrosa::excerpt::{PublicKey, Signer, SignerError, SignsAs};
use subrosa::record::Diagnosis;
use subrosa::{
    Actor, Concept, Credential, Entry, Kind, NewVault, Policy, Provenance, RawKey, ReleaseRequest, Token,
    TrustedKeys, UnverifiedExcerpt, Vault, VaultOptions,
};

/// How this program starts itself as the device.
const DEVICE: &str = "--be-the-device";

/// The device as the clinic's program sees it: a pipe, and a public key.
struct Device {
    process: Child,
    pipe: RefCell<(ChildStdin, BufReader<ChildStdout>)>,
    key: PublicKey,
}

impl Device {
    fn start() -> Result<Self, Box<dyn Error>> {
        let mut process = Command::new(std::env::current_exe()?)
            .arg(DEVICE)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let input = process.stdin.take().ok_or("the device has no input")?;
        let mut output = BufReader::new(process.stdout.take().ok_or("the device has no output")?);
        let mut jwk = String::new();
        output.read_line(&mut jwk)?;
        Ok(Self { process, pipe: RefCell::new((input, output)), key: PublicKey::from_jwk(jwk.as_bytes())? })
    }

    fn ask(&self, message: &[u8]) -> io::Result<Vec<u8>> {
        let (input, output) = &mut *self.pipe.borrow_mut();
        input.write_all(&(message.len() as u64).to_le_bytes())?;
        input.write_all(message)?;
        input.flush()?;
        let mut signature = vec![0; 64];
        output.read_exact(&mut signature)?;
        Ok(signature)
    }
}

impl Signer for Device {
    fn public_key(&self) -> PublicKey {
        self.key
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignerError> {
        self.ask(message).map_err(|error| SignerError::Failed { reason: error.to_string() })
    }
}

impl Drop for Device {
    fn drop(&mut self) {
        // It has nothing to lose: the key lives only as long as the process.
        let _ = self.process.kill().and_then(|()| self.process.wait());
    }
}

/// The device itself: makes a key, tells its public half, signs what it is given.
/// The key never leaves this process.
mod device {
    use std::io::{self, Read, Write};

    use ed25519_dalek::{Signer as _, SigningKey};

    pub(crate) fn run() -> io::Result<()> {
        let key = SigningKey::from_bytes(&rand::random());
        let (mut input, mut output) = (io::stdin().lock(), io::stdout().lock());
        let x = base64(key.verifying_key().as_bytes());
        writeln!(output, r#"{{"kty":"OKP","crv":"Ed25519","x":"{x}"}}"#)?;
        output.flush()?;
        loop {
            let mut length = [0; 8];
            input.read_exact(&mut length)?;
            let mut message = Vec::new();
            input.by_ref().take(u64::from_le_bytes(length)).read_to_end(&mut message)?;
            output.write_all(&key.sign(&message).to_bytes())?;
            output.flush()?;
        }
    }

    fn base64(bytes: &[u8]) -> String {
        use base64::Engine as _;
        base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes)
    }
}

/// A signer that tells one device's key and asks another.
struct MixedUp<'a>(&'a Device, &'a Device);

impl Signer for MixedUp<'_> {
    fn public_key(&self) -> PublicKey {
        self.0.public_key()
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignerError> {
        self.1.sign(message)
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    if std::env::args().nth(1).as_deref() == Some(DEVICE) {
        // Ends when the pipe is closed.
        let _ = device::run();
        return Ok(());
    }
    println!("1. The device starts, with a key that it made itself\n");
    let device = Device::start()?;
    println!("   process {}, fingerprint {}\n", device.process.id(), device.key.fingerprint());

    let staff = Credential::from(RawKey::generate()?);
    let vault = {
        let new = NewVault::individual(&staff).named("Juniper Alvarez");
        Vault::create_in_memory(&new, VaultOptions::default())?
    };
    let mut asthma = Diagnosis::default();
    asthma.code = Some(Concept::from_text(Token::new("Asthma")?));
    vault.update(&Actor::owner(), |tx| tx.add(&Entry::new(asthma.clone(), Provenance::default())))?;

    println!("2. An excerpt, signed by the device\n");
    // The word beside no code is free text: the school gets it because it was asked for.
    let policy = Policy::everything_of([Kind::Diagnosis]).include("code")?;
    let request = ReleaseRequest::new("A school", "admission", policy)?;
    let physician = Actor::new("Dr. Okafor")?;
    let excerpt = vault.release_with(&device, &physician, &request)?;
    let (name, role) = vault.issuer()?;
    let trusted = TrustedKeys::none().and(device.key, SignsAs::of(role, name.as_str()));
    let verified =
        UnverifiedExcerpt::parse(excerpt.to_json().as_bytes())?.verify(&trusted, SystemTime::now())?;
    println!("   the school finds it {}\n", verified.outcome().name());

    println!("3. Two devices mixed up: nothing leaves, and the ledger says nothing\n");
    let before = vault.ledger()?.len();
    let other = Device::start()?;
    match vault.release_with(&MixedUp(&device, &other), &physician, &request) {
        Err(error) => println!("   {error}"),
        Ok(_) => return Err("a wrong signature went out".into()),
    }

    println!("\n4. The device is pulled out\n");
    let mut device = device;
    device.process.kill()?;
    device.process.wait()?;
    match vault.release_with(&device, &physician, &request) {
        Err(error) => println!("   {error}"),
        Ok(_) => return Err("somebody else signed".into()),
    }
    assert_eq!(vault.ledger()?.len(), before, "a release that failed is in the ledger");
    println!("\nThe ledger tells of one release.");
    Ok(())
}
