use super::*;
use crate::db::testing::{both, int};

const NOW: UnixMs = UnixMs(1_790_000_000_000);
const CUSTOMERS: &str = "code,name,tier,manager,manager_email\nbank,Sample Bank,AAA,Manager A,a@example.com\n\
                         mill,Sample Mill,standard,,\n";
const LINES: &str = "code,customer,site,agent,probe,interval,tier\nL1,bank,HQ,site-1,icmp://10.1.2.3,1s,\n\
                     L2,bank,Branch,site-1,tcp://10.1.2.4:443,30s,A\nL3,mill,,,,,\n";

fn packs() -> Arc<PackSet> {
    Arc::new(PackSet::load(None).unwrap())
}

async fn import(db: &Db, text: &str, at: UnixMs) -> Result<Summary, ImportError> {
    bytes(db, &packs(), text.as_bytes(), false, at).await
}

async fn mistakes(db: &Db, text: &[u8]) -> Vec<String> {
    match bytes(db, &packs(), text, false, NOW).await {
        Err(ImportError::Mistakes(found)) => found.iter().map(ToString::to_string).collect(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn customers_then_lines_then_changes() {
    both(|db| async move {
        let dry = bytes(&db, &packs(), CUSTOMERS.as_bytes(), true, NOW).await.unwrap();
        assert_eq!((dry.created.len(), dry.dry_run), (2, true));
        assert_eq!(int(&db, "SELECT COUNT(*) FROM customer").await.unwrap(), 0);
        import(&db, CUSTOMERS, NOW).await.unwrap();
        let lines = import(&db, LINES, NOW).await.unwrap();
        assert_eq!(lines.created, ["L1", "L2", "L3"]);
        assert_eq!(lines.agents_created, ["site-1"]);
        assert_eq!(int(&db, "SELECT COUNT(*) FROM line_terms").await.unwrap(), 3);
        // 2 customers, 1 agent, 3 lines, numbered without gaps.
        assert_eq!(int(&db, "SELECT COUNT(*) FROM reference_change").await.unwrap(), 6);
        assert_eq!(int(&db, "SELECT MAX(n) FROM reference_change").await.unwrap(), 6);
        let again = import(&db, LINES, NOW + 1).await.unwrap();
        assert_eq!((again.unchanged, again.changed.len()), (3, 0));
        assert_eq!(int(&db, "SELECT n FROM head WHERE name = 'reference'").await.unwrap(), 6);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customers_tier_changes_the_terms_of_its_lines() {
    both(|db| async move {
        import(&db, CUSTOMERS, NOW).await.unwrap();
        import(&db, LINES, NOW).await.unwrap();
        // The clock was set back meanwhile.
        let changed = import(&db, "code,name,tier\nbank,Sample Bank,AA\n", NOW - 5000).await.unwrap();
        assert_eq!(changed.changed, ["bank"]);
        assert_eq!(int(&db, "SELECT COUNT(*) FROM line_terms WHERE line = 'L1'").await.unwrap(), 2);
        assert_eq!(int(&db, "SELECT COUNT(*) FROM line_terms WHERE line = 'L2'").await.unwrap(), 1);
        let latest = "SELECT MAX(valid_from_ms) FROM line_terms WHERE line = 'L1' AND tier = 'AA'";
        assert_eq!(int(&db, latest).await.unwrap(), NOW.0 + 1);
        // A column that the file does not have is left as it is.
        let mail = "SELECT COUNT(*) FROM customer WHERE manager_email = 'a@example.com'";
        assert_eq!(int(&db, mail).await.unwrap(), 1);
        import(&db, "code,name,tier,manager_email\nbank,Sample Bank,AA,\n", NOW).await.unwrap();
        assert_eq!(int(&db, mail).await.unwrap(), 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_bad_row_is_listed_and_nothing_is_imported() {
    both(|db| async move {
        import(&db, CUSTOMERS, NOW).await.unwrap();
        let bad = "code,customer,agent,probe,interval,tier\nok,bank,a1,icmp://10.0.0.1,1s,AAA\n\
                   x1,nobody,a1,icmp://10.0.0.1,1s,\nx2,bank,a1,ftp://10.0.0.1,1s,\n\
                   x3,bank,a1,icmp://10.0.0.1,fast,\nx4,bank,a1,icmp://10.0.0.1,1ms,\n\
                   ok,bank,,,,\nx5,bank,,,,platinum\nx6,bank,,icmp://10.0.0.1,,\n,bank,,,,\n\
                   x7,bank,bad name,,,\nx8,bank\nx/9,bank,,,,\n";
        let found = mistakes(&db, bad.as_bytes()).await;
        let expected = [
            "line 3, customer: there is no customer with the code \"nobody\"",
            "line 4, probe: ",
            "line 5, interval: ",
            "line 6, interval: \"1ms\" is out of range",
            "line 7, code: \"ok\" is already on line 2",
            "line 8, tier: \"platinum\" is not a tier of the pack \"group-line\": AAA, AA, A, standard",
            "line 9, agent: is empty",
            "line 10, code: is empty",
            "line 11, agent: \"bad name\" is not a usable name",
            "line 12: has 2 cells where the header has 6",
            "line 13, code: \"x/9\" is not a code",
        ];
        assert_eq!(found.len(), expected.len(), "{found:#?}");
        for (found, expected) in found.iter().zip(expected) {
            assert!(found.starts_with(expected), "{found} does not start with {expected}");
        }
        for table in ["line", "agent", "line_terms"] {
            let sql: &'static str = format!("SELECT COUNT(*) FROM {table}").leak();
            assert_eq!(int(&db, sql).await.unwrap(), 0);
        }
        let found =
            mistakes(&db, b"code,name,tier,pack,manager_email\na,A,AAA,none,\nb,B,AAA,,not mail\nc,,,,\n")
                .await;
        assert_eq!(found.len(), 4, "{found:#?}");
        assert!(
            found[0].contains("no pack called \"none\"; in force: ") && found[0].contains("group-line"),
            "{found:#?}"
        );
        assert!(found[1].starts_with("line 3, manager_email: \"not mail\""), "{found:#?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_header_says_what_the_file_is() {
    let database = crate::db::testing::sqlite();
    let db = Db::open(&database.url, 0).await.unwrap();
    let unknown = mistakes(&db, b"code,name,tier,colour,name\n").await;
    assert_eq!(unknown.len(), 2, "{unknown:?}");
    assert!(unknown[0].starts_with("line 1, colour: unknown column"), "{unknown:?}");
    assert!(unknown[1].contains("twice"), "{unknown:?}");
    assert!(mistakes(&db, b"a,b\n").await[0].contains("names none of: customers (code, name"));
    assert!(mistakes(&db, b"code,name\n").await[0].starts_with("line 1, tier: the column is missing"));
    assert!(mistakes(&db, b"").await[0].contains("empty"));
    assert!(mistakes(&db, b"code,name,tier\nx,\xff,AAA\n").await[0].starts_with("line 2: is not UTF-8"));
    let excel = "\u{feff}code,name,tier\r\n x ,\"Sample, Ltd\", AAA\r\n\r\n";
    assert_eq!(import(&db, excel, NOW).await.unwrap().created, ["x"]);
}
