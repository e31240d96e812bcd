import { X509Certificate } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const BUNDLE = "/etc/ssl/certs/ca-certificates.crt";
/** What the distribution's own package ships. */
const SHIPPED = "/usr/share/ca-certificates";

/**
 * Authorities that this host trusts besides its distribution's, such as that of a proxy which
 * inspects TLS. A container behind the same proxy needs them too.
 *
 * @param {{ bundle?: string, shipped?: string }} [places]
 * @returns {string[]} in PEM, sorted
 */
export function extraAuthorities({ bundle = BUNDLE, shipped = SHIPPED } = {}) {
  const known = new Set(files(shipped).flatMap((file) => certificates(file).map(({ id }) => id)));
  // Without the package there is nothing to compare with, so all of the bundle would be extra.
  if (known.size === 0) return [];
  const extra = certificates(bundle).filter(({ id }) => !known.has(id));
  return [...new Map(extra.map(({ id, pem }) => [id, pem]))].sort().map(([, pem]) => pem);
}

/** @param {string} file */
function certificates(file) {
  let text = "";
  try {
    text = readFileSync(file, "utf8");
  } catch {
    return [];
  }
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g) ?? [];
  return blocks.flatMap((pem) => {
    try {
      return [{ id: new X509Certificate(pem).fingerprint256, pem: `${pem}\n` }];
    } catch {
      return [];
    }
  });
}

/** @param {string} folder @returns {string[]} */
function files(folder) {
  try {
    return readdirSync(folder, { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".crt"))
      .map((name) => join(folder, name));
  } catch {
    return [];
  }
}
