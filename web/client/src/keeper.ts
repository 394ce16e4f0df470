import { timestampDate } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import type { CallOptions, Client, Interceptor, StreamRequest, StreamResponse, Transport } from "@connectrpc/connect";
import { CookiesNotKept, reasonOf, type LoginMethod, type Reason } from "./errors.js";
import { renewAt, until } from "./expiry.js";
import { AccountService, type Account } from "./generated/countersign/v1/account_service_pb.js";
import {
  AuthService,
  LoginMethod as LoginMethods,
  type Challenge as ChallengeMessage,
  type Session,
} from "./generated/countersign/v1/auth_service_pb.js";
import { identified, isRepeatable, mayEndSession, needsSession } from "./methods.js";
import { withRetries } from "./retry.js";
import { begun, repeatable } from "./streams.js";
import { orAborted, type Surroundings } from "./surroundings.js";
import type { Tabs } from "./tabs.js";

type Next = Parameters<Interceptor>[0];

/** The identifier and password of a login. */
export interface Credentials {
  /** An e-mail address or a user name. */
  readonly identifier: string;
  readonly password: string;
  /** The group of backends that the session is for; `default` when absent. */
  readonly audience?: string;
  /** The token of the captcha that the service required: `captchaOf` returns the captcha. */
  readonly captchaToken?: string;
  /** The person's name for this device, at most 100 characters. */
  readonly deviceName?: string;
}

/** A session that was opened. Its tokens are in cookies that no script can read. */
export interface SignedIn {
  readonly sessionId: string;
  readonly account: Account | undefined;
  /** When the session ends, unless it is used before. */
  readonly expireTime: Date | undefined;
}

/** A login that needs a second factor. No session is open. */
export interface Challenge {
  /** What the account can prove now. One of them is enough. */
  readonly methods: readonly LoginMethod[];
  /** When it is too late to continue, by the clock of this browser. */
  readonly expireTime: Date | undefined;
}

/** A session that was opened, or the challenge that comes before it. */
export type LoginResult = (SignedIn & { readonly challenge?: undefined }) | { readonly challenge: Challenge };

/** A second factor: the six digits of an authenticator app, or a backup code, as the person typed them. */
export type CodeProof = { readonly totpCode: string } | { readonly backupCode: string };
/** What proves who the person is. */
export type Proof = { readonly password: string } | CodeProof;

/** The reasons for which another access token helps. */
const RENEWABLE: ReadonlySet<Reason | undefined> = new Set(["TOKEN_EXPIRED", "TOKEN_MISSING", "TOKEN_INVALID"]);
/** The reasons for which the session has ended, whatever tokens there are. */
const OVER: ReadonlySet<Reason | undefined> = new Set(["SESSION_ENDED", "SESSION_EXPIRED", "ACCOUNT_DISABLED"]);
/** The reasons for which a refresh or logout has no session to continue. */
const GONE: ReadonlySet<Reason | undefined> = new Set([...OVER, "TOKEN_MISSING", "TOKEN_INVALID", "REFRESH_TOKEN_REUSED"]);

/**
 * How long one attempt to refresh or to log out may take, in milliseconds, while all tabs wait. Three attempts to
 * refresh fit into the service's usual grace of 30 seconds, in which a token whose answer was lost is still accepted.
 */
const ATTEMPT_TIMEOUT = 8_000;
/** How often a call is made at most: with the cookies it found, with those of another tab, and with refreshed ones. */
const MOST_ROUNDS = 3;

/**
 * Keeps the session of all tabs of an origin.
 *
 * Invariant: every call whose answer may set cookies, or clear those of a live session, runs alone among all tabs, from
 * before it is sent until its answer is stored. So no answer is stored after that of a later call. Only answers about a
 * session that has ended remain: they clear cookies, and may arrive after a login. The service gives that login one
 * cookie that they do not clear, and a refresh restores the others.
 */
export class SessionKeeper {
  readonly #auth: Client<typeof AuthService>;
  /** When the challenge of the latest login expires, in the clock of the browser. */
  #challengeEnds = 0;
  readonly #account: Client<typeof AccountService>;
  #recovering: Promise<void> | undefined;

  /** `transport` must not contain the interceptor of this keeper. */
  constructor(
    transport: Transport,
    private readonly tabs: Tabs,
    private readonly surroundings: Surroundings,
  ) {
    this.#auth = createClient(AuthService, transport);
    this.#account = createClient(AccountService, transport);
  }

  /**
   * Opens a session, or resolves to the challenge that comes before it. Is not repeated automatically, because that
   * would open a second session. Rejects with `CookiesNotKept` when the browser keeps no cookies of the service; then
   * there is no session.
   */
  login(credentials: Credentials, options?: CallOptions): Promise<LoginResult> {
    return this.tabs.alone(async () => {
      if (!this.surroundings.cookies()) throw new CookiesNotKept();
      const [answer, header] = await withHeader((given) => this.#auth.login(credentials, given), options);
      const { outcome, cancelToken } = answer;
      switch (outcome.case) {
        case "session":
          return this.#open(outcome.value, cancelToken, header, options);
        case "challenge": {
          const asked = challenge(outcome.value, header, this.surroundings.now());
          this.#challengeEnds = asked.expireTime?.getTime() ?? 0;
          return { challenge: asked };
        }
        default:
          throw new ConnectError("the service asks for a step that this client does not know", Code.Unimplemented);
      }
    }, options?.signal);
  }

  /**
   * Opens the session of a challenge, which is in a cookie. Is not repeated automatically: a challenge opens one
   * session, and each wrong code counts.
   */
  completeLogin(proof: CodeProof, options?: CallOptions): Promise<SignedIn> {
    return this.tabs.alone(async () => {
      const ask = (given: CallOptions) => this.#auth.completeLogin({ proof: codeOf(proof) }, given);
      const [{ session, cancelToken }, header] = await withHeader(ask, options).catch((error: unknown) => {
        // A browser drops the cookie of a challenge that has expired, and of no other.
        const isLost = reasonOf(error) === "TOKEN_MISSING" && this.surroundings.now() < this.#challengeEnds;
        throw isLost ? new CookiesNotKept() : error;
      });
      return this.#open(opened(session), cancelToken, header, options);
    }, options?.signal);
  }

  /** A session that was opened just now, once the browser has its cookies, for all tabs. */
  async #open(session: Session, cancelToken: string, header: Headers, options?: CallOptions): Promise<SignedIn> {
    await this.#confirm(cancelToken, options);
    this.tabs.publish({ signedIn: true }, { opened: true, renewAt: renewAt(session, header, this.surroundings.now()) });
    return signedIn(session);
  }

  /**
   * Proves again who holds the session: the tokens in the cookies are replaced by ones with a fresh proof. Is not
   * repeated automatically, because each wrong proof counts.
   */
  reauthenticate(given: string | Proof, options?: CallOptions): Promise<SignedIn> {
    const signal = options?.signal ?? new AbortController().signal;
    const proof = proofOf(typeof given === "string" ? { password: given } : given);
    const prove = async () => {
      const [answer, header] = await withHeader((given) => this.#auth.reauthenticate({ proof }, given), options);
      const session = opened(answer.session);
      this.tabs.publish({ signedIn: true }, { renewAt: renewAt(session, header, this.surroundings.now()) });
      return signedIn(session);
    };
    return this.#inSession(() => this.tabs.alone(prove, signal), signal);
  }

  /**
   * Checks with a call whether the browser kept the cookies of the login. If it did not, the session is ended: it would
   * stay for weeks unused, and each try would add another one.
   */
  async #confirm(cancelToken: string, options?: CallOptions): Promise<void> {
    const call: CallOptions = { timeoutMs: ATTEMPT_TIMEOUT, ...(options?.signal && { signal: options.signal }) };
    try {
      await this.#account.getMe({}, call);
    } catch (error) {
      if (reasonOf(error) !== "TOKEN_MISSING") return;
      await this.#auth.logout({ cancelToken }, call).catch(() => {});
      throw new CookiesNotKept();
    }
  }

  /**
   * Ends the session; with `everywhere`, all sessions of the account. Rejects when the service could not be reached:
   * the session then continues.
   */
  logout({ everywhere = false } = {}, options?: CallOptions): Promise<void> {
    const ask = () => this.#auth.logout({ everywhere }, { timeoutMs: ATTEMPT_TIMEOUT, ...options });
    return this.tabs.alone(async () => {
      try {
        await withRetries(ask, this.surroundings, options?.signal);
        this.tabs.publish({ signedIn: false });
      } catch (error) {
        const reason = reasonOf(error);
        if (reason !== undefined && GONE.has(reason)) this.tabs.publish({ signedIn: false, reason });
        // There was no session to end here. Other devices may have one.
        if (everywhere || !GONE.has(reason)) throw error;
      }
    }, options?.signal);
  }

  /** Adds request ids to calls, repeats calls where that is safe, and refreshes when a call needs it. */
  readonly interceptor: Interceptor = (next) => (request) => {
    if (request.stream) return this.#stream(next, request);
    const { method, signal } = request;
    const call = identified(request);
    const once = async () => {
      const answer = await next(call);
      if (method === AccountService.method.deleteMe) this.tabs.publish({ signedIn: false });
      return answer;
    };
    const attempt = () => (mayEndSession(method) ? this.tabs.alone(once, signal) : once());
    const act = () => (isRepeatable(method) ? withRetries(attempt, this.surroundings, signal) : attempt());
    return needsSession(method) ? this.#inSession(act, signal) : act();
  };

  async #stream(next: Next, request: StreamRequest): ReturnType<Next> {
    const { method, signal } = request;
    if (method.methodKind !== "server_streaming" || !needsSession(method)) return next(request);
    const again = await repeatable(request);
    return this.#inSession(async () => begun((await next(again())) as StreamResponse), signal);
  }

  /** Makes a call that needs a session, and refreshes the tokens when they are not accepted. */
  async #inSession<T>(act: () => Promise<T>, signal: AbortSignal): Promise<T> {
    if (this.tabs.stale) await this.#refreshAhead(signal);
    for (let round = 1; ; round++) {
      const seen = this.tabs.epoch;
      try {
        return await act();
      } catch (error) {
        if (round === MOST_ROUNDS || signal.aborted || !concernsSession(error)) throw error;
        await orAborted(this.#recover(seen, error), signal);
      }
    }
  }

  /**
   * Refreshes before a call. A failure does not matter unless the session has ended: the old tokens are still valid.
   */
  async #refreshAhead(signal: AbortSignal): Promise<void> {
    try {
      await orAborted(this.#recover(this.tabs.epoch), signal);
    } catch (error) {
      if (signal.aborted || GONE.has(reasonOf(error))) throw error;
    }
  }

  /**
   * Makes it useful to repeat a failed call. Rejects with the reason when that is not possible. Runs once at a time in
   * this tab.
   */
  #recover(seen: number, error?: unknown): Promise<void> {
    this.#recovering ??= this.tabs
      .alone(() => this.#decide(seen, error))
      .finally(() => (this.#recovering = undefined));
    return this.#recovering;
  }

  async #decide(seen: number, error: unknown): Promise<void> {
    // Another tab has refreshed, signed in or signed out since the call was sent: the answer is out of date.
    if (this.tabs.epoch !== seen) return;
    if (OVER.has(reasonOf(error))) throw this.#over(error);
    const refresh = () => withHeader((given) => this.#auth.refresh({}, given), { timeoutMs: ATTEMPT_TIMEOUT });
    try {
      const [{ session }, header] = await withRetries(refresh, this.surroundings);
      this.tabs.publish({ signedIn: true }, { renewAt: renewAt(session, header, this.surroundings.now()) });
    } catch (refusal) {
      throw GONE.has(reasonOf(refusal)) ? this.#over(refusal) : refusal;
    }
  }

  #over(error: unknown): unknown {
    const reason = reasonOf(error);
    this.tabs.publish(reason ? { signedIn: false, reason } : { signedIn: false });
    return error;
  }
}

/** Makes a call, and resolves to its answer and the headers of the answer. */
async function withHeader<T>(call: (options: CallOptions) => Promise<T>, options?: CallOptions): Promise<[T, Headers]> {
  let header = new Headers();
  const onHeader = (given: Headers) => {
    header = given;
    options?.onHeader?.(given);
  };
  return [await call({ ...options, onHeader }), header];
}

function codeOf(proof: CodeProof) {
  if ("totpCode" in proof) return { case: "totpCode", value: proof.totpCode } as const;
  return { case: "backupCode", value: proof.backupCode } as const;
}

function proofOf(proof: Proof) {
  return "password" in proof ? ({ case: "password", value: proof.password } as const) : codeOf(proof);
}

/** The methods that this version knows. A later service may have more. */
function challenge({ methods, expireTime }: ChallengeMessage, header: Headers, now: number): Challenge {
  const named = methods.map((method) => LoginMethods[method] as keyof typeof LoginMethods | undefined);
  return {
    methods: named.filter((name): name is LoginMethod => name !== undefined && name !== "UNSPECIFIED"),
    expireTime: expireTime && new Date(now + until(expireTime, header, now)),
  };
}

function opened(session: Session | undefined): Session {
  if (session === undefined) throw new ConnectError("the service answered without a session", Code.Internal);
  return session;
}

function signedIn({ sessionId, account, refreshExpireTime }: Session): SignedIn {
  return { sessionId, account, expireTime: refreshExpireTime && timestampDate(refreshExpireTime) };
}

function concernsSession(error: unknown): boolean {
  const reason = reasonOf(error);
  return RENEWABLE.has(reason) || OVER.has(reason);
}
