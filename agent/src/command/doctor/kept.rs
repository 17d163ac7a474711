//! What `doctor` says of the data on this device: how it is sealed, and whether the device is locked.

use super::{Finding, Grade, Lang};
use crate::journal::{self, Journal, JournalError, meta};
use crate::out;
use crate::vault::Source;

/// How the data is kept.
pub(super) fn findings(journal: &Journal, lang: Lang) -> Result<Vec<Finding>, JournalError> {
    let (locked, is_left_over) =
        journal.read_blocking(|db| Ok((journal::locked(db)?, meta::get(db, meta::SCRUB)? == Some(true))))?;
    let mut findings = vec![key(journal.vault().source(), lang)];
    if is_left_over {
        let text = lang.pick(
            "bytes from before the data was sealed may be left in the journal's file: make room on the disk and start the agent again"
                .to_owned(),
            "日志库文件中可能残留加密之前的明文：请清理磁盘空间，然后重新启动代理".to_owned(),
        );
        findings.push(Finding { check: "vault", grade: Grade::Warn, text });
    }
    if let Some(since) = locked {
        let since = out::local(since);
        let text = lang.pick(
            format!("locked since {since}: the server has revoked this device; everything is kept, and shown again after `linewatch-agent enroll URL --token TOKEN --force`"),
            format!("自 {since} 起已锁定：服务器已吊销本设备；数据全部保留，重新注册（`linewatch-agent enroll URL --token 令牌 --force`）后可再次查看"),
        );
        findings.push(Finding { check: "locked", grade: Grade::Fail, text });
    }
    Ok(findings)
}

fn key(source: &Source, lang: Lang) -> Finding {
    let path = source.path().map(|path| path.display().to_string()).unwrap_or_default();
    let (grade, text) = match source {
        _ if source.is_open_to_others() => (
            Grade::Warn,
            lang.pick(
                format!("the data is sealed, but other users may read its key: chmod 600 {path}"),
                format!("数据已加密，但其他用户可以读取密钥：请执行 chmod 600 {path}"),
            ),
        ),
        Source::KeyFile(_) => (
            Grade::Ok,
            lang.pick(format!("the data is sealed with the key in {path} (key_file)"), format!("数据已用 {path} 中的密钥加密（key_file）")),
        ),
        Source::Credential(_) => (
            Grade::Ok,
            lang.pick(format!("the data is sealed with systemd's credential ({path})"), format!("数据已用 systemd 凭据加密（{path}）")),
        ),
        Source::Passphrase => (
            Grade::Ok,
            lang.pick("the data is sealed under a passphrase".to_owned(), "数据已加密，由口令保护".to_owned()),
        ),
        Source::OwnKey(_) => (
            Grade::Warn,
            lang.pick(
                format!("the data is sealed with the key in {path}: whoever takes the whole disk can read both; encrypt the disk, or run `linewatch-agent vault passphrase`, or keep the key elsewhere (key_file in [vault])"),
                format!("数据已用 {path} 中的密钥加密：拿走整块磁盘的人可以同时得到两者；请启用磁盘加密，或运行 `linewatch-agent vault passphrase`，或把密钥放到别处（[vault] 的 key_file）"),
            ),
        ),
    };
    Finding { check: "vault", grade, text }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::tests::{NOW, open};

    fn said(journal: &Journal, lang: Lang) -> Vec<(&'static str, Grade, String)> {
        let found = findings(journal, lang).unwrap();
        found.into_iter().map(|found| (found.check, found.grade, found.text)).collect()
    }

    #[test]
    fn what_is_wrong_with_what_is_kept_is_said_in_both_languages() {
        let dir = tempfile::tempdir().unwrap();
        let journal = open(dir.path());
        for (lang, words) in [(Lang::En, "revoked"), (Lang::Zh, "吊销")] {
            assert_eq!(said(&journal, lang).len(), 1);
            journal
                .write_blocking(|tx| {
                    meta::put(tx, meta::SCRUB, &true)?;
                    journal::lock(tx, NOW)
                })
                .unwrap();
            let found = said(&journal, lang);
            assert_eq!(found.iter().map(|found| found.0).collect::<Vec<_>>(), ["vault", "vault", "locked"]);
            assert_eq!((found[1].1, found[2].1), (Grade::Warn, Grade::Fail));
            assert!(found[2].2.contains(words), "{found:?}");
            journal.write_blocking(|tx| meta::remove(tx, meta::SCRUB)).unwrap();
            journal.write_blocking(journal::unlock).unwrap();
        }
    }

    #[test]
    fn a_key_on_the_same_disk_is_worth_a_warning() {
        let own = key(&Source::OwnKey("/nonexistent/data.key".into()), Lang::En);
        assert_eq!(own.grade, Grade::Warn);
        assert!(
            own.text.contains("/nonexistent/data.key") && own.text.contains("vault passphrase"),
            "{}",
            own.text
        );
        for source in [Source::Passphrase, Source::KeyFile("/nonexistent/key".into())] {
            assert_eq!(key(&source, Lang::Zh).grade, Grade::Ok);
        }
    }
}
