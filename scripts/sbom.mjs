#!/usr/bin/env node
// Writes a program's bill of materials (CycloneDX 1.6, JSON): each crate that is compiled into it and each npm package whose
// code is in its embedded page, with version, licence, checksum and who asks for it. The same sources give the same bytes.
//
//   scripts/sbom.mjs linewatch-server|linewatch-agent [FILE]      to standard output without FILE
//
// Nothing is fetched: what Cargo.lock and package-lock.json name has to be there already.
import { createHash } from "node:crypto";
import { execFileSync } from "node:child_process";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = join(dirname(fileURLToPath(import.meta.url)), "..");
/** Where the sources of the page are that a program embeds. */
const PAGES = { "linewatch-server": "server/web/src", "linewatch-agent": "server/web/field" };

const [program, file] = process.argv.slice(2);
if (!(program in PAGES)) {
    console.error(`sbom.mjs: name one of: ${Object.keys(PAGES).join(", ")}`);
    process.exit(2);
}

const run = (command, ...args) => execFileSync(command, args, { cwd: ROOT, encoding: "utf8", maxBuffer: 1 << 28 });
const byRef = (name) => (a, b) => (a[name] < b[name] ? -1 : 1);

/** Checksums of crates, by "name version". */
function checksums() {
    const sums = new Map();
    for (const block of readFileSync(join(ROOT, "Cargo.lock"), "utf8").split("[[package]]")) {
        const field = (name) => block.match(new RegExp(`^${name} = "(.*)"$`, "m"))?.[1];
        if (field("checksum")) sums.set(`${field("name")} ${field("version")}`, field("checksum"));
    }
    return sums;
}

/** Old manifests put a slash where an expression says OR. */
function licences(crate) {
    if (crate.license) return [{ expression: crate.license.replaceAll("/", " OR ").replace(/ +/g, " ") }];
    return crate.license_file ? [{ license: { name: `see ${crate.license_file}` } }] : [];
}

function crates() {
    const host = run("rustc", "-vV").match(/^host: (.*)$/m)[1];
    const metadata = JSON.parse(
        run("cargo", "metadata", "--format-version", "1", "--locked", "--offline", "--filter-platform", host),
    );
    const packages = new Map(metadata.packages.map((crate) => [crate.id, crate]));
    const nodes = new Map(metadata.resolve.nodes.map((node) => [node.id, node]));
    const sums = checksums();
    const purl = ({ name, version }) => `pkg:cargo/${name}@${version}`;
    // What only builds or tests is not in the program.
    const asked = (id) =>
        nodes.get(id).deps.filter((dep) => dep.dep_kinds.some(({ kind }) => kind === null)).map((dep) => dep.pkg);
    const root = metadata.packages.find((crate) => crate.name === program).id;
    const reached = new Set([root]);
    for (const id of reached) for (const dep of asked(id)) reached.add(dep);
    const component = (id) => {
        const crate = packages.get(id);
        const sum = sums.get(`${crate.name} ${crate.version}`);
        return {
            type: id === root ? "application" : "library",
            "bom-ref": purl(crate),
            name: crate.name,
            version: crate.version,
            ...(sum && { hashes: [{ alg: "SHA-256", content: sum }] }),
            ...(licences(crate).length > 0 && { licenses: licences(crate) }),
            purl: purl(crate),
        };
    };
    const dependencies = [...reached].map((id) => ({
        ref: purl(packages.get(id)),
        dependsOn: [...new Set(asked(id).map((dep) => purl(packages.get(dep))))].sort(),
    }));
    return { root: component(root), parts: [...reached].filter((id) => id !== root).map(component), dependencies };
}

/** Names of the npm packages that the page's sources import. */
function imported(folder) {
    const names = new Set();
    for (const entry of readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })) {
        if (!entry.isFile() || !/\.(ts|js|svelte)$/.test(entry.name) || /\.test\./.test(entry.name)) continue;
        const text = readFileSync(join(entry.parentPath, entry.name), "utf8");
        for (const [, from] of text.matchAll(/(?:from|import)\s*\(?\s*["']([^."'/][^"']*)["']/g)) {
            names.add(from.startsWith("@") ? from.split("/").slice(0, 2).join("/") : from.split("/")[0]);
        }
    }
    return names;
}

function pagePackages() {
    const lock = JSON.parse(readFileSync(join(ROOT, "server/web/package-lock.json"), "utf8")).packages;
    const at = (name) => lock[`node_modules/${name}`];
    const purl = (name) => `pkg:npm/${name.replace("@", "%40")}@${at(name).version}`;
    const first = [...imported(PAGES[program])].filter((name) => at(name));
    const reached = new Set(first);
    const asked = (name) => Object.keys(at(name).dependencies ?? {}).filter((dep) => at(dep));
    for (const name of reached) for (const dep of asked(name)) reached.add(dep);
    const parts = [...reached].map((name) => ({
        type: "library",
        "bom-ref": purl(name),
        name,
        version: at(name).version,
        hashes: [{ alg: "SHA-512", content: Buffer.from(at(name).integrity.slice(7), "base64").toString("hex") }],
        ...(at(name).license && { licenses: [{ expression: at(name).license }] }),
        purl: purl(name),
    }));
    const dependencies = [...reached].map((name) => ({
        ref: purl(name),
        dependsOn: asked(name).map(purl).sort(),
    }));
    return { parts, dependencies, first: first.map(purl) };
}

const rust = crates();
const page = pagePackages();
const own = rust.dependencies.find((entry) => entry.ref === rust.root["bom-ref"]);
own.dependsOn = [...own.dependsOn, ...page.first].sort();
const body = {
    components: [...rust.parts, ...page.parts].sort(byRef("bom-ref")),
    dependencies: [...rust.dependencies, ...page.dependencies].sort(byRef("ref")),
};
const epoch = process.env.SOURCE_DATE_EPOCH ?? run("git", "log", "-1", "--format=%ct").trim();
const digest = createHash("sha256").update(JSON.stringify([rust.root, body, epoch])).digest("hex");
// A name-based UUID: of the contents, so that equal bills have equal numbers.
const uuid = [
    digest.slice(0, 8),
    digest.slice(8, 12),
    `8${digest.slice(13, 16)}`,
    `a${digest.slice(17, 20)}`,
    digest.slice(20, 32),
].join("-");
const bill = {
    $schema: "http://cyclonedx.org/schema/bom-1.6.schema.json",
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    serialNumber: `urn:uuid:${uuid}`,
    version: 1,
    metadata: {
        timestamp: new Date(Number(epoch) * 1000).toISOString().replace(".000Z", "Z"),
        lifecycles: [{ phase: "build" }],
        component: rust.root,
    },
    ...body,
};
const text = `${JSON.stringify(bill, null, 1)}\n`;
if (file) writeFileSync(file, text);
else process.stdout.write(text);
