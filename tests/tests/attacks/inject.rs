//! Words that are something else to somebody: SQL, templates, formulas.

use std::ffi::OsStr;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use linewatch_tests::harness::{Folder, Mailbox, Server, ServerOptions, block_on, now, run, story};
use serde_json::{Value, json};

use crate::desk::{Desk, both};

/// What a query would do with them, did it not take them as values.
const SQL: [&str; 7] = [
    "' OR '1'='1",
    "'; DROP TABLE customer; --",
    "\" OR \"\"=\"",
    "1) UNION SELECT password_hash FROM app_user --",
    "%' ESCAPE '!",
    "$1",
    "\0",
];

fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect::<Vec<_>>().concat()
}

/// Every GET of the API, with a word in each of its parameters, one after the other.
fn reads(api: &Value, word: &str) -> Vec<String> {
    let Some(paths) = api["paths"].as_object() else { return Vec::new() };
    let mut reads = Vec::new();
    for (template, item) in paths {
        let Some(parameters) = item["get"]["parameters"].as_array() else { continue };
        if template.ends_with("/events") {
            continue;
        }
        let name = |parameter: &Value| parameter["name"].as_str().unwrap_or_default().to_owned();
        let (in_path, in_query): (Vec<_>, Vec<_>) =
            parameters.iter().partition(|parameter| parameter["in"] == "path");
        let mut path = template.clone();
        for parameter in &in_path {
            path = path.replace(&format!("{{{}}}", name(parameter)), &encoded(word));
        }
        reads.push(path.clone());
        reads
            .extend(in_query.iter().map(|parameter| format!("{path}?{}={}", name(parameter), encoded(word))));
    }
    reads
}

#[test]
fn sql_is_a_value_in_every_parameter() {
    both("", |_, desk| {
        desk.fault("L-OURS")?;
        let api = desk.admin.get("/api/v1/openapi.json")?.expect(200)?;
        let mut tried = 0;
        for word in SQL {
            desk.unchanged(word, || {
                for path in reads(&api, word) {
                    let answer = desk.admin.get(&path)?;
                    ensure!(answer.status < 500, "{path}: {answer:?}");
                    let said = answer.body.to_string();
                    ensure!(!said.contains("argon2") && !said.contains("syntax error"), "{path}: {said}");
                    tried += 1;
                }
                Ok(())
            })?;
        }
        ensure!(tried > 500, "only {tried} parameters were tried");
        writes(desk)
    });
}

/// The same in bodies: what is taken in is kept as it was written.
fn writes(desk: &Desk) -> Result<()> {
    for word in SQL {
        let unknown = json!({ "line": word, "channel": "noc" });
        let answer = desk.unchanged(word, || desk.noc.post("/api/v1/faults", &unknown))?;
        ensure!(answer.status == 404 || answer.status == 422, "{word}: {answer:?}");
        let report =
            json!({ "line": "L-THEIRS", "channel": "hotline", "reporter": word, "description": word });
        let fault = desk.noc.post("/api/v1/faults", &report)?;
        if word.contains('\0') {
            ensure!(fault.status == 422, "{fault:?}");
            continue;
        }
        ensure!([200, 201].contains(&fault.status), "{fault:?}");
        let id = fault.body["id"].as_str().context("id")?;
        let kept = desk.noc.fault(id)?.to_string();
        ensure!(kept.contains(&json!(word).to_string()), "{word} was not kept as it is: {kept}");
    }
    ensure!(desk.store.number("SELECT COUNT(*) FROM customer")? == 2);
    Ok(())
}

/// What spreadsheets calculate.
const FORMULAS: [&str; 7] = ["=1+1", "+1+1", "-1+1", "@SUM(1)", "=HYPERLINK(0)", "\t=1+1", "\r=1+1"];

/// The cells of a CSV text.
fn cells(text: &str) -> Vec<String> {
    let (mut cells, mut cell, mut quoted) = (Vec::new(), String::new(), false);
    for c in text.chars() {
        match c {
            '"' => quoted = !quoted,
            ',' | '\n' if !quoted => cells.push(std::mem::take(&mut cell)),
            '\r' if !quoted => {}
            _ => cell.push(c),
        }
    }
    cells.push(cell);
    cells
}

#[test]
fn no_cell_of_an_export_is_a_formula() {
    both("", |folder, desk| {
        for (n, formula) in FORMULAS.iter().enumerate() {
            let body =
                json!({ "code": format!("X-{n}"), "name": formula, "tier": "AAA", "pack": "group-line" });
            // Refused or taken: what matters is what goes out.
            desk.admin.post("/api/v1/customers", &body)?;
            let site = json!({ "customer": "OURS", "name": formula, "access_contact": formula });
            desk.admin.post("/api/v1/sites", &site)?;
        }
        let quoted = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
        let rows: Vec<String> = FORMULAS
            .iter()
            .enumerate()
            .map(|(n, formula)| format!("F-{n},{},AAA\n", quoted(formula)))
            .collect();
        let rows = rows.concat();
        desk.server.import("formulas.csv", &format!("code,name,tier\n{rows}"))?;
        desk.fault("L-OURS")?;
        let month = &now().to_rfc3339()[..7];
        let mut seen = 0;
        for path in [
            "/api/v1/export/customers".to_owned(),
            "/api/v1/export/lines".to_owned(),
            "/api/v1/export/sites".to_owned(),
            format!("/api/v1/reports/month/{month}?format=csv&group=customer"),
            format!("/api/v1/reports/month/{month}?format=csv&group=line"),
        ] {
            let text = text_of(desk, &path)?;
            for cell in cells(text.trim_start_matches('\u{feff}')) {
                seen += 1;
                ensure!(!cell.starts_with(['=', '+', '@', '\t', '\r']), "{path}: {cell:?}");
                ensure!(!cell.starts_with('-') || cell.parse::<f64>().is_ok(), "{path}: {cell:?}");
            }
        }
        ensure!(seen > 100, "only {seen} cells were seen");
        no_formula_in_workbooks(folder, desk)
    });
}

/// In workbooks a formula is an element of its own.
fn no_formula_in_workbooks(folder: &Folder, desk: &Desk) -> Result<()> {
    let file = folder.path().join("export.xlsx");
    for what in ["customers", "sites"] {
        std::fs::write(&file, bytes_of(desk, &format!("/api/v1/export/{what}?format=xlsx"))?)?;
        let script = format!(
            "import zipfile\nz = zipfile.ZipFile({:?})\nsheets = [n for n in z.namelist() if 'worksheets/' in n]\n\
             assert sheets and not any(b'<f>' in z.read(n) or b'<f ' in z.read(n) for n in sheets)\n",
            file.display().to_string()
        );
        run(Path::new("python3"), &[OsStr::new("-c"), OsStr::new(&script)], "")?.ok().context(what)?;
    }
    Ok(())
}

fn text_of(desk: &Desk, path: &str) -> Result<String> {
    Ok(String::from_utf8(bytes_of(desk, path)?)?)
}

fn bytes_of(desk: &Desk, path: &str) -> Result<Vec<u8>> {
    let token = desk.server.run(&["user", "token", "head"], "")?.ok()?;
    let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(30)).build()?;
    let request = http.get(format!("http://{}{path}", desk.server.http)).bearer_auth(token.trim());
    block_on(async { Ok(request.send().await?.error_for_status()?.bytes().await?.to_vec()) })
}

#[test]
fn a_template_in_a_name_is_a_name() {
    story(|folder| {
        let mailbox = Mailbox::start(&folder.sub("mail")?)?;
        let options = ServerOptions { smtp: Some(mailbox.address), ..ServerOptions::default() };
        let mut server = Server::new(&folder.sub("server")?, &options)?;
        let noc = server.user("desk", "noc", crate::desk::PASSWORD)?;
        let name = "{ $link } {{7*7}} ${7*7} <%= 7*7 %> {\"x\"}";
        let quoted = name.replace('"', "\"\"");
        server.import(
            "customers.csv",
            &format!("code,name,tier,manager,manager_email\nOURS,\"{quoted}\",AAA,manager-1,manager-1@desk.example\n"),
        )?;
        server.import("lines.csv", "code,customer\nL-OURS,OURS\n")?;
        server.start()?;
        let at = linewatch_shared::time::UnixMs(now().0 - 90 * 60_000).to_rfc3339();
        let report = json!({ "line": "L-OURS", "channel": "hotline", "reporter": name, "description": name, "reported_at": at });
        let fault = noc.post("/api/v1/faults", &report)?.expect(201)?;
        let id = fault["id"].as_str().context("id")?;
        let mail = mailbox.wait_for(Duration::from_mins(1), "an alert", |mail| mail.faults.contains(id))?;
        let raw = std::fs::read_to_string(&mail.file)?;
        ensure!(!mail.subject.contains("49") && !raw.contains("49 "), "something was calculated: {raw}");
        ensure!(!mail.subject.contains('\n'), "{:?}", mail.subject);
        Ok(())
    });
}
