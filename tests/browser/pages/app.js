import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createGrpcWebTransport } from "@connectrpc/connect-web";
import { createCountersign, fieldsOf, reasonOf, retryAfter } from "@countersign/client";
import { AuthService } from "@countersign/client/generated/countersign/v1/auth_service_pb.js";
import { HEALTH } from "./health.js";

// The functions of a page that the scenarios call. Every result can be passed on to them.

const baseUrl = new URLSearchParams(location.search).get("service") ?? "/";
const countersign = createCountersign({ baseUrl });
const unlocked = createGrpcWebTransport({ baseUrl, fetch: (input, init) => fetch(input, { ...init, credentials: "include" }) });
const changes = [];
countersign.onChange((change) => changes.push(change));

/** The result of a call. */
async function told(call, read = () => ({})) {
  try {
    return { ok: true, ...read(await call) };
  } catch (error) {
    const { code, rawMessage: message } = ConnectError.from(error);
    return { ok: false, code: Code[code], message, reason: reasonOf(error), fields: fieldsOf(error), retryAfter: retryAfter(error) };
  }
}

const app = {
  changes,
  signedIn: () => countersign.signedIn,
  login: (identifier, password) => told(countersign.login({ identifier, password }), ({ sessionId }) => ({ sessionId })),
  logout: () => told(countersign.logout()),
  me: () => told(countersign.account.getMe({}), ({ account }) => ({ email: account?.email })),
  displayName: async () => (await countersign.account.getMe({})).account?.displayName,
  register: (email, password) => told(countersign.account.register({ email, password })),
  /** Logs in like a page that does not wait for other logins. */
  crowd: (identifier, password) => told(createClient(AuthService, unlocked).login({ identifier, password })),
  /** Refreshes like a script that knows nothing of the other tabs. */
  refreshAlone: () => told(createClient(AuthService, unlocked).refresh({})),
  /** Returns the first message of an endless stream, and a function that ends it. */
  async watchHealth(service) {
    const given = new AbortController();
    const messages = countersign.client(HEALTH).watch({ service }, { signal: given.signal })[Symbol.asyncIterator]();
    const first = await told(messages.next(), ({ value }) => ({ status: value.status }));
    given.abort();
    return { first, last: await told(messages.next()) };
  },
};

Object.assign(globalThis, { app });
