import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";

/** A key and a certificate for the names below `domain`, created now and valid for a day. */
export function certificate(folder, domain) {
  const [key, cert] = [join(folder, "key.pem"), join(folder, "certificate.pem")];
  const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-noenc"];
  const names = ["-subj", `/CN=${domain}`, "-addext", `subjectAltName=DNS:*.${domain}`];
  execFileSync("openssl", ["req", "-x509", ...curve, "-keyout", key, "-out", cert, "-days", "1", ...names], { stdio: "pipe" });
  return { key: readFileSync(key), cert: readFileSync(cert) };
}
