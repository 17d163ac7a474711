#!/usr/bin/env node
// Holds every crate of Cargo.lock against deny.toml, where cargo-deny is not installed: licences, crates that are not wanted,
// places, and versions of one crate beside each other. The same file is read, so that both say the same.
//
//   scripts/licences.mjs
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = join(dirname(fileURLToPath(import.meta.url)), "..");
const REGISTRY = "registry+https://github.com/rust-lang/crates.io-index";

const rules = readFileSync(join(ROOT, "deny.toml"), "utf8");
const list = (name) => rules.match(new RegExp(`^${name} = \\[([^\\]]*)\\]`, "m"))?.[1] ?? "";
const allowed = new Set([...list("allow").matchAll(/^\s*"(.+)",/gm)].map((match) => match[1]));
const crates = (name) => new Set([...list(name).matchAll(/crate = "([^"]+)"/g)].map((match) => match[1]));
const [unwanted, known] = [crates("deny"), crates("skip")];
const targets = [...list("targets").matchAll(/"([^"]+)"/g)].map((match) => match[1]);

/** Whether an SPDX expression can be kept with licences of the list alone. Old manifests put a slash where it says OR. */
function isAllowed(expression) {
    const words = expression.replaceAll("/", " OR ").match(/[()]|[^\s()]+/g) ?? [];
    const any = () => {
        let fits = all();
        while (words[0] === "OR") {
            words.shift();
            fits = all() || fits;
        }
        return fits;
    };
    const all = () => {
        let fits = one();
        while (words[0] === "AND") {
            words.shift();
            fits = one() && fits;
        }
        return fits;
    };
    const one = () => {
        const word = words.shift();
        if (word === "(") {
            const fits = any();
            words.shift();
            return fits;
        }
        const exception = words[0] === "WITH" ? ` ${words.splice(0, 2).join(" ")}` : "";
        return allowed.has(word + exception);
    };
    return any() && words.length === 0;
}

const filters = targets.flatMap((target) => ["--filter-platform", target]);
const metadata = JSON.parse(
    execFileSync("cargo", ["metadata", "--format-version", "1", "--locked", "--offline", ...filters], {
        cwd: ROOT,
        encoding: "utf8",
        maxBuffer: 1 << 28,
    }),
);
const used = new Set(metadata.resolve.nodes.map((node) => node.id));
const own = new Set(metadata.workspace_members);
const packages = metadata.packages.filter((crate) => used.has(crate.id) && !own.has(crate.id));

const mistakes = [];
const versions = new Map();
for (const { name, version, license, license_file, source } of packages) {
    const crate = `${name}@${version}`;
    if (license ? !isAllowed(license) : true)
        mistakes.push(`${crate}: the licence is ${license ?? `in ${license_file ?? "no file"}`}`);
    if (unwanted.has(name)) mistakes.push(`${crate}: is not wanted here`);
    if (source !== REGISTRY) mistakes.push(`${crate}: comes from ${source ?? "a folder"}`);
    versions.set(name, [...(versions.get(name) ?? []), crate]);
}
for (const [name, all] of versions) {
    const left = all.filter((crate) => !known.has(crate));
    if (left.length > 1) mistakes.push(`${name}: stands there ${all.length} times (${all.join(", ")}), and deny.toml does not know of it`);
}
for (const crate of known)
    if (!packages.some(({ name, version }) => `${name}@${version}` === crate)) mistakes.push(`${crate}: is skipped in deny.toml, and not there`);

for (const mistake of mistakes.sort()) console.error(mistake);
if (mistakes.length === 0) console.log(`${packages.length} crates have licences of the list, are wanted, and come from one place`);
process.exit(mistakes.length ? 1 : 0);
