import { Code, ConnectError, createRouterTransport, type ConnectRouter, type Interceptor } from "@connectrpc/connect";
import { create, createFileRegistry, type DescService } from "@bufbuild/protobuf";
import { EmptySchema, FileDescriptorProtoSchema, file_google_protobuf_empty, timestampFromMs } from "@bufbuild/protobuf/wkt";
import { createCountersign, type Countersign, type Options, type Reason, type SessionChange, type Surroundings } from "../src/index.js";
import { AccountService } from "../src/generated/countersign/v1/account_service_pb.js";
import { AuthService, LoginMethod } from "../src/generated/countersign/v1/auth_service_pb.js";
import { FactorService } from "../src/generated/countersign/v1/factor_service_pb.js";
import { SessionService } from "../src/generated/countersign/v1/session_service_pb.js";
import { Authenticator, challengeIn } from "./authenticator.js";
import { BadRequestSchema, ErrorInfoSchema, RetryInfoSchema } from "../src/generated/google/rpc/error_details_pb.js";

interface Refused {
  readonly code?: Code;
  readonly wait?: number;
  readonly metadata?: Record<string, string>;
}

/** An error as the service sends it. */
export function refusal(reason: Reason, refused: Refused = {}): ConnectError {
  const { code = Code.Unauthenticated, wait, metadata = {} } = refused;
  const info = { desc: ErrorInfoSchema, value: create(ErrorInfoSchema, { reason, domain: "countersign", metadata }) };
  if (wait === undefined) return new ConnectError("refused", code, undefined, [info]);
  const retryDelay = { seconds: BigInt(Math.floor(wait / 1000)), nanos: (wait % 1000) * 1e6 };
  return new ConnectError("refused", code, undefined, [info, { desc: RetryInfoSchema, value: create(RetryInfoSchema, { retryDelay }) }]);
}

/** An error that names a field. */
export function fieldRefusal(field: string, reason: string, description: string): ConnectError {
  const value = create(BadRequestSchema, { fieldViolations: [{ field, reason, description }] });
  return new ConnectError("refused", Code.InvalidArgument, undefined, [{ desc: BadRequestSchema, value }]);
}

/** One tab of a browser. */
export interface Tab {
  readonly countersign: Countersign;
  readonly changes: SessionChange[];
}

/** A service of an application that any signed-in person may call: `Listen` sends nothing, three times. */
export const NEWS: DescService = application();

function application(): DescService {
  const [inputType, outputType] = [".google.protobuf.Empty", ".google.protobuf.Empty"];
  const file = create(FileDescriptorProtoSchema, {
    name: "news.proto",
    package: "application",
    syntax: "proto3",
    dependency: ["google/protobuf/empty.proto"],
    service: [{ name: "News", method: [{ name: "Listen", inputType, outputType, serverStreaming: true }] }],
  });
  const service = createFileRegistry(file, () => file_google_protobuf_empty.proto).getService("application.News");
  if (service === undefined) throw new Error("the service above");
  return service;
}

/**
 * A service, and a browser with one jar of cookies and any number of tabs. The service follows ADR 1: the parent of the
 * live generation gets the live one as its answer, any older generation ends the session.
 */
export class Browser {
  /** Every call that reached the service, by method. */
  readonly received: string[] = [];
  readonly requestIds: string[] = [];
  /** The tenant that each call named. */
  readonly tenants: (string | null)[] = [];
  /** The length of each pause, in milliseconds. Pauses take no time. */
  readonly pauses: number[] = [];
  /** The cookies. */
  jar: { session: number; generation: number; access: boolean } | undefined;
  /** The session in the state of the service. */
  live: { session: number; generation: number } | undefined;
  /** Whether the account has a second factor, and whether a login waits for it: its token is in a cookie. */
  secondFactor = false;
  challenged = false;
  /** Whether the account has to get one, and what a login waits for then. */
  mustEnrol = false;
  awaits: "code" | "factor" | undefined;
  /** For how long a device is remembered, in seconds; `undefined` where none is. */
  rememberSeconds: number | undefined = 30 * 86_400;
  /** For each second step that was accepted, whether the device is to be remembered. */
  readonly remembered: boolean[] = [];
  /** The person's authenticator; `undefined` in a browser without WebAuthn. */
  authenticator: Authenticator | undefined = new Authenticator();
  /** The cookie to which the logins by passkey alone are bound, and those that were used. */
  binding: string | undefined;
  readonly #usedLogins = new Set<string>();
  /** The devices and audiences that were named when a login by passkey began. */
  readonly named: string[] = [];
  /** What the service answers instead, if set. */
  instead: (method: string) => ConnectError | undefined = () => undefined;
  /** Awaited before the call reaches the service; a second step before its answer reaches the browser. */
  outward: (method: string) => Promise<void> = async () => {};
  homeward: (method: string) => Promise<void> = async () => {};

  /** Whether the browser claims to keep cookies, and whether it does. */
  saysCookies = true;
  keepsCookies = true;

  /** The clocks of the browser and of the service, in milliseconds, and the lifetime of an access token. */
  time = 1_000_000;
  serviceTime = 1_000_000;
  lifetime = 600_000;
  /** How many messages a stream sends before it breaks. */
  breakAfter = Infinity;

  #sessions = 0;
  readonly #items = new Map<string, string>();
  readonly #tabs: EventTarget[] = [];
  readonly locks = new Locks();
  #timers: { readonly due: number; readonly act: () => void }[] = [];

  signIn(): void {
    this.live = { session: ++this.#sessions, generation: 1 };
    this.jar = { ...this.live, access: true };
  }

  /** The access token expires, and its cookie with it. */
  expire(): void {
    if (this.jar) this.jar.access = false;
  }

  count(method: string): number {
    return this.received.filter((name) => name === method).length;
  }

  pass(duration: number): void {
    this.time += duration;
    this.serviceTime += duration;
    const due = this.#timers.filter(({ due }) => due <= this.time);
    this.#timers = this.#timers.filter(({ due }) => due > this.time);
    for (const { act } of due) act();
  }

  tab({ storage = true, ...options }: { storage?: boolean } & Partial<Options> = {}): Tab {
    const transport = (interceptors: Interceptor[]) =>
      createRouterTransport((router) => this.#service(router), {
        transport: { interceptors: [...interceptors, this.#network] },
      });
    const countersign = createCountersign({
      baseUrl: "https://id.example.org",
      transport,
      surroundings: this.#surroundings(storage),
      ...options,
    });
    const changes: SessionChange[] = [];
    countersign.onChange((change) => changes.push(change));
    return { countersign, changes };
  }

  #surroundings(storage: boolean): Surroundings {
    const events = new EventTarget();
    this.#tabs.push(events);
    const setItem = (key: string, newValue: string) => {
      this.#items.set(key, newValue);
      for (const other of this.#tabs.filter((tab) => tab !== events)) {
        queueMicrotask(() => other.dispatchEvent(Object.assign(new Event("storage"), { key, newValue })));
      }
    };
    return {
      locks: this.locks as unknown as Surroundings["locks"],
      cookies: () => this.saysCookies,
      webAuthn: this.authenticator?.browser(),
      storage: storage ? { getItem: (key) => this.#items.get(key) ?? null, setItem } : undefined,
      events,
      now: () => this.time,
      random: () => 0,
      timer: (duration, act) => {
        const timer = { due: this.time + duration, act };
        this.#timers.push(timer);
        return () => void (this.#timers = this.#timers.filter((other) => other !== timer));
      },
      sleep: async (duration, signal) => {
        signal?.throwIfAborted();
        this.pauses.push(duration);
      },
    };
  }

  /**
   * A call carries the cookies of the moment when it is sent; its answer sets those of the moment when it was answered.
   */
  readonly #network: Interceptor = (next) => async (request) => {
    const { name } = request.method;
    if (this.jar) request.header.set("x-jar", JSON.stringify(this.jar));
    if (this.binding) request.header.set("x-binding", this.binding);
    this.tenants.push(request.header.get("x-countersign-tenant"));
    await this.outward(name);
    const answer = await next(request).catch((error: unknown) => ConnectError.from(error));
    await this.homeward(name);
    request.signal.throwIfAborted();
    const headers = answer instanceof ConnectError ? answer.metadata : answer.header;
    const cookies = headers.get("x-jar");
    if (this.keepsCookies) this.binding = headers.get("x-binding") ?? this.binding;
    if (cookies !== null && this.keepsCookies) this.jar = cookies === "" ? undefined : JSON.parse(cookies);
    if (answer instanceof ConnectError) throw answer;
    return answer;
  };

  #service(router: ConnectRouter): void {
    const called = (method: string) => {
      this.received.push(method);
      const error = this.instead(method);
      if (error) throw error;
    };
    const cookies = (header: Headers): Browser["jar"] => JSON.parse(header.get("x-jar") ?? "null") ?? undefined;
    const authenticate = (header: Headers) => {
      const brought = cookies(header);
      if (!brought?.access) throw refusal("TOKEN_MISSING");
      if (brought.session !== this.live?.session) throw refusal("SESSION_ENDED");
      return { account: { accountId: `account of session ${brought.session}` } };
    };
    const opened = (header: Headers) => {
      header.set("date", new Date(this.serviceTime).toUTCString());
      header.set("x-jar", JSON.stringify({ ...this.live, access: true }));
      const accessExpireTime = timestampFromMs(this.serviceTime + this.lifetime);
      // The service leaves these fields empty. The client must hide them even if the service did not.
      return { sessionId: `${this.live?.session}`, accessToken: "secret", refreshToken: "secret", account: {}, accessExpireTime };
    };
    const asked = (method: LoginMethod, header: Headers) => {
      header.set("date", new Date(this.serviceTime).toUTCString());
      return { challengeToken: "secret", methods: [method], expireTime: timestampFromMs(this.serviceTime + 600_000) };
    };
    /** Whether a call is made for the login that waits for a factor; without that, it needs a session. */
    const isForLogin = (challengeToken: string | undefined, header: Headers) => {
      if (challengeToken === undefined) {
        authenticate(header);
        return false;
      }
      if (!this.keepsCookies) throw refusal("TOKEN_MISSING");
      if (this.awaits !== "factor") throw refusal("CHALLENGE_INVALID");
      return true;
    };
    /** The session that a factor opens. */
    const enrolled = (header: Headers) => {
      this.awaits = undefined;
      this.live = { session: ++this.#sessions, generation: 1 };
      return { session: opened(header), cancelToken: `cancel ${this.live.session}`, backupCodes: ["one", "two"] };
    };
    router.service(AuthService, {
      login: (_, { responseHeader }) => {
        called("Login");
        if (this.mustEnrol) {
          this.awaits = "code";
          return { outcome: { case: "challenge", value: asked(LoginMethod.EMAIL_CODE, responseHeader) } };
        }
        if (this.secondFactor) {
          this.challenged = true;
          responseHeader.set("date", new Date(this.serviceTime).toUTCString());
          const expireTime = timestampFromMs(this.serviceTime + 300_000);
          const methods = [LoginMethod.TOTP, LoginMethod.BACKUP_CODE, LoginMethod.PASSKEY, 99 as LoginMethod];
          const passkeyRequestJson = JSON.stringify({ challenge: "c2Vjb25k" });
          const { rememberSeconds: seconds } = this;
          const remember = seconds === undefined ? {} : { rememberDuration: { seconds: BigInt(seconds) } };
          const value = { challengeToken: "secret", methods, expireTime, passkeyRequestJson, ...remember };
          return { outcome: { case: "challenge", value } };
        }
        this.live = { session: ++this.#sessions, generation: 1 };
        const cancelToken = `cancel ${this.live.session}`;
        return { outcome: { case: "session", value: opened(responseHeader) }, cancelToken };
      },
      startPasskeyLogin: ({ audience, deviceName }, { requestHeader, responseHeader }) => {
        called("StartPasskeyLogin");
        this.named.push(audience, deviceName);
        const brought = requestHeader.get("x-binding");
        const binding = brought ?? `browser ${this.received.length}`;
        if (brought === null) responseHeader.set("x-binding", binding);
        responseHeader.set("date", new Date(this.serviceTime).toUTCString());
        const ends = this.serviceTime + 300_000;
        const challenge = `bG9naW4${this.received.length % 10}`;
        const challengeToken = JSON.stringify({ challenge, binding, ends });
        return { challengeToken, passkeyRequestJson: JSON.stringify({ challenge }), expireTime: timestampFromMs(ends) };
      },
      completeLogin: ({ challengeToken, proof, rememberDevice }, { requestHeader, responseHeader }) => {
        called("CompleteLogin");
        if (!this.keepsCookies) throw refusal("TOKEN_MISSING");
        if (challengeToken !== "") {
          const { challenge, binding, ends } = JSON.parse(challengeToken);
          const isBound = requestHeader.get("x-binding") === binding && !this.#usedLogins.has(challengeToken);
          if (!isBound || this.serviceTime >= ends) throw refusal("CHALLENGE_INVALID");
          if (challengeIn(proof.value) !== challenge) throw refusal("PASSKEY_INVALID");
          this.#usedLogins.add(challengeToken);
        } else if (proof.case === "emailCode") {
          if (this.awaits !== "code") throw refusal("CHALLENGE_INVALID");
          if (proof.value !== "right") throw refusal("CODE_INVALID", { code: Code.InvalidArgument });
          this.awaits = "factor";
          return { outcome: { case: "challenge", value: asked(LoginMethod.ENROL, responseHeader) } };
        } else {
          if (!this.challenged) throw refusal("CHALLENGE_INVALID");
          if (proof.case === "passkeyCredentialJson") {
            if (challengeIn(proof.value) !== "c2Vjb25k") throw refusal("PASSKEY_INVALID");
          } else if (proof.value !== "right") throw refusal("CODE_INVALID", { code: Code.InvalidArgument });
        }
        this.challenged = false;
        this.remembered.push(rememberDevice);
        this.live = { session: ++this.#sessions, generation: 1 };
        const cancelToken = `cancel ${this.live.session}`;
        return { outcome: { case: "session", value: opened(responseHeader) }, cancelToken };
      },
      refresh: (_, { requestHeader, responseHeader }) => {
        called("Refresh");
        const brought = cookies(requestHeader);
        if (brought === undefined) throw refusal("TOKEN_MISSING");
        if (this.live?.session !== brought.session) throw refusal("SESSION_ENDED");
        const age = this.live.generation - brought.generation;
        if (age > 1) {
          this.live = undefined;
          throw refusal("REFRESH_TOKEN_REUSED");
        }
        if (age === 0) this.live.generation++;
        return { session: opened(responseHeader) };
      },
      startPasskeyReauthentication: (_, { requestHeader }) => {
        called("StartPasskeyReauthentication");
        authenticate(requestHeader);
        const challengeToken = `${this.serviceTime + 300_000}`;
        return { challengeToken, passkeyRequestJson: JSON.stringify({ challenge: "YWdhaW4" }) };
      },
      reauthenticate: ({ challengeToken, proof }, { requestHeader, responseHeader }) => {
        called("Reauthenticate");
        authenticate(requestHeader);
        if (proof.case === "passkeyCredentialJson") {
          if (this.serviceTime >= Number(challengeToken)) throw refusal("CHALLENGE_INVALID");
          if (challengeIn(proof.value) !== "YWdhaW4") throw refusal("PASSKEY_INVALID");
          if (this.live) this.live.generation++;
          return { session: opened(responseHeader) };
        }
        if (this.secondFactor && proof.case === "password") {
          throw refusal("STEP_UP_REQUIRED", { code: Code.PermissionDenied, metadata: { methods: "TOTP BACKUP_CODE" } });
        }
        if (proof.value !== "right") throw refusal("CURRENT_PASSWORD_WRONG", { code: Code.InvalidArgument });
        if (this.live) this.live.generation++;
        return { session: opened(responseHeader) };
      },
      logout: ({ cancelToken }, { responseHeader }) => {
        called("Logout");
        if (cancelToken !== "") {
          if (cancelToken === `cancel ${this.live?.session}`) this.live = undefined;
          return {};
        }
        this.live = undefined;
        responseHeader.set("x-jar", "");
        return {};
      },
    });
    router.service(AccountService, {
      register: ({ requestId }) => {
        this.requestIds.push(requestId);
        called("Register");
        return {};
      },
      getMe: (_, { requestHeader }) => {
        called("GetMe");
        return authenticate(requestHeader);
      },
      updateMe: (_, { requestHeader }) => {
        called("UpdateMe");
        return authenticate(requestHeader);
      },
      deleteMe: (_, { requestHeader }) => {
        called("DeleteMe");
        authenticate(requestHeader);
        this.live = undefined;
        return {};
      },
    });
    router.service(SessionService, {});
    router.service(FactorService, {
      listFactors: (_, { requestHeader }) => {
        called("ListFactors");
        authenticate(requestHeader);
        return { factors: [{ name: "Phone" }], backupCodesLeft: 10 };
      },
      listRememberedDevices: (_, { requestHeader }) => {
        called("ListRememberedDevices");
        authenticate(requestHeader);
        return { devices: [{ deviceId: "laptop", current: true }] };
      },
      forgetDevice: ({ deviceId }, { requestHeader }) => {
        called("ForgetDevice");
        authenticate(requestHeader);
        if (deviceId !== "laptop") throw refusal("DEVICE_NOT_FOUND", { code: Code.NotFound });
        return {};
      },
      startTotp: ({ name, challengeToken }, { requestHeader }) => {
        called("StartTotp");
        isForLogin(challengeToken, requestHeader);
        return { factorId: name };
      },
      confirmTotp: ({ code, challengeToken }, { requestHeader, responseHeader }) => {
        called("ConfirmTotp");
        const isOfLogin = isForLogin(challengeToken, requestHeader);
        if (code !== "right") throw refusal("CODE_INVALID", { code: Code.InvalidArgument });
        return isOfLogin ? enrolled(responseHeader) : { backupCodes: ["one", "two"] };
      },
      startPasskey: ({ name, challengeToken }, { requestHeader }) => {
        called("StartPasskey");
        isForLogin(challengeToken, requestHeader);
        const user = { id: "YWRh", name: "ada", displayName: "Ada" };
        return { factorId: name || "unnamed", passkeyCreationJson: JSON.stringify({ challenge: "bmV3", user }) };
      },
      finishPasskey: ({ factorId, passkeyCredentialJson, challengeToken }, { requestHeader, responseHeader }) => {
        called("FinishPasskey");
        const isOfLogin = isForLogin(challengeToken, requestHeader);
        if (challengeIn(passkeyCredentialJson) !== "bmV3") throw refusal("PASSKEY_INVALID");
        if (isOfLogin) return enrolled(responseHeader);
        return { factor: { factorId, name: factorId }, backupCodes: ["one", "two"] };
      },
    });
    const browser = this;
    router.service(NEWS, {
      async *listen(_: unknown, { requestHeader }: { requestHeader: Headers }) {
        called("Listen");
        authenticate(requestHeader);
        for (let said = 0; said < 3; said++) {
          if (said === browser.breakAfter) throw refusal("TOKEN_EXPIRED");
          yield create(EmptySchema);
        }
      },
    } as never);
  }
}

/** The locks of an origin, as in Web Locks: an overtaken holder continues, and learns that it lost the lock. */
class Locks {
  readonly #named = new Map<string, Lock>();

  async request(name: string, options: LockOptions, act: () => Promise<unknown>): Promise<unknown> {
    const lock = this.#named.get(name) ?? new Lock();
    this.#named.set(name, lock);
    return lock.request(options, act);
  }
}

class Lock {
  #holder: { readonly lost: (reason: unknown) => void } | undefined;
  readonly #waiting: (() => void)[] = [];

  async request({ signal, steal = false }: LockOptions, act: () => Promise<unknown>): Promise<unknown> {
    signal?.throwIfAborted();
    if (steal) {
      this.#holder?.lost(new DOMException("overtaken", "AbortError"));
      this.#holder = undefined;
    }
    if (this.#holder) await this.#turn(signal);
    let holder: { readonly lost: (reason: unknown) => void } = { lost: () => {} };
    const lost = new Promise<never>((_, lose) => (holder = { lost: lose }));
    this.#holder = holder;
    try {
      return await Promise.race([act(), lost]);
    } finally {
      if (this.#holder === holder) {
        this.#holder = undefined;
        this.#waiting.shift()?.();
      }
    }
  }

  #turn(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((begin, giveUp) => {
      this.#waiting.push(begin);
      signal?.addEventListener("abort", () => {
        this.#waiting.splice(this.#waiting.indexOf(begin) >>> 0, 1);
        giveUp(signal.reason);
      });
    });
  }
}

/** A gate that holds all callers until it is opened. */
export function gate(): { readonly pass: Promise<void>; readonly open: () => void } {
  let open = () => {};
  const pass = new Promise<void>((resolve) => (open = resolve));
  return { pass, open };
}
