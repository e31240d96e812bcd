import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";

/** A self-signed certificate and its key, PEM. */
export interface Pair {
  cert: string;
  key: string;
}

/** @param names subject alternative names, such as `DNS:localhost,IP:127.0.0.1` */
export async function selfSigned(names = "DNS:localhost,IP:127.0.0.1"): Promise<Pair> {
  const folder = mkdtempSync(join(tmpdir(), "cert-"));
  const [cert, key] = [join(folder, "crt"), join(folder, "key")];
  try {
    await execa("openssl", [
      ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"],
      ...["-days", "2", "-subj", "/CN=test", "-addext", `subjectAltName=${names}`],
      ...["-keyout", key, "-out", cert],
    ]);
    return { cert: readFileSync(cert, "utf8"), key: readFileSync(key, "utf8") };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
