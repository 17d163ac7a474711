//! One SMTP conversation.

use std::io::{Error, ErrorKind};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use super::{IDLE_TIMEOUT, MESSAGE_BYTES_MAX, Received, Shared, Stage, TlsMode, Trouble};
use crate::harness::now;

/// Bytes of one command line; RFC 5321 asks for 512 at least, SASL for more.
const LINE_BYTES_MAX: u64 = 12_288;
/// Commands in one conversation.
const COMMANDS_MAX: usize = 100_000;
/// Recipients of one mail.
const RECIPIENTS_MAX: usize = 100;

trait Io: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Io for T {}

struct Conversation<'a> {
    io: BufReader<Box<dyn Io>>,
    shared: &'a Shared,
    encrypted: bool,
    signed_in: Option<String>,
    from: Option<String>,
    to: Vec<String>,
}

/// Whether the conversation goes on.
enum Next {
    Command,
    StartTls,
    End,
}

pub(super) async fn serve(stream: TcpStream, shared: &Shared) -> Result<(), Error> {
    stream.set_nodelay(true)?;
    let implicit = shared.options.tls.as_ref().filter(|(mode, _)| *mode == TlsMode::Implicit);
    let io: Box<dyn Io> = match implicit {
        Some((_, acceptor)) => Box::new(acceptor.accept(stream).await?),
        None => Box::new(stream),
    };
    let mut talk = Conversation {
        io: BufReader::new(io),
        shared,
        encrypted: implicit.is_some(),
        signed_in: None,
        from: None,
        to: Vec::new(),
    };
    talk.answer(Stage::Connect, "220 receiver.example ESMTP ready").await?;
    for _ in 0..COMMANDS_MAX {
        let Some(line) = talk.line().await? else { return Ok(()) };
        match talk.command(&line).await? {
            Next::Command => {}
            Next::End => return Ok(()),
            Next::StartTls => talk = talk.upgrade().await?,
        }
    }
    talk.write("421 too many commands").await
}

impl Conversation<'_> {
    async fn command(&mut self, line: &str) -> Result<Next, Error> {
        let upper = line.to_ascii_uppercase();
        let verb = upper.split([' ', ':']).next().unwrap_or_default();
        match verb {
            "EHLO" => self.hello().await?,
            "HELO" => self.write("250 receiver.example").await?,
            "STARTTLS" if self.offers_tls() => {
                self.write("220 go ahead").await?;
                return Ok(Next::StartTls);
            }
            "AUTH" => self.sign_in(line).await?,
            "MAIL" => self.mail(line).await?,
            "RCPT" => self.recipient(line).await?,
            "DATA" => return self.data().await,
            "RSET" => {
                self.reset();
                self.write("250 forgotten").await?;
            }
            "NOOP" => self.write("250 still here").await?,
            "VRFY" => self.write("252 send it and see").await?,
            "QUIT" => {
                self.write("221 bye").await?;
                return Ok(Next::End);
            }
            _ => self.write("500 not understood").await?,
        }
        Ok(Next::Command)
    }

    async fn hello(&mut self) -> Result<(), Error> {
        self.reset();
        let mut lines = vec!["receiver.example".to_owned(), "8BITMIME".into(), "SMTPUTF8".into()];
        lines.push(format!("SIZE {MESSAGE_BYTES_MAX}"));
        if self.offers_tls() {
            lines.push("STARTTLS".into());
        } else if self.shared.options.sign_in.is_some() {
            lines.push("AUTH PLAIN".into());
        }
        let last = lines.len() - 1;
        let all: Vec<String> = lines
            .iter()
            .enumerate()
            .map(|(n, l)| format!("250{}{l}", if n == last { ' ' } else { '-' }))
            .collect();
        self.write(&all.join("\r\n")).await
    }

    const fn offers_tls(&self) -> bool {
        !self.encrypted && self.shared.options.tls.is_some()
    }

    async fn sign_in(&mut self, line: &str) -> Result<(), Error> {
        let Some((user, password)) = self.shared.options.sign_in.clone() else {
            return self.write("503 no signing in here").await;
        };
        let mut words = line.split_ascii_whitespace().skip(1);
        if !words.next().is_some_and(|mechanism| mechanism.eq_ignore_ascii_case("PLAIN")) {
            return self.write("504 AUTH PLAIN only").await;
        }
        let secret = if let Some(secret) = words.next() {
            secret.to_owned()
        } else {
            self.write("334 ").await?;
            self.line().await?.unwrap_or_default()
        };
        let given = STANDARD.decode(secret.trim()).unwrap_or_default();
        if given == format!("\0{user}\0{password}").as_bytes() {
            self.signed_in = Some(user);
            return self.write("235 welcome").await;
        }
        self.write("535 wrong user or password").await
    }

    async fn mail(&mut self, line: &str) -> Result<(), Error> {
        if self.offers_tls() {
            return self.write("530 STARTTLS first").await;
        }
        if self.shared.options.sign_in.is_some() && self.signed_in.is_none() {
            return self.write("530 sign in first").await;
        }
        let Some(address) = path(line, "MAIL FROM:") else {
            return self.write("501 MAIL FROM:<address>").await;
        };
        if self.from.is_some() {
            return self.write("503 one mail at a time").await;
        }
        if self.answer(Stage::Mail, "250 sender is fine").await? {
            self.from = Some(address);
        }
        Ok(())
    }

    async fn recipient(&mut self, line: &str) -> Result<(), Error> {
        let Some(address) = path(line, "RCPT TO:").filter(|address| !address.is_empty()) else {
            return self.write("501 RCPT TO:<address>").await;
        };
        if self.from.is_none() {
            return self.write("503 MAIL first").await;
        }
        if self.to.len() >= RECIPIENTS_MAX {
            return self.write("452 too many recipients").await;
        }
        if self.answer(Stage::Recipient, "250 recipient is fine").await? {
            self.to.push(address);
        }
        Ok(())
    }

    async fn data(&mut self) -> Result<Next, Error> {
        if self.to.is_empty() {
            self.write("503 RCPT first").await?;
            return Ok(Next::Command);
        }
        let cut_after = match self.shared.trouble_at(Stage::Data) {
            Some(Trouble::CutInContent(bytes)) => Some(bytes),
            Some(Trouble::Answer(_, code, text)) => {
                self.write(&format!("{code} {text}")).await?;
                self.reset();
                return Ok(Next::Command);
            }
            Some(Trouble::Slow(_, pause)) => {
                tokio::time::sleep(pause).await;
                None
            }
            _ => None,
        };
        self.write("354 end with a dot on a line of its own").await?;
        let Some(bytes) = self.content(cut_after).await? else { return Ok(Next::End) };
        self.take_in(bytes).await
    }

    async fn take_in(&mut self, bytes: Option<Vec<u8>>) -> Result<Next, Error> {
        let from = self.from.take().unwrap_or_default();
        let to = std::mem::take(&mut self.to);
        let Some(bytes) = bytes else {
            self.write("552 too large").await?;
            return Ok(Next::Command);
        };
        let trouble = self.shared.trouble_at(Stage::Content);
        if let Some(Trouble::Answer(_, code, text)) = trouble {
            self.write(&format!("{code} {text}")).await?;
            return Ok(Next::Command);
        }
        if let Some(Trouble::Slow(_, pause)) = trouble {
            tokio::time::sleep(pause).await;
        }
        let (encrypted, signed_in) = (self.encrypted, self.signed_in.clone());
        let mail = Received { from, to, bytes, encrypted, signed_in, at: now() };
        if !self.shared.keep(mail) {
            self.write("452 no room").await?;
            return Ok(Next::Command);
        }
        if trouble == Some(Trouble::CutBeforeAnswer) {
            return Ok(Next::End);
        }
        self.write("250 taken in").await?;
        Ok(Next::Command)
    }

    /// The content without its dots: `None` when the connection is to be cut, `Some(None)` when it
    /// is too large.
    async fn content(&mut self, cut_after: Option<usize>) -> Result<Option<Option<Vec<u8>>>, Error> {
        let (mut bytes, mut too_large) = (Vec::new(), false);
        loop {
            let mut line = Vec::new();
            let mut bounded = (&mut self.io).take(MESSAGE_BYTES_MAX as u64);
            let reading = bounded.read_until(b'\n', &mut line);
            let read = tokio::time::timeout(IDLE_TIMEOUT, reading).await??;
            if read == 0 {
                return Err(ErrorKind::UnexpectedEof.into());
            }
            if line == b".\r\n" {
                return Ok(Some((!too_large).then_some(bytes)));
            }
            bytes.extend_from_slice(line.strip_prefix(b".").unwrap_or(&line));
            if cut_after.is_some_and(|limit| bytes.len() >= limit) {
                return Ok(None);
            }
            if bytes.len() > MESSAGE_BYTES_MAX {
                (bytes, too_large) = (Vec::new(), true);
            }
        }
    }

    /// Says `usual`, unless there is trouble at this stage; false when something else was said.
    async fn answer(&mut self, stage: Stage, usual: &str) -> Result<bool, Error> {
        match self.shared.trouble_at(stage) {
            Some(Trouble::Answer(_, code, text)) => {
                self.write(&format!("{code} {text}")).await?;
                return Ok(false);
            }
            Some(Trouble::Slow(_, pause)) => tokio::time::sleep(pause).await,
            _ => {}
        }
        self.write(usual).await.map(|()| true)
    }

    async fn line(&mut self) -> Result<Option<String>, Error> {
        let mut line = Vec::new();
        let mut bounded = (&mut self.io).take(LINE_BYTES_MAX);
        let reading = bounded.read_until(b'\n', &mut line);
        let read = tokio::time::timeout(IDLE_TIMEOUT, reading).await??;
        if read == 0 {
            return Ok(None);
        }
        if !line.ends_with(b"\n") {
            return Err(ErrorKind::InvalidData.into());
        }
        Ok(Some(String::from_utf8_lossy(&line).trim_end().to_owned()))
    }

    async fn write(&mut self, text: &str) -> Result<(), Error> {
        let io = self.io.get_mut();
        io.write_all(format!("{text}\r\n").as_bytes()).await?;
        io.flush().await
    }

    fn reset(&mut self) {
        self.from = None;
        self.to.clear();
    }

    async fn upgrade(self) -> Result<Self, Error> {
        let Some((_, acceptor)) = &self.shared.options.tls else { return Ok(self) };
        // What was sent before the handshake must not be taken for what was sent inside it.
        if !self.io.buffer().is_empty() {
            return Err(ErrorKind::InvalidData.into());
        }
        let io: Box<dyn Io> = Box::new(acceptor.accept(self.io.into_inner()).await?);
        Ok(Self {
            io: BufReader::new(io),
            encrypted: true,
            signed_in: None,
            from: None,
            to: Vec::new(),
            ..self
        })
    }
}

/// The address of `MAIL FROM:<address> …`.
fn path(line: &str, command: &str) -> Option<String> {
    let head = line.get(..command.len())?;
    if !head.eq_ignore_ascii_case(command) {
        return None;
    }
    let rest = line[command.len()..].trim_start().strip_prefix('<')?;
    rest.split_once('>').map(|(address, _)| address.to_owned())
}
