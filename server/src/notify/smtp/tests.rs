use lettre::message::SinglePart;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::*;

#[test]
fn a_line_that_is_a_dot_does_not_end_a_mail() {
    let wire = |mail: &str| Content::of(mail.as_bytes().to_vec()).unwrap().to_string();
    assert_eq!(wire("Subject: a\r\n\r\nb\r\n"), "Subject: a\r\n\r\nb\r\n.\r\n");
    assert_eq!(wire("Subject: a\r\n\r\nb"), "Subject: a\r\n\r\nb\r\n.\r\n");
    assert_eq!(wire("a\r\n.\r\nQUIT\r\n"), "a\r\n..\r\nQUIT\r\n.\r\n");
    assert_eq!(wire(".a\r\n..b\r\n"), "..a\r\n...b\r\n.\r\n");
    assert!(Content::of(vec![0xff]).is_err_and(|bytes| bytes == [0xff]));
}

/// What comes in one reading, however large.
async fn hear(stream: &mut TcpStream) -> Vec<u8> {
    let mut bytes = vec![0; 65_536];
    let read = stream.read(&mut bytes).await.unwrap();
    bytes.truncate(read);
    bytes
}

/// A server that answers each thing it hears, and gives back what it heard of the content first.
async fn server(listener: TcpListener) -> Vec<u8> {
    let (mut stream, _) = listener.accept().await.unwrap();
    stream.write_all(b"220 sample\r\n").await.unwrap();
    for answer in ["250 sample", "250 sender", "250 recipient", "354 go on"] {
        hear(&mut stream).await;
        stream.write_all(format!("{answer}\r\n").as_bytes()).await.unwrap();
    }
    let first = hear(&mut stream).await;
    let mut all = first.clone();
    while !all.ends_with(b"\r\n.\r\n") {
        all.extend(hear(&mut stream).await);
    }
    stream.write_all(b"250 taken\r\n").await.unwrap();
    first
}

#[tokio::test]
async fn a_mail_and_its_end_are_sent_together() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let settings = Smtp {
        host: "127.0.0.1".to_owned(),
        port: listener.local_addr().unwrap().port(),
        from: "desk@desk.example".to_owned(),
        tls: SmtpTls::None,
        user: None,
        password: None,
        fallback: None,
        ca_file: None,
    };
    let mailer = Mailer::new(&settings).unwrap();
    let to: Address = "manager@desk.example".parse().unwrap();
    let mail = Message::builder()
        .from(mailer.from().clone())
        .to(Mailbox::new(None, to.clone()))
        .subject("sample")
        .singlepart(SinglePart::plain("一行\r\n.\r\nanother\r\n".to_owned()))
        .unwrap();
    let hearing = tokio::spawn(server(listener));
    mailer.send(&to, &mail, MonoMs(0)).await.unwrap();
    let first = hearing.await.unwrap();
    assert!(first.ends_with(b"\r\n.\r\n"), "{}", String::from_utf8_lossy(&first));
}
