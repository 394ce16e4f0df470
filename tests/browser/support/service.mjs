import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { closeSync, openSync, readFileSync } from "node:fs";
import { createServer, connect } from "node:net";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { load } from "./bundle.mjs";
import { atExit } from "./exit.mjs";

/** The path of the built program. */
const BINARY = process.env.COUNTERSIGN_BINARY;

/** A free port of this machine. */
export async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}

/**
 * Starts the real program, with a data folder of its own below `folder`. `settings` are environment variables without
 * their common prefix. The program ends with this process.
 */
export async function startService(folder, settings = {}) {
  assert.ok(BINARY, "COUNTERSIGN_BINARY names the program");
  const port = await freePort();
  const origin = `http://localhost:${port}`;
  const all = {
    LISTEN: `127.0.0.1:${port}`,
    ADMIN_LISTEN: "off",
    PUBLIC_URL: origin,
    DATA_DIR: join(folder, `data-${port}`),
    PASSWORDS__ARGON2_MEMORY_KIB: "8192",
    PASSWORDS__ARGON2_ITERATIONS: "1",
    ...settings,
  };
  const env = Object.fromEntries(Object.entries(all).map(([key, value]) => [`COUNTERSIGN_${key}`, value]));
  const logFile = join(folder, `service-${port}.log`);
  const log = openSync(logFile, "a");
  const child = spawn(BINARY, ["serve"], { env, stdio: ["ignore", log, log] });
  closeSync(log);
  atExit(() => child.kill("SIGKILL"));
  const written = () => readFileSync(logFile, "utf8");
  await answering(port, () => assert.equal(child.exitCode, null, `the service ended:\n${written()}`));
  const { calls, reasonOf } = await load("calls.js");
  const service = { origin, port, log: written, reasonOf, calls: (cookie) => calls(origin, cookie) };
  return Object.assign(service, {
    person: () => person(service),
    mail: (recipient, subjectContains, afterMailId = "") => mail(service, recipient, subjectContains, afterMailId),
  });
}

async function answering(port, check) {
  for (let tries = 0; tries < 600; tries++) {
    check();
    const socket = connect(port, "127.0.0.1");
    const there = await once(socket, "connect").then(() => true, () => false);
    socket.destroy();
    if (there) return;
    await setTimeout(25);
  }
  assert.fail("the service does not answer");
}

/** A mail that has arrived, or arrives soon. */
async function mail(service, recipient, subjectContains, afterMailId) {
  const found = await service.calls().mailbox.waitFor({ recipient, subjectContains, afterMailId });
  return found.mail;
}

/** Registers and verifies an account. */
async function person(service) {
  const name = randomUUID();
  const [email, password] = [`${name}@example.org`, `${randomUUID()} only here`];
  const { account } = service.calls();
  await account.register({ email, password, requestId: randomUUID() });
  const { token } = await mail(service, email, "", "");
  await account.verify({ token });
  return { email, password };
}
