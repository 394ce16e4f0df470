import type { MessageInitShape } from "@bufbuild/protobuf";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import type { CallOptions, Client, Interceptor, StreamRequest, StreamResponse, Transport } from "@connectrpc/connect";
import { CookiesNotKept, reasonOf, type Reason } from "./errors.js";
import { endOf, renewAt } from "./expiry.js";
import { AccountService } from "./generated/countersign/v1/account_service_pb.js";
import {
  AuthService,
  CompleteLoginRequestSchema,
  ReauthenticateRequestSchema,
  type Challenge as ChallengeMessage,
  type Session,
} from "./generated/countersign/v1/auth_service_pb.js";
import {
  challenge,
  codeOf,
  proofOf,
  signedIn,
  type Challenge,
  type Completion,
  type Credentials,
  type LoginProof,
  type LoginResult,
  type PasskeyLogin,
  type Proof,
  type SignedIn,
} from "./login.js";
import { identified, isRepeatable, mayEndSession, needsSession } from "./methods.js";
import { Passkeys, type PasskeyRequest } from "./passkeys.js";
import { withRetries } from "./retry.js";
import { begun, repeatable } from "./streams.js";
import { orAborted, type Surroundings } from "./surroundings.js";
import type { Tabs } from "./tabs.js";

type Next = Parameters<Interceptor>[0];
type CompleteLogin = MessageInitShape<typeof CompleteLoginRequestSchema>;
type Reauthentication = MessageInitShape<typeof ReauthenticateRequestSchema>;
/** What an answer opens. */
export interface Opening {
  readonly session?: Session | undefined;
  readonly cancelToken: string;
}
/** A login by passkey alone that has begun. */
type StartedLogin = PasskeyRequest & { readonly challengeToken: string };

/** The reasons for which another access token helps. */
const RENEWABLE: ReadonlySet<Reason | undefined> = new Set(["TOKEN_EXPIRED", "TOKEN_MISSING", "TOKEN_INVALID"]);
/** The reasons for which the session has ended, whatever tokens there are. */
const OVER: ReadonlySet<Reason | undefined> = new Set(["SESSION_ENDED", "SESSION_EXPIRED", "ACCOUNT_DISABLED"]);
/** The reasons for which a refresh or logout has no session to continue here. */
const GONE: ReadonlySet<Reason | undefined> = new Set([
  ...OVER,
  "TOKEN_MISSING",
  "TOKEN_INVALID",
  "REFRESH_TOKEN_REUSED",
  "REAUTHENTICATION_REQUIRED",
]);

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
 * cookie that they do not clear, and a refresh restores the others. The cookie that StartPasskeyLogin sets belongs to
 * no session.
 */
export class SessionKeeper {
  readonly #auth: Client<typeof AuthService>;
  /** What a passkey signs for the latest login, and when its challenge expires. */
  #challenge: PasskeyRequest = { json: "", ends: 0 };
  readonly #account: Client<typeof AccountService>;
  #recovering: Promise<void> | undefined;

  /** `transport` must not contain the interceptor of this keeper. */
  constructor(
    transport: Transport,
    private readonly tabs: Tabs,
    private readonly surroundings: Surroundings,
    private readonly passkeys: Passkeys,
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
    const logIn = async (): Promise<LoginResult> => {
      if (!this.surroundings.cookies()) throw new CookiesNotKept();
      const [answer, header] = await withHeader((given) => this.#auth.login(credentials, given), options);
      const { outcome, cancelToken } = answer;
      switch (outcome.case) {
        case "session":
          return this.#open(outcome.value, cancelToken, header, options);
        case "challenge":
          return { challenge: this.#ask(outcome.value, header) };
        default:
          throw unknownStep();
      }
    };
    return this.passkeys.instead(() => this.tabs.alone(logIn, options?.signal));
  }

  /** The challenge of the answer, which is in a cookie from now on. */
  #ask(message: ChallengeMessage, header: Headers): Challenge {
    const asked = challenge(message, header, this.surroundings.now());
    this.#challenge = { json: message.passkeyRequestJson, ends: asked.expireTime?.getTime() ?? 0 };
    return asked;
  }

  /**
   * Continues a login with the code that was mailed. Is not repeated automatically: a code works once, and each wrong
   * one counts.
   */
  proveEmail(code: string, options?: CallOptions): Promise<Challenge> {
    const prove = async () => {
      const request: CompleteLogin = { proof: { case: "emailCode", value: code } };
      const ask = (given: CallOptions) => this.#auth.completeLogin(request, given);
      const [{ outcome }, header] = await this.challenged(() => withHeader(ask, options));
      if (outcome.case !== "challenge") throw unknownStep();
      return this.#ask(outcome.value, header);
    };
    return this.tabs.alone(prove, options?.signal);
  }

  /**
   * Opens the session of a challenge, which is in a cookie. Is not repeated automatically: a challenge opens one
   * session, and each wrong code counts.
   */
  completeLogin(proof: LoginProof, { rememberDevice = false, ...options }: Completion = {}): Promise<SignedIn> {
    const { json, ends } = this.#challenge;
    if (!("passkey" in proof)) return this.#complete({ proof: codeOf(proof), rememberDevice }, options, ends);
    return this.passkeys.instead(async () => {
      const value = await this.passkeys.sign(json, options?.signal);
      return this.#complete({ proof: { case: "passkeyCredentialJson", value }, rememberDevice }, options, ends);
    });
  }

  /**
   * Opens a session with a passkey alone. Rejects with `NoPasskey` when no passkey signed, and with `CookiesNotKept`
   * like `login`.
   */
  async loginWithPasskey(login: PasskeyLogin = {}): Promise<SignedIn> {
    if (!this.surroundings.cookies()) throw new CookiesNotKept();
    const { autofill = false, onChosen, signal } = login;
    const completed = ({ challengeToken, ends }: StartedLogin, value: string) => {
      onChosen?.();
      const request = { challengeToken, proof: { case: "passkeyCredentialJson", value } } as const;
      return this.#complete(request, signal && { signal }, ends);
    };
    if (!autofill) {
      return this.passkeys.instead(async () => {
        const started = await this.#startPasskeyLogin(login);
        return completed(started, await this.passkeys.sign(started.json, signal));
      });
    }
    for (;;) {
      await this.passkeys.idle(signal);
      const started = await this.#startPasskeyLogin(login);
      const credential = await this.passkeys.signInAutofill(started, signal);
      if (credential !== undefined) return completed(started, credential);
    }
  }

  /**
   * Runs in turn with other tabs: the answer sets a cookie if the browser has none, and the token of every tab must
   * belong to the one that stays.
   */
  #startPasskeyLogin({ audience = "", deviceName = "", signal }: PasskeyLogin): Promise<StartedLogin> {
    const ask = async () => {
      const start = (given: CallOptions) => this.#auth.startPasskeyLogin({ audience, deviceName }, given);
      const [started, header] = await withHeader(start, { timeoutMs: ATTEMPT_TIMEOUT, ...(signal && { signal }) });
      const { challengeToken, passkeyRequestJson: json, expireTime } = started;
      return { challengeToken, json, ends: endOf(expireTime, header, this.surroundings.now()) };
    };
    return withRetries(() => this.tabs.inTurn("passkey", ask), this.surroundings, signal);
  }

  /** Opens the session that a challenge is for, or a passkey alone. `ends` is when it is too late. */
  async #complete(request: CompleteLogin, options: CallOptions | undefined, ends: number): Promise<SignedIn> {
    const ask = async (given: CallOptions) => {
      const { outcome, cancelToken } = await this.#auth.completeLogin(request, given);
      if (outcome.case === "challenge") throw unknownStep();
      return { session: outcome.value, cancelToken };
    };
    const [opened] = await this.open(ask, options, ends);
    return opened;
  }

  /**
   * Opens the session of a call's answer for all tabs, and resolves to both. `ends` is when it is too late: by default,
   * when the latest challenge expires.
   */
  open<T extends Opening>(
    ask: (given: CallOptions) => Promise<T>,
    options?: CallOptions,
    ends = this.#challenge.ends,
  ): Promise<[SignedIn, T]> {
    const open = async (): Promise<[SignedIn, T]> => {
      const [answer, header] = await this.challenged(() => withHeader(ask, options), ends);
      return [await this.#open(opened(answer.session), answer.cancelToken, header, options), answer];
    };
    return this.tabs.alone(open, options?.signal);
  }

  /** Makes a call that needs a challenge. Rejects with `CookiesNotKept` when the browser lost its cookie. */
  async challenged<T>(call: () => Promise<T>, ends = this.#challenge.ends): Promise<T> {
    try {
      return await call();
    } catch (error) {
      // A browser drops the cookie of a challenge that has expired, and of no other.
      const isLost = reasonOf(error) === "TOKEN_MISSING" && this.surroundings.now() < ends;
      throw isLost ? new CookiesNotKept() : error;
    }
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
    const proof = typeof given === "string" ? { password: given } : given;
    if (!("passkey" in proof)) return this.#prove({ proof: proofOf(proof) }, options);
    return this.passkeys.instead(async () => {
      const { challengeToken, passkeyRequestJson } = await this.#startPasskeyReauthentication(options);
      const value = await this.passkeys.sign(passkeyRequestJson, options?.signal);
      return this.#prove({ challengeToken, proof: { case: "passkeyCredentialJson", value } }, options);
    });
  }

  #startPasskeyReauthentication(options?: CallOptions) {
    const start = () => this.#auth.startPasskeyReauthentication({}, options);
    const signal = options?.signal ?? new AbortController().signal;
    return this.#inSession(() => withRetries(start, this.surroundings, signal), signal);
  }

  #prove(request: Reauthentication, options?: CallOptions): Promise<SignedIn> {
    const signal = options?.signal ?? new AbortController().signal;
    const prove = async () => {
      const [answer, header] = await withHeader((given) => this.#auth.reauthenticate(request, given), options);
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

function unknownStep(): ConnectError {
  return new ConnectError("the service asks for a step that this client does not know", Code.Unimplemented);
}

function opened(session: Session | undefined): Session {
  if (session === undefined) throw new ConnectError("the service answered without a session", Code.Internal);
  return session;
}

function concernsSession(error: unknown): boolean {
  const reason = reasonOf(error);
  return RENEWABLE.has(reason) || OVER.has(reason);
}
